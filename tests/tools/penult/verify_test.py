#!/usr/bin/env python3
"""penult verify, against the goldens of this repository and broken ones."""

import subprocess
import tempfile
import zipfile
from pathlib import Path

import support

GOLDENS = Path(__file__).resolve().parents[2] / "golden"
GOLDEN = GOLDENS / "mobilenet_v2_96.npz"


class Verify(support.ProgramTest):
    @classmethod
    def setUpClass(cls):
        temporary = tempfile.TemporaryDirectory(prefix="penult-model-")
        cls.addClassCleanup(temporary.cleanup)
        cls.model = Path(temporary.name) / "net.penult"
        subprocess.run([support.PROGRAM, "convert", support.WEIGHTS, "-o", cls.model], check=True,
                       stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)

    def verify(self, golden, *arguments, **options):
        return self.penult("verify", self.model, "--against", golden, *arguments, **options).stdout

    def rewritten(self, name, change):
        """The golden with each entry as `change(name, bytes)` gives it; None leaves it out."""
        path = self.folder / name
        with zipfile.ZipFile(GOLDEN) as source, zipfile.ZipFile(path, "w") as copy:
            for entry in source.namelist():
                changed = change(entry, source.read(entry))
                if changed:
                    copy.writestr(*changed)
        return path

    def test_the_net_agrees_with_pytorch_at_every_tap(self):
        said = self.verify(GOLDEN)
        self.assertEqual(len(said.splitlines()), 151)
        self.assertRegex(said, r"(?m)^features\.7\.conv\.2 .* ok$")
        self.assertRegex(said, r"\n150 taps, 0 beyond the tolerance; worst 1-cosine ")

    def test_pixels_are_normalised_as_the_model_says(self):
        said = self.verify(GOLDENS / "mobilenet_v2_224.npz", "--quiet")
        self.assertRegex(said, r"\A19 taps, 0 beyond the tolerance; [^\n]*\n\Z")

    def test_a_wrong_value_is_exit_1(self):
        def swap(entry, data):
            if entry == "features.7.conv.2/val.npy":
                data = data[:-4] + b"\x00\x00\x80\x7f"  # infinity
            return entry, data
        self.verify(self.rewritten("wrong.npz", swap), "--quiet", code=1)

    def test_a_tap_that_the_model_lacks_is_exit_1(self):
        rename = lambda entry, data: (entry.replace("features.7.conv.2", "features.77"), data)
        self.verify(self.rewritten("other.npz", rename), code=1)

    def test_no_tap_at_all_is_exit_1(self):
        keep = lambda entry, data: (entry, data) if entry == "input.npy" else None
        self.verify(self.rewritten("empty.npz", keep), code=1)

    def test_features_are_no_golden(self):
        self.penult("extract", support.PHOTOS / "rocket.jpg", "-m", self.model, "-o", "f.npz")
        result = self.penult("verify", self.model, "--against", "f.npz", code=3)
        self.assertIn('"f.npz" is no golden: expected an array `input`', result.stderr)

    def test_damaged_goldens_are_refused(self):
        whole = GOLDEN.read_bytes()
        (self.folder / "cut.npz").write_bytes(whole[:len(whole) // 2])
        (self.folder / "text.npz").write_text("no zip")
        self.verify("cut.npz", code=3)
        self.verify("text.npz", code=3)
        self.verify("missing.npz", code=4)
        without = lambda entry, data: None if entry.endswith("/val.npy") else (entry, data)
        self.verify(self.rewritten("half.npz", without), code=3)


if __name__ == "__main__":
    support.main()
