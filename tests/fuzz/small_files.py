"""Small files that the tests elsewhere have no need of: every operator in few bytes, every type of tensor and array,
and opcodes that torch.save does not write. For make_seeds.py."""

import io
import struct
import zipfile

import penult_file
import torch_file


class Model(penult_file.PenultFile):
    """An empty model for `side` pixels. `add` names a layer after its operator and appends it to the last one."""

    def __init__(self, side):
        super().__init__()
        self.data = []
        for part in ("values", "nodes", "weights", "taps", "aliases", "groups"):
            self.root[part] = []
        self.root["input_h"] = self.root["input_w"] = side
        self.last = self.value(b"input", [3, side, side])

    def add(self, op, shape, attributes=(), weights=(), inputs=None):
        name = f"{op}{len(self.root['nodes'])}"
        slots = [-1 if dims is None else self.weight(f"{name}.{i}".encode(), dims) for i, dims in enumerate(weights)]
        self.last = self.layer(name.encode(), op.encode(), inputs or [self.last], shape, slots,
                               [{"name": key.encode(), kind: values} for key, kind, values in attributes])
        return self.last


def ints(name, *values):
    return name, "ints", list(values)


def every_operator():
    """Convolutions dense, grouped, depthwise and dilated, and all that may stand between them."""
    model = Model(8)
    stem = model.add("conv2d", [4, 4, 4], [ints("strides", 2, 2), ints("pads", 1, 1, 1, 1)], [[4, 3, 3, 3], [4]])
    model.add("batchnorm", [4, 4, 4], [("eps", "floats", [1e-3])], [[4]] * 4)
    model.add("hard_swish", [4, 4, 4])
    model.add("conv2d", [4, 4, 4], [ints("strides", 1, 1), ints("pads", 2, 2, 2, 2), ints("dilations", 2, 2),
                                    ints("groups", 2)], [[4, 2, 3, 3]])
    model.add("leaky_relu", [4, 4, 4], [("slope", "floats", [0.1])])
    same = model.add("conv2d", [4, 4, 4], [ints("strides", 1, 1), ints("pads", 1, 1, 1, 1), ints("groups", 4)],
                     [[4, 1, 3, 3], [4]])
    model.add("clip", [4, 4, 4], [("lo", "floats", [-1.0]), ("hi", "floats", [2.0])])
    model.add("global_avg_pool", [4])
    model.add("linear", [2], (), [[2, 4], [2]])
    model.add("silu", [2])
    model.add("linear", [4], (), [[4, 2]])
    gate = model.add("hard_sigmoid", [4])
    scaled = model.add("mul", [4, 4, 4], inputs=[same, gate])
    model.add("add", [4, 4, 4], inputs=[scaled, stem])
    model.add("relu", [4, 4, 4])
    model.add("concat", [8, 4, 4], inputs=[model.last, same])
    model.add("slice", [5, 4, 4], [ints("begin", 2), ints("end", 7)])
    model.add("pad", [5, 5, 5], [ints("pads", 0, 1, 1, 0)])
    model.add("max_pool2d", [5, 3, 3], [ints("kernel", 3, 3), ints("strides", 2, 2), ints("pads", 1, 1, 1, 1)])
    model.add("avg_pool2d", [5, 2, 2], [ints("kernel", 2, 2), ints("strides", 1, 1), ints("count_include_pad", 0)])
    model.add("adaptive_avg_pool2d", [5, 1, 3], [ints("output_size", 1, 3)])
    model.add("flatten", [15])
    model.add("linear", [3], (), [[3, 15], [3]])
    model.add("sigmoid", [3])
    model.add("softmax", [3])
    return model


def one_layer():
    model = Model(4)
    model.add("conv2d", [2, 4, 4], [ints("strides", 1, 1)], [[2, 3, 1, 1]])
    return model


def padded():
    """Padding that depends on the size, and windows that reach beyond the last pixel."""
    model = Model(8)
    model.add("conv2d", [3, 4, 4], [ints("strides", 2, 2), ints("pad_mode", 1)], [[3, 3, 3, 3]])
    model.add("max_pool2d", [3, 3, 3], [ints("kernel", 2, 2), ints("strides", 2, 2), ints("pads", 1, 1, 1, 1)])
    model.add("avg_pool2d", [3, 2, 2], [ints("kernel", 2, 2), ints("strides", 2, 2), ints("ceil_mode", 1)])
    model.add("max_pool2d", [3, 1, 1], [ints("kernel", 2, 2), ints("strides", 1, 1), ints("dilations", 1, 1)])
    return model


def inverted_residual():
    model = Model(6)
    x = model.add("conv2d", [4, 6, 6], [ints("strides", 1, 1)], [[4, 3, 1, 1], [4]])
    model.add("conv2d", [20, 6, 6], [ints("strides", 1, 1)], [[20, 4, 1, 1]])
    model.add("batchnorm", [20, 6, 6], [("eps", "floats", [1e-5])], [[20]] * 4)
    model.add("relu6", [20, 6, 6])
    model.add("conv2d", [20, 6, 6], [ints("strides", 1, 1), ints("pads", 1, 1, 1, 1), ints("groups", 20)],
              [[20, 1, 3, 3]])
    model.add("relu6", [20, 6, 6])
    y = model.add("conv2d", [4, 6, 6], [ints("strides", 1, 1)], [[4, 20, 1, 1]])
    model.add("add", [4, 6, 6], inputs=[x, y])
    model.add("global_avg_pool", [4])
    model.root["aliases"].append({"name": b"penultimate", "tap": len(model.root["taps"]) - 1})
    return model


