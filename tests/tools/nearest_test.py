#!/usr/bin/env python3
"""tools/nearest.py on small files written byte by byte."""

import contextlib
import io
import struct
import sys
import tempfile
import unittest
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import nearest  # noqa: E402


def npy(kind, shape, body, version=1, fortran=False):
    header = f"{{'descr': '{kind}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n".encode()
    length = struct.pack("<H" if version == 1 else "<I", len(header))
    return b"\x93NUMPY" + bytes([version, 0]) + length + header + body


def floats(shape, *values, **options):
    return npy("<f4", shape, struct.pack(f"<{len(values)}f", *values), **options)


def texts(*values):
    width = max(map(len, values))
    body = b"".join(value.ljust(width, "\0").encode("utf-32-le") for value in values)
    return npy(f"<U{width}", (len(values),), body)


class ReadNpy(unittest.TestCase):
    def test_reads_floats_and_unicode(self):
        for version in (1, 2):
            shape, values = nearest.read_npy(floats((2, 2), 1, 2, 3, 4, version=version))
            self.assertEqual((shape, list(values)), ((2, 2), [1, 2, 3, 4]))
        shape, values = nearest.read_npy(npy("<f2", (2,), struct.pack("<2e", 0.5, -65504)))
        self.assertEqual((shape, list(values)), ((2,), [0.5, -65504]))
        self.assertEqual(nearest.read_npy(texts("a", "öß/b")), ((2,), ["a", "öß/b"]))

    def test_refuses_what_it_cannot_read(self):
        for data in (b"PK\3\4", npy("<f8", (1,), b"\0" * 8), floats((3,), 1, 2),
                     floats((1, 2), 1, 2, fortran=True)):
            with self.assertRaises(ValueError):
                nearest.read_npy(data)


class Main(unittest.TestCase):
    def run_main(self, *arguments):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = Path(folder.name) / "features.npz"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("last.npy", floats((3, 2), 1, 0, 1, 1, 2, 2.5))
            archive.writestr("paths.npy", texts("in/x.png", "in/y.jpg", "in/z.png"))
            archive.writestr("labels.npy", texts("", "", "-"))
        output, errors = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
            code = nearest.main([str(path), *arguments])
        return code, output.getvalue(), errors.getvalue()

    def test_prints_shapes_and_neighbours(self):
        code, output, _ = self.run_main()
        self.assertEqual(code, 0)
        lines = output.splitlines()
        self.assertEqual(lines[2].split(), ["last", "(3,", "2)"])
        self.assertEqual([line.split() for line in lines[6:]],
                         [["x", "y", "0.707"], ["y", "z", "0.994"], ["z", "y", "0.994"]])

    def test_fails_when_an_expected_pair_does_not_hold(self):
        self.assertEqual(self.run_main("--expect", "y=z")[0], 0)
        code, _, errors = self.run_main("--expect", "x=y")
        self.assertEqual((code, errors), (1, "last: expected y next to x, got z\n"))
        self.assertEqual(self.run_main("--expect", "x=gone")[0], 1)


class Neighbours(unittest.TestCase):
    def test_survives_a_vector_of_zeros(self):
        found = nearest.nearest(nearest.rows((2, 2), [0.0, 0.0, 1.0, 0.0]))
        self.assertEqual(found, [(1, 0.0), (0, 0.0)])


if __name__ == "__main__":
    unittest.main()
