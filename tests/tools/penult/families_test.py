#!/usr/bin/env python3
"""A network of each family from a file as torch.save writes it to features: PyTorch's names and shapes
(tests/golden/architectures.npz), numbers that repeat."""

import itertools
import json
import math
import os
import signal
import subprocess
import sys
import time
import unittest

import support
from support import ROOT

sys.path.insert(0, str(ROOT / "tests/hostile"))
import torch_file  # noqa: E402

FACTS = support.nearest.read_npz(ROOT / "tests/golden/architectures.npz")
# Not a power of two, so that no row of a matrix repeats the one before.
PATTERN = [((37 * i) % 101 - 50) / 1000 for i in range(1009)]
POSITIVE = [0.5 + abs(number) for number in PATTERN]


def facts(net, what):
    return FACTS[f"{net}/{what}"][1][0].split("\n")


def state_dict(net):
    patterns = {True: torch_file.floats(POSITIVE), False: torch_file.floats(PATTERN)}
    weights = torch_file.StateDict()
    for line in facts(net, "tensors"):
        name, *dims = line.split(" ")
        if not dims:
            weights.tensors[name] = torch_file.Tensor((), bytes(8), "LongStorage", 8)
            continue
        dims = [int(dim) for dim in dims[0].split("x")]
        is_scale = len(dims) == 1 and name.endswith((".running_var", ".weight"))
        pattern = patterns[is_scale]
        count = 4 * math.prod(dims)
        data = (pattern * (count // len(pattern) + 1))[:count]
        weights.tensors[name] = torch_file.Tensor(dims, data)
    return weights


class Families(support.ProgramTest):
    def check(self, net, legacy, penultimate, dim):
        weights = state_dict(net)
        (self.folder / "w.pth").write_bytes(weights.legacy() if legacy else weights.zip())
        text = self.penult("convert", "w.pth", "-o", "m.penult", "--input-size", "64x64").stdout
        self.assertRegex(text, rf"\Am\.penult: {net} from w\.pth")
        self.assertIn("taps compared: cosine >= 1 - ", text)
        taps = json.loads(self.penult("inspect", "m.penult", "--json", "--no-ms").stdout)["taps"]
        names = set(itertools.chain.from_iterable([t["name"], *t["aliases"]] for t in taps))
        self.assertEqual(set(facts(net, "nodes")) - names, set())
        support.write_png(self.folder / "a.png", w=80, h=72)
        self.penult("extract", "a.png", "-m", "m.penult", "-o", "x.npz")
        arrays = support.read_npz(self.folder / "x.npz")
        self.assertEqual(arrays["penultimate"][0], (1, dim))
        self.assertEqual(arrays["provenance"]["taps"]["penultimate"]["name"], penultimate)
        self.assertGreater(max(map(abs, arrays["penultimate"][1])), 1e-6)

    def test_resnet(self):
        self.check("resnet18", False, "avgpool", 512)

    def test_mobilenet_v1(self):
        self.check("mobilenetv1_100", True, "global_pool.pool", 1024)

    def test_mobilenet_v3(self):
        self.check("mobilenet_v3_small", False, "classifier.1", 1024)

    def test_bagnet(self):
        self.check("bagnet9", True, "avgpool", 2048)


# Runs a command and prints its largest resident memory, in KB.
PRINT_MEMORY = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


class Large(support.ProgramTest):
    """ResNet-50, whose file has 102 MB."""

    @classmethod
    def setUpClass(cls):
        cls.weights = state_dict("resnet50").zip()

    def start(self, *before):
        (self.folder / "w.pth").write_bytes(self.weights)
        return subprocess.Popen([*before, support.PROGRAM, "convert", "w.pth", "-o", "m.penult"],
                                cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    @unittest.skipIf(os.environ.get("PENULT_SANITIZED"), "sanitizers need memory of their own")
    def test_a_conversion_needs_at_most_three_times_the_file(self):
        # What a process has needed outlives exec: this one's memory must not count.
        process = self.start(sys.executable, "-c", PRINT_MEMORY)
        output, errors = process.communicate(timeout=300)
        self.assertEqual(process.returncode, 0, errors)
        self.assertLess(1024 * int(output.splitlines()[-1]), 3 * len(self.weights))

    def test_a_signal_during_the_proof_leaves_nothing(self):
        process = self.start()
        while not list(self.folder.glob(".penult-*")):
            self.assertIsNone(process.poll(), "was to write a temporary file first")
            time.sleep(0.001)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 143)
        self.assertEqual(errors, "penult: Cancelled: stopped by SIGTERM; nothing was written\n")
        self.assertEqual(self.files(), ["w.pth"])


if __name__ == "__main__":
    support.main(needs_assets=False)
