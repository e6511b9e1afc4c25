#!/usr/bin/env python3
"""penult extract: what the output files hold, when they are replaced, and that bits are stable."""

import hashlib
import json
import math
import os
import re
import struct
import zipfile

import support
from support import nearest

PROVENANCE = ["penult", "model", "model_id", "weights", "taps", "pooling", "l2_normalize", "preprocess", "exif",
              "device", "precision", "backend", "isa", "numerics", "dtype", "inputs", "inputs_sha256"]


class Npz(support.ModelTest):
    def setUp(self):
        super().setUp()
        for i in range(3):
            self.png(f"in/{i}.png", seed=i)

    def test_holds_an_array_for_each_tap_by_the_name_as_given(self):
        arrays = self.extracted("in", "-l", "features.14", "-l", "penultimate", "-l", "-1")
        self.assertEqual(list(arrays), ["features.14", "penultimate", "-1", "paths", "labels",
                                        "provenance"])
        self.assertEqual([arrays[key][0] for key in ("features.14", "penultimate", "-1")],
                         [(3, 160), (3, 1280), (3, 320)])
        taps = arrays["provenance"]["taps"]
        self.assertEqual(taps["features.14"],
                         {"name": "features.14.conv.3", "shape": [160], "dim": 160})
        self.assertEqual(taps["penultimate"]["name"], "adaptive_avg_pool2d")

    def test_needs_no_pickle_and_no_compression(self):
        self.extract("in")
        with zipfile.ZipFile(self.folder / "x.npz") as archive:
            self.assertIsNone(archive.testzip())
            for entry in archive.infolist():
                self.assertEqual(entry.compress_type, zipfile.ZIP_STORED)
                self.assertEqual(oct(entry.external_attr >> 16), "0o100666")
                head = archive.read(entry)[:80]
                self.assertRegex(head, rb"\A\x93NUMPY\x01\0..\{'descr': '<(f4|U\d+)', ")

    def test_groups_expand_to_main_names(self):
        arrays = self.extracted("in", "-l", "blocks")
        self.assertEqual(len(arrays), 19 + 3)
        self.assertIn("features.3.add", arrays)
        everything = self.extracted("in/0.png", "-l", "all")
        listed = json.loads(self.penult("inspect", self.model, "--json", "--no-ms").stdout)["taps"]
        self.assertEqual(list(everything)[:-3], [tap["name"] for tap in listed])
        for tap in listed:
            self.assertEqual(everything[tap["name"]][0], (1, tap["dim"]))

    def test_a_name_given_twice_is_refused(self):
        for second in ("features.3.add", "blocks", "all"):
            result = self.extract("in", "-l", "features.3.add", "-l", second, code=2)
            self.assertIn("asked for twice", result.stderr)
        self.assertEqual(self.files(), ["in"])

    def test_provenance_says_what_decided_the_bits(self):
        arrays = self.extracted("in", "-l", "features.3", "--pool", "max", "--exif", "ignore")
        facts = arrays["provenance"]
        self.assertEqual(list(facts), PROVENANCE)
        version = self.penult("--version").stdout.split()[1]
        self.assertEqual([facts[key] for key in ("penult", "model", "pooling", "exif", "device",
                                                 "backend", "dtype", "inputs")],
                         [version, "mobilenet_v2", "max", "ignore", "cpu", "native", "f32", 3])
        model = json.loads(self.penult("inspect", self.model, "--json", "--no-ms").stdout)["model"]
        self.assertEqual((facts["model_id"], facts["weights"]),
                         (model["model_id"], model["weights"]))
        self.assertEqual(list(facts["preprocess"]), ["resize_mode", "resize", "crop", "filter",
                                                     "antialias", "channel_order", "mean", "std"])
        names = b"".join(f"in/{i}.png".encode() + b"\0" for i in range(3))
        self.assertEqual(facts["inputs_sha256"], hashlib.sha256(names).hexdigest())

    def test_every_field_is_documented(self):
        text = (support.ROOT / "docs/outputs.md").read_text(encoding="utf-8")
        table = re.search(r"\n## Provenance\n\| field .*?\n\n", text, re.S)[0]
        rows = re.findall(r"^\| (`.*?) \|", table, re.M)
        documented = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
        facts = self.extracted("in", "--dtype", "f16", "--pool", "gem")["provenance"]
        self.assertEqual(sorted(documented), sorted(facts))

    def test_isa_class_is_that_of_the_run(self):
        arrays = self.extracted("in", env={"PENULT_ISA_MAX": "scalar"})
        self.assertEqual(arrays["provenance"]["isa"], "scalar")
        arrays = self.extracted("in", "--backend", "reference")
        self.assertEqual(arrays["provenance"]["backend"], "reference")

    def test_poolings_agree_with_the_map(self):
        def values(pool):
            return self.extracted("in/0.png", "-l", "features.3", "--pool", pool)["features.3"]

        (n, c, h, w), whole = values("none")
        self.assertEqual((n, c, h, w), (1, 24, 8, 8))
        self.assertEqual(values("flatten"), ((1, c * h * w), whole))
        planes = [whole[i * h * w:(i + 1) * h * w] for i in range(c)]
        self.assertEqual(list(values("max")[1]), [max(plane) for plane in planes])
        means = [sum(plane) / (h * w) for plane in planes]
        cubes = [sum(max(x, 1e-6) ** 3 for x in plane) / (h * w) for plane in planes]
        deviations = [(sum((x - mean) ** 2 for x in plane) / (h * w)) ** 0.5
                      for plane, mean in zip(planes, means)]
        bins = [sum(plane[y * w + x] for y in range(i, i + 4) for x in range(j, j + 4)) / 16
                for plane in planes for i in (0, 4) for j in (0, 4)]
        for pool, want in (("avg", means), ("gem", [x ** (1 / 3) for x in cubes]),
                           ("avg+std", means + deviations), ("2x2", bins)):
            shape, got = values(pool)
            self.assertEqual(shape, (1, len(want)), pool)
            for a, b in zip(got, want):
                self.assertAlmostEqual(a, b, places=5, msg=pool)

    def test_every_pooling_is_listed(self):
        message = self.extract("in", "--pool", "mean", code=2).stderr
        listed = message.strip().split("expected one of ")[1]
        self.assertEqual(listed, "avg, max, flatten, none, gem, avg+std, 2x2")
        documents = [self.penult("extract", "--help").stdout]
        documents += [(support.ROOT / "docs" / name).read_text(encoding="utf-8")
                      for name in ("outputs.md", "numerics.md")]
        for text in documents:
            for pool in listed.split(", "):
                self.assertRegex(text, rf"[ `|]{re.escape(pool)}[`, |\n]")
        for pool in listed.split(", "):
            facts = self.extracted("in/0.png", "--pool", pool)["provenance"]
            self.assertEqual((facts["pooling"], facts.get("gem_p")),
                             (pool, 3 if pool == "gem" else None))

    def test_rows_are_normalized_on_demand(self):
        taps = ["-l", "features.3", "-l", "penultimate", "--pool", "none"]
        plain, unit = self.extracted("in", *taps), self.extracted("in", *taps, "--l2-normalize")
        self.assertEqual([arrays["provenance"]["l2_normalize"] for arrays in (plain, unit)],
                         [False, True])
        for key in ("features.3", "penultimate"):
            shape, values = plain[key]
            self.assertEqual(unit[key][0], shape)
            for row in range(shape[0]):
                dim = len(values) // shape[0]
                got, want = (list(a[row * dim:(row + 1) * dim]) for a in (unit[key][1], values))
                norm = math.sqrt(math.fsum(x * x for x in want))
                self.assertEqual(got, list(struct.unpack(
                    f"{dim}f", struct.pack(f"{dim}f", *(x / norm for x in want)))))

    def test_the_backend_onednn_is_recorded_or_refused(self):
        installed = re.search(r"(?m)^backend +onednn +yes", self.penult("doctor").stdout)
        with self.subTest("absent"):
            absent = self.extract("in", "--backend", "onednn", code=3,
                                  env={"PENULT_ONEDNN_MODULE": "gone.so"})
            self.assertIn("gone.so", absent.stderr)
        if not installed:
            self.skipTest("no oneDNN here")
        arrays = self.extracted("in", "--backend", "onednn")
        self.assertEqual(arrays["provenance"]["backend"], "onednn")

    def test_unknown_choices_are_refused(self):
        for option in (["--pool", "mean"], ["--backend", "cudnn"], ["-l", ""]):
            self.extract("in", *option, code=2)


