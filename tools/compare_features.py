#!/usr/bin/env python3
"""Compares two feature files of the same pictures, tap by tap.

    tools/compare_features.py A.npz B.npz [--least 0.9999]

Prints the least cosine between the rows of each tap. Exit 1 if one is below --least, or if the files do
not hold the same taps and pictures. Standard library only.
"""

import argparse
import math
import sys

import nearest


def cosine(a, b):
    dot = sum(x * y for x, y in zip(a, b))
    length = math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))
    if length == 0:
        return 1.0 if list(a) == list(b) else 0.0
    return dot / length


def least_cosine(a, b):
    (shape, left), (_, right) = a, b
    width = math.prod(shape[1:])
    # A NaN is the least of all.
    cosines = [cosine(left[i:i + width], right[i:i + width]) for i in range(0, len(left), width)]
    return min(cosines, key=lambda x: -math.inf if math.isnan(x) else x)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("a")
    parser.add_argument("b")
    parser.add_argument("--least", type=float, default=0.9999)
    options = parser.parse_args()
    a, b = nearest.read_npz(options.a), nearest.read_npz(options.b)
    taps = [key for key in a if key not in ("paths", "labels", "provenance")]
    if a["paths"] != b["paths"] or any(key not in b or a[key][0] != b[key][0] for key in taps):
        sys.exit("the files do not hold the same taps of the same pictures")
    worst = {tap: least_cosine(a[tap], b[tap]) for tap in taps}
    below = [tap for tap in taps if not worst[tap] >= options.least]
    for tap in below:
        print(f"{tap}: cosine {worst[tap]:.9f}, expected {options.least}")
    tap = min(taps, key=lambda key: -math.inf if math.isnan(worst[key]) else worst[key])
    print(f"{len(taps)} taps of {a['paths'][0][0]} pictures, least cosine {worst[tap]:.9f} ({tap})")
    sys.exit(1 if below else 0)


if __name__ == "__main__":
    main()
