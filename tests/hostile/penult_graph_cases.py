"""Graphs that are well-formed FlatBuffers but no networks: cycles, dangling ids, bad operators."""

import struct

from cases import case, table
from penult_file import PenultFile, attribute

INT32_MAX = (1 << 31) - 1


def node(which, **fields):
    """The control with fields of one node replaced."""
    def make():
        file = PenultFile()
        file.node(which).update(fields)
        return file.file()
    return make


def changed(change):
    """The control after `change(file)`."""
    def make():
        file = PenultFile()
        change(file)
        return file.file()
    return make


def attributes(name, key, **values):
    return changed(lambda file: file.set_attribute(name, key, **values))


# Values of the control: 0 input, 1 stem, 2 stem.bn, 3 stem.act, 4 block, 5 block.add, 6 pool, 7 fc.
table(".penult", {
    # Edges.
    "node_reads_itself": node(b"stem.act", inputs=[3]),
    "node_reads_a_later_one": node(b"stem.act", inputs=[4]),
    "node_reads_nothing": node(b"stem.act", inputs=[-1]),
    "node_reads_beyond_the_values": node(b"stem.act", inputs=[8]),
    "node_reads_the_largest_id": node(b"stem.act", inputs=[INT32_MAX]),
    "node_reads_the_smallest_id": node(b"stem.act", inputs=[-INT32_MAX - 1]),
    "node_writes_the_input": node(b"stem.act", output=0, name=b"input"),
    "node_writes_a_value_again": node(b"stem.act", output=2, name=b"stem.bn"),
    "node_writes_beyond_the_values": node(b"stem.act", output=8),
    "node_writes_nothing": node(b"stem.act", output=-1),
    "node_named_unlike_its_value": node(b"stem.act", name=b"other"),
    "input_beyond_the_values": changed(lambda file: file.root.update(input=8)),
    "input_negative": changed(lambda file: file.root.update(input=-1)),
    "input_is_an_output": changed(lambda file: file.root.update(input=3)),
    "nodes_reversed": changed(lambda file: file["nodes"].reverse()),
    "no_nodes": changed(lambda file: file["nodes"].clear()),
    "no_values": changed(lambda file: file["values"].clear()),
    # Operators.
    "operator_unknown": node(b"stem.act", op=b"gelu_of_2030"),
    "operator_unknown_with_escape": node(b"stem.act", op=b"\x1b[2J\nrelu"),
    "operator_name_empty": node(b"stem.act", op=b""),
    "operator_of_another_case": node(b"stem.act", op=b"ReLU6"),
    "inputs_too_few": node(b"block.add", inputs=[3]),
    "inputs_too_many": node(b"stem.act", inputs=[2, 2]),
    "inputs_none": node(b"stem.act", inputs=[]),
    "inputs_above_the_limit": node(b"block.add", inputs=[3] * 257),
    "weight_id_beyond_the_weights": node(b"fc", weights=[8, 7]),
    "weight_id_largest": node(b"fc", weights=[INT32_MAX, 7]),
    "weight_id_below_none": node(b"fc", weights=[-2, 7]),
    "weight_required_not_given": node(b"fc", weights=[-1, 7]),
    "weight_slots_missing": node(b"fc", weights=[]),
    "weight_slots_too_many": node(b"fc", weights=[6, 7, 7]),
    "weight_slots_above_the_limit": node(b"fc", weights=[6] * 257),
    "weights_exchanged": node(b"fc", weights=[7, 6]),
    "vector_where_a_map_belongs": node(b"block", inputs=[6]),
    "map_where_a_vector_belongs": node(b"fc", inputs=[5]),
    # Attributes.
    "attribute_unknown": attributes(b"stem", b"strides_", ints=[1]),
    "attribute_missing": changed(lambda file: file.node(b"stem")["attributes"].pop(0)),
    "attribute_twice": changed(
        lambda file: file.node(b"stem")["attributes"].append(attribute(b"strides", 1, 1))),
    "attribute_of_both_kinds": attributes(b"stem", b"strides", ints=[2, 2], floats=[2.0]),
    "attribute_of_neither_kind": attributes(b"stem", b"strides"),
    "attribute_of_the_wrong_kind": attributes(b"stem", b"strides", floats=[2.0]),
    "attribute_of_two_floats": attributes(b"stem.bn", b"eps", floats=[1e-5, 1e-5]),
    "attribute_too_short": attributes(b"stem", b"strides", ints=[2]),
    "attribute_too_long": attributes(b"stem", b"pads", ints=[1] * 5),
    "attributes_above_the_limit": node(b"stem", attributes=[attribute(b"a%d" % i, 1)
                                                            for i in range(65)]),
    "eps_nan": attributes(b"stem.bn", b"eps", floats=[float("nan")]),
    "eps_infinite": attributes(b"stem.bn", b"eps", floats=[float("inf")]),
    "eps_zero": attributes(b"stem.bn", b"eps", floats=[0.0]),
    "eps_negative": attributes(b"stem.bn", b"eps", floats=[-1e-5]),
    "stride_zero": attributes(b"stem", b"strides", ints=[0, 2]),
    "stride_negative": attributes(b"stem", b"strides", ints=[2, -2]),
    "stride_above_the_limit": attributes(b"stem", b"strides", ints=[1025, 2]),
    "stride_minimum": attributes(b"stem", b"strides", ints=[-(1 << 63), 1]),
    "dilation_zero": attributes(b"stem", b"dilations", ints=[1, 0]),
    "dilation_above_the_limit": attributes(b"stem", b"dilations", ints=[1 << 40, 1]),
    "pad_negative": attributes(b"stem", b"pads", ints=[1, 1, -1, 1]),
    "pad_above_the_limit": attributes(b"stem", b"pads", ints=[65536, 1, 1, 1]),
    "pad_mode_unknown": attributes(b"stem", b"pad_mode", ints=[2]),
    "groups_zero": attributes(b"stem", b"groups", ints=[0]),
    "groups_negative": attributes(b"stem", b"groups", ints=[-1]),
    "groups_divide_one_side_only": attributes(b"stem", b"groups", ints=[3]),
    "kernel_larger_than_the_input": attributes(b"stem", b"dilations", ints=[64, 64]),
})


