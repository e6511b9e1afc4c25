"""Networks whose weights are drawn from a seed, since no file of them can be had from a package: for goldens.
tests/support/seeded_weights.cpp draws the same numbers, so that no weights need be stored.

Element i of a tensor comes from h(i) = splitmix64's output function of FNV-1a(name) + (i + 1) * GOLDEN_RATIO.
u(i), its upper 24 bits / 2^24, is uniform in [0, 1); b(i), the sum of its four 16-bit parts, is bell-shaped.
All is computed in double and rounded to float once:

  running_var            0.5 + 1.5 u
  weight, one dimension  0.5 + u                             batchnorm's scale
  any other, one         (b - 131070) * 7.93e-6              N(0, 0.3), nearly
  weight, more           (2 u - 1) * sqrt(3 v / fan_in)      variance v / fan_in, v = 4 if depthwise, else 1

With He's v = 2 the residuals of ResNet-50 would grow a thousandfold, until no batchnorm's mean could be told
from 0. Here the largest value of every tap lies within 0.3 and 60; depthwise ones reach the bounds of ReLU6.
"""
import functools
import math

import numpy
import timm
import torch
import torchvision

GOLDEN_RATIO = 0x9E3779B97F4A7C15


def fnv1a(name):
    value = 0xCBF29CE484222325
    for byte in name.encode():
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return value


