#!/usr/bin/env python3
"""tools/gpu_check.sh where it refuses, with a program that stands in for penult: ctest runs the rest of it."""

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

import support

# A machine whose only GPU fails at everything but being there; without GPU=1 not even that.
PROGRAM = """#!/bin/sh
if [ "$1" = doctor ]; then
  if [ "$GPU" = 1 ]; then echo "device   cuda       yes: Some GPU"; exit; fi
  echo "device   cuda       no: device cuda: this machine has no NVIDIA GPU; use --device cpu"
  exit
fi
case "$*" in
  *"--device cuda:7"*) echo "penult: Device: device cuda: there is no device 7" >&2; exit 3 ;;
  *"--device cuda"*) echo "penult: Device: the GPU fails" >&2; exit 3 ;;
esac
"""


class GpuCheck(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="penult-test-")
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)
        self.write("build/tools/penult/penult", PROGRAM)

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def run_check(self, *arguments, code, **environment):
        environment = {**os.environ, "PENULT_ASSETS": str(support.ASSETS),
                       "PENULT_BUILD_DIR": str(self.folder / "build"), **environment}
        result = subprocess.run([support.ROOT / "tools/gpu_check.sh", *arguments], timeout=300,
                                env=environment, capture_output=True, text=True)
        self.assertEqual(result.returncode, code, result.stdout + result.stderr)
        self.assertEqual(result.stderr.count("\n"), 1, result.stderr)
        self.assertRegex(result.stderr, r"\Agpu_check: ")
        return result.stderr

    def test_names_the_devices_that_it_takes(self):
        for arguments in (["--device", "cpu"], ["--device", "cuda:"], ["--device", "cuda:x"],
                          ["--device", "emulated:1"], ["--device", ""], ["--device"]):
            name = arguments[1] if len(arguments) > 1 else ""
            self.assertIn(f'--device is "{name}", expected cuda, cuda:N or emulated',
                          self.run_check(*arguments, code=2, GPU="1"))
        self.assertIn("unknown argument cuda", self.run_check("cuda", code=2))

    def test_says_where_it_looks_for_the_program(self):
        for folder in ("/nowhere", str(self.folder)):
            self.assertIn(f"{folder}/tools/penult/penult; expected PENULT_BUILD_DIR to be a build folder",
                          self.run_check(code=2, PENULT_BUILD_DIR=folder))

    def test_says_why_there_is_no_device(self):
        for arguments in ((), ("--device", "cuda:7")):
            self.assertIn("device cuda: this machine has no NVIDIA GPU; use --device cpu",
                          self.run_check(*arguments, code=3))
        self.assertIn("device cuda: there is no device 7",
                      self.run_check("--device", "cuda:7", code=3, GPU="1"))
        self.assertIn("the GPU fails", self.run_check(code=3, GPU="1"))

    def test_a_build_that_fails_is_not_a_device_that_fails(self):
        self.write("bin/cmake", "#!/bin/sh\nexit 1\n")
        path = f"{self.folder / 'bin'}:{os.environ['PATH']}"
        self.assertIn("the build failed", self.run_check(code=4, PENULT_BUILD_DIR="", PATH=path))


if __name__ == "__main__":
    support.main()
