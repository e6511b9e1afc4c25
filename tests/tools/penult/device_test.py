#!/usr/bin/env python3
"""--device and --precision: the device emulated as a user meets it, and a GPU that there is not."""

import json
import os
import pathlib
import re
import subprocess
import unittest

import support
from compare_features import cosine

EMULATOR = os.environ.get("PENULT_EMULATOR")  # the module's file
GOLDENS = support.ROOT / "tests/golden"


@unittest.skipUnless(EMULATOR, "the device emulated is not built")
class Emulated(support.ModelTest):
    def setUp(self):
        super().setUp()
        for i in range(3):
            self.png(f"in/{i}.png", seed=i)

    def test_features_are_those_of_the_cpu(self):
        taps = ("-l", "features.3", "-l", "penultimate")
        cpu = self.extracted("in", *taps)
        for precision, least in (("f32", 1 - 1e-6), ("f16", 0.9999)):
            gpu = self.extracted("in", *taps, "--device", "emulated", "--precision", precision)
            self.assertEqual(gpu["paths"], cpu["paths"])
            for tap in ("features.3", "penultimate"):
                self.assertEqual(gpu[tap][0], cpu[tap][0])
                width = cpu[tap][0][1]
                for row in range(3):
                    part = slice(row * width, (row + 1) * width)
                    self.assertGreaterEqual(cosine(gpu[tap][1][part], cpu[tap][1][part]), least)
            facts = gpu["provenance"]
            self.assertEqual([facts[key] for key in ("device", "precision", "backend", "isa")],
                             ["emulated:0 (emulated)", precision, "native", "emulated"])
            self.assertTrue(facts["numerics"].startswith("gpu-"))

    def test_an_image_has_the_same_bits_in_every_batch(self):
        options = ("in", "--device", "emulated", "--pool", "max", "-l", "features.5")
        self.assertEqual(self.extracted(*options, "-b", "1")["features.5"],
                         self.extracted(*options, "-b", "3", "-j", "1")["features.5"])

    def test_every_pooling_works(self):
        for pool in ("avg", "max", "gem", "avg+std", "2x2", "flatten", "none"):
            options = ("in/0.png", "-l", "features.3", "--pool", pool)
            cpu, gpu = self.extracted(*options), self.extracted(*options, "--device", "emulated")
            self.assertEqual(gpu["features.3"][0], cpu["features.3"][0])
            self.assertGreaterEqual(cosine(gpu["features.3"][1], cpu["features.3"][1]), 1 - 1e-6)

    def test_bench_times_it_and_its_steps(self):
        options = ("bench", self.model, "--device", "emulated", "--seconds", "0.01", "--json")
        row = json.loads(self.penult(*options, "--precision", "f16").stdout)
        self.assertEqual((row["device"], row["precision"]), ("emulated:0 (emulated)", "f16"))
        kernels = [json.loads(line)["kernel"]
                   for line in self.penult(*options, "--steps").stdout.splitlines()]
        self.assertIn("conv2d_igemm_f32_cuda", kernels)
        self.assertFalse([name for name in kernels if "avx" in name or "scalar" in name])

    def test_bench_gives_it_work_from_one_thread(self):
        result = self.penult("bench", self.model, "--device", "emulated", "--seconds", "0.01",
                             "-l", "features.0", "-j", "2,3", "--json")
        self.assertEqual([json.loads(line)["threads"] for line in result.stdout.splitlines()], [1])

    def test_has_the_name_that_it_says(self):
        options = ("in/0.png", "-l", "features.0", "--device")
        said = self.extracted(*options, "emulated")["provenance"]["device"].split()[0]
        again = self.extracted(*options, said)["provenance"]["device"]
        self.assertEqual((said, again), ("emulated:0", "emulated:0 (emulated)"))

    def test_there_is_one(self):
        self.assertRegex(self.penult("doctor").stdout,
                         r"(?m)^device +emulated +yes: the CUDA kernels on this cpu, slow$")

    def test_a_module_that_is_cut_short_is_refused(self):
        whole = pathlib.Path(EMULATOR).read_bytes()
        cut = self.folder / "cut.so"
        for length in (len(whole) - 1, len(whole) // 2, 100, 10):
            cut.write_bytes(whole[:length])
            result = self.penult("bench", self.model, "--device", "emulated",
                                 env={**os.environ, "PENULT_EMULATED_MODULE": str(cut)}, code=3)
            self.assertRegex(result.stderr, r"Device: device emulated: \S*/cut.so is (cut short|no shared "
                                            "library); unset PENULT_EMULATED_MODULE, or set it to")
        # Found by its name, as the program's own is.
        found = self.folder / pathlib.Path(EMULATOR).name
        found.write_bytes(whole[:len(whole) // 2])
        result = self.penult("bench", self.model, "--device", "emulated",
                             env={**os.environ, "LD_LIBRARY_PATH": str(self.folder)}, code=3)
        self.assertRegex(result.stderr, rf"Device: device emulated: \S*/{found.name} is cut short; build it again")


@unittest.skipUnless(EMULATOR and os.environ.get("PENULT_SANITIZED") != "1",
                     "the device emulated is not built, or very slow")
class VerifyF16(support.ProgramTest):

    def verify(self, weights, golden, code):
        self.penult("convert", support.ASSETS / weights, "-o", "net.penult")
        result = self.penult("verify", "net.penult", "--against", GOLDENS / golden, "--device",
                             "emulated", "--precision", "f16", code=code)
        return result.stdout

    def test_holds_taps_to_what_f16_can_do(self):
        said = self.verify("efficientnet-lite0-57934424.pth", "tf_efficientnet_lite0_96.npz", 0)
        self.assertRegex(said, r"\n142 taps, 0 beyond the tolerance; ")
        # In f32 that would not do.
        self.assertRegex(said, r"worst error \d\.\d+e-02 of the maximum")

    def test_names_the_taps_that_f16_is_too_coarse_for(self):
        # Where MobileNetV2 amplifies roundings some 300 times (docs/numerics.md).
        said = self.verify(support.WEIGHTS, "mobilenet_v2_96.npz", 1)
        self.assertEqual(sorted(re.findall(r"(?m)^(\S+) .* BEYOND$", said)),
                         ["features.2.conv.0", "features.2.conv.0.1", "features.2.conv.1.0"])

    def test_needs_a_device(self):
        self.penult("convert", support.WEIGHTS, "-o", "net.penult")
        result = self.penult("verify", "net.penult", "--against", GOLDENS / "mobilenet_v2_96.npz",
                             "--precision", "f16", code=2)
        self.assertIn("the precision f16 needs the device cuda or emulated", result.stderr)


@unittest.skipIf(os.path.exists("/dev/nvidiactl"), "this machine has a GPU")
class NoGpu(support.ModelTest):
    def test_says_what_is_missing_and_exits_3(self):
        for device in ("cuda", "cuda:1"):
            for command in (("bench", self.model), ("verify", self.model, "--against",
                                                    GOLDENS / "mobilenet_v2_96.npz")):
                result = self.penult(*command, "--device", device, code=3)
                self.assertRegex(result.stderr, r"Device: device cuda: .*(driver|nvcc|GPU)")
        self.png("a.png")
        self.assertIn("device cuda", self.extract("a.png", "--device", "cuda", code=3).stderr)
        self.assertEqual(self.files(), ["a.png"])

    def test_the_program_needs_no_driver(self):
        linked = subprocess.run(["ldd", support.PROGRAM], stdout=subprocess.PIPE, encoding="utf-8", check=True)
        self.assertNotIn("cuda", linked.stdout)
        self.assertNotIn("cudnn", linked.stdout)


if __name__ == "__main__":
    support.main()