class Npy(support.ModelTest):
    def setUp(self):
        super().setUp()
        self.png("in/cat/0.png")

    def test_comes_with_provenance_paths_and_labels_in_a_json(self):
        self.extract("in", out="x.npy")
        self.assertEqual(self.files(), ["in", "x.json", "x.npy"])
        shape, values = nearest.read_npy((self.folder / "x.npy").read_bytes())
        self.assertEqual(shape, (1, 1280))
        self.assertEqual(values, self.extracted("in")["penultimate"][1])
        beside = json.loads((self.folder / "x.json").read_text())
        self.assertEqual((beside["paths"], beside["labels"]), (["in/cat/0.png"], ["cat"]))
        self.assertEqual(list(beside["provenance"]), PROVENANCE)

    def test_names_that_are_no_text_give_their_bytes_back(self):
        names = [b"in/b\xff\xe9.png", "in/é€\"\\\n.png".encode()]
        for name in names:
            self.png(os.fsdecode(name))
        self.extract(*map(os.fsdecode, names), out="x.npy")
        beside = json.loads((self.folder / "x.json").read_text(encoding="utf-8"))
        self.assertEqual([os.fsencode(path) for path in beside["paths"]], names)

    def test_holds_one_tap_only(self):
        for taps in (["-l", "features.1", "-l", "features.2"], ["-l", "blocks"]):
            self.assertIn(".npz", self.extract("in", *taps, out="x.npy", code=2).stderr)
        self.assertEqual(self.files(), ["in"])


