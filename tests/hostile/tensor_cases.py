"""State dicts whose tensors lie about their storages, or are not those of the network."""

import math
import struct

from cases import case, table
from torch_file import ORDERED_DICT, REBUILD, Call, Global, Raw, StateDict, Tensor, code_of, \
    floats, mobilenet

FIRST = "features.0.0.weight"  # 2 x 3 x 3 x 3 numbers
COUNTER = "features.0.1.num_batches_tracked"


def tensor(name=FIRST, **fields):
    """The control with parts of one tensor replaced, in the legacy container."""
    def make():
        net = mobilenet()
        for field, value in fields.items():
            setattr(net[name], field, value)
        return net.legacy()
    return make


def rebuilt(*arguments, function=REBUILD):
    """The control whose first tensor is rebuilt from other arguments behind its storage."""
    def make():
        net = mobilenet()
        first = net[FIRST]
        first.key, first.view = "0", (None,)
        first.pickled = Call(function, first.persistent(), *arguments)
        return net.legacy()
    return make


def stored_as(persistent):
    """The control whose first tensor has another persistent id."""
    def make():
        net = mobilenet()
        net[FIRST].pickled = Call(REBUILD, Raw(code_of(persistent) + b"Q"), 0, (2, 3, 3, 3),
                                  (27, 9, 3, 1), False, Call(ORDERED_DICT))
        return net.legacy()
    return make


def replaced(name, new):
    def make():
        net = mobilenet()
        net.tensors[name] = new
        return net.legacy()
    return make


def without(name):
    def make():
        net = mobilenet()
        del net.tensors[name]
        return net.legacy()
    return make


def added(name, new=None):
    return replaced(name, new or Tensor((2,), floats([1, 2])))


def first_number(value, form="f"):
    def make():
        net = mobilenet()
        data = struct.pack("<" + form, value) + net[FIRST].data[struct.calcsize(form):]
        net[FIRST].data = data
        return net.legacy()
    return make


FLOATS = Global("torch", "FloatStorage")
HUGE = 1 << 62
CONTROL = (0, (2, 3, 3, 3), (27, 9, 3, 1))  # where the first tensor lies

