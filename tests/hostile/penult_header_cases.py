"""Damage to the header, to the borders of a .penult file's parts, and to the graph part's bytes."""

import struct

from cases import case, table
from flatbuffer import encode
from penult_file import PenultFile, crc32c, with_graph

GRAPH_BYTES = 24  # places in the header
FILE = PenultFile().file()
GRAPH_END = 64 + struct.unpack_from("<Q", FILE, GRAPH_BYTES)[0]
GRAPH = FILE[64:GRAPH_END]
WEIGHTS = struct.unpack_from("<Q", FILE, 40)[0]


def flipped(at, file=FILE):
    return file[:at] + bytes([file[at] ^ 0x40]) + file[at + 1:]


def patched_graph(at, form, value):
    graph = bytearray(GRAPH)
    struct.pack_into("<" + form, graph, at % len(graph), value)
    return with_graph(graph)


def header(**fields):
    return lambda: PenultFile().file(**fields)


table(".penult", {
    "control": lambda: FILE,
    # Truncations, at each border and within each part.
    "empty": lambda: b"",
    "cut_in_the_magic": lambda: FILE[:4],
    "cut_before_the_header_ends": lambda: FILE[:63],
    "cut_behind_the_header": lambda: FILE[:64],
    "cut_in_the_graph": lambda: FILE[:64 + len(GRAPH) // 2],
    "cut_behind_the_graph": lambda: FILE[:GRAPH_END],
    "cut_before_the_weights": lambda: FILE[:WEIGHTS],
    "cut_in_the_weights": lambda: FILE[:WEIGHTS + 100],
    "cut_by_one_byte": lambda: FILE[:-1],
    "cut_by_one_block": lambda: FILE[:-64],
    "one_byte_appended": lambda: FILE + b"\0",
    "zeros_appended": lambda: FILE + bytes(64),
    # Not this format, or another version of it.
    "magic_flipped": lambda: flipped(0),
    "magic_after_a_text_transfer": lambda: FILE.replace(b"\r\n", b"\n"),
    "a_zip_archive": lambda: b"PK\3\4" + FILE[4:],
    "all_zeros": lambda: bytes(4096),
    "all_ones": lambda: b"\xff" * 4096,
    "version_too_new": header(major=2),
    "version_too_new_with_another_header": lambda: FILE[:8] + b"\2" + flipped(40)[9:],
    "version_largest": header(major=0xFFFFFFFF),
    "version_zero": header(major=0),
    "minor_version_newer": header(minor=7),
    "feature_bit_0_required": header(features=1),
    "feature_bit_63_required": header(features=1 << 63),
    # Fields of the header that contradict the file.
    "header_flipped": lambda: flipped(GRAPH_BYTES),
    "header_checksum_flipped": lambda: flipped(60),
    "header_reserved_not_zero": header(reserved=1),
    "header_reserved2_not_zero": header(reserved2=0x80000000),
    "graph_bytes_above_the_limit": header(graph_bytes=(64 << 20) + 1),
    "graph_bytes_largest": header(graph_bytes=(1 << 64) - 1),
    "graph_bytes_wrap_around": header(graph_bytes=(1 << 64) - 64),
    "graph_bytes_at_the_limit": header(graph_bytes=64 << 20, weights_offset=64 + (64 << 20)),
    "graph_bytes_zero": lambda: with_graph(b""),
    "graph_bytes_four": lambda: with_graph(GRAPH[:4]),
    "weights_offset_a_block_later": header(weights_offset=WEIGHTS + 64),
    "weights_offset_unaligned": header(weights_offset=WEIGHTS + 4),
    "weights_offset_largest": header(weights_offset=(1 << 64) - 64),
    "weights_offset_in_the_graph": header(weights_offset=64),
    "file_bytes_smaller": header(file_bytes=len(FILE) - 64),
    "file_bytes_terabytes": header(file_bytes=1 << 43),
    "graph_padding_not_zero": lambda: PenultFile().file(
        graph_padding=bytes(WEIGHTS - GRAPH_END - 1) + b"\1"),
    "graph_padding_a_block_long": lambda: PenultFile().file(
        graph_padding=bytes(WEIGHTS - GRAPH_END + 64)),
    # The graph part as bytes.
    "graph_flipped": lambda: flipped(64 + len(GRAPH) // 2),
    "graph_checksum_of_another_graph": header(graph_crc=crc32c(b"another")),
    "graph_zeros": lambda: with_graph(bytes(len(GRAPH))),
    "graph_ones": lambda: with_graph(b"\xff" * len(GRAPH)),
    "graph_random_text": lambda: with_graph(b"values nodes weights input " * 40),
    "graph_cut_in_half": lambda: with_graph(GRAPH[:len(GRAPH) // 2]),
    "root_behind_the_end": lambda: patched_graph(0, "I", len(GRAPH)),
    "root_largest": lambda: patched_graph(0, "I", 0xFFFFFFFF),
    "root_unaligned": lambda: patched_graph(0, "I", struct.unpack_from("<I", GRAPH)[0] + 1),
    "root_is_itself": lambda: patched_graph(0, "I", 0),
    "vtable_before_the_buffer": lambda: patched_graph(root_at(), "i", 0x7FFFFFFF),
    "vtable_behind_the_buffer": lambda: patched_graph(root_at(), "i", -0x80000000),
    "text_without_its_end": lambda: patched_graph(text_at() + 4 + 4, "B", ord("x")),
    "text_of_4_gib": lambda: patched_graph(text_at(), "I", 0xFFFFFFFF),
    "list_of_2_31_items": lambda: patched_graph(doubles_at(), "I", 1 << 31),
})


def root_at():
    return struct.unpack_from("<I", GRAPH)[0]


def text_at():
    """The length of the text "tiny"."""
    return GRAPH.index(b"\4\0\0\0tiny\0")


def doubles_at():
    """The length of the list of dimensions (3, 8, 8)."""
    return GRAPH.index(struct.pack("<I3q", 3, 3, 8, 8))


@case(".penult")
def required_field_missing():
    root = PenultFile().root
    del root["nodes"]
    return with_graph(encode(root))


@case(".penult")
def everything_missing():
    return with_graph(encode({}))


@case(".penult")
def field_of_a_later_version():
    file = PenultFile()
    file.root["from_the_future"] = b"readers ignore what they do not know"
    return file.file()


# Bombs: few bytes that stand for many, since parts of the buffer are shared.


@case(".penult")
def bomb_of_tables():
    """65,536 nodes that share one list of 64 attributes: 4 million tables."""
    file = PenultFile()
    node = file["nodes"][0]
    node["attributes"] = [{"name": b"a%d" % i, "ints": [1]} for i in range(64)]
    file.root["nodes"] = [node] * 65536
    return file.file()


@case(".penult")
def bomb_of_attributes():
    """7,000 times the same node of 64 attributes of 256 integers: 900 MB from 200 KB."""
    file = PenultFile()
    node = file["nodes"][0]
    numbers = [1] * 256
    node["attributes"] = [{"name": b"a%d" % i, "ints": numbers} for i in range(64)]
    file.root["nodes"] = [node] * 7000
    return file.file()


@case(".penult")
def bomb_of_checksums():
    """65,536 times the same weight of 64 GiB, with its 65,536 checksums: 16 GiB from 600 KB."""
    file = PenultFile()
    blocks = 65536
    weight = {"name": b"w", "dims": [blocks << 18], "offset": 0, "bytes": blocks << 20,
              "block_crc32c": [0] * blocks}
    file.root["weights"] = [weight] * 65536
    file.data = []
    return file.file()


@case(".penult")
def bomb_of_text():
    """65,536 times the same name of 255 bytes, as a value and as a tap: 32 MiB from 600 KB."""
    file = PenultFile()
    value = {"name": b"v" * 255, "shape": [1]}
    file.root["values"] = [value] * 65536
    file.root["taps"] = [{"name": b"t" * 255, "value": 1}] * 65536
    return file.file()


@case(".penult")
def bomb_of_groups():
    """256 groups of one list of 65,536 taps: 64 MiB from 300 KB."""
    file = PenultFile()
    taps = [0] * 65536
    file.root["taps"] = [{"name": b"t", "value": 1}] * 65536
    file.root["groups"] = [{"name": b"g%d" % i, "taps": taps} for i in range(256)]
    return file.file()


@case(".penult")
def too_many_values():
    file = PenultFile()
    file.root["values"] = [{"name": b"v", "shape": [1]}] * 65537
    return file.file()


@case(".penult")
def too_many_groups():
    file = PenultFile()
    file.root["groups"] = [{"name": b"g%d" % i, "taps": [0]} for i in range(65537)]
    return file.file()
