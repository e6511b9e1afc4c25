"""Small ONNX files: every type of tensor and attribute, most operators, and a net like those that are met.
For make_seeds.py."""

import struct

from onnx_file import attribute, floats, initializer, integers, model, node, number, packed, tensor, text, value, \
    varint


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


def operator_file(nodes, constants, opset, channels=4):
    """`nodes` one after the other behind an identity, each its own output as well."""
    names = [f"v{i}" for i in range(len(nodes) + 1)]
    parts, outputs = [node("Conv", ["x", "w0"], ["v0"])], []
    constants = {"w0": ([channels, 3, 1, 1], 1, [0.25] * channels * 3), **constants}
    for i, (op, more, *attributes) in enumerate(nodes):
        parts.append(node(op, [name or names[i] for name in more], [names[i + 1]], *attributes))
        outputs.append(value(12, names[i + 1], []))
    for name, (dims, dtype, numbers) in constants.items():
        data = struct.pack(f"<{len(numbers)}{'f' if dtype == 1 else 'q'}", *numbers)
        parts.append(initializer(name, dims, dtype, text(9, data)))
    return model(b"".join(parts) + value(11, "x", ["n", 3, 8, 8]) + b"".join(outputs), opset)


def operators():
    """Nearly all that the importer knows, several a file. "" among inputs: what the node before yields."""
    ints = lambda name, *values: attribute(name, 7, packed(8, *values))  # noqa: E731
    an_int = lambda name, number_: attribute(name, 2, number(3, number_))  # noqa: E731
    a_float = lambda name, x: attribute(name, 1, varint(2 << 3 | 5) + struct.pack("<f", x))  # noqa: E731
    a_text = lambda name, s: attribute(name, 3, text(4, s))  # noqa: E731
    window = ints("kernel_shape", 2, 2), ints("strides", 2, 2)
    yield "op_pools.onnx", operator_file(
        [("MaxPool", [""], *window, an_int("ceil_mode", 1)),
         ("AveragePool", [""], ints("kernel_shape", 3, 3), ints("pads", 1, 1, 1, 1), an_int("count_include_pad", 1)),
         ("MaxPool", [""], ints("kernel_shape", 2, 2), a_text("auto_pad", "SAME_UPPER"), ints("dilations", 1, 1)),
         ("GlobalMaxPool", [""]), ("ReduceMean", ["v1", "axes"], an_int("keepdims", 0)),
         ("Softmax", [""], an_int("axis", -1))], {"axes": ([2], 7, [2, 3])}, 18)
    yield "op_activations.onnx", operator_file(
        [("Clip", ["", "0", "6"]), ("LeakyRelu", [""], a_float("alpha", 0.1)), ("HardSigmoid", [""]),
         ("HardSwish", [""]), ("Sigmoid", [""]), ("Mul", ["", "v4"]), ("PRelu", ["", "slopes"]), ("Neg", [""]),
         ("Max", ["", "0"]), ("Min", ["", "6"]), ("Div", ["", "6"]), ("Sub", ["slopes", ""]), ("Dropout", [""])],
        {"0": ([], 1, [0]), "6": ([], 1, [6]), "slopes": ([4, 1, 1], 1, [1, 2, 3, 4])}, 14)
    yield "op_shapes.onnx", operator_file(
        [("Pad", ["", "pads"]), ("Slice", ["", "starts", "ends", "axes", "steps"]),
         ("Transpose", [""], ints("perm", 0, 2, 3, 1)), ("Transpose", [""], ints("perm", 0, 3, 1, 2)),
         ("Concat", ["", "v0"], an_int("axis", 1)), ("GlobalAveragePool", [""]), ("Squeeze", ["", "axes"]),
         ("Unsqueeze", ["", "axes"]), ("Reshape", ["", "shape"]), ("MatMul", ["", "matrix"]), ("Add", ["", "bias"])],
        {"pads": ([8], 7, [0, 0, 1, 1, 0, 0, 1, 1]), "starts": ([2], 7, [1, 1]), "ends": ([2], 7, [9, 9]),
         "axes": ([2], 7, [2, 3]), "steps": ([2], 7, [1, 1]), "shape": ([2], 7, [0, -1]),
         "matrix": ([8, 2], 1, [0.5] * 16), "bias": ([2], 1, [1, 2])}, 13)
    yield "op_constants.onnx", operator_file(
        [("Shape", [""]), ("Gather", ["", "zero"], an_int("axis", 0)), ("Unsqueeze", ["", "zeros"]),
         ("Concat", ["", "minus"], an_int("axis", 0)), ("Cast", [""], an_int("to", 7)), ("Reshape", ["v0", ""]),
         ("Range", ["zero", "four", "one"]), ("ConstantOfShape", ["minus4"]), ("Expand", ["one", "minus4"]),
         ("Equal", ["", "v7"]), ("Where", ["", "v9", "v7"]), ("Mul", ["", "four"]), ("Split", ["v0"],
                                                                                    an_int("axis", 1))],
        {"zero": ([], 7, [0]), "zeros": ([1], 7, [0]), "minus": ([1], 7, [-1]), "four": ([], 7, [4]),
         "one": ([], 7, [1]), "minus4": ([1], 7, [4])}, 13)
    yield "op_old.onnx", operator_file(
        [("BatchNormalization", ["", "s", "s", "s", "s"], an_int("is_test", 1)),
         ("Pad", [""], ints("pads", 0, 0, 1, 1, 0, 0, 1, 1)), ("Add", ["", "s"], an_int("broadcast", 1),
                                                               an_int("axis", 1)),
         ("Slice", [""], ints("starts", 0), ints("ends", 4), ints("axes", 2)), ("Clip", [""], a_float("max", 6)),
         ("Reshape", ["", "shape"]), ("Gemm", ["", "m", "s"])],
        {"s": ([4], 1, [1, 2, 3, 4]), "shape": ([2], 7, [1, 160]), "m": ([160, 4], 1, [0.5] * 640)}, 6)


def all_files():
    """Yields target, name, content."""
    files = {"small_net.onnx": small_net(), **dict(types()), **dict(attributes()), **dict(operators())}
    files["external.onnx"] = relu_with(external("v", "w.data", "0", "16"), external("w", "w.data", "64", "16"))
    files["functions.onnx"] = relu_with() + text(25, "")
    files["sparse.onnx"] = relu_with(text(15, ""))
    files["old.onnx"] = model(node("Relu", ["x"], ["y"]) + value(11, "x", [1]) + value(12, "y", [1]), 6, 3)
    for name, content in files.items():
        yield "onnx", name, content
