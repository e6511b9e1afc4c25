#!/usr/bin/env python3
"""penult verify, against the goldens of this repository and broken ones."""

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import support

sys.path.insert(0, str(support.ROOT / "tests/hostile"))
import penult_file  # noqa: E402

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

    def test_an_entry_is_of_a_checkpoint(self):
        for against, words in ((GOLDEN, "is a golden, expected a weight file"),
                               (support.WEIGHTS, 'has no entry "ema" that holds tensors')):
            result = self.penult("verify", self.model, "--against", against, "--entry", "ema",
                                 code=2)
            self.assertIn(words, result.stderr)

    def test_a_wrong_value_is_exit_1(self):
        def swap(entry, data):
            if entry == "features.7.conv.2/val.npy":
                data = data[:-4] + b"\x00\x00\x80\x7f"  # infinity
            return entry, data
        self.verify(self.rewritten("wrong.npz", swap), "--quiet", code=1)

    def test_a_tap_that_the_model_lacks_is_exit_1(self):
        rename = lambda entry, data: (entry.replace("features.7.conv.2", "features.77"), data)
        self.verify(self.rewritten("other.npz", rename), code=1)

    def test_names_may_hold_slashes(self):
        rename = lambda entry, data: (entry.replace("features.7.conv.2", "/features.7/conv.2"), data)
        result = self.penult("verify", self.model, "--against", self.rewritten("other.npz", rename), code=1)
        self.assertIn('tap "/features.7/conv.2" of', result.stderr)

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


