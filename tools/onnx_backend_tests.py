#!/usr/bin/env python3
"""Runs the ONNX project's own backend tests through penult's importer and reference executor.

    tools/onnx_backend_tests.sh [--list] [RUN_ONNX]       installs onnx, then runs this file
    tools/onnx_backend_tests.py RUN_ONNX [--list]

Cases: onnx.backend.test's node cases, its models converted from PyTorch, and its nets with weights made up
on the spot ("light"). A case runs with its first input as the image and the others as constants, and, where
they fit, with all inputs as values: joined by channels and split again inside the graph.

A case that the importer takes must give the expected numbers, within the tolerance that it comes with. What
it refuses does not apply, for the reason that it gives; but the cases in tests/converters/onnx_backend_cases.txt
have to be taken. --list prints the names of all that pass, which is how that file was made. Exit 1 if a
case fails, or if one of the file is not taken.
"""
import argparse
import collections
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy
import onnx
from onnx import numpy_helper
from onnx.backend.test.case import node as node_cases

ROOT = pathlib.Path(__file__).resolve().parent.parent
KNOWN = ROOT / "tests/converters/onnx_backend_cases.txt"
DATA = pathlib.Path(onnx.backend.test.case.__file__).parent.parent / "data"

# A model of one data set. `inputs` and `outputs` are arrays, in the graph's order.
Case = collections.namedtuple("Case", "name model inputs outputs rtol atol")


def read_tensors(folder, kind):
    files = sorted(folder.glob(f"{kind}_*.pb"), key=lambda p: int(p.stem.split("_")[1]))
    return [numpy_helper.to_array(onnx.load_tensor(str(f))) for f in files]


def collect_node_cases():
    for case in node_cases.collect_testcases(None):
        for inputs, outputs in case.data_sets[:1]:
            inputs = [numpy.asarray(i) if isinstance(i, numpy.generic) else i for i in inputs]
            yield Case(case.name, case.model, inputs, outputs, case.rtol, case.atol)


def collect_folder_cases(kind):
    for folder in sorted((DATA / kind).iterdir()):
        sets = sorted(folder.glob("test_data_set_*"))
        if not sets or not (folder / "model.onnx").exists():
            continue
        try:
            inputs, outputs = (read_tensors(sets[0], kind) for kind in ("input", "output"))
        except TypeError:  # a sequence or a map
            inputs, outputs = [None], [None]
        yield Case(folder.name, onnx.load(str(folder / "model.onnx")), inputs, outputs, 1e-3, 1e-7)


def collect_light_cases():
    """Their input is what onnx's own runner makes: 0, 1, 2, ... over the count of elements."""
    for path in sorted((DATA / "light").glob("light_*.onnx")):
        model = onnx.load(str(path))
        weights = {tensor.name for tensor in model.graph.initializer}
        image = next(i for i in model.graph.input if i.name not in weights)
        dims = [dim.dim_value for dim in image.type.tensor_type.shape.dim]
        count = numpy.prod(dims)
        values = (numpy.arange(count).reshape(dims) / count).astype(numpy.float32)
        output = numpy_helper.to_array(onnx.load_tensor(str(path.with_name(path.stem + "_output_0.pb"))))
        yield Case(path.stem, model, [values], [output], 1e-3, 1e-7)


def graph_inputs(model):
    weights = {tensor.name for tensor in model.graph.initializer}
    return [i for i in model.graph.input if i.name not in weights]


def first_is_image(case):
    """The model with all inputs but the first as initializers, and the first one's values."""
    model = onnx.ModelProto()
    model.CopyFrom(case.model)
    named = graph_inputs(model)
    for value, array in list(zip(named, case.inputs))[1:]:
        model.graph.initializer.append(numpy_helper.from_array(array, value.name))
    del model.graph.input[:]
    model.graph.input.append(named[0])
    return model, case.inputs[0]


def all_are_values(case):
    """All inputs joined by channels, and a Split in front of the graph; None if they do not fit."""
    arrays, named = case.inputs, graph_inputs(case.model)
    if len(arrays) < 2 or any(a.dtype != numpy.float32 or a.ndim < 2 for a in arrays):
        return None
    if len({a.shape[:1] + a.shape[2:] for a in arrays}) != 1:
        return None
    model = onnx.ModelProto()
    model.CopyFrom(case.model)
    joined = numpy.concatenate(arrays, axis=1)
    sizes = [a.shape[1] for a in arrays]
    opset = next(o.version for o in model.opset_import if o.domain in ("", "ai.onnx"))
    names = [value.name for value in named]
    if opset < 13:
        split = onnx.helper.make_node("Split", ["penult_all"], names, axis=1, split=sizes)
    else:
        model.graph.initializer.append(numpy_helper.from_array(numpy.array(sizes), "penult_sizes"))
        split = onnx.helper.make_node("Split", ["penult_all", "penult_sizes"], names, axis=1)
    model.graph.node.insert(0, split)
    del model.graph.input[:]
    model.graph.input.append(
        onnx.helper.make_tensor_value_info("penult_all", onnx.TensorProto.FLOAT, joined.shape))
    return model, joined


