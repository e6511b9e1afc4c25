"""Goldens of your own network, for penult verify. Needs numpy, and onnx and onnxruntime, or torch (pip).

  make_golden.py --onnx NET.onnx --out GOLDEN.npz [--model NET.penult --penult PROGRAM]
  make_golden.py --torch MODULE:CALLABLE [--weights FILE] --out GOLDEN.npz [--model ...]

--onnx runs the file through ONNX Runtime, in float32 and without its optimisations, with every tensor as an
output. --torch imports MODULE (also from the folder that it is run in), calls CALLABLE, which returns a
torch.nn.Module, and takes what each module yields; one that is called again gets a name with _1, _2, ...
With --model only taps that the converted model has are written, under its names; `penult verify` wants that
of every tap. The input is (1, 3, side, side): fixed pseudo-random numbers in [-2, 2), or the array in --input.
"""
import argparse
import ast
import collections
import hashlib
import importlib
import json
import os
import subprocess
import sys

SEED = 20240229
POSITIONS = 512
COMPLETE_UP_TO = 1400  # elements: pooled vectors and logits are stored whole


def scope_of(path):
    """The module that torch's older exporter writes into a node's name: /layer1/layer1.0/conv1/Conv."""
    module, before = "", ""
    for part in [part for part in path.split("/") if part][:-1]:
        # A module of a Sequential repeats the name of that, others have their own.
        inside = part[len(before):] if before and part.startswith(before + ".") else f".{part}"
        module, before = module + inside, part
    return module.removeprefix(".")


def module_names(nodes, folds_batchnorm):
    """A name for each of the nodes (operator, name, module), or None. What a module computes itself, between
    others inside it, is called after the operator, as in layer1.0.add. Exporters multiply the factors of
    batchnorm into a convolution, which then yields what no convolution of PyTorch does."""
    modules = {module for _, _, module in nodes if module}
    containers = {module.rsplit(".", depth)[0] for module in modules for depth in range(1, module.count(".") + 1)}
    names = []
    for operator, name, module in nodes:
        if not module or folds_batchnorm and operator == "Conv":
            names.append(None)
        elif module in containers:
            names.append(f"{module}.{(name.rsplit('/', 1)[-1] or operator).lower()}")
        else:
            names.append(module)
    return names


def choose_names(tensors, known):
    """{tensor: tap}: the first of its names that the model knows, but for names of several tensors.

    tensors: {tensor: its names, best first}. known None: each goes by its first name."""
    if known is None:
        return {tensor: names[0] for tensor, names in tensors.items()}
    uses = collections.Counter(name for names in tensors.values() for name in set(names))
    chosen = {}
    for tensor, names in tensors.items():
        for name in names:
            if name in known and uses[name] == 1:
                chosen[tensor] = name
                break
    return chosen


def summarise(tap, value, arrays, count=POSITIONS):
    """Whole, or what stands for it: docs/numerics.md, "Goldens"."""
    import numpy
    if value.size <= COMPLETE_UP_TO:
        arrays[tap] = value[None]
        return
    random = numpy.random.default_rng(SEED)
    positions = numpy.sort(random.choice(value.size, count, replace=False)).astype(numpy.int32)
    arrays[tap + "/pos"] = positions
    arrays[tap + "/val"] = value.ravel()[positions]
    arrays[tap + "/chan"] = value.reshape(value.shape[0], -1).sum(1, dtype=numpy.float64).astype(numpy.float32)
    arrays[tap + "/max"] = numpy.float32(numpy.abs(value).max())
    arrays[tap + "/l2"] = numpy.float64(numpy.sqrt((value.astype(numpy.float64) ** 2).sum()))


def input_of(path, side):
    import numpy
    if path is None:
        random = numpy.random.default_rng(SEED)
        return (random.random((1, 3, side, side), dtype=numpy.float32) * 4 - 2).astype(numpy.float32)
    batch = numpy.load(path).astype(numpy.float32)
    if batch.ndim != 4 or batch.shape[:2] != (1, 3) or batch.shape[2] != batch.shape[3]:
        sys.exit(f"{path}: expected an array (1, 3, side, side), got {batch.shape}")
    return batch


def module_of(node):
    """Where PyTorch has it from: the newer exporter says so in ['', 'layer1', 'layer1.0', .., name of the node]."""
    for entry in node.metadata_props:
        if entry.key == "pkg.torch.onnx.name_scopes":
            return (["", *ast.literal_eval(entry.value)])[-2]
    return scope_of(node.name)


def names_of_tensors(nodes):
    """{tensor: what it may be called: by itself, by its node, by the module that yields it}"""
    folds_batchnorm = all(node.op_type != "BatchNormalization" for node in nodes)
    modules = module_names([(node.op_type, node.name, module_of(node)) for node in nodes], folds_batchnorm)
    names = {}
    for node, module in zip(nodes, modules):
        for index, tensor in enumerate(node.output):
            if tensor:
                names[tensor] = [tensor] + [name for name in (node.name, module) if name and index == 0]
    return names


