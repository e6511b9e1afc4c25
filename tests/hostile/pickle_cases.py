"""Pickles that run code, or make a reader spin, swell or trip."""

import struct

from cases import case, table
from torch_file import MAGIC, ORDERED_DICT, Call, Global, Raw, StateDict, Tensor, code_of, floats, \
    mobilenet, pickle

COMMAND = "echo owned > sentinel"  # the test looks for this file


def legacy(object_pickle):
    """A legacy file whose third pickle is these bytes, without storages."""
    return lambda: StateDict().legacy(object=object_pickle)


def both(name, code):
    """The same pickle in both containers."""
    def zipped():
        return StateDict().zip(lambda z: z["data.pkl"].update(data=b"\x80\x02" + code + b"."))
    table(".pt", {name: legacy(b"\x80\x02" + code + b"."), name + "_zip": zipped})


def text(value):
    return code_of(value)


# Code execution. Each is a working attack on pickle.load.
both("run_os_system", b"cos\nsystem\n" + text((COMMAND,)) + b"R")
both("run_posix_system", b"cposix\nsystem\n" + text((COMMAND,)) + b"R")
both("run_eval", b"cbuiltins\neval\n" + text((f"__import__('os').system('{COMMAND}')",)) + b"R")
both("run_by_stack_global", text("os") + text("system") + b"\x93" + text((COMMAND,)) + b"R")
both("run_by_inst", b"(" + text(COMMAND) + b"ios\nsystem\n")
both("run_by_obj", b"(cos\nsystem\n" + text(COMMAND) + b"o")
both("run_by_newobj", b"csubprocess\nPopen\n" + text((["sh", "-c", COMMAND],)) + b"\x81")
table(".pt", {
    "run_by_newobj_ex": legacy(b"\x80\x04csubprocess\nPopen\n" + text(()) + text({"args": "sh"}) +
                               b"\x92."),
    "run_by_build_setstate": legacy(pickle(Raw(
        code_of(Call(ORDERED_DICT)) + text({"__setstate__": Global("os", "system")}) + b"b" +
        text(COMMAND) + b"b"))),
    "run_by_build_of_a_list": legacy(pickle(Raw(text([1]) + text({"append": 1}) + b"b"))),
    "run_by_extension": legacy(b"\x80\x02\x82\x01" + text((COMMAND,)) + b"R."),
    "run_dotted_name": legacy(
        b"\x80\x04" + text("torch._utils") + text("_rebuild_tensor_v2.__globals__") + b"\x93."),
    "run_getattr": legacy(pickle(Call(Global("builtins", "getattr"), ORDERED_DICT, "fromkeys"))),
    "run_torch_load": legacy(pickle(Call(Global("torch.serialization", "load"), "sentinel"))),
    "run_numpy_load": legacy(pickle(Call(Global("numpy", "load"), "sentinel", None, True))),
    "run_in_the_version": lambda: StateDict().legacy(
        version=pickle(Call(Global("os", "system"), COMMAND))),
    "run_in_the_system_information": lambda: StateDict().legacy(
        system=pickle(Call(Global("os", "system"), COMMAND))),
    "run_in_the_keys": lambda: mobilenet().legacy(
        keys=pickle(Call(Global("os", "system"), COMMAND))),
    "call_a_storage_class": legacy(pickle(Call(Global("torch", "FloatStorage"), 1 << 40))),
    "call_a_number": legacy(pickle(Call(Raw(b"K\1"), 1))),
    "call_with_a_list": legacy(pickle(Raw(code_of(ORDERED_DICT) + b"]R"))),
    "module_name_with_escape_sequence": legacy(b"\x80\x02c\x1b[2Jos\nsystem\n."),
    "module_name_with_newline": legacy(
        b"\x80\x04" + text("os\npenult: fine") + text("x") + b"\x93."),
    "module_name_that_does_not_end": legacy(b"\x80\x02c" + b"o" * 100000),
    "whole_model": legacy(pickle(Call(Global("torchvision.models.mobilenetv2", "MobileNetV2")))),
    # Opcodes and arguments.
    "protocol_5": legacy(b"\x80\x05" + text({}) + b"."),
    "protocol_0_texts": legacy(b"(dp0\nS'a'\np1\nI1\ns."),
    "opcode_unknown": legacy(b"\x80\x02\xff."),
    "opcode_bytearray8": legacy(b"\x80\x02\x96" + struct.pack("<Q", 1 << 62) + b"."),
    "opcode_obj_of_a_known_class": legacy(b"\x80\x02(" + code_of(ORDERED_DICT) + b"o."),
    "opcode_newobj_of_a_known_class": legacy(b"\x80\x02" + code_of(ORDERED_DICT) + b")\x81."),
    "opcode_inst_of_a_known_class": legacy(b"\x80\x02(icollections\nOrderedDict\n."),
    "opcode_persistent_id_as_text": legacy(b"\x80\x02Pstorage\n."),
    "stack_empty": legacy(b"\x80\x02R."),
    "stack_empty_at_the_end": legacy(b"\x80\x02."),
    "stack_left_over": legacy(b"\x80\x02NN."),
    "mark_missing": legacy(b"\x80\x02NNt."),
    "mark_instead_of_a_value": legacy(b"\x80\x02](a."),
    "items_set_on_a_list": legacy(b"\x80\x02](NNu."),
    "key_without_a_value": legacy(b"\x80\x02}(Nu."),
    "memo_entry_missing": legacy(b"\x80\x02h\7."),
    "persistent_id_is_no_tuple": legacy(b"\x80\x02K\1Q."),
    "persistent_id_of_a_module": legacy(pickle(Raw(text(("module", "os", "x", "y", 1)) + b"Q"))),
    "root_is_a_number": legacy(pickle(1)),
    "root_is_an_empty_dict": legacy(pickle({})),
    "root_contains_itself": legacy(b"\x80\x02}q\0" + text("a") + b"h\0s."),
    "list_contains_itself": legacy(pickle(Raw(b"]q\0h\0a0" + code_of(Global(
        "collections", "OrderedDict")) + b"h\0\x85R"))),
    "key_is_a_number": legacy(pickle({1: 2})),
    "key_is_a_tensorless_text": legacy(pickle({"a\n\x1b[31m": 2})),
    # Bombs.
    "bomb_long4": legacy(b"\x80\x02\x8b" + struct.pack("<I", 0x7FFFFFFF) + b"."),
    "bomb_long4_negative": legacy(b"\x80\x02\x8b" + struct.pack("<I", 0xFFFFFFFF) + b"."),
    "bomb_long4_of_100_kb": legacy(b"\x80\x02\x8b" + struct.pack("<I", 100000) + b"\7" * 100000),
    "bomb_text8": legacy(b"\x80\x04\x8d" + struct.pack("<Q", 1 << 63) + b"."),
    "bomb_bytes": legacy(b"\x80\x04B" + struct.pack("<I", 0xFFFFFFFF) + b"."),
    "bomb_memo_index": legacy(b"\x80\x02Nr" + struct.pack("<I", 0xFFFFFFFF) + b"."),
    "bomb_memo_entries": legacy(b"\x80\x04N" + b"\x94" * 1000002),
    "bomb_marks": legacy(b"\x80\x02" + b"(" * 1500000),
    "bomb_nesting": legacy(b"\x80\x02N" + b"\x85" * 2000000 + b"."),
    "bomb_empty_values": legacy(b"\x80\x02" + b"]" * 600000),
    "bomb_references": legacy(b"\x80\x02(Nq\0" + b"h\0" * 999000 + b"tq\1" + b"(h\1h\1t" * 10 +
                              (b"(" + b"h\0" * 900000 + b"t") * 2 + b"."),
})