class Csv(support.ModelTest):
    def setUp(self):
        super().setUp()
        for name in ("in/cat/0.png", "in/b\udcff,\n.png"):
            self.png(name, seed=len(name))

    def test_holds_the_numbers_of_the_npz_to_the_last_bit(self):
        taps = ["-l", "features.1", "-l", "features.14"]
        arrays = self.extracted("in", *taps)
        self.extract("in", *taps, out="x.csv")
        self.assertEqual(self.files(), ["in", "x.csv", "x.npz"])
        header, *rows = support.read_csv(self.folder / "x.csv")
        dims = {key: arrays[key][0][1] for key in ("features.1", "features.14")}
        self.assertEqual(header, ["path", "label"] + [f"{key}_{i}" for key, dim in dims.items()
                                                      for i in range(dim)])
        self.assertEqual([row[0] for row in rows], arrays["paths"][1])
        self.assertEqual([row[1] for row in rows], ["", "cat"])
        at = 2
        for key, dim in dims.items():
            got = struct.pack(f"<{2 * dim}f", *(float(x) for row in rows for x in row[at:at + dim]))
            self.assertEqual(got, arrays[key][1].tobytes())
            at += dim

    def test_has_a_header_for_no_rows(self):
        (self.folder / "empty.png").touch()
        self.extract("empty.png", out="x.csv", code=1)
        rows = support.read_csv(self.folder / "x.csv")
        self.assertEqual(([len(row) for row in rows], rows[0][:3]),
                         ([1282], ["path", "label", "penultimate_0"]))


