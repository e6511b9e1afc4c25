#!/usr/bin/env python3
"""tools/check_layers.py: violations are planted one by one into a small tree."""

import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import check_layers  # noqa: E402

# A tree in order: one header in each room that the cases below include.
HEADERS = (
    "engine/include/penult/status.h", "engine/include/penult/preprocess.h",
    "engine/include/penult/model.h", "engine/base/shape.h", "engine/graph/graph.h",
    "engine/ops/op.h", "engine/passes/passes.h", "engine/model/loader.h", "engine/plan/plan.h",
    "engine/image/image.h", "engine/output/npz.h", "kernels/kernel.h",
    "kernels/simd/vec_avx2.h", "kernels/conv2d/conv2d.h", "converters/importer.h",
    "tools/penult/commands.h", "tests/support/error_model.h", "bench/timer.h",
    "bench/shapes/corpus.h")


class CheckLayers(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = Path(self.folder.name)
        for header in HEADERS:
            self.write(header, "#pragma once\n")

    def write(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def violations(self, path, *lines):
        self.write(path, "".join(f"#include {line}\n" for line in lines))
        return check_layers.check_tree(self.root)

    def assert_allowed(self, path, *lines):
        self.assertEqual(self.violations(path, *lines), [])

    def assert_refused(self, path, line, words):
        # The offending line is the third: the message must name it.
        problems = self.violations(path, "<vector>", "<string>", line)
        self.assertEqual(len(problems), 1, problems)
        self.assertTrue(problems[0].startswith(f"{path}:3: "), problems[0])
        self.assertIn(words, problems[0])

    def test_accepts_a_tree_in_order(self):
        self.assertEqual(check_layers.check_tree(self.root), [])

    def test_refuses_kernels_in_graph_ops_passes_and_model(self):
        for room in ("graph", "ops", "passes", "model"):
            with self.subTest(room=room):
                path = f"engine/{room}/bad.cpp"
                self.assert_refused(path, '"kernels/kernel.h"', "no kernels")
                (self.root / path).unlink()

    def test_refuses_everything_of_the_engine_but_base_in_kernels(self):
        self.assert_allowed("kernels/a.cpp", '"engine/base/shape.h"', '"kernels/kernel.h"')
        for header in ("engine/graph/graph.h", "engine/ops/op.h", "penult/model.h"):
            with self.subTest(header=header):
                self.assert_refused("kernels/a.cpp", f'"{header}"', "no graph")

    def test_refuses_the_graph_in_image_and_output(self):
        self.assert_allowed("engine/image/a.cpp", '"penult/preprocess.h"', "<jpeglib.h>")
        self.assert_refused("engine/image/a.cpp", '"engine/graph/graph.h"', "no graph")
        (self.root / "engine/image/a.cpp").unlink()
        self.assert_refused("engine/output/a.cpp", '"engine/graph/graph.h"', "no graph")
        self.assert_refused("engine/output/a.cpp", '"penult/model.h"', "no graph")
        self.assert_refused("engine/output/a.cpp", '"kernels/kernel.h"', "no kernels")

    def test_lets_plan_and_image_but_not_the_facade_use_kernels(self):
        self.assert_allowed("engine/plan/a.cpp", '"kernels/kernel.h"', '"engine/graph/graph.h"')
        self.assert_allowed("engine/image/a.cpp", '"kernels/kernel.h"')
        self.assert_refused("engine/extractor.cpp", '"kernels/kernel.h"', "facade")

    def test_keeps_converters_to_base_graph_ops_model_and_public_headers(self):
        self.assert_allowed("converters/a.cpp", '"engine/model/loader.h"', '"penult/model.h"')
        for header in ("engine/plan/plan.h", "engine/passes/passes.h", "kernels/kernel.h",
                       "engine/image/image.h"):
            with self.subTest(header=header):
                self.assert_refused("converters/a.cpp", f'"{header}"', "converters use")

    def test_keeps_public_headers_to_public_headers_and_the_standard_library(self):
        path = "engine/include/penult/a.h"
        self.assert_allowed(path, '"penult/status.h"', "<vector>", "<stdint.h>")
        for line in ('"engine/base/shape.h"', "<zip.h>", "<fmt/format.h>", "<unistd.h>"):
            with self.subTest(line=line):
                self.assert_refused(path, line, "public headers")

    def test_lets_only_kernels_include_intrinsics_onednn_and_cuda(self):
        self.assert_allowed("kernels/a.cpp", "<immintrin.h>", "<oneapi/dnnl/dnnl.hpp>")
        for line in ("<immintrin.h>", "<x86intrin.h>", "<oneapi/dnnl/dnnl.hpp>", "<dnnl.h>",
                     "<cuda_runtime.h>", "<cudnn.h>"):
            for path in ("engine/image/a.cpp", "tests/a.cpp", "tools/a.cpp"):
                with self.subTest(line=line, path=path):
                    self.assert_refused(path, line, "only kernels/")
                    (self.root / path).unlink()

    def test_lets_nobody_include_tests_tools_or_bench(self):
        for path in ("engine/plan/a.cpp", "kernels/a.cpp", "converters/a.cpp", "bench/a.cpp"):
            for header in ("tests/support/error_model.h", "tools/penult/commands.h"):
                with self.subTest(path=path, header=header):
                    self.assert_refused(path, f'"{header}"', header)
            (self.root / path).unlink()
        self.assert_refused("tools/a.cpp", '"tests/support/error_model.h"', "tools may use")
        (self.root / "tools/a.cpp").unlink()
        self.assert_allowed("tests/a.cpp", '"tools/penult/commands.h"', "<gtest/gtest.h>")
        self.assert_refused("tests/a.cpp", '"bench/timer.h"', "bench")

    def test_lets_tests_and_benchmarks_share_the_shapes(self):
        for path in ("tests/a.cpp", "bench/a.cpp"):
            self.assert_allowed(path, '"bench/shapes/corpus.h"')
        self.assert_allowed("bench/shapes/a.cpp", '"kernels/kernel.h"', '"engine/ops/op.h"')
        self.assert_refused("bench/shapes/a.cpp", '"bench/timer.h"', "bench/shapes knows")
        (self.root / "bench/shapes/a.cpp").unlink()
        self.assert_refused("tools/a.cpp", '"bench/shapes/corpus.h"', "tools may use")

    def test_keeps_the_standard_library_out_of_files_compiled_for_one_isa(self):
        path = "kernels/conv2d/conv2d_avx2.cpp"
        self.assert_allowed(path, "<immintrin.h>", "<cstdint>", '"kernels/simd/vec_avx2.h"')
        self.assert_allowed("kernels/conv2d/conv2d_table.cpp", "<vector>")
        problems = self.violations(path, "<vector>", '"engine/base/shape.h"')
        self.assertEqual(len(problems), 2, problems)

    def test_keeps_the_file_encoding_and_decoders_to_their_rooms(self):
        self.assert_allowed("engine/model/a.cpp", '"model_generated.h"')
        self.assert_refused("converters/a.cpp", '"model_generated.h"', "engine/model")
        (self.root / "converters/a.cpp").unlink()
        self.assert_refused("tools/a.cpp", "<jpeglib.h>", "engine/image")

    def test_resolves_headers_named_relative_to_the_file(self):
        self.assert_refused("engine/graph/a.cpp", '"../plan/plan.h"', "engine/graph")

    def test_refuses_headers_that_do_not_exist_and_hidden_names(self):
        self.assert_refused("engine/graph/a.cpp", '"engine/graph/gone.h"', "no such file")
        self.assert_refused("engine/graph/a.cpp", "HEADER", "name the file")

    def test_refuses_a_file_of_no_layer(self):
        self.write("engine/attic/a.cpp", "")
        self.assertEqual(check_layers.check_tree(self.root), [])  # engine/ itself is the facade
        self.write("engine/attic/a.h", '#include "kernels/kernel.h"\n')
        self.assertEqual(len(check_layers.check_tree(self.root)), 1)

    def test_ignores_includes_in_comments(self):
        self.write("engine/graph/a.cpp",
                   '// #include "kernels/kernel.h"\n/*\n#include "kernels/kernel.h"\n*/\n')
        self.assertEqual(check_layers.check_tree(self.root), [])


if __name__ == "__main__":
    unittest.main()