@case(".pt")
def bomb_copied_lists():
    """torch.Size copies its tuple: a hundred thousand copies of a hundred thousand references."""
    return StateDict().legacy(object=b"\x80\x02(Nq\0" + b"h\0" * 100000 + b"tq\1" +
                              (b"ctorch\nSize\nh\1\x85R") * 100000 + b".")


@case(".pt")
def bomb_billion_laughs():
    """Ten levels of ten references each, as a dict of dicts."""
    code = b"\x80\x02}q\x000"
    for level in range(1, 11):
        code += b"}q" + bytes([level]) + b"(" + b"".join(
            text(str(i)) + b"h" + bytes([level - 1]) for i in range(10)) + b"u0"
    return StateDict().legacy(object=code + b"h\x0a.")


# The legacy container. Borders of the control's parts:
_NET = mobilenet()
FILE = _NET.legacy()
OBJECT = FILE.index(b"\x80\x02ccollections")
KEYS = OBJECT + len(_NET.pickle())
STORAGES = KEYS + len(pickle(list(_NET.storages())))


def storages(change):
    """The control's storages after `change(list)`."""
    def make():
        net = mobilenet()
        data = list(net.storages().values())
        change(data)
        return net.legacy(storages=data)
    return make


table(".pt", {
    "legacy_control": lambda: FILE,
    "legacy_empty": lambda: b"",
    "legacy_cut_in_the_magic": lambda: FILE[:10],
    "legacy_cut_behind_the_magic": lambda: FILE[:len(MAGIC)],
    "legacy_cut_in_the_system_information": lambda: FILE[:OBJECT - 10],
    "legacy_cut_before_the_object": lambda: FILE[:OBJECT],
    "legacy_cut_in_the_object": lambda: FILE[:OBJECT + 1000],
    "legacy_cut_before_the_keys": lambda: FILE[:KEYS],
    "legacy_cut_before_the_storages": lambda: FILE[:STORAGES],
    "legacy_cut_in_a_storage_length": lambda: FILE[:STORAGES + 5],
    "legacy_cut_in_a_storage": lambda: FILE[:STORAGES + 50],
    "legacy_cut_by_one_byte": lambda: FILE[:-1],
    "legacy_one_byte_appended": lambda: FILE + b"\0",
    "legacy_magic_flipped": lambda: FILE[:5] + b"\0" + FILE[6:],
    "legacy_protocol_1002": lambda: mobilenet().legacy(version=pickle(1002)),
    "legacy_protocol_is_text": lambda: mobilenet().legacy(version=pickle("1001")),
    "legacy_big_endian": lambda: mobilenet().legacy(system=pickle({"little_endian": False})),
    "legacy_byte_order_missing": lambda: mobilenet().legacy(system=pickle({})),
    "legacy_system_is_no_dict": lambda: mobilenet().legacy(system=pickle([])),
    "legacy_keys_are_no_list": lambda: mobilenet().legacy(keys=pickle({})),
    "legacy_key_is_no_text": lambda: mobilenet().legacy(keys=pickle([0])),
    "legacy_key_missing": lambda: mobilenet().legacy(
        keys=pickle(list(_NET.storages())[:-1]), storages=list(_NET.storages().values())[:-1]),
    "legacy_key_twice": lambda: mobilenet().legacy(
        keys=pickle(["0", "0"]), storages=list(_NET.storages().values())[:1] * 2),
    "legacy_key_of_no_tensor": lambda: mobilenet().legacy(
        keys=pickle(["\x1b[31m\n"] + list(_NET.storages()))),
    "legacy_storage_count_differs": storages(lambda data: data.insert(0, (1, data.pop(0)[1]))),
    "legacy_storage_of_terabytes": storages(lambda data: data.insert(0, (1 << 43, data.pop(0)[1]))),
    "legacy_storage_wraps": storages(lambda data: data.insert(0, (1 << 62, data.pop(0)[1]))),
    "legacy_storages_missing": storages(lambda data: data.clear()),
})


@case(".pt")
def legacy_storage_of_terabytes_declared():
    net = mobilenet()
    net["features.0.0.weight"].count = 1 << 43
    data = list(net.storages().values())
    return net.legacy(storages=[(1 << 43, data[0][1])] + data[1:])


@case(".pt")
def legacy_storage_with_two_types():
    net = mobilenet()
    extra = Tensor((4,), floats([1, 2, 3, 4]), "IntStorage")
    extra.key = "0"
    net.tensors["extra"] = extra
    return net.legacy()


@case(".pt")
def legacy_storage_is_a_view():
    net = mobilenet()
    net["features.0.0.weight"].view = (("1", 0, 4),)
    return net.legacy()
