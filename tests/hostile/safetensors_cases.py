"""safetensors files whose headers lie, and damaged ones."""

import json
import struct

from cases import table
from torch_file import mobilenet

DTYPES = {b"ctorch\nFloatStorage\n": "F32", b"ctorch\nLongStorage\n": "I64"}
FIRST = "features.0.0.weight"  # 2 x 3 x 3 x 3 numbers, 216 bytes at the start


def parts():
    """The control: header as a dict, and data."""
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name, tensor in mobilenet().tensors.items():
        header[name] = {"dtype": DTYPES[tensor.storage.code], "shape": list(tensor.dims),
                        "data_offsets": [len(data), len(data) + len(tensor.data)]}
        data += tensor.data
    return header, data


def file(text, data, length=None):
    text = text if isinstance(text, bytes) else json.dumps(text, separators=(",", ":")).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def header(change):
    """The control after `change(header)`."""
    def make():
        fields, data = parts()
        return file(change(fields) or fields, data)
    return make


def first(**fields):
    """The control with fields of its first tensor replaced."""
    return header(lambda all_of_it: all_of_it[FIRST].update(fields))


def text(change):
    """The control after a change of the header's text."""
    def make():
        fields, data = parts()
        return file(change(json.dumps(fields).encode()), data)
    return make


def length(value):
    return lambda: file(*parts(), length=value)


def one(dtype, shape, begin, end):
    """A file of one tensor without any bytes."""
    return lambda: file({"a": {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}}, b"")


def swap(all_of_it):
    """The first two tensors exchange their places, whose sizes differ."""
    names = [name for name in all_of_it if name != "__metadata__"][:2]
    places = [all_of_it[name]["data_offsets"] for name in names]
    for name, place in zip(names, reversed(places)):
        all_of_it[name]["data_offsets"] = place


def prefixed(all_of_it):
    return {"module." + name if name != "__metadata__" else name: fields
            for name, fields in all_of_it.items()}


FILE = file(*parts())
HEADER_BYTES = struct.unpack_from("<Q", FILE)[0]
HUGE = 1 << 62
EMPTY = {"dtype": "U8", "shape": [0], "data_offsets": [0, 0]}