@case(".penult")
def node_cycle_of_two():
    file = PenultFile()
    file.node(b"block")["inputs"] = [5]  # block -> block.add -> block
    return file.file()


@case(".penult")
def value_without_producer():
    file = PenultFile()
    file.value(b"nobody makes it", [4])
    return file.file()


@case(".penult")
def kernel_above_the_limit():
    file = PenultFile()
    tall = file.weight(b"tall", [4, 4, 4097, 1])
    file.layer(b"tall", b"conv2d", [3], [4, 8, 5], [tall],
               [attribute(b"strides", 1, 1), attribute(b"pads", 2100, 0, 2100, 0)])
    return file.file()


def grown(file, name, oc, kernel, stride=1):
    """Adds a convolution of the input with the widest padding there is."""
    weight = file.weight(name, [oc, 3, kernel, kernel])
    side = (file["input_h"] + 2 * 65535 - kernel) // stride + 1
    return file.layer(name, b"conv2d", [0], [oc, side, side], [weight],
                      [attribute(b"strides", stride, stride), attribute(b"pads", *[65535] * 4)])


@case(".penult")
def elements_above_the_limit():
    file = PenultFile()
    grown(file, b"grown", 100, 1)
    return file.file()


@case(".penult")
def multiplications_above_the_limit():
    file = PenultFile()
    grown(file, b"grown", 16, 40)
    return file.file()


@case(".penult")
def activations_above_the_budget():
    """4 x 131078 x 131078 floats are within all limits of a file, and 275 GB."""
    file = PenultFile()
    grown(file, b"grown", 4, 1)
    return file.file()


def widened():
    """The control with a map of 408 x 408 pixels, and the value that has it."""
    file = PenultFile()
    weight = file.weight(b"wide.weight", [16, 3, 1, 1])
    return file, file.layer(b"wide", b"conv2d", [0], [16, 408, 408], [weight],
                            [attribute(b"strides", 1, 1), attribute(b"pads", *[200] * 4)])


@case(".penult")
def step_of_minutes():
    """A few bytes, no multiplication, and 10^12 comparisons."""
    file, wide = widened()
    file.layer(b"slow", b"max_pool2d", [wide], [16, 807, 807], (),
               [attribute(b"kernel", 400, 400), attribute(b"strides", 1, 1),
                attribute(b"pads", *[399] * 4)])
    return file.file()


@case(".penult")
def steps_of_minutes_together():
    file, last = widened()
    for i in range(3000):
        last = file.layer(b"n%d" % i, b"sigmoid", [last], [16, 408, 408], tap=i == 2999)
    return file.file()


@case(".penult")
def plans_of_seconds_together():
    """A plan for each of 34 taps, among 15,007 nodes."""
    file, last = PenultFile(), 3
    for i in range(15000):
        last = file.layer(b"n%d" % i, b"sigmoid", [last], [4, 4, 4], tap=i >= 14973)
    return file.file()


@case(".penult")
def taps_above_the_budget():
    """Most taps can be run, and inspect says what it can of the others."""
    file = PenultFile()
    grown(file, b"grown", 4, 1)
    return file.file()


@case(".penult")
def variance_below_zero():
    file = PenultFile()
    file.data[4] = struct.pack("<4f", 1, 1, -1, 1)
    return file.file()


@case(".penult")
def input_size_above_the_limit():
    file = PenultFile()
    file.root["input_h"] = 1 << 31
    return file.file()