def run_onnx(path, input_path, side):
    """(input, {tensor: value}, {tensor: names}, versions)"""
    import numpy
    import onnx
    import onnxruntime
    model = onnx.load(path)
    weights = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in weights]
    if len(inputs) != 1:
        sys.exit(f"{path}: expected one input, got {', '.join(value.name for value in inputs)}")
    dims = [dim.dim_value for dim in inputs[0].type.tensor_type.shape.dim]
    if len(dims) != 4 or dims[1] not in (0, 3):
        sys.exit(f"{path}: expected an input (n, 3, h, w), got {dims}")
    batch = input_of(input_path, side or dims[2] or 64)
    names = names_of_tensors(model.graph.node)
    have = {value.name for value in model.graph.output}
    model.graph.output.extend(onnx.ValueInfoProto(name=tensor) for tensor in names if tensor not in have)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])
    outputs = [output.name for output in session.get_outputs()]
    values = dict(zip(outputs, session.run(outputs, {inputs[0].name: batch})))
    is_map = lambda value: value.dtype == numpy.float32 and value.ndim in (2, 4) and value.shape[0] == 1
    values = {tensor: value for tensor, value in values.items() if is_map(value)}
    return batch, values, names, {"onnx": onnx.__version__, "onnxruntime": onnxruntime.__version__}


def load_torch(target, weights):
    import torch
    module, _, function = target.partition(":")
    sys.path.insert(0, os.getcwd())
    net = getattr(importlib.import_module(module), function)()
    if weights:
        state = torch.load(weights, map_location="cpu", weights_only=True)
        for key in ("state_dict", "model"):
            state = state.get(key, state)
        net.load_state_dict(state)
    for part in net.modules():
        if hasattr(part, "inplace"):
            part.inplace = False
    return net.eval()


def run_torch(target, weights, input_path, side):
    import torch
    net = load_torch(target, weights)
    batch = input_of(input_path, side or 64)
    values, calls = {}, collections.Counter()

    def keep(path):
        def hook(_, __, output):
            if not isinstance(output, torch.Tensor):
                return
            name = f"{path}_{calls[path]}" if calls[path] else path
            calls[path] += 1
            if output.dtype == torch.float32 and output.ndim in (2, 4) and output.shape[0] == 1:
                values[name] = output.detach().clone().numpy()
        return hook

    for path, part in net.named_modules():
        if path:
            part.register_forward_hook(keep(path))
    with torch.no_grad():
        net(torch.from_numpy(batch))
    return batch, values, {name: [name] for name in values}, {"torch": torch.__version__}


def names_of_model(program, model):
    said = subprocess.run([program, "inspect", "--json", "--no-ms", model], check=True, capture_output=True)
    return {name for tap in json.loads(said.stdout)["taps"] for name in (tap["name"], *tap["aliases"])}


def write(args, batch, values, names, versions):
    import numpy
    known = names_of_model(args.penult, args.model) if args.model else None
    taps = choose_names({tensor: names[tensor] for tensor in values}, known)
    if not taps:
        sys.exit(f"none of {len(values)} values has a name that {args.model} knows; the first are "
                 f"{', '.join(list(values)[:3])}")
    arrays = {"input": batch}
    for tensor, tap in taps.items():
        summarise(tap, values[tensor][0], arrays)
    source = args.onnx or args.weights
    digest = hashlib.sha256(open(source, "rb").read()).hexdigest() if source else ""
    arrays["meta"] = numpy.array(json.dumps({
        "source": source or args.torch, "sha256": digest, "size": batch.shape[2], "positions_seed": SEED,
        **versions, "command": " ".join(["tools/make_golden.py", *sys.argv[1:]])}))
    numpy.savez_compressed(args.out, **arrays)
    print(f"{args.out}: {len(taps)} of {len(values)} values, input {batch.shape[2]} x {batch.shape[3]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--onnx", metavar="NET.onnx")
    source.add_argument("--torch", metavar="MODULE:CALLABLE")
    parser.add_argument("--weights", help="state dict for --torch; without it the module's own")
    parser.add_argument("--out", required=True, help="the golden to write")
    parser.add_argument("--model", help="the converted file, for its names")
    parser.add_argument("--penult", default="penult", help="the program, to read it [penult]")
    parser.add_argument("--input", help=".npy of a preprocessed image (1, 3, side, side)")
    parser.add_argument("--side", type=int, help="of the input, in pixels [the file's, or 64]")
    args = parser.parse_args()
    if args.onnx:
        write(args, *run_onnx(args.onnx, args.input, args.side))
    else:
        write(args, *run_torch(args.torch, args.weights, args.input, args.side))
    return 0