def why_not_to_try(case):
    """What the importer cannot even be asked, or None."""
    if not case.inputs or not all(isinstance(a, numpy.ndarray) for a in case.inputs + case.outputs):
        return "no tensors"
    if case.inputs[0].dtype != numpy.float32 or any(a.dtype != numpy.float32 for a in case.outputs):
        return "not of float32"
    if not 1 <= case.inputs[0].ndim <= 4 or case.inputs[0].size == 0:
        return "input not of rank 1 to 4"
    return None


def keep_output(model, index):
    """The program gives one output."""
    kept = model.graph.output[index]
    del model.graph.output[:]
    model.graph.output.append(kept)
    return model


def run(program, case, variant, folder):
    """("passed" | "refused" | "FAILED", why); it passes with all its outputs."""
    for index in range(len(case.outputs)):
        result = run_output(program, case, variant, index, folder)
        if result[0] != "passed":
            break
    return result


def run_output(program, case, variant, index, folder):
    model = onnx.ModelProto()
    model.CopyFrom(variant[0])
    keep_output(model, index)
    values = variant[1]
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    (folder / "input").write_bytes(numpy.ascontiguousarray(values).tobytes())
    done = subprocess.run([program, "any", folder / "model.onnx", folder / "input", folder / "output"],
                          stdout=subprocess.PIPE, text=True, errors="replace", timeout=600)
    if done.returncode == 1:
        return "refused", done.stdout.strip()
    if done.returncode != 0:
        return "FAILED", f"exit {done.returncode}: {done.stdout.strip()}"
    got, want = numpy.fromfile(folder / "output", numpy.float32), case.outputs[index].ravel()
    if got.size != want.size:
        return "FAILED", f"expected {want.size} numbers, got {got.size}"
    if not numpy.allclose(got, want, rtol=case.rtol, atol=case.atol, equal_nan=True):
        return "FAILED", f"numbers differ by up to {numpy.nanmax(numpy.abs(got - want)):.3g}"
    return "passed", ""


def judge(program, case, folder):
    reason = why_not_to_try(case)
    if reason is not None:
        return "refused", reason
    variants = [v for v in (first_is_image(case), all_are_values(case)) if v is not None]
    results = [run(program, case, variant, folder) for variant in variants]
    for verdict in ("FAILED", "passed", "refused"):
        for result in results:
            if result[0] == verdict:
                return result
    raise AssertionError(results)


def shorten(reason):
    """Without names and numbers, so that like reasons count as one."""
    reason = re.sub(r'^\w+: (node ".*?" )?', "", reason)
    reason = re.sub(r" in opset \d+| \(nodes? [^)]*\)", "", reason)
    return re.sub(r"\d+", "N", re.sub(r'"[^"]*"', "...", reason))[:110]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("program", help="build/ci/tests/converters/run_onnx")
    parser.add_argument("--list", action="store_true", help="print the cases that pass, and nothing else")
    args = parser.parse_args()
    cases = [*collect_node_cases(), *collect_folder_cases("pytorch-operator"),
             *collect_folder_cases("pytorch-converted"), *collect_folder_cases("simple"), *collect_light_cases()]
    passed, failed, refused = [], [], {}
    with tempfile.TemporaryDirectory() as folder:
        for case in cases:
            verdict, why = judge(args.program, case, pathlib.Path(folder))
            if verdict == "passed":
                passed.append(case.name)
            elif verdict == "FAILED":
                failed.append((case.name, why))
            else:
                refused[case.name] = why
    if args.list:
        print("\n".join(sorted(passed)))
        return 0
    known = set(KNOWN.read_text().split())
    for reason, count in collections.Counter(shorten(why) for why in refused.values()).most_common():
        print(f"does not apply: {count:4} {reason}")
    for name in sorted(known - set(passed) - {name for name, _ in failed}):
        failed.append((name, refused.get(name, "there is no such case")))
    for name, why in failed:
        print(f"FAILED: {name}: {why}")
    new = sorted(set(passed) - known)
    if new:
        print(f"{len(new)} pass that {KNOWN.relative_to(ROOT)} does not list: {' '.join(new)}")
    print(f"{len(passed)} passed, {len(failed)} failed, {len(refused)} do not apply, of {len(cases)} cases "
          f"of onnx {onnx.__version__}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
