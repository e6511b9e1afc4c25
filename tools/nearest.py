#!/usr/bin/env python3
"""Prints what a features.npz holds, and each image's nearest neighbour by cosine.

    tools/nearest.py FEATURES.npz [--expect A=B]...

--expect A=B: exit 1 unless the images whose file stems are A and B are each other's nearest
neighbours at every tap. Needs Python's standard library only (no NumPy), so that the quick start
runs on a bare machine; meant for tens of images, not thousands.
"""

import argparse
import array
import ast
import math
import struct
import sys
import zipfile
from pathlib import PurePath

NOT_TAPS = ("paths", "labels", "provenance")


def read_npy(data):
    """(shape, values) of a .npy file's bytes: C order, float32, float16, bytes or unicode; flat values."""
    if data[:6] != b"\x93NUMPY":
        raise ValueError("not a .npy file")
    wide = data[6] >= 2  # version 1.0 has a 16-bit header length
    start = 12 if wide else 10
    length = struct.unpack_from("<I" if wide else "<H", data, 8)[0]
    header = ast.literal_eval(data[start:start + length].decode("utf-8"))
    body, kind = data[start + length:], header["descr"]
    if header["fortran_order"]:
        raise ValueError("Fortran order is not supported")
    if kind == "<f4":
        values = array.array("f", body)
        if sys.byteorder == "big":
            values.byteswap()
    elif kind == "<f2":
        values = array.array("f", (x for x, in struct.iter_unpack("<e", body)))
    elif kind == "|u1":
        values = body
    elif kind.startswith("<U"):
        width = 4 * int(kind[2:])
        count = math.prod(header["shape"])
        values = [body[i * width:(i + 1) * width].decode("utf-32-le", "surrogatepass").rstrip("\0")
                  for i in range(count)]
    else:
        raise ValueError(f"element type {kind} is not supported")
    if len(values) != math.prod(header["shape"]):
        raise ValueError(f"{len(values)} values, the header says {header['shape']}")
    return header["shape"], values


def read_npz(path):
    """{name: (shape, values)} in the file's order."""
    with zipfile.ZipFile(path) as archive:
        return {name.removesuffix(".npy"): read_npy(archive.read(name))
                for name in archive.namelist()}


def rows(shape, values):
    """Unit vectors, one for each image; an all-zero vector stays zero."""
    dim = len(values) // shape[0]
    result = []
    for start in range(0, len(values), dim):
        row = values[start:start + dim]
        norm = math.sqrt(math.fsum(x * x for x in row)) or 1.0
        result.append([x / norm for x in row])
    return result


def nearest(vectors):
    """For each vector the (index, cosine) of its nearest other one; the first one wins a tie."""
    found = []
    for i, a in enumerate(vectors):
        cosines = [(sum(x * y for x, y in zip(a, b)), -j)
                   for j, b in enumerate(vectors) if j != i]
        cosine, j = max(cosines)
        found.append((-j, cosine))
    return found


def print_table(header, lines):
    widths = [max(len(str(line[i])) for line in [header, *lines]) for i in range(len(header))]
    for line in [header, ["-" * width for width in widths], *lines]:
        print("  ".join(str(cell).ljust(width) for cell, width in zip(line, widths)).rstrip())


def broken_expectations(expected, stems, neighbours):
    """A message for each expected pair that does not hold at some tap."""
    for pair in expected:
        a, b = pair.split("=")
        for tap, found in neighbours.items():
            for here, there in ((a, b), (b, a)):
                got = stems[found[stems.index(here)][0]] if here in stems else "no such image"
                if got != there:
                    yield f"{tap}: expected {here} next to {there}, got {got}"


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("features")
    parser.add_argument("--expect", action="append", default=[], metavar="A=B")
    options = parser.parse_args(arguments)
    arrays = read_npz(options.features)
    stems = [PurePath(path).stem for path in arrays["paths"][1]]
    if len(stems) < 2:
        print(f"{options.features}: {len(stems)} images; neighbours need two", file=sys.stderr)
        return 1
    taps = [name for name in arrays if name not in NOT_TAPS]
    print_table(["tap", "shape"], [[tap, arrays[tap][0]] for tap in taps])
    print()
    neighbours = {tap: nearest(rows(*arrays[tap])) for tap in taps}
    lines = [[stem, *(f"{stems[neighbours[tap][i][0]]} {neighbours[tap][i][1]:.3f}"
                      for tap in taps)] for i, stem in enumerate(stems)]
    print_table(["photo", *(f"nearest at {tap}" for tap in taps)], lines)
    broken = list(broken_expectations(options.expect, stems, neighbours))
    for message in broken:
        print(message, file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="backslashreplace")  # names that are not UTF-8
    sys.exit(main(sys.argv[1:]))
