"""ONNX files that lie, are damaged, or say what penult does not know."""

import struct

from cases import table
from onnx_file import attribute, initializer, model, node, number, packed, tensor, text, value

IMAGE = value(11, "x", ["n", 3, 8, 8])
HUGE = 1 << 62


def weights(name="w", dims=(2, 3, 3, 3), numbers=None):
    count = 1
    for dim in dims:
        count *= dim
    numbers = [0.5] * count if numbers is None else numbers
    return initializer(name, dims, 1, text(9, struct.pack(f"<{len(numbers)}f", *numbers)))


def file(*nodes, more=b"", image=IMAGE, outputs=("y",), **options):
    outs = b"".join(value(12, name, []) for name in outputs)
    return model(b"".join(nodes) + more + image + outs, **options)


def conv(*more, name="w", x="x", y="y"):
    return node("Conv", [x, name], [y], *more)


def of_weights(*arguments, **options):
    """A convolution with these weights."""
    return lambda: file(conv(), more=weights(*arguments, **options))


def of_nodes(*nodes, more=b"", **options):
    return lambda: file(*nodes, more=weights() + more, **options)


def of_image(*values):
    return lambda: file(node("Relu", ["x"], ["y"]), image=b"".join(values))


def ints(name, *numbers):
    return attribute(name, 7, packed(8, *numbers))


def external(location, offset="0", length="216"):
    entries = (("location", location), ("offset", offset), ("length", length))
    place = b"".join(text(13, text(1, key) + text(2, entry)) for key, entry in entries)
    return lambda: file(conv(), more=initializer("w", (2, 3, 3, 3), 1, place + number(14, 1)))


def constant(name, numbers, dims=None):
    dims = [len(numbers)] if dims is None else dims
    return initializer(name, dims, 7, text(9, struct.pack(f"<{len(numbers)}q", *numbers)))


def twice_as_large(times):
    """Constants, each twice the one before: 2^times numbers of a few bytes a node."""
    nodes = [node("Concat", [f"c{i}", f"c{i}"], [f"c{i + 1}"], attribute("axis", 2, number(3, 0)))
             for i in range(times)]
    return lambda: file(*nodes, node("Add", ["x", f"c{times}"], ["y"]), more=weights("c0", (1,)))


def shared_matrix(times, columns):
    """Layers that read one matrix, each with a copy of a bias made for it."""
    nodes = []
    for i in range(times):
        nodes.append(node("Gemm", ["f", "m", "one"], [f"y{i}"], attribute("transB", 2, number(3, 1))))
    pooled = node("GlobalAveragePool", ["x"], ["p"]) + node("Flatten", ["p"], ["f"])
    more = weights("m", (columns, 3)) + weights("one", (1,))
    return lambda: file(pooled, *nodes, more=more, outputs=[f"y{i}" for i in range(times)])


def unknown_operators():
    """One message for all of them, those of the middle of a transformer among them."""
    ops = ["LayerNormalization", "Einsum", "Erf", "LayerNormalization", "Foo"]
    names = ["x", *(f"v{i}" for i in range(len(ops)))]
    nodes = [node(op, [names[i]], [names[i + 1]], text(3, f"node{i}")) for i, op in enumerate(ops)]
    return file(*nodes, outputs=[names[-1]])


def quantized():
    scale = weights("scale", (1,)) + initializer("zero", (), 2, text(9, b"\0"))
    return file(node("QuantizeLinear", ["x", "scale", "zero"], ["q"]),
                node("DequantizeLinear", ["q", "scale", "zero"], ["y"]), more=scale)


def nested_subgraphs(depth):
    graph = text(6, b"")
    for _ in range(depth):
        graph = text(6, text(1, text(4, "If") + text(5, text(1, "then") + number(20, 5) + graph)))
    return file(node("If", ["x"], ["y"], text(5, text(1, "then") + number(20, 5) + graph)))


CONTROL = file(conv(ints("pads", 1, 1, 1, 1)), more=weights())
ESCAPES = "\x1b[2J\npenult: fine"

