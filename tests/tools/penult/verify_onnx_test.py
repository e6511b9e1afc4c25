#!/usr/bin/env python3
"""penult verify against an ONNX file of the network, with and without the name of its architecture."""

import json
import math
import random
import sys

import support

sys.path.insert(0, str(support.ROOT / "tests/hostile"))
import torch_file  # noqa: E402
from onnx_file import attribute, initializer, model, node, number, packed, text, value  # noqa: E402


class SqueezeNet:
    """squeezenet1_1 of a few channels, as a state dict and as an ONNX file of the same numbers."""

    def __init__(self, pooling="GlobalAveragePool"):
        self.draw = random.Random(3)
        self.weights = torch_file.StateDict()
        self.nodes = []
        x = self.relu("/features.1", self.conv("features.0", "x", 3, 8, kernel=3, stride=2))
        for i in range(2, 13):
            x = self.pool(f"/features.{i}", x) if i in (2, 5, 8) else self.fire(f"features.{i}", x)
        x = self.relu("/classifier.2", self.conv("classifier.1", x, 8, 5))
        self.nodes.append(node(pooling, [x], ["/avgpool"]))
        self.nodes.append(node("Flatten", ["/avgpool"], ["y"]))

    def ints(self, name, *numbers):
        return attribute(name, 7, packed(8, *numbers))

    def numbers(self, name, *dims):
        bound = math.sqrt(6 / math.prod(dims[1:])) if len(dims) > 1 else 0.1
        drawn = [self.draw.uniform(-bound, bound) for _ in range(math.prod(dims))]
        self.weights.tensors[name] = torch_file.Tensor(dims, torch_file.floats(drawn))

    def conv(self, name, x, inputs, outputs, kernel=1, stride=1, pad=0):
        self.numbers(name + ".weight", outputs, inputs, kernel, kernel)
        self.numbers(name + ".bias", outputs)
        self.nodes.append(node("Conv", [x, name + ".weight", name + ".bias"], ["/" + name],
                               self.ints("kernel_shape", kernel, kernel),
                               self.ints("strides", stride, stride), self.ints("pads", *[pad] * 4)))
        return "/" + name

    def relu(self, name, x):
        self.nodes.append(node("Relu", [x], [name]))
        return name

    def pool(self, name, x):
        self.nodes.append(node("MaxPool", [x], [name], self.ints("kernel_shape", 3, 3),
                               self.ints("strides", 2, 2), attribute("ceil_mode", 2, number(3, 1))))
        return name

    def fire(self, name, x):
        x = self.relu(f"/{name}.relu", self.conv(name + ".squeeze", x, 8, 3))
        sides = [self.relu(f"/{name}.relu_{kernel}",
                           self.conv(f"{name}.expand{kernel}x{kernel}", x, 3, 4, kernel, pad=kernel // 2))
                 for kernel in (1, 3)]
        self.nodes.append(node("Concat", sides, ["/" + name], attribute("axis", 2, number(3, 1))))
        return "/" + name

    def onnx(self, height=64, width=64):
        tensors = b"".join(initializer(name, tensor.dims, 1, text(9, tensor.data))
                           for name, tensor in self.weights.tensors.items())
        return model(b"".join(self.nodes) + tensors + value(11, "x", ["n", 3, height, width]) +
                     value(12, "y", ["n", 5]))


class VerifyOnnx(support.ProgramTest):
    def setUp(self):
        super().setUp()
        net = SqueezeNet()
        (self.folder / "net.pth").write_bytes(net.weights.zip())
        (self.folder / "net.onnx").write_bytes(net.onnx())
        self.penult("convert", "net.pth", "-o", "net.penult")

    def against(self, *arguments, **options):
        return self.penult("verify", "net.penult", "--against", "net.onnx", *arguments, **options)

    def test_right_architecture_agrees_at_every_tap(self):
        for arguments in ([], ["--arch", "squeezenet1_1"]):
            said = self.against("--quiet", *arguments).stdout
            self.assertRegex(said, r"\Anet\.onnx: squeezenet1_1; (\d+) of the model's \1 taps by name, ")
            self.assertIn(", 0 beyond the tolerance; ", said)

    def test_wrong_architecture_is_refused_by_its_name(self):
        for name in ("squeezenet1_0", "resnet18"):
            result = self.against("--arch", name, code=3)
            self.assertEqual(result.stdout, "")
            self.assertIn(f"\"net.onnx\": the file's graph is not that of {name} (--arch): ",
                          result.stderr)

    def test_unknown_architecture_is_wrong_usage(self):
        result = self.against("--arch", "squeezenet", code=2)
        self.assertIn('unknown architecture "squeezenet", expected one of: mobilenet_v2',
                      result.stderr)

    def test_architecture_of_what_is_no_weight_file_is_wrong_usage(self):
        for name in ("net.penult", support.ROOT / "tests/golden/mobilenet_v2_96.npz"):
            result = self.penult("verify", "net.penult", "--against", name, "--arch", "squeezenet1_1", code=2)
            self.assertIn(", expected a weight file, whose architecture --arch could say", result.stderr)

    def test_network_of_one_size_is_compared_at_that(self):
        """The whole map as a window: the file is another network at each size."""
        (self.folder / "one.onnx").write_bytes(SqueezeNet("GlobalMaxPool").onnx("h", "w"))
        made = self.penult("convert", "one.onnx", "--input-size", "40x40").stdout
        self.assertIn("note: the model is for 40x40 pixels only: node \"/avgpool\" (GlobalMaxPool)", made)
        self.assertIn("input 3x40x40 only", self.penult("inspect", "one.penult").stdout)
        for model, fixed in (("one.penult", True), ("net.penult", False)):
            about = json.loads(self.penult("inspect", model, "--json").stdout)["model"]
            self.assertEqual(about["fixed_size"], fixed)
        said = self.penult("verify", "one.penult", "--against", "one.onnx", "--quiet").stdout
        self.assertRegex(said, r"\A.*; (\d+) of the model's \1 taps by name, ")
        self.assertIn(", 0 beyond the tolerance; ", said)


if __name__ == "__main__":
    support.main(needs_assets=False)