class Networks(support.ProgramTest):
    """Against another file of the network."""

    def write(self, name, model):
        (self.folder / name).write_bytes(model.file())

    def against(self, other, *arguments, **options):
        self.write("net.penult", penult_file.PenultFile())
        self.write("other.penult", other)
        return self.penult("verify", "net.penult", "--against", "other.penult", *arguments, **options)

    def test_a_model_agrees_with_the_weights_it_was_made_of(self):
        self.penult("convert", support.WEIGHTS, "-o", "m.penult")
        for backend in ("reference", "native"):
            said = self.penult("verify", "m.penult", "--against", support.WEIGHTS, "--quiet",
                               "--backend", backend).stdout
            self.assertRegex(said, r"\A.*: mobilenet_v2; 150 of the model's 150 taps by name, at 64 x 64, "
                                   rf"{backend} against reference\n150 taps, 0 beyond the tolerance; .*\n\Z")

    def test_another_weight_shows_from_its_layer_on(self):
        other = penult_file.PenultFile()
        other.data[-1] = bytes(len(other.data[-1]))  # of fc.bias
        result = self.against(other, code=1)
        self.assertRegex(result.stdout, r"(?m)^pool .* ok$")
        self.assertRegex(result.stdout, r"(?m)^fc .* BEYOND$")
        self.assertIn("1 of 7 taps are beyond", result.stderr)

    def test_an_alias_is_a_name_too(self):
        other = penult_file.PenultFile()
        for tap in other["taps"]:
            tap["name"] = b"other." + tap["name"]
        other["aliases"].append({"name": b"block", "tap": 3})
        said = self.against(other).stdout
        self.assertIn("; 2 of the model's 7 taps by name", said)  # penultimate is an alias of both
        self.assertRegex(said, r"(?m)^block .* ok\npool .* ok$")

    def test_networks_without_a_common_name_are_exit_1(self):
        other = penult_file.PenultFile()
        for tap in other["taps"]:
            tap["name"] = b"other." + tap["name"]
        other["aliases"].clear()
        result = self.against(other, code=1)
        self.assertIn('no tap has a name in both networks; the model\'s are "stem", "stem.bn", "stem.act"..., '
                      'the other\'s "other.stem"', result.stderr)

    def test_maps_of_other_shapes_are_exit_1(self):
        other = penult_file.PenultFile()
        other.node(b"fc")["op"] = b"flatten"
        other.node(b"fc")["weights"] = []
        other["values"][-1]["shape"] = [4]
        del other["weights"][-2:], other.data[-2:]
        result = self.against(other, code=1)
        self.assertEqual(result.stdout, "")
        self.assertEqual(result.stderr,
                         'penult: ModelInvalid: "other.penult": tap "fc" has the shape (4), the model\'s '
                         "(2), at 64 x 64; 1 of 7 taps of equal names differ like this: another network, or another "
                         "variant of it\n")

    def test_maps_of_other_shapes_but_as_many_values_are_exit_1(self):
        other = penult_file.PenultFile()
        other["taps"][3]["name"] = b"renamed"
        other.layer(b"deep", b"conv2d", [3], [16, 2, 2], [other.weight(b"deep.weight", [16, 4, 3, 3])],
                    penult_file.conv_attributes(3, 2))
        other["taps"][-1]["name"] = b"block"
        self.assertIn('tap "block" has the shape (16,16,16), the model\'s (4,32,32), at 64 x 64; 1 of 7',
                      self.against(other, code=1).stderr)

    def test_a_map_may_be_flattened_in_the_other(self):
        other = penult_file.PenultFile()
        other["taps"][4]["name"] = b"renamed"
        other.layer(b"flat", b"flatten", [5], [64])
        other["taps"][-1]["name"] = b"block.add"
        self.assertRegex(self.against(other).stdout, r"(?m)^block\.add .* ok$")

    def of_one_size(self, w):
        """A network that runs at 8 x w alone."""
        net = penult_file.PenultFile()
        net.root["input_w"] = net.root["preprocess"]["crop_w"] = net.root["preprocess"]["resize"] = w
        for value in net["values"]:
            if len(value["shape"]) == 3:
                value["shape"] = [value["shape"][0], value["shape"][1], value["shape"][2] * w // 8]
        flat = net.layer(b"flatten_all", b"flatten", [5], [4 * 4 * w // 2])
        net.layer(b"all_fc", b"linear", [flat], [2], [net.weight(b"all_fc.weight", [2, 4 * 4 * w // 2])])
        return net

    def test_a_network_of_one_size_runs_at_that(self):
        self.write("net.penult", self.of_one_size(12))
        for backend in ("reference", "native"):
            said = self.penult("verify", "net.penult", "--against", "net.penult", "--backend", backend).stdout
            self.assertIn(f"9 of the model's 9 taps by name, at 8 x 12, {backend} against", said)

    def test_a_network_of_one_size_decides_for_one_of_any(self):
        self.write("one.penult", self.of_one_size(12))
        self.write("any.penult", penult_file.PenultFile())
        for model, other in (("one", "any"), ("any", "one")):
            said = self.penult("verify", f"{model}.penult", "--against", f"{other}.penult").stdout
            self.assertIn(" taps by name, at 8 x 12, ", said)

    def test_networks_of_one_size_each_are_exit_1(self):
        self.write("wide.penult", self.of_one_size(12))
        self.write("narrow.penult", self.of_one_size(8))
        result = self.penult("verify", "wide.penult", "--against", "narrow.penult", code=1)
        self.assertIn('"narrow.penult": no input size suits both networks: the model\'s is 8 x 12, the other\'s 8 x 8',
                      result.stderr)

    def test_what_is_neither_golden_nor_network_is_refused(self):
        (self.folder / "text.onnx").write_text("hello")
        self.write("net.penult", penult_file.PenultFile())
        self.penult("verify", "net.penult", "--against", "text.onnx", code=3)
        (self.folder / "cut.pt").write_bytes(support.WEIGHTS.read_bytes()[:100_000])
        self.penult("verify", "net.penult", "--against", "cut.pt", code=3)
        self.penult("verify", "net.penult", "--against", support.WEIGHTS, "--arch", "vgg", code=2)


if __name__ == "__main__":
    support.main()