table(".onnx", {
    "onnx_control": lambda: CONTROL,
    "onnx_with_an_architecture_named": lambda: CONTROL,
    "onnx_empty": lambda: b"",
    "onnx_cut_in_the_graph": lambda: CONTROL[:len(CONTROL) // 2],
    "onnx_cut_by_one_byte": lambda: CONTROL[:-1],
    "onnx_cut_behind_the_version": lambda: CONTROL[:2],
    "onnx_one_byte_appended": lambda: CONTROL + b"\0",
    "onnx_of_text": lambda: b"version https://example.org/pointer\nsize 102530333\n",
    "onnx_of_zeros": lambda: bytes(4096),
    "onnx_of_a_pickle": lambda: b"\x80\x02}q\0.",
    "onnx_length_largest": lambda: number(1, 8) + b"\x3a" + b"\xff" * 9 + b"\x01",
    "onnx_length_above_the_file": lambda: CONTROL[:3] + b"\xff\xff\x7f" + CONTROL[5:],
    "onnx_groups_in_groups": lambda: number(1, 8) + b"\x0b" * 100000,
    "onnx_subgraphs_in_subgraphs": lambda: nested_subgraphs(500),
    # The model.
    "onnx_without_a_graph": lambda: number(1, 8) + text(8, number(2, 13)),
    "onnx_without_an_opset": lambda: number(1, 8) + text(7, IMAGE),
    "onnx_without_nodes": lambda: file(outputs=("x",)),
    "onnx_without_outputs": of_nodes(conv(), outputs=()),
    "onnx_opset_of_the_future": of_nodes(conv(), opset=1000),
    "onnx_opset_negative": of_nodes(conv(), opset=-1),
    "onnx_version_of_the_future": of_nodes(conv(), ir=1000),
    "onnx_with_functions": lambda: CONTROL + text(25, text(1, "f")),
    # The image.
    "onnx_two_inputs": of_image(IMAGE, value(11, "mask", [1, 8])),
    "onnx_no_input": of_image(),
    "onnx_input_of_integers": of_image(value(11, "x", [1, 3, 8, 8], 7)),
    "onnx_input_grey": of_image(value(11, "x", [1, 1, 8, 8])),
    "onnx_input_of_rank_2": of_image(value(11, "x", [1, 3])),
    "onnx_input_without_a_shape": of_image(text(11, text(1, "x"))),
    "onnx_input_huge": of_image(value(11, "x", [1, 3, HUGE, HUGE])),
    "onnx_input_of_no_pixels": of_image(value(11, "x", [1, 3, 0, 8])),
    "onnx_input_batch_huge": of_image(value(11, "x", [HUGE, 3, 8, 8])),
    "onnx_input_twice": of_image(IMAGE, IMAGE),
    # Tensors.
    "onnx_tensor_missing": lambda: file(conv()),
    "onnx_tensor_twice": lambda: file(conv(), more=weights() + weights()),
    "onnx_tensor_nan": of_weights(numbers=[float("nan")] + [0.5] * 53),
    "onnx_tensor_infinite": of_weights(numbers=[0.5] * 53 + [float("inf")]),
    "onnx_tensor_shorter_than_its_shape": of_weights(numbers=[0.5] * 53),
    "onnx_tensor_longer_than_its_shape": of_weights(numbers=[0.5] * 55),
    "onnx_tensor_of_other_channels": of_weights(dims=(2, 4, 3, 3)),
    "onnx_tensor_of_rank_2": of_weights(dims=(2, 27)),
    "onnx_tensor_of_rank_9": of_weights(dims=(2, 3, 3, 3, 1, 1, 1, 1, 1)),
    "onnx_tensor_of_nothing": of_weights(dims=(0, 3, 3, 3)),
    "onnx_tensor_dims_negative": lambda: file(conv(), more=initializer(
        "w", (-2, 3, 3, 3), 1, text(9, bytes(216)))),
    "onnx_tensor_dims_overflow": lambda: file(conv(), more=initializer(
        "w", (HUGE, HUGE, 3, 3), 1, text(9, bytes(216)))),
    "onnx_tensor_dims_wrap_to_the_right_size": lambda: file(conv(), more=initializer(
        "w", (54 + HUGE, 4, 1, 1), 1, text(9, bytes(216)))),
    "onnx_tensor_of_terabytes": lambda: file(conv(), more=initializer(
        "w", (1 << 20, 1 << 20, 1, 1), 1, b"")),
    "onnx_tensor_type_unknown": lambda: file(conv(), more=initializer(
        "w", (2, 3, 3, 3), 99, text(9, bytes(216)))),
    "onnx_tensor_of_strings": lambda: file(conv(), more=initializer("w", (1,), 8, text(6, "a"))),
    "onnx_tensor_of_integers": lambda: file(conv(), more=initializer(
        "w", (2, 3, 3, 3), 7, text(9, bytes(432)))),
    "onnx_variance_below_zero": of_nodes(
        node("BatchNormalization", ["x", "s", "s", "s", "v"], ["y"]),
        more=weights("s", (3,)) + weights("v", (3,), [1, -1, 1])),
    # Data in another file.
    "onnx_external_data_unasked": external("w.data"),
    "onnx_external_data_missing": external("w.data"),
    "onnx_external_data_above_the_folder": external("../w.data"),
    "onnx_external_data_of_the_root": external("/etc/passwd"),
    "onnx_external_data_on_a_detour": external("a/../../w.data"),
    "onnx_external_data_is_the_folder": external("."),
    "onnx_external_data_is_a_device": external("/dev/zero"),
    "onnx_external_data_of_no_name": external(""),
    "onnx_external_data_with_a_zero": external("w\0.data"),
    "onnx_external_data_with_escape_sequence": external(ESCAPES),
    "onnx_external_data_is_the_model": external("onnx_external_data_is_the_model.onnx", "0", "99999"),
    "onnx_external_data_offset_negative": external(
        "onnx_external_data_offset_negative.onnx", "-8"),
    "onnx_external_data_offset_wraps": external(
        "onnx_external_data_offset_wraps.onnx", str((1 << 64) - 8)),
    # The graph.
    "onnx_cycle": of_nodes(conv(x="b", y="a"), node("Relu", ["a"], ["b"]), outputs=("b",)),
    "onnx_cycle_of_one": of_nodes(node("Relu", ["y"], ["y"])),
    "onnx_cycle_of_many": lambda: file(*(node("Relu", [f"{(i + 1) % 65536}"], [f"{i}"])
                                         for i in range(65536)), outputs=("0",)),
    "onnx_order_reversed": of_nodes(node("Relu", ["a"], ["y"]), conv(y="a")),
    "onnx_name_twice": of_nodes(conv(), node("Relu", ["x"], ["y"])),
    "onnx_output_of_nobody": of_nodes(conv(), outputs=("z",)),
    "onnx_output_is_a_constant": of_nodes(conv(), outputs=("w",)),
    "onnx_names_with_escape_sequences": of_nodes(
        node(ESCAPES, ["x"], ["y"], text(3, ESCAPES), text(7, ESCAPES))),
    "onnx_attribute_with_escape_sequences": of_nodes(conv(ints(ESCAPES, 1))),
    "onnx_tap_with_escape_sequences": of_nodes(conv(text(3, ESCAPES), y=ESCAPES), outputs=(ESCAPES,)),
    # Operators.
    "onnx_unknown_operators": unknown_operators,
    "onnx_operator_of_another_domain": of_nodes(node("Conv", ["x", "w"], ["y"], text(7, "com.acme"))),
    "onnx_quantized": quantized,
    "onnx_shape_depends_on_the_image": of_nodes(
        conv(), node("ReduceMean", ["y"], ["m"], ints("axes", 1)),
        node("Reshape", ["x", "m"], ["z"]), outputs=("z",)),
    "onnx_conv_strides_zero": of_nodes(conv(ints("strides", 0, 0))),
    "onnx_conv_pads_negative": of_nodes(conv(ints("pads", -1, -1, -1, -1))),
    "onnx_conv_pads_huge": of_nodes(conv(ints("pads", HUGE, HUGE, HUGE, HUGE))),
    "onnx_conv_dilations_huge": of_nodes(conv(ints("dilations", HUGE, HUGE))),
    "onnx_conv_groups_zero": of_nodes(conv(attribute("group", 2, number(3, 0)))),
    "onnx_conv_window_above_the_image": of_weights(dims=(2, 3, 99, 99)),
    "onnx_conv_kernel_shape_lies": of_nodes(conv(ints("kernel_shape", 5, 5))),
    "onnx_conv_attribute_unknown": of_nodes(conv(ints("shuffle", 1))),
    "onnx_conv_attribute_of_another_kind": of_nodes(conv(attribute("strides", 2, number(3, 1)))),
    "onnx_reshape_says_one_image": of_nodes(
        node("Reshape", ["x", "s"], ["y"]), more=constant("s", [1, -1])),
    "onnx_axis_far_out": of_nodes(node("Flatten", ["x"], ["y"], attribute("axis", 2, number(3, 99)))),
    # Bombs.
    "onnx_bomb_constant_of_shape": of_nodes(
        node("ConstantOfShape", ["s"], ["c"]), node("Add", ["x", "c"], ["y"]),
        more=constant("s", [1 << 20, 1 << 20])),
    "onnx_bomb_range": of_nodes(
        node("Range", ["a", "b", "c"], ["r"]), node("Add", ["x", "r"], ["y"]),
        more=constant("a", [0], []) + constant("b", [(1 << 63) - 1], []) + constant("c", [1], [])),
    "onnx_bomb_constants_twice_as_large": twice_as_large(40),
    "onnx_bomb_biases": shared_matrix(20000, 20000),
    "onnx_bomb_of_looks": lambda: file(
        *(node("Add", [f"v{i}" if i else "x", "c"], [f"v{i + 1}"]) for i in range(200)),
        more=weights("c", (1, 3, 256, 256)), image=value(11, "x", [1, 3, 256, 256]), outputs=("v200",)),
    "onnx_bomb_padding": of_nodes(node("Pad", ["x", "p"], ["y"]), more=constant(
        "p", [0, 0, 1 << 30, 1 << 30, 0, 0, 1 << 30, 1 << 30])),
    "onnx_bomb_of_nodes": lambda: file(
        *(node("Relu", ["x"], [f"y{i}"]) for i in range(70000)), outputs=("y69999",)),
    "onnx_bomb_of_dims": lambda: file(conv(), more=initializer("w", [1] * 100000, 1, text(9, bytes(4)))),
})