def draw(name, shape):
    count = math.prod(shape)
    with numpy.errstate(over="ignore"):
        z = numpy.uint64(fnv1a(name)) + numpy.arange(1, count + 1, dtype=numpy.uint64) * numpy.uint64(GOLDEN_RATIO)
        z = (z ^ (z >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
        z ^= z >> numpy.uint64(31)
    u = (z >> numpy.uint64(40)).astype(numpy.float64) / 2**24
    if len(shape) > 1:
        variance = 4 if len(shape) == 4 and shape[1] == 1 else 1
        values = (2 * u - 1) * math.sqrt(3 * variance / math.prod(shape[1:]))
    elif name.endswith(".running_var"):
        values = 0.5 + 1.5 * u
    elif name.endswith(".weight"):
        values = 0.5 + u
    else:
        parts = sum((z >> numpy.uint64(16 * i)) & numpy.uint64(0xFFFF) for i in range(4))
        values = (parts.astype(numpy.float64) - 131070) * 7.93e-6
    return torch.from_numpy(values.astype(numpy.float32).reshape(shape))


def load_seeded(model):
    """Counters of batches keep what they are. In place: torchvision's MnasNet wants more than tensors to load."""
    for name, tensor in model.state_dict().items():
        if tensor.is_floating_point():
            tensor.copy_(draw(name, tuple(tensor.shape)))


class Bottleneck(torch.nn.Module):
    """A block of BagNet: ResNet's without padding, its shortcut cut to size."""

    def __init__(self, name, channels, width, stride, kernel, projects):
        super().__init__()
        self.name = name
        self.conv1 = torch.nn.Conv2d(channels, width, 1, bias=False)
        self.bn1 = torch.nn.BatchNorm2d(width)
        self.conv2 = torch.nn.Conv2d(width, width, kernel, stride=stride, bias=False)
        self.bn2 = torch.nn.BatchNorm2d(width)
        self.conv3 = torch.nn.Conv2d(width, 4 * width, 1, bias=False)
        self.bn3 = torch.nn.BatchNorm2d(4 * width)
        self.relu = torch.nn.ReLU()
        self.downsample = torch.nn.Sequential(
            torch.nn.Conv2d(channels, 4 * width, 1, stride=stride, bias=False),
            torch.nn.BatchNorm2d(4 * width)) if projects else None

    def forward(self, x, keep):
        tap = lambda name, value: keep(f"{self.name}.{name}", value)
        y = tap("relu", self.relu(tap("bn1", self.bn1(tap("conv1", self.conv1(x))))))
        y = tap("relu_1", self.relu(tap("bn2", self.bn2(tap("conv2", self.conv2(y))))))
        y = tap("bn3", self.bn3(tap("conv3", self.conv3(y))))
        if self.downsample is not None:
            x = tap("downsample.0", self.downsample[0](x))
            x = tap("downsample.1", self.downsample[1](x))
        diff = x.size(-1) - y.size(-1)
        if diff != 0:
            x = tap("crop", x[:, :, :-diff, :-diff])
        return tap("relu_2", self.relu(tap("add", y + x)))


class BagNet(torch.nn.Module):
    """Brendel and Bethge's network (github.com/wielandbrendel/bag-of-local-features-models): tensors have its
    names. FX cannot trace it, so forward() hands each value to `keep` under the name that FX would give."""

    def __init__(self, kernels):
        super().__init__()
        self.conv1 = torch.nn.Conv2d(3, 64, 1, bias=False)
        self.conv2 = torch.nn.Conv2d(64, 64, 3, bias=False)
        self.bn1 = torch.nn.BatchNorm2d(64)
        self.relu = torch.nn.ReLU()
        channels = 64
        for layer, (depth, stride, kernel) in enumerate(zip((3, 4, 6, 3), (2, 2, 2, 1), kernels)):
            width, blocks = 64 << layer, []
            for i in range(depth):
                first = i == 0
                blocks.append(Bottleneck(f"layer{layer + 1}.{i}", channels, width, stride if first else 1,
                                         kernel if first else 1, projects=first))
                channels = 4 * width
            setattr(self, f"layer{layer + 1}", torch.nn.Sequential(*blocks))
        self.fc = torch.nn.Linear(channels, 1000)

    def forward(self, x, keep=lambda name, value: value):
        x = keep("conv2", self.conv2(keep("conv1", self.conv1(x))))
        x = keep("relu", self.relu(keep("bn1", self.bn1(x))))
        for layer in (self.layer1, self.layer2, self.layer3, self.layer4):
            for block in layer:
                x = block(x, keep)
        x = keep("avgpool", torch.nn.functional.avg_pool2d(x, x.size(2), stride=1))
        return keep("fc", self.fc(x.flatten(1)))


class TransformInput(torch.nn.Module):
    """What torchvision's Inception-v3 does to its input if its weights want it: here one module, and so one place."""
    transform_input = True
    forward = torchvision.models.Inception3._transform_input


class Inception(torchvision.models.Inception3):
    def __init__(self, **options):
        super().__init__(init_weights=False, **options)
        self.transform_input = TransformInput()

    def _transform_input(self, x):
        return self.transform_input(x)


# Goldens of whole networks would be large, and tests with them slow: the same networks with fewer channels.

def narrow_efficientnet_b0():
    setting, _ = torchvision.models.efficientnet._efficientnet_conf("efficientnet_b0", width_mult=0.25, depth_mult=1.0)
    return torchvision.models.EfficientNet(setting, dropout=0.2)


def narrow_regnet_y_400mf():
    params = torchvision.models.regnet.BlockParams([1, 3, 6, 6], [16, 24, 32, 48], [8] * 4, [1.0] * 4, [2] * 4, 0.25)
    return torchvision.models.RegNet(params, stem_width=16)


def narrow_resnet26d():
    net = timm.models.resnet.ResNet(block=timm.models.resnet.Bottleneck, layers=[2, 2, 2, 2], stem_width=8,
                                    stem_type="deep", avg_down=True, channels=(16, 24, 32, 48))
    return net


def narrow_densenet121():
    return torchvision.models.DenseNet(growth_rate=4, block_config=(6, 12, 24, 16), num_init_features=8)


def narrow_inception_v3():
    from torchvision.models import inception
    eighth = lambda channels: channels if channels == 3 else channels // 8
    conv = lambda channels, out, **options: inception.BasicConv2d(eighth(channels), eighth(out), **options)
    narrow = lambda block: functools.partial(block, conv_block=conv)
    net = Inception(aux_logits=False, inception_blocks=[conv, *(narrow(getattr(inception, "Inception" + letter))
                                                                for letter in "ABCDE"), inception.InceptionAux])
    net.fc = torch.nn.Linear(2048 // 8, 1000)
    return net


def narrow_vgg11_bn():
    from torchvision.models import vgg
    net = vgg.VGG(vgg.make_layers([c if c == "M" else c // 8 for c in vgg.cfgs["A"]], batch_norm=True))
    net.classifier[0] = torch.nn.Linear(512 // 8 * 49, 512)
    net.classifier[3] = torch.nn.Linear(512, 512)
    net.classifier[6] = torch.nn.Linear(512, 1000)
    return net


TORCHVISION = ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "resnext50_32x4d", "resnext101_32x8d",
               "resnext101_64x4d", "wide_resnet50_2", "wide_resnet101_2", "mobilenet_v2", "mobilenet_v3_large",
               "mobilenet_v3_small", "efficientnet_b0", "efficientnet_b1", "efficientnet_b2", "efficientnet_b3",
               "efficientnet_b4", "mnasnet0_5", "mnasnet0_75", "mnasnet1_0", "mnasnet1_3", "regnet_x_400mf", "regnet_x_800mf",
               "regnet_x_1_6gf", "regnet_x_3_2gf", "regnet_x_8gf", "regnet_x_16gf", "regnet_x_32gf", "regnet_y_400mf",
               "regnet_y_800mf", "regnet_y_1_6gf", "regnet_y_3_2gf", "regnet_y_8gf", "regnet_y_16gf", "regnet_y_32gf",
               "densenet121", "densenet161", "densenet169", "densenet201", "squeezenet1_0", "squeezenet1_1", "vgg11", "vgg11_bn",
               "vgg13", "vgg13_bn", "vgg16", "vgg16_bn", "vgg19", "vgg19_bn"]
TIMM = ["mobilenetv1_100", "mobilenetv2_050", "mobilenetv2_100", "mobilenetv2_140", "mobilenetv2_110d",
        "mobilenetv2_120d", "mobilenetv3_large_100", "mobilenetv3_small_100", "mobilenetv3_small_075",
        "mobilenetv3_small_050", "tf_mobilenetv3_large_100", "tf_mobilenetv3_small_100",
        "tf_mobilenetv3_small_075", "tf_efficientnet_b0",
        "tf_efficientnet_b1", "tf_efficientnet_b2", "tf_efficientnet_b3", "tf_efficientnet_b4",
        "tf_efficientnet_lite0", "tf_efficientnet_lite1", "tf_efficientnet_lite2", "tf_efficientnet_lite3",
        "tf_efficientnet_lite4", "efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2", "efficientnet_lite3",
        "efficientnet_lite4", "mnasnet_100", "resnet18d", "resnet26d", "resnet34d", "resnet50d",
        "resnet101d", "resnet152d", "regnetx_002", "regnetx_004", "regnetx_006", "regnetx_008", "regnetx_016",
        "regnetx_032", "regnetx_040", "regnetx_064", "regnetx_080", "regnety_002", "regnety_004", "regnety_006",
        "regnety_008", "regnety_016", "regnety_032", "regnety_040", "regnety_064", "regnety_080"]
# Networks that both libraries have under one name: timm's, whose tensors may be called otherwise.
TIMM_TOO = ["efficientnet_b0", "efficientnet_b4", "resnet18", "resnet50", "vgg11"]
BUILDERS = {name: getattr(torchvision.models, name) for name in TORCHVISION}
for name in TIMM:
    BUILDERS[name] = lambda name=name: timm.create_model(name)
for name in TIMM_TOO:
    BUILDERS[name + "_timm"] = lambda name=name: timm.create_model(name)
BUILDERS["inception_v3"] = Inception
# timm's has the same tensors, and places inside that torchvision's names mean otherwise.
BUILDERS["tf_inception_v3"] = lambda: torchvision.models.Inception3(aux_logits=False, init_weights=False)
for narrow in (narrow_efficientnet_b0, narrow_regnet_y_400mf, narrow_resnet26d, narrow_densenet121,
               narrow_inception_v3, narrow_vgg11_bn):
    BUILDERS[narrow.__name__.removeprefix("narrow_") + "_narrow"] = narrow
for name, kernels in (("bagnet9", (3, 3, 1, 1)), ("bagnet17", (3, 3, 3, 1)), ("bagnet33", (3, 3, 3, 3))):
    BUILDERS[name] = lambda kernels=kernels: BagNet(kernels)
