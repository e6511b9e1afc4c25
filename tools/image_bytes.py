"""Files of the kinds of pictures that Pillow reads but does not write, byte by byte: for make_image_golden.py."""

import struct
import zlib

PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))  # x, y, steps


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def packed(values, depth):
    """One row of samples as PNG, BMP (1, 4, 8 bits) and PBM pack them: the first in the highest bits."""
    if depth == 16:
        return struct.pack(f">{len(values)}H", *values)
    row = bytearray((len(values) * depth + 7) // 8)
    for i, value in enumerate(values):
        row[i * depth // 8] |= value << (8 - depth - i * depth % 8)
    return bytes(row)


def filtered(row, above, step, kind):
    """A row of PNG with its filter: 0 none, 1 left, 2 above, 3 mean, 4 Paeth."""
    out = bytearray([kind])
    for i, value in enumerate(row):
        a = row[i - step] if i >= step else 0
        b = above[i] if above else 0
        c = above[i - step] if above and i >= step else 0
        p = a + b - c
        paeth = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
        out.append((value - (0, a, b, (a + b) // 2, paeth)[kind]) % 256)
    return bytes(out)


def png(samples, depth, color, interlaced=False, before=b"", after=b""):
    """samples: (h, w, channels) integers. before, after: chunks around the pixels."""
    h, w, channels = samples.shape
    stream, filter_kind = b"", 0
    for x, y, dx, dy in PASSES if interlaced else ((0, 0, 1, 1),):
        part, above = samples[y::dy, x::dx], b""
        for values in part if part.size else ():
            row = packed([int(v) for v in values.reshape(-1)], depth)
            stream += filtered(row, above, max(1, channels * depth // 8), filter_kind % 5)
            above, filter_kind = row, filter_kind + 1
    header = struct.pack(">IIBBBBB", w, h, depth, color, 0, 0, int(interlaced))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + before + chunk(b"IDAT", zlib.compress(stream, 9)) + after +
            chunk(b"IEND", b""))


def bmp(w, h, bits, pixels, method=0, palette=b"", colors=0, header_bytes=40, masks=(), offset=None):
    """h: negative for rows from the top. masks: behind a header of 40 bytes, else in it."""
    if header_bytes == 12:
        header = struct.pack("<IHHHH", 12, w, h, 1, bits)
    else:
        header = struct.pack("<IiiHHIIiiII", header_bytes, w, h, 1, bits, method, len(pixels), 0, 0, colors, 0)
        header += struct.pack(f"<{len(masks)}I", *masks)
        header += bytes(max(0, header_bytes - len(header)))
    start = 14 + len(header) + len(palette)
    return b"BM" + struct.pack("<IHHI", start + len(pixels), 0, 0, start if offset is None else offset) + header + palette + pixels


def rows_of(rows, from_top=False):
    """Rows of bytes, each filled up to 4, the last first."""
    rows = [row + bytes(-len(row) % 4) for row in rows]
    return b"".join(rows if from_top else rows[::-1])


def markers(jpeg):
    """(offset, marker) of each segment up to the first scan."""
    at = 2
    while True:
        yield at, jpeg[at + 1]
        if jpeg[at + 1] == 0xDA:
            return
        at += 2 + struct.unpack_from(">H", jpeg, at + 2)[0]


def find_marker(jpeg, wanted):
    return next(at for at, marker in markers(jpeg) if marker in wanted)


def with_frame(jpeg, h, w, sampling):
    """The same blocks of coefficients, called another size and subsampling of the first component."""
    at = find_marker(jpeg, (0xC0, 0xC1, 0xC2))
    out = bytearray(jpeg)
    struct.pack_into(">HH", out, at + 5, h, w)
    out[at + 11] = sampling
    return bytes(out)


def with_adobe(jpeg, transform):
    """Adobe's marker says another transform, or is gone (None)."""
    at = find_marker(jpeg, (0xEE,))
    if transform is None:
        return jpeg[:at] + jpeg[at + 16:]
    return jpeg[:at + 15] + bytes([transform]) + jpeg[at + 16:]


def tiff(orientation):
    """A TIFF block that holds the orientation."""
    return b"MM\0*\0\0\0\x08" + struct.pack(">HHHIHHI", 1, 0x0112, 3, 1, orientation, 0, 0)
