"""Weights of a .penult file: dimensions, places, checksums and padding that lie."""

from cases import case, table
from penult_file import PenultFile


def placed():
    file = PenultFile()
    file.place_weights()
    return file


def weight(index, **fields):
    """The control with fields of one weight replaced."""
    def make():
        file = placed()
        file["weights"][index].update(fields)
        return file.file()
    return make


def flipped_at(offset):
    file = bytearray(PenultFile().file())
    file[offset] ^= 1
    return bytes(file)


# Weights of the control: 0 stem.weight (432 bytes), 1..4 batchnorm (16 each), 5 block.weight (64),
# 6 fc.weight (32), 7 fc.bias (8).
table(".penult", {
    "dims_overflow": weight(0, dims=[1 << 31, 1 << 31, 1 << 31, 27]),
    "dims_wrap_to_the_right_size": weight(0, dims=[(1 << 62) + 108, 1, 1, 1]),
    "dims_of_8_pib": weight(0, dims=[1 << 20, 1 << 20, 1 << 11, 1]),
    "dims_negative": weight(0, dims=[-4, -3, 3, 3]),
    "dims_minimum": weight(0, dims=[-(1 << 63), 3, 3, 3]),
    "dims_do_not_fit_the_bytes": weight(0, dims=[4, 3, 3, 2]),
    "dims_of_rank_9": weight(0, dims=[108, 1, 1, 1, 1, 1, 1, 1, 1]),
    "dims_fit_the_bytes_not_the_operator": weight(0, dims=[3, 4, 3, 3]),
    "dims_of_another_rank": weight(0, dims=[108]),
    "bytes_largest": weight(0, bytes=(1 << 64) - 4, dims=[3, 715827883, 2147483647],
                            block_crc32c=[]),
    "bytes_do_not_fit_the_dims": weight(7, bytes=12),
    "bytes_terabytes": weight(7, bytes=1 << 42, dims=[1 << 40], block_crc32c=[0] * 4),
    "weights_with_a_gap": weight(7, offset=768),
    "weights_overlap": weight(1, offset=0),
    "weights_start_late": weight(0, offset=64),
    "weight_unaligned": weight(1, offset=452),
    "weight_offset_wraps": weight(7, offset=(1 << 64) - 64),
    "weight_behind_the_end": weight(7, offset=1 << 40),
    "checksum_missing": weight(0, block_crc32c=[]),
    "checksum_too_many": weight(0, block_crc32c=[0, 0]),
    "checksum_of_other_bytes": weight(0, block_crc32c=[0x12345678]),
    "weight_flipped": lambda: flipped_at(len(PenultFile().file()) - 64),
    "weight_first_byte_flipped": lambda: flipped_at(len(PenultFile().file()) - 64 * 14),
    "weight_padding_not_zero": lambda: flipped_at(len(PenultFile().file()) - 1),
    "weight_names_equal": weight(1, name=b"stem.weight"),
    "weight_name_with_newline": weight(0, name=b"stem\nweight"),
})


@case(".penult")
def dims_zero():
    """No bytes, at a place of its own: only the dimension is wrong."""
    file = placed()
    file["weights"].append({"name": b"nothing", "dims": [0], "offset": 896, "bytes": 0,
                            "block_crc32c": []})
    file.data.append(b"")
    return file.file()


@case(".penult")
def dims_zero_inside_another_weight():
    file = placed()
    file["weights"].insert(1, {"name": b"nothing", "dims": [0], "offset": 64, "bytes": 0,
                               "block_crc32c": []})
    file.data.insert(1, b"")
    return file.file()


@case(".penult")
def weights_in_another_order():
    file = placed()
    weights = file["weights"]
    weights[1], weights[2] = weights[2], weights[1]
    return file.file()


@case(".penult")
def weights_end_before_the_file():
    file = PenultFile()
    file.place_weights()
    file.data.append(bytes(64))
    return file.file()


@case(".penult")
def weights_without_a_table():
    file = PenultFile()
    file.root["weights"] = []
    return file.file()


@case(".penult")
def weight_shared_by_thousands():
    """3,000 layers share one weight of 512 KiB: packing a copy for each takes 1.5 GB."""
    file = PenultFile()
    file.layer(b"wide", b"conv2d", [3], [256, 4, 4], [file.weight(b"wide.weight", [256, 4, 1, 1])])
    shared, last = file.weight(b"shared", [256, 256, 1, 1]), len(file["values"]) - 1
    for i in range(6000):
        last = file.layer(b"n%d" % i, b"conv2d", [last], [256, 4, 4], [shared], tap=i == 5999)
    for node in file["nodes"][-6001:]:
        node["attributes"] = [{"name": b"strides", "ints": [1, 1]}]
    return file.file()