def models():
    for make in (every_operator, one_layer, padded, inverted_residual):
        yield "penult_file", f"{make.__name__}.penult", make().file()


def weights(*tensors):
    state = torch_file.StateDict()
    for name, dims, storage, width in tensors:
        count = penult_file.elements(dims)
        state.tensors[name] = torch_file.Tensor(dims, bytes(i % 64 for i in range(count * width)), storage, width)
    return state


def weight_files():
    types = [("float", [2, 3], "FloatStorage", 4), ("double", [2], "DoubleStorage", 8), ("half", [4], "HalfStorage", 2),
             ("bfloat", [3, 1], "BFloat16Storage", 2), ("long", [], "LongStorage", 8), ("bool", [1], "BoolStorage", 1)]
    yield "pytorch", "types.legacy", weights(*types).legacy()
    yield "pytorch", "types.zip", weights(*types).zip()
    view = weights(("a", [3, 2], "FloatStorage", 4), ("b", [2], "FloatStorage", 4))
    view["a"].strides, view["a"].dims = (1, 2), (2, 3)
    view["b"].key, view["b"].data, view["b"].count, view["b"].offset = "0", view["a"].data, 6, 3
    yield "pytorch", "shared_views.zip", view.zip()
    yield "pytorch", "bare.pickle", weights(("w", [2], "FloatStorage", 4)).pickle()
    yield "pytorch", "opcodes.pickle", every_opcode()


def every_opcode():
    """All opcodes that are read but those of tensors, in a dict."""
    pairs = [b"K\0" + b"\x8c\x05torch\x94\x8c\x0bHalfStorage\x93", b"\x8c\1a" + b"K\1",
             b"X\1\0\0\0b" + b"M\0\2", b"\x8d\1\0\0\0\0\0\0\0c" + b"J\xff\xff\xff\xff",
             b"U\1d" + b"\x8a\2\0\x80", b"T\1\0\0\0e" + b"\x8b\1\0\0\0\7", b"C\1fq\1" + b"B\1\0\0\0g",
             b"h\1" + b"G" + bytes(8), b"K\2" + b"N",
             b"K\3" + b"]" + b"K\4a" + b"(K\5K\6e", b"K\4" + b"(NNt0j\1\0\0\0", b"K\5" + b"N\x85", b"K\6" + b"NN\x86",
             b"K\7" + b"\x88\x89N\x87", b"K\x08" + b"(NN1)", b"K\x09" + b"}N\x88s", b"K\n" + b"ctorch\nFloatStorage\n",
             b"K\x0b" + b"ctorch\nSize\n" + b"K\1K\2\x86\x85R",
             b"K\r" + b"ccollections\nOrderedDict\n" + b"](K\1K\2\x86K\3N\x86e\x85R"]
    end = b"ccollections\nOrderedDict\n)R}br\2\0\0\0"
    return b"\x80\4\x95" + struct.pack("<Q", 9) + b"}(" + b"".join(pairs) + b"K\x0c" + end + b"u."


def npy(descr, dims, data):
    shape = "(" + "".join(f"{d}," for d in dims) + ")"
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header.encode() + data


def npz(method, arrays):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, array in arrays.items():
            archive.writestr(zipfile.ZipInfo(name + ".npy", (1980, 1, 1, 0, 0, 0)), array, method)
    return out.getvalue()


def golden():
    """What tools/golden reads: an input, taps whole and in parts, probabilities."""
    number = {"<i4": "i", "<f4": "f", "<f8": "d"}
    parts = {"input": ("<f4", [1, 2]), "pixels": ("|u1", [1, 1, 3]), "probabilities/a": ("<f4", [2]),
             "whole": ("<f4", [3]), "part/pos": ("<i4", [2]), "part/val": ("<f4", [2]), "part/chan": ("<f4", [1]), "part/max": ("<f4", [1]),
             "part/l2": ("<f8", [1])}
    made = {"meta": npy("<U2", [], "{}".encode("utf-32-le"))}
    for key, (descr, dims) in parts.items():
        count = penult_file.elements(dims)
        made[key] = npy(descr, dims, struct.pack(f"<{count}{number.get(descr, 'B')}", *range(count)))
    return made


def arrays():
    every = {"f4": npy("<f4", [2, 3], bytes(range(24))), "f8": npy("<f8", [1], bytes(8)),
             "i4": npy("<i4", [], bytes(4)), "u1": npy("|u1", [0, 4], b""), "name": npy("<U3", [], "abc".encode("utf-32-le"))}
    yield "npz", "stored.npz", npz(zipfile.ZIP_STORED, every)
    yield "npz", "deflated.npz", npz(zipfile.ZIP_DEFLATED, every)
    yield "npz", "golden.npz", npz(zipfile.ZIP_STORED, golden())
    for name, array in every.items():
        yield "npz", f"{name}.npy", array


def all_files():
    """(target, name, bytes) of each."""
    yield from models()
    yield from weight_files()
    yield from arrays()
