"""Small ONNX files, byte by byte: every type of tensor and attribute, and a net like those that are met. For
make_seeds.py. Numbers of fields: https://onnx.ai/onnx/repo-docs/IR.html."""

import struct


def varint(value):
    value &= (1 << 64) - 1
    out = b""
    while value >= 0x80:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def number(field, value):
    return varint(field << 3) + varint(value)


def text(field, value):
    payload = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(payload)) + payload


def floats(field, *values):
    return text(field, struct.pack(f"<{len(values)}f", *values))


def integers(field, *values):
    return b"".join(number(field, value) for value in values)


def packed(field, *values):
    return text(field, b"".join(map(varint, values)))


def tensor(name, dims, dtype, data):
    return integers(1, *dims) + number(2, dtype) + text(8, name) + data


def attribute(name, kind, value):
    return text(5, text(1, name) + value + number(20, kind))


def node(op, inputs, outputs, *more):
    parts = [text(1, name) for name in inputs] + [text(2, name) for name in outputs]
    return text(1, b"".join(parts) + text(4, op) + b"".join(more))


def initializer(*arguments):
    return text(5, tensor(*arguments))


def value(field, name, dims, dtype=1):
    shape = b"".join(text(1, text(2, dim) if isinstance(dim, str) else number(1, dim)) for dim in dims)
    return text(field, text(1, name) + text(2, text(1, number(1, dtype) + text(2, shape))))


def model(graph, opset=13, ir=8, head=b""):
    return number(1, ir) + head + text(7, graph) + text(8, text(1, "") + number(2, opset))


def relu_with(*fields):
    return model(node("Relu", ["x"], ["y"]) + b"".join(fields) + value(11, "x", [1, 3, 8, 8]) + value(12, "y", []))


TYPES = {"f32": (1, "f", 4), "u8": (2, "B", 5), "i8": (3, "b", 5), "u16": (4, "H", 5), "i16": (5, "h", 5),
         "i32": (6, "i", 5), "i64": (7, "q", 7), "bool": (9, "?", 5), "f16": (10, "e", 5), "f64": (11, "d", 10),
         "u32": (12, "I", 11), "u64": (13, "Q", 11), "bf16": (16, "H", 5)}


def types():
    """Each type as bytes, and where it is not a float one by one."""
    for name, (dtype, code, field) in TYPES.items():
        raw = struct.pack(f"<2{code}", 0, 1)
        yield f"raw_{name}.onnx", relu_with(initializer("w", [2], dtype, text(9, raw)))
        typed = text(field, raw) if name in ("f32", "f64") else packed(field, 0, 1)
        yield f"typed_{name}.onnx", relu_with(initializer("w", [1, 2], dtype, typed))


def attributes():
    every = [attribute("f", 1, varint(2 << 3 | 5) + struct.pack("<f", 0.5)), attribute("i", 2, number(3, -1)),
             attribute("s", 3, text(4, "same")), attribute("t", 4, text(5, tensor("", [1], 7, packed(7, 9)))),
             attribute("g", 5, text(6, b"")), attribute("fs", 6, floats(7, 1, 2)),
             attribute("is", 7, integers(8, 1, 1)), attribute("ss", 8, text(9, "a") + text(9, "b")),
             attribute("ref", 2, text(21, "outer"))]
    for count in (8, 9):
        yield f"attributes_{count}.onnx", model(node("Foo", ["x"], ["y"], *every[:count]) + value(11, "x", ["n", 3])
                                                + value(12, "y", []))


def external(name, location, offset, length):
    entries = (("location", location), ("offset", offset), ("length", length))
    place = b"".join(text(13, text(1, key) + text(2, entry)) for key, entry in entries)
    return initializer(name, [4], 1, place + number(14, 1))


def small_net():
    """Convolution, normalisation, shortcut, pooling, classifier, with names as PyTorch's exporters give."""
    pads = attribute("pads", 7, packed(8, 1, 1, 1, 1)), attribute("kernel_shape", 7, packed(8, 3, 3))
    scopes = text(9, text(1, "pkg.torch.onnx.name_scopes") + text(2, "['', 'fc', 'linear']"))
    weights = [("w", [2, 3, 3, 3], 54), ("scale", [2], 2), ("shift", [2], 2), ("mean", [2], 2), ("var", [2], 2),
               ("fc.weight", [2, 2], 4)]
    graph = (
        node("Conv", ["x", "w"], ["c"], text(3, "/layer1/layer1.0/conv1/Conv"), *pads)
        + node("BatchNormalization", ["c", "scale", "shift", "mean", "var"], ["b"])
        + node("Relu", ["b"], ["r"])
        + node("Add", ["r", "b"], ["a"])
        + node("GlobalAveragePool", ["a"], ["p"])
        + node("Flatten", ["p"], ["f"], attribute("axis", 2, number(3, 1)))
        + node("Gemm", ["f", "fc.weight", ""], ["y"], attribute("transB", 2, number(3, 1)), scopes)
        + text(2, "main_graph")
        + b"".join(initializer(name, dims, 1, text(9, struct.pack(f"<{count}f", *[0.5] * count)))
                   for name, dims, count in weights)
        + value(11, "x", ["batch", 3, 8, 8]) + value(11, "w", [2, 3, 3, 3]) + value(12, "y", ["batch", 2])
        + value(13, "c", [1, 2, 8, 8]))
    return model(graph, 17, 8, text(2, "pytorch") + text(3, "2.1.0"))


def all_files():
    """Yields target, name, content."""
    files = {"small_net.onnx": small_net(), **dict(types()), **dict(attributes())}
    files["external.onnx"] = relu_with(external("v", "w.data", "0", "16"), external("w", "w.data", "64", "16"))
    files["functions.onnx"] = relu_with() + text(25, "")
    files["sparse.onnx"] = relu_with(text(15, ""))
    files["old.onnx"] = model(node("Relu", ["x"], ["y"]) + value(11, "x", [1]) + value(12, "y", [1]), 6, 3)
    for name, content in files.items():
        yield "onnx", name, content
