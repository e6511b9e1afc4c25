#!/usr/bin/env python3
"""What Pillow makes of made-up and of real pictures, as digests. For developers: needs Pillow >= 13 and numpy
(pip); the tests read what is written here and need neither.

  make_pillow_golden.py --assets DIR --out tests/golden

pillow_resize.txt  FILTER CONTENT SEED SH SW DH DW SHA-256: Image.resize of a picture that `picture` below and
                   tests/kernels/resize/resize_test.cpp make alike
pillow_photos.txt  decode NAME H W SHA-256: convert("RGB") of the file
                   crop NAME FILTER H W SHA-256: then torchvision's Resize(256), of H x W, and CenterCrop(224)
"""
import argparse
import hashlib
import os
import random

import numpy
import PIL
import PIL.features
import PIL.Image

import golden_manifest

FILTERS = {"bilinear": PIL.Image.Resampling.BILINEAR, "bicubic": PIL.Image.Resampling.BICUBIC}
CONTENTS = ("noise", "extreme", "checker", "smooth")
SEED, CASES = 20240301, 200
# Sides that a uniform draw hardly meets: one pixel, nothing to do in one direction, thin, far apart.
CORNERS = [
    (1, 1, 7, 5), (7, 5, 1, 1), (1, 1, 1, 1), (1, 200, 33, 200), (200, 1, 200, 33), (31, 47, 31, 47),
    (31, 47, 31, 20), (31, 47, 50, 47), (1, 3000, 256, 256), (3000, 1, 256, 256), (2, 2, 255, 3),
    (2, 1999, 300, 1), (1999, 2, 1, 300), (255, 257, 256, 256), (256, 256, 255, 257), (97, 89, 1, 89),
    (89, 97, 89, 1), (3, 3, 4, 4), (5, 4, 2, 3), (640, 480, 3, 2)]


def mix(x):
    """A 32-bit hash with full avalanche (C. Wellons' lowbias32)."""
    x = x.astype(numpy.uint32)
    x ^= x >> numpy.uint32(16)
    x *= numpy.uint32(0x7FEB352D)
    x ^= x >> numpy.uint32(15)
    x *= numpy.uint32(0x846CA68B)
    return x ^ (x >> numpy.uint32(16))


def picture(content, seed, h, w):
    """(h, w, 3) uint8. Checkers and extremes make bicubic overshoot, so that clipping shows."""
    y, x, c = numpy.meshgrid(numpy.arange(h), numpy.arange(w), numpy.arange(3), indexing="ij")
    if content == "checker":
        period = 1 + seed % 5
        return (255 * ((y // period + x // period + c) % 2)).astype(numpy.uint8)
    if content == "smooth":
        wave = (x * (1 + seed % 7) + y * (1 + seed // 7 % 5) + 85 * c) % 510
        return numpy.where(wave < 256, wave, 510 - wave).astype(numpy.uint8)
    index = ((y * w + x) * 3 + c).astype(numpy.uint64)
    hashed = mix((index + numpy.uint64(seed)) & numpy.uint64(0xFFFFFFFF))
    if content == "extreme":
        return (255 * (hashed >> numpy.uint32(31))).astype(numpy.uint8)
    return (hashed >> numpy.uint32(24)).astype(numpy.uint8)


def digest(image):
    return hashlib.sha256(image.tobytes()).hexdigest()


def resize_lines():
    draw = random.Random(SEED)
    side = lambda: draw.randint(1, draw.choice((4, 40, 300)))
    sizes = CORNERS + [(side(), side(), side(), side()) for _ in range(CASES)]
    for i, (sh, sw, dh, dw) in enumerate(sizes):
        content, seed = CONTENTS[i % len(CONTENTS)], draw.randrange(2**32)
        source = PIL.Image.fromarray(picture(content, seed, sh, sw))
        for name, resample in FILTERS.items():
            yield f"{name} {content} {seed} {sh} {sw} {dh} {dw} {digest(source.resize((dw, dh), resample))}"


def photo_lines(folder):
    """Resize and crop with torchvision's rounding; the pictures are larger than the crop."""
    for name in sorted(os.listdir(folder)):
        image = PIL.Image.open(os.path.join(folder, name)).convert("RGB")
        yield f"decode {name} {image.height} {image.width} {digest(image)}"
        short, long = min(image.size), max(image.size)
        width, height = (256 if side == short else int(256 * long / short) for side in image.size)
        left, top = int(round((width - 224) / 2.0)), int(round((height - 224) / 2.0))
        for filter_name, resample in FILTERS.items():
            crop = image.resize((width, height), resample).crop((left, top, left + 224, top + 224))
            yield f"crop {name} {filter_name} {height} {width} {digest(crop)}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--assets", required=True, help="folder of tools/fetch_assets.sh")
    parser.add_argument("--out", required=True, help="where goldens are written")
    args = parser.parse_args()
    assert int(PIL.__version__.split(".")[0]) >= 13, PIL.__version__
    by = f"Pillow {PIL.__version__}, its libjpeg-turbo {PIL.features.version('libjpeg_turbo')}"
    contents = {}
    for name, lines, what in (
            ("pillow_resize.txt", list(resize_lines()), f"{CASES} random sizes (seed {SEED}) and {len(CORNERS)} chosen ones, {len(FILTERS)} filters"),
            ("pillow_photos.txt", list(photo_lines(os.path.join(args.assets, "photos"))), "sample photos")):
        with open(os.path.join(args.out, name), "w") as f:
            f.write(f"# {what}; {by}; tools/make_pillow_golden.py --assets DIR --out tests/golden\n")
            f.write("\n".join(lines) + "\n")
        contents[name] = f"{what}, {by}"
    golden_manifest.update(args.out, contents)


if __name__ == "__main__":
    main()