class F16(support.ModelTest):
    def setUp(self):
        super().setUp()
        self.png("a.png")

    def test_stores_the_nearest_half_of_each_value_and_says_so(self):
        arrays = self.extracted("a.png", "-l", "features.7", "--pool", "none")
        shape, values = arrays["features.7"]
        want = struct.unpack(f"<{len(values)}e", struct.pack(f"<{len(values)}e", *values))
        self.assertNotIn("f16_overflows", arrays["provenance"])
        half = self.extracted("a.png", "-l", "features.7", "--pool", "none", "--dtype", "f16")
        self.assertEqual((half["features.7"][0], tuple(half["features.7"][1])), (shape, want))
        facts = half["provenance"]
        self.assertEqual((facts["dtype"], facts["f16_overflows"]), ("f16", 0))
        self.extract("a.png", "-l", "features.7", "--pool", "none", "--dtype", "f16", out="x.npy")
        data = (self.folder / "x.npy").read_bytes()
        self.assertEqual(nearest.read_npy(data), half["features.7"])
        self.assertEqual(len(data), 128 + 2 * len(values))

    def test_csv_is_refused(self):
        self.assertIn("use .npz or .npy",
                      self.extract("a.png", "--dtype", "f16", out="x.csv", code=2).stderr)
        self.assertEqual(self.files(), ["a.png"])


class Replacing(support.ModelTest):
    def setUp(self):
        super().setUp()
        self.png("a.png")
        (self.folder / "bad.png").write_text("no picture")

    def test_nothing_that_exists_is_replaced_without_force(self):
        for name, out in (("x.npz", "x.npz"), ("x.npz.errors.csv", "x.npz"), ("y.json", "y.npy"),
                          ("y.npy", "y.npy"), ("y.npy.errors.csv", "y.npy"), ("z.csv", "z.csv")):
            path = self.folder / name
            path.write_text("precious")
            result = self.extract("a.png", out=out, code=2)
            self.assertIn(f'"{name}" exists already; give --force', result.stderr)
            self.assertEqual(path.read_text(), "precious")
            path.unlink()
        self.assertEqual(self.files(), ["a.png", "bad.png"])

    def test_force_replaces_everything_of_the_earlier_run(self):
        self.extract("a.png", "bad.png", out="x.npy", code=1)
        self.assertIn("x.npy.errors.csv", self.files())
        self.extract("a.png", "a.png", "--force", out="x.npy")
        self.assertEqual(self.files(), ["a.png", "bad.png", "x.json", "x.npy"])
        self.assertEqual(len(json.loads((self.folder / "x.json").read_text())["paths"]), 2)

    def test_a_folder_or_device_is_not_replaced_even_with_force(self):
        (self.folder / "d.npz").mkdir()
        self.extract("a.png", "--force", out="d.npz", code=2)
        (self.folder / "e.json").mkdir()
        self.extract("a.png", "--force", out="e.npy", code=2)
        self.assertNotIn("e.npy", self.files())
        self.assertIn('"gone/"', self.extract("a.png", out="gone/x.npz", code=4).stderr)


class Bits(support.ModelTest):
    def test_do_not_depend_on_batch_threads_or_other_taps(self):
        for i in range(7):
            self.png(f"in/{i}.png", seed=i)
        self.extract("in", "-l", "features.7", "-b", "1", "-j", "1", out="want.npz")
        want = (self.folder / "want.npz").read_bytes()
        for batch in (2, 3, 7, 64):
            for threads in (1, 2, 3):
                self.extract("in", "-l", "features.7", "-b", batch, "-j", threads, "--force")
                self.assertEqual((self.folder / "x.npz").read_bytes(), want, (batch, threads))
        # As many images as there are decide the memory: 65536 would need 800 MB.
        self.extract("in", "-l", "features.7", "-b", "65536", "--force")
        self.assertEqual((self.folder / "x.npz").read_bytes(), want)
        alone = support.read_npz(self.folder / "want.npz")["features.7"]
        self.assertEqual(self.extracted("in", "-l", "all", "-l", "features.7")["features.7"], alone)
        backwards = self.extracted(*(f"in/{i}.png" for i in reversed(range(7))),
                                   "-l", "features.7")["features.7"]
        self.assertEqual([list(backwards[1][i * 64:(i + 1) * 64]) for i in reversed(range(7))],
                         [list(alone[1][i * 64:(i + 1) * 64]) for i in range(7)])


if __name__ == "__main__":
    support.main()