table(".safetensors", {
    "safetensors_control": lambda: FILE,
    "safetensors_with_prefixes": header(prefixed),
    "safetensors_empty": lambda: b"",
    "safetensors_cut_in_the_length": lambda: FILE[:7],
    "safetensors_cut_behind_the_length": lambda: FILE[:8],
    "safetensors_cut_in_the_header": lambda: FILE[:HEADER_BYTES // 2],
    "safetensors_cut_behind_the_header": lambda: FILE[:8 + HEADER_BYTES],
    "safetensors_cut_by_one_byte": lambda: FILE[:-1],
    "safetensors_one_byte_appended": lambda: FILE + b"\0",
    "safetensors_of_text": lambda: b"version https://example.org/pointer\nsize 102530333\n",
    "safetensors_without_tensors": lambda: file({"__metadata__": {}}, b""),
    # The length of the header.
    "safetensors_length_zero": length(0),
    "safetensors_length_one_less": length(HEADER_BYTES - 1),
    "safetensors_length_one_more": length(HEADER_BYTES + 1),
    "safetensors_length_largest": length((1 << 64) - 1),
    "safetensors_length_wraps": length((1 << 64) - 8),
    "safetensors_length_big_endian": lambda: struct.pack(">Q", HEADER_BYTES) + FILE[8:],
    "safetensors_header_above_the_limit": text(lambda t: t + b" " * (17 << 20)),
    # Its text.
    "safetensors_nesting": text(lambda t: b'{"a":' * 1000000),
    "safetensors_lists_in_lists": text(lambda t: b'{"a":' + b"[" * 1000000),
    "safetensors_object_not_closed": text(lambda t: t[:-1]),
    "safetensors_bytes_behind_the_object": text(lambda t: t + b"{}"),
    "safetensors_zero_behind_the_object": text(lambda t: t + b"\0{}"),
    "safetensors_space_before_the_object": text(lambda t: b" " + t),
    "safetensors_byte_order_mark": text(lambda t: b"\xef\xbb\xbf" + t),
    "safetensors_comment": text(lambda t: b"{/* */" + t[1:]),
    "safetensors_invalid_utf8": text(lambda t: t.replace(b"features.9", b"features.\xff")),
    "safetensors_name_with_escape_sequence": header(
        lambda h: h.update({"\x1b[2J\npenult: fine": EMPTY})),
    "safetensors_name_empty": header(lambda h: h.update({"": EMPTY})),
    "safetensors_name_of_a_lone_surrogate": text(
        lambda t: t[:1] + b'"\\ud800":' + json.dumps(EMPTY).encode() + b"," + t[1:]),
    "safetensors_names_equal": text(
        lambda t: t[:-1] + b',"' + FIRST.encode() + b'":' + json.dumps(EMPTY).encode() + b"}"),
    "safetensors_names_equal_but_for_an_escape": text(
        lambda t: t[:-1] + b',"\\u0066' + FIRST[1:].encode() + b'":' + json.dumps(EMPTY).encode() +
        b"}"),
    "safetensors_metadata_of_numbers": header(lambda h: h["__metadata__"].update(a=1)),
    "safetensors_field_unknown": first(strides=[27, 9, 3, 1]),
    "safetensors_field_twice": text(lambda t: t.replace(b'"dtype"', b'"dtype": "F32", "dtype"', 1)),
    "safetensors_field_missing": header(lambda h: h[FIRST].pop("shape") and None),
    # Tensors.
    "safetensors_dtype_unknown": first(dtype="F8_E4M3"),
    "safetensors_dtype_with_escape_sequence": first(dtype="\x1b[2J\n"),
    "safetensors_dtype_of_another_size": first(dtype="F16"),
    "safetensors_dtype_of_integers": first(dtype="I32"),
    "safetensors_shape_negative": first(shape=[-2, 3, 3, 3]),
    "safetensors_shape_real": first(shape=[2.0, 3, 3, 3]),
    "safetensors_shape_above_64_bits": first(shape=[1 << 64, 3, 3, 3]),
    "safetensors_shape_overflows": first(shape=[HUGE, HUGE, 3, 3]),
    "safetensors_shape_wraps_to_the_right_size": first(shape=[54 + HUGE, 1, 1, 1]),
    "safetensors_shape_of_rank_9": first(shape=[1] * 9),
    "safetensors_shape_of_a_million": first(shape=[1] * 1000000),
    "safetensors_shape_transposed": first(shape=[3, 2, 3, 3]),
    "safetensors_bomb_of_terabytes": one("F32", [1 << 40], 0, 1 << 42),
    "safetensors_bomb_without_bytes": one("F32", [1 << 40], 0, 0),
    "safetensors_bomb_of_tensors": lambda: file({str(i): EMPTY for i in range(65537)}, b""),
    "safetensors_offsets_reversed": first(data_offsets=[216, 0]),
    "safetensors_offsets_negative": first(data_offsets=[-216, 0]),
    "safetensors_offsets_largest": first(data_offsets=[(1 << 63) - 217, (1 << 63) - 1]),
    "safetensors_offsets_behind_the_file": first(data_offsets=[1 << 40, (1 << 40) + 216]),
    "safetensors_tensors_overlap": first(data_offsets=[100, 316]),
    "safetensors_tensors_are_one": header(
        lambda h: h.update({"extra": h[FIRST]})),
    "safetensors_tensors_exchanged": header(swap),
    "safetensors_gap": header(lambda h: h.pop("features.9.conv.2.weight") and None),
    "safetensors_nan": lambda: FILE[:8 + HEADER_BYTES] + b"\0\0\xc0\x7f" + FILE[12 + HEADER_BYTES:],
    "safetensors_of_another_network": header(
        lambda h: {"layer1." + name: fields for name, fields in h.items()
                   if name != "__metadata__"}),
})

table(".safetensors.index.json", {
    "safetensors_sharded": lambda: b'{"metadata":{},"weight_map":{"a":"../../etc/passwd"}}',
})
