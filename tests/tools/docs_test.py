#!/usr/bin/env python3
"""Every path that the documents name in backquotes or link to exists, and names no foreign place."""

import re
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("engine", "kernels", "converters", "tools", "tests", "bench", "docs", "third_party",
           ".ci")
QUOTED = re.compile(r"`([^`\s]+)`")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
PLACEHOLDER = re.compile(r"[<>*…]|\.\.\.|NNNN")


def expand(path):
    """a/{b,c}.h -> a/b.h, a/c.h"""
    match = re.search(r"\{([^{}]*)\}", path)
    if not match:
        return [path]
    return [expanded for choice in match[1].split(",")
            for expanded in expand(path[:match.start()] + choice + path[match.end():])]


def documents(root):
    return sorted([*root.glob("*.md"), *(root / "docs").rglob("*.md"),
                   *(root / "third_party").glob("*.md"), *(root / "bench").glob("*.md")])


def missing_paths(root, document):
    """Paths that `document` names and that are not in the tree below root."""
    text = document.read_text(encoding="utf-8")
    named = [(root, path) for token in QUOTED.findall(text) if token.startswith(
        tuple(folder + "/" for folder in FOLDERS)) for path in expand(token.rstrip(".,:;"))]
    named += [(document.parent, path) for path in LINK.findall(text) if "://" not in path]
    return [path for base, path in named
            if not PLACEHOLDER.search(path) and not (base / path.split(":")[0]).exists()]


class Documents(unittest.TestCase):
    def test_name_only_paths_that_exist(self):
        for document in documents(ROOT):
            with self.subTest(document=document.name):
                self.assertEqual(missing_paths(ROOT, document), [])

    def test_have_no_marks_of_a_merge(self):
        for document in documents(ROOT):
            with self.subTest(document=document.name):
                self.assertNotRegex(document.read_text(encoding="utf-8"), r"(?m)^(<{7}|={7}$|>{7})")

    def test_walk_through_a_new_operator_with_real_files(self):
        self.assert_names_real_files("docs/adding-an-operator.md")

    def test_walk_through_a_new_backend_with_real_files(self):
        self.assert_names_real_files("docs/adding-a-backend.md")

    def test_walk_through_a_new_architecture_with_real_files(self):
        self.assert_names_real_files("docs/adding-an-architecture.md")

    def test_walk_through_a_new_format_with_real_files(self):
        self.assert_names_real_files("docs/adding-a-format.md")

    def assert_names_real_files(self, checklist):
        text = (ROOT / checklist).read_text(encoding="utf-8")
        paths = [t for t in QUOTED.findall(text) if t.startswith(("engine/", "kernels/", "converters/", "tests/"))]
        concrete = [path for path in paths if not PLACEHOLDER.search(path)]
        self.assertGreaterEqual(len(concrete), 6, "the checklist must name real files")

    def test_check_itself_finds_a_path_that_is_gone(self):
        text = "`engine/gone.h` `engine/{base,gone}/` `kernels/<op>/x.h` [x](gone.md) `tests/tools/docs_test.py`"
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "page.md"
            file.write_text(text, encoding="utf-8")
            self.assertEqual(missing_paths(ROOT, file),
                             ["engine/gone.h", "engine/gone/", "gone.md"])


if __name__ == "__main__":
    unittest.main()
