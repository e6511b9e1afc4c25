#!/usr/bin/env python3
"""The goldens are the files that MANIFEST says, and its writer keeps other tools' lines."""

import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
import golden_manifest  # noqa: E402


class Manifest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        for name in ("a.npz", "b.txt"):
            self.write(name, name)
        golden_manifest.update(self.folder.name, {"a.npz": "two words, torch 1", "b.txt": "text"})

    def write(self, name, text):
        (Path(self.folder.name) / name).write_text(text, encoding="utf-8")

    def test_of_this_tree_agrees_with_every_file(self):
        self.assertGreaterEqual(len(golden_manifest.read(ROOT / "tests/golden")), 6)
        self.assertEqual(list(golden_manifest.problems(ROOT / "tests/golden")), [])

    def test_update_replaces_its_own_lines_and_keeps_the_others(self):
        before = golden_manifest.read(self.folder.name)
        self.write("b.txt", "changed")
        golden_manifest.update(self.folder.name, {"b.txt": "text, second edition"})
        after = golden_manifest.read(self.folder.name)
        self.assertEqual(list(after), ["a.npz", "b.txt"])
        self.assertEqual(after["a.npz"], before["a.npz"])
        self.assertNotEqual(after["b.txt"][0], before["b.txt"][0])
        self.assertEqual(after["b.txt"][1], "text, second edition")

    def test_notices_a_changed_a_missing_and_an_unlisted_file(self):
        self.assertEqual(list(golden_manifest.problems(self.folder.name)), [])
        self.write("a.npz", "changed")
        (Path(self.folder.name) / "b.txt").unlink()
        self.write("c.txt", "new")
        self.assertEqual([line.split()[0] for line in golden_manifest.problems(self.folder.name)],
                         ["c.txt", "a.npz", "b.txt"])


if __name__ == "__main__":
    unittest.main()
