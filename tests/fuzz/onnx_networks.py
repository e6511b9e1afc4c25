"""Known networks with two channels a layer as ONNX files, in which the importer finds their layers' names."""

import struct

from onnx_file import attribute, initializer, model, node, number, packed, text, value

WIDTH = 2


class Network:
    """Layers one after the other; each returns the name of what it yields, which its node has as well."""

    def __init__(self):
        self.parts, self.weights = [], {}

    def layer(self, op, name, inputs, *attributes):
        self.parts.append(node(op, inputs, [name], text(3, f"/{name}/{op}"), *attributes))
        return name

    def weight(self, name, *dims):
        count = 1
        for dim in dims:
            count *= dim
        self.weights[name] = initializer(name, dims, 1, text(9, struct.pack(f"<{count}f", *[0.5] * count)))
        return name

    def conv(self, name, x, ic, kernel=1, stride=1, padding=0, bias=False):
        weights = [self.weight(f"{name}.weight", WIDTH, ic, kernel, kernel)]
        weights += [self.weight(f"{name}.bias", WIDTH)] if bias else []
        return self.layer("Conv", name, [x, *weights], ints("kernel_shape", kernel, kernel),
                          ints("strides", stride, stride), ints("pads", *[padding] * 4))

    def batchnorm(self, name, x):
        return self.layer("BatchNormalization", name, [x] + [
            self.weight(f"{name}.{part}", WIDTH) for part in ("weight", "bias", "running_mean", "running_var")])

    def relu(self, name, x):
        return self.layer("Relu", name, [x])

    def max_pool(self, name, x, padding, ceil):
        return self.layer("MaxPool", name, [x], ints("kernel_shape", 3, 3), ints("strides", 2, 2),
                          ints("pads", *[padding] * 4), integer("ceil_mode", ceil))

    def file(self, side, last):
        graph = b"".join(self.parts) + b"".join(self.weights.values()) + value(11, "x", ["n", 3, side, side])
        return model(graph + value(12, last, []))


def ints(name, *values):
    return attribute(name, 7, packed(8, *values))


def integer(name, number_):
    return attribute(name, 2, number(3, number_))


def squeezenet1_1():
    """Iandola et al. 2016, with maps that are joined. torchvision's names."""
    net = Network()
    x = net.relu("features.1", net.conv("features.0", "x", 3, 3, 2, bias=True))
    channels = WIDTH
    for i in range(2, 13):
        name = f"features.{i}"
        if i in (2, 5, 8):
            x = net.max_pool(name, x, 0, 1)
            continue
        x = net.relu(f"{name}.squeeze_activation", net.conv(f"{name}.squeeze", x, channels, bias=True))
        maps = [net.conv(f"{name}.expand1x1", x, WIDTH, bias=True),
                net.conv(f"{name}.expand3x3", x, WIDTH, 3, 1, 1, bias=True)]
        maps = [net.relu(f"{map_}_activation", map_) for map_ in maps]
        x = net.layer("Concat", name, maps, integer("axis", 1))
        channels = 2 * WIDTH
    x = net.relu("classifier.2", net.conv("classifier.1", x, channels, bias=True))
    net.layer("GlobalAveragePool", "classifier.3", [x])
    return net.file(33, net.layer("Flatten", "y", ["classifier.3"]))


def resnet18(with_batchnorm):
    """He et al. 2015, with shortcuts, and as exporters write it: its batchnorms alone, or in the convolutions."""
    net = Network()

    def normalised(name, norm, *arguments):
        x = net.conv(name, *arguments, bias=not with_batchnorm)
        return net.batchnorm(norm, x) if with_batchnorm else x

    x = net.max_pool("maxpool", net.relu("relu", normalised("conv1", "bn1", "x", 3, 7, 2, 3)), 1, 0)
    for layer in range(1, 5):
        for i in range(2):
            block, stride = f"layer{layer}.{i}", 2 if layer > 1 and i == 0 else 1
            y = net.relu(f"{block}.relu", normalised(f"{block}.conv1", f"{block}.bn1", x, WIDTH, 3, stride, 1))
            y = normalised(f"{block}.conv2", f"{block}.bn2", y, WIDTH, 3, 1, 1)
            if stride == 2:
                x = normalised(f"{block}.downsample.0", f"{block}.downsample.1", x, WIDTH, 1, stride)
            x = net.relu(f"{block}.relu_1", net.layer("Add", f"{block}.add", [y, x]))
    x = net.layer("Flatten", "flatten", [net.layer("GlobalAveragePool", "avgpool", [x])])
    matrix = [net.weight("fc.weight", 3, WIDTH), net.weight("fc.bias", 3)]
    return net.file(32, net.layer("Gemm", "fc", [x, *matrix], integer("transB", 1)))


def all_files():
    yield "onnx", "squeezenet1_1.onnx", squeezenet1_1()
    yield "onnx", "resnet18.onnx", resnet18(True)
    yield "onnx", "resnet18_folded.onnx", resnet18(False)