table(".pt", {
    # Offsets, sizes and strides against the storage.
    "tensor_offset_outside": tensor(offset=1),
    "tensor_offset_largest": tensor(offset=(1 << 63) - 1),
    "tensor_offset_negative": tensor(offset=-1),
    "tensor_offset_is_text": tensor(offset="0"),
    "tensor_stride_negative": tensor(strides=(27, 9, -3, 1)),
    "tensor_stride_overflows": tensor(strides=(HUGE, HUGE, HUGE, 1)),
    "tensor_stride_outside": tensor(strides=(28, 9, 3, 1)),
    "tensor_size_negative": tensor(dims=(-2, 3, 3, 3)),
    "tensor_size_overflows": tensor(dims=(HUGE, HUGE, 3, 3)),
    "tensor_size_of_terabytes": tensor(dims=(1 << 40, 1, 1, 1), strides=(0, 0, 0, 0)),
    "tensor_broadcast_larger_than_its_storage": tensor(dims=(55, 1, 1, 1), strides=(0, 0, 0, 0)),
    "tensor_size_zero": tensor(dims=(0, 3, 3, 3)),
    "tensor_size_is_a_number": tensor(dims=54),
    "tensor_fewer_strides_than_sizes": tensor(strides=(27, 9, 3)),
    "tensor_of_rank_9": tensor(dims=(1,) * 9, strides=(1,) * 9),
    "tensor_rebuilt_from_too_little": rebuilt(0),
    "tensor_rebuilt_from_too_much": rebuilt(0, (2,), (1,), False, None, None, None, None),
    "tensor_that_negates_its_storage": rebuilt(*CONTROL, False, Call(ORDERED_DICT), {"neg": True}),
    "tensor_that_conjugates_its_storage": rebuilt(*CONTROL, False, Call(ORDERED_DICT), {"conj": True}),
    "tensor_that_does_not_negate": rebuilt(*CONTROL, False, Call(ORDERED_DICT), {"neg": False}),
    "tensor_rebuilt_from_a_tuple": tensor(pickled=Call(REBUILD, (), 0, (2,), (1,))),
    "parameter_of_a_storage": rebuilt(
        False, Call(ORDERED_DICT), function=Global("torch._utils", "_rebuild_parameter")),
    "storage_kind_unknown": tensor(storage=Global("torch", "QInt8Storage")),
    "storage_kind_is_a_function": stored_as(("storage", REBUILD, "0", "cpu", 54, None)),
    "storage_key_is_a_number": stored_as(("storage", FLOATS, 0, "cpu", 54, None)),
    "storage_key_with_escape_sequence": stored_as(
        ("storage", FLOATS, "\x1b[2J\n", "cpu", 54, None)),
    "storage_size_negative": stored_as(("storage", FLOATS, "0", "cpu", -54, None)),
    "storage_id_too_short": stored_as(("storage", FLOATS, "0")),
    "storage_of_whole_bytes_only": tensor(data=floats([1.0] * 54)[:-1]),
    # Tensors against the network.
    "tensor_missing": without("features.9.conv.2.weight"),
    "tensor_missing_at_the_end": without("classifier.1.bias"),
    "tensor_extra": added("features.19.weight"),
    "tensor_extra_with_newline": added("features\npenult: written\x1b[1A"),
    "tensor_extra_with_invalid_utf8": added("features.\udcff"),
    "tensor_extra_without_a_name": added(""),
    "tensor_extra_with_a_long_name": added("x" * 60000),
    "tensor_misshapen": tensor(name="features.5.conv.2.weight", dims=(4, 1, 1, 1),
                               strides=(1, 1, 1, 1)),
    "tensor_transposed": tensor(dims=(3, 2, 3, 3), strides=(9, 27, 3, 1)),
    "tensor_of_rank_0": tensor(dims=(), strides=()),
    "tensor_of_integers": tensor(storage=Global("torch", "IntStorage")),
    "tensor_of_booleans": replaced(FIRST, Tensor((2, 3, 3, 3), bytes(54), "BoolStorage", 1)),
    "counter_of_two_numbers": tensor(name=COUNTER, dims=(2,), strides=(0,)),
    "counter_of_floats": replaced(COUNTER, Tensor((), floats([1]))),
    "tensor_nan": first_number(math.nan),
    "tensor_infinite": first_number(-math.inf),
    "tensor_beyond_float32": replaced(FIRST, Tensor(
        (2, 3, 3, 3), struct.pack("<54d", *[1e300] * 54), "DoubleStorage", 8)),
    "tensor_half_infinite": replaced(FIRST, Tensor(
        (2, 3, 3, 3), b"\x00\x7c" * 54, "HalfStorage", 2)),
    "tensor_bfloat16_nan": replaced(FIRST, Tensor(
        (2, 3, 3, 3), b"\xc0\x7f" * 54, "BFloat16Storage", 2)),
    "variance_negative": replaced("features.0.1.running_var", Tensor((2,), floats([1, -1]))),
    "weights_of_another_network": lambda: renamed(lambda name: "layer1." + name),
    "weights_of_one_tensor": lambda: only([FIRST]),
    "weights_for_another_architecture": lambda: mobilenet().legacy(),
    "weights_for_an_unknown_architecture": lambda: mobilenet().legacy(),
    "weights_below_a_known_key": lambda: nested("state_dict"),
    "weights_below_an_unknown_key": lambda: nested("weights"),
})


def renamed(rename):
    net = mobilenet()
    net.tensors = {rename(name): tensor for name, tensor in net.tensors.items()}
    return net.legacy()


def only(names):
    net = mobilenet()
    net.tensors = {name: net[name] for name in names}
    return net.legacy()


def nested(key):
    net = mobilenet()
    inner = Raw(net.legacy_pickle()[2:-1])
    net.root = {"epoch": 3, key: inner}
    return net.legacy()


@case(".pt")
def tensor_names_equal():
    net = mobilenet()
    code = net.legacy_pickle()
    twice = code_of(FIRST) + code_of(net[FIRST].code())
    return net.legacy(object=code[:-2] + twice + b"u.")


@case(".pt")
def tensors_share_one_storage_thousands_of_times():
    """100 tensors of 1 MB each, all in one storage of 1 MB."""
    net = StateDict()
    for i in range(100):
        net.tensors[f"t{i}"] = Tensor((1 << 18,), bytes(1 << 20))
        net[f"t{i}"].key = "0"
    return net.legacy()


@case(".pt")
def tensors_tied():
    """Two tensors in one storage are legal, and these two are what the network wants."""
    net = mobilenet()
    first, second = (net[f"features.{i}.conv.2.weight"] for i in (5, 6))
    second.data, first.key, second.key = first.data, "tied", "tied"
    return net.legacy()


@case(".pt")
def tensors_of_two_storages_in_turn():
    """Each tensor is one number of one of two storages of 1 MB."""
    net, data = StateDict(), bytes(1 << 20)
    for i in range(1000):
        net.tensors[f"t{i}"] = Tensor((1,), data)
        net[f"t{i}"].key = str(i % 2)
    return net.zip()
