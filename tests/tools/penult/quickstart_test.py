#!/usr/bin/env python3
"""tools/quickstart.sh, with the program that is built: a second run only does what is left."""

import os
import shutil
import subprocess

import support
from support import ASSETS, PROGRAM, ROOT


class Quickstart(support.ProgramTest):
    def setUp(self):
        super().setUp()
        (self.folder / "build/release/tools/penult").mkdir(parents=True)
        os.symlink(PROGRAM, self.folder / "build/release/tools/penult/penult")
        (self.folder / "tools").mkdir()
        (self.folder / "bin").mkdir()
        for name in ("tools/quickstart.sh", "tools/show_help.sh", "tools/nearest.py"):
            shutil.copy(ROOT / name, self.folder / name)
        for name in ("tools/setup_debian.sh", "tools/fetch_assets.sh", "bin/cmake"):
            (self.folder / name).write_text("#!/bin/sh\n")
            (self.folder / name).chmod(0o755)

    def run_script(self):
        path = f"{self.folder}/bin:{os.environ['PATH']}"
        result = subprocess.run([self.folder / "tools/quickstart.sh"], cwd="/", timeout=300,
                                env={**os.environ, "PATH": path, "PENULT_ASSETS": str(ASSETS)},
                                capture_output=True, text=True)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        return result.stdout

    def test_second_run_keeps_the_model_and_replaces_a_damaged_one(self):
        model = self.folder / "build/models/mobilenet_v2.penult"
        self.assertIn("proof: ", self.run_script())
        first = model.stat().st_mtime_ns
        text = self.run_script()
        self.assertIn("model is there", text)
        self.assertIn("9 photos in ", text)
        self.assertEqual(model.stat().st_mtime_ns, first)
        model.write_bytes(model.read_bytes()[:-1])
        self.assertIn("proof: ", self.run_script())


if __name__ == "__main__":
    support.main()
