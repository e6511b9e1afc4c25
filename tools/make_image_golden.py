#!/usr/bin/env python3
"""Small pictures of every kind that is read, and their pixels in Pillow. For developers: needs Pillow >= 13 and
numpy (pip), and jpegtran (Debian: libjpeg-turbo-progs); the tests read what is written here and need none of them.

  make_image_golden.py --out tests/golden

pillow_images.npz   file/NAME    the file's bytes
                    pixels/NAME  (h, w, 3): ImageOps.exif_transpose(image).convert("RGB"); where that is of no use
                                 (docs/decisions/0008-images-as-pillow.md), what is decided there
"""
import argparse
import io
import os
import subprocess
import warnings

import numpy
import PIL
import PIL.features
import PIL.Image
import PIL.ImageOps

import golden_manifest
import image_bytes as raw

SEED = 20240307
H, W = 11, 13


def smooth(h, w, channels=3):
    """Waves of colours with some noise."""
    draw = numpy.random.Generator(numpy.random.PCG64(SEED))
    y, x, c = numpy.meshgrid(numpy.arange(h), numpy.arange(w), numpy.arange(channels), indexing="ij")
    wave = 128 + 90 * numpy.sin(x * 0.45 + c * 2.1) + 60 * numpy.cos(y * 0.37 - c)
    return numpy.clip(wave + draw.integers(-25, 26, wave.shape), 0, 255).astype(numpy.uint8)


def noise(h, w, channels, levels):
    draw = numpy.random.Generator(numpy.random.PCG64(SEED + levels + channels))
    values = draw.integers(0, levels, (h, w, channels))
    values.reshape(-1)[:2] = 0, levels - 1
    return values


def saved(image, **options):
    out = io.BytesIO()
    image.save(out, **options)
    return out.getvalue()


def transcoded(jpeg, *options):
    return subprocess.run(["jpegtran", *options], input=jpeg, stdout=subprocess.PIPE, check=True).stdout


def jpegs():
    rgb, grey = PIL.Image.fromarray(smooth(35, 43)), PIL.Image.fromarray(smooth(19, 21, 1)[..., 0])
    cmyk = PIL.Image.fromarray(smooth(21, 19, 4), mode="CMYK")
    for name, sampling in (("444", 0), ("422", 1), ("420", 2)):
        for progressive in (False, True):
            yield (f"jpeg_{name}{'_progressive' if progressive else ''}",
                   saved(rgb, format="JPEG", quality=85, subsampling=sampling, progressive=progressive))
        yield f"jpeg_cmyk_{name}", saved(cmyk, format="JPEG", quality=85, subsampling=sampling)
        for thin, size in (("wide", (47, 1)), ("tall", (1, 47)), ("two", (2, 2)), ("three", (3, 17))):
            yield f"jpeg_{name}_{thin}", saved(rgb.resize(size), format="JPEG", quality=92, subsampling=sampling)
    halves = saved(PIL.Image.fromarray(smooth(32, 48)), format="JPEG", quality=85, subsampling=1)
    quarters = saved(PIL.Image.fromarray(smooth(32, 48)), format="JPEG", quality=85, subsampling=2)
    yield "jpeg_440", raw.with_frame(halves, 37, 29, 0x12)  # 3 x 4 units of 8 x 16 instead of 16 x 8
    yield "jpeg_440_small", raw.with_frame(halves, 189, 8, 0x12)
    yield "jpeg_411", raw.with_frame(quarters, 22, 39, 0x41)  # 2 x 3 units of 32 x 8 instead of 16 x 16
    yield "jpeg_14", raw.with_frame(quarters, 61, 18, 0x14)
    yield "jpeg_grey", saved(grey, format="JPEG", quality=90)
    yield "jpeg_grey_progressive", saved(grey, format="JPEG", quality=90, progressive=True)
    yield "jpeg_rgb", saved(rgb, format="JPEG", quality=90, keep_rgb=True)
    yield "jpeg_restarts", saved(rgb, format="JPEG", quality=80, restart_marker_blocks=2)
    full = saved(cmyk, format="JPEG", quality=90)
    yield "jpeg_cmyk", full
    yield "jpeg_cmyk_progressive", saved(cmyk, format="JPEG", quality=90, progressive=True)
    yield "jpeg_cmyk_without_adobe", raw.with_adobe(full, None)
    yield "jpeg_ycck", raw.with_adobe(full, 2)
    yield "jpeg_ycck_420", raw.with_adobe(saved(cmyk, format="JPEG", quality=90, subsampling=2), 2)
    color = saved(rgb, format="JPEG", quality=85)
    yield "jpeg_arithmetic", transcoded(color, "-arithmetic")
    yield "jpeg_arithmetic_progressive", transcoded(color, "-arithmetic", "-progressive")
    yield "jpeg_jfif_9", color.replace(b"JFIF\0\x01", b"JFIF\0\x09", 1)


def pngs():
    for color, name, channels, depths in ((0, "grey", 1, (1, 2, 4, 8, 16)), (2, "rgb", 3, (8, 16)),
                                          (3, "palette", 1, (1, 2, 4, 8)), (4, "grey_alpha", 2, (8, 16)),
                                          (6, "rgba", 4, (8, 16))):
        for depth in depths:
            samples = noise(H, W, channels, min(2**depth, 65536))
            colors = smooth(1, 2**depth if color == 3 else 1).tobytes()
            extra = raw.chunk(b"PLTE", colors) if color == 3 else b""
            key = {0: b"\0\1", 2: samples[0, 0].astype(">u2").tobytes(), 3: bytes([0, 128])}.get(color)
            for interlaced in (False, True):
                yield (f"png_{name}_{depth}{'_interlaced' if interlaced else ''}",
                       raw.png(samples, depth, color, interlaced, extra))
            if key:
                yield f"png_{name}_{depth}_transparent", raw.png(samples, depth, color, False, extra + raw.chunk(b"tRNS", key))
    for size in ((1, 1), (1, 5), (5, 1), (2, 3), (4, 4)):
        yield f"png_interlaced_{size[0]}x{size[1]}", raw.png(noise(*size, 3, 256), 8, 2, True)
    short = raw.chunk(b"PLTE", bytes(range(10, 40)))  # ten colours
    yield "png_short_palette", raw.png(noise(H, W, 1, 256), 8, 3, False, short)
    yield "png_short_palette_4", raw.png(noise(H, W, 1, 16), 4, 3, True, short)
    yield "png_rgb_with_palette", raw.png(noise(H, W, 3, 256), 8, 2, False, short)
    frames = [PIL.Image.fromarray(numpy.roll(smooth(H, W), i, 1)) for i in range(3)]
    yield "apng", saved(frames[0], format="PNG", save_all=True, append_images=frames[1:])
    yield "apng_default_image", saved(frames[0], format="PNG", save_all=True, default_image=True, append_images=frames[1:])
    alpha = PIL.Image.fromarray(smooth(H, W, 4), mode="RGBA")
    yield "apng_alpha", saved(alpha, format="PNG", save_all=True, append_images=[frames[1].convert("RGBA")])


def webps():
    rgb, rgba = PIL.Image.fromarray(smooth(35, 43)), PIL.Image.fromarray(smooth(35, 43, 4), mode="RGBA")
    clear = numpy.array(rgba)
    clear[:20, :, 3] = 0
    clear = PIL.Image.fromarray(clear, mode="RGBA")
    for quality in (5, 50, 80, 100):
        yield f"webp_lossy_{quality}", saved(rgb, format="WEBP", quality=quality)
    for size in ((1, 1), (2, 3), (17, 16), (1, 40), (40, 1)):
        small = rgb.resize(size)
        yield f"webp_lossy_{size[0]}x{size[1]}", saved(small, format="WEBP", quality=70)
        yield f"webp_lossless_{size[0]}x{size[1]}", saved(small, format="WEBP", lossless=True)
    yield "webp_lossless", saved(rgb, format="WEBP", lossless=True)
    yield "webp_lossless_few_colors", saved(rgb.quantize(7).convert("RGB"), format="WEBP", lossless=True)
    for name, image in (("alpha", rgba), ("clear", clear)):
        yield f"webp_lossy_{name}", saved(image, format="WEBP", quality=60)
        for exact in (False, True):
            yield f"webp_lossless_{name}{'_exact' if exact else ''}", saved(image, format="WEBP", lossless=True, exact=exact)
    frames = [PIL.Image.fromarray(numpy.roll(smooth(35, 43), 5 * i, 1)) for i in range(3)]
    for lossless in (False, True):
        yield (f"webp_animated{'_lossless' if lossless else ''}",
               saved(frames[0], format="WEBP", save_all=True, append_images=frames[1:], lossless=lossless))
    corner = numpy.zeros((35, 43, 4), numpy.uint8)
    corner[10:20, 20:41] = smooth(10, 21, 4)
    yield "webp_animated_alpha", saved(PIL.Image.fromarray(corner, mode="RGBA"), format="WEBP", save_all=True, lossless=True,
                                       append_images=[rgba], minimize_size=True)


def bmps():
    samples, colors = smooth(H, W), smooth(1, 256)[0]
    quads = lambda n: b"".join(bytes([*colors[i, ::-1], 0]) for i in range(n))
    blue_first = [samples[y, :, ::-1].tobytes() for y in range(H)]
    yield "bmp_24", raw.bmp(W, H, 24, raw.rows_of(blue_first))
    yield "bmp_24_from_top", raw.bmp(W, -H, 24, raw.rows_of(blue_first, True))
    yield "bmp_24_os2", raw.bmp(W, H, 24, raw.rows_of(blue_first), header_bytes=12)
    yield "bmp_pillow", saved(PIL.Image.fromarray(samples), format="BMP")
    yield "bmp_pillow_grey", saved(PIL.Image.fromarray(samples[..., 0]), format="BMP")
    yield "bmp_pillow_bits", saved(PIL.Image.fromarray(samples[..., 0]).convert("1"), format="BMP")
    yield "bmp_pillow_palette", saved(PIL.Image.fromarray(samples).quantize(40), format="BMP")
    yield "bmp_pillow_alpha", saved(PIL.Image.fromarray(smooth(H, W, 4), mode="RGBA"), format="BMP")
    for bits in (1, 4, 8):
        rows = raw.rows_of([raw.packed(list(noise(H, W, 1, 2**bits)[y, :, 0]), bits) for y in range(H)])
        yield f"bmp_{bits}", raw.bmp(W, H, bits, rows, palette=quads(2**bits))
        yield f"bmp_{bits}_offset_forgets_palette", raw.bmp(W, H, bits, rows, palette=quads(2**bits), offset=54)
        yield f"bmp_{bits}_offset_zero", raw.bmp(W, H, bits, rows, palette=quads(2**bits), offset=0)
        triples = b"".join(colors[i, ::-1].tobytes() for i in range(2**bits))
        yield f"bmp_{bits}_os2", raw.bmp(W, H, bits, rows, palette=triples, header_bytes=12)
    rows = raw.rows_of([noise(H, W, 1, 16)[y, :, 0].astype(numpy.uint8).tobytes() for y in range(H)])
    yield "bmp_8_short_palette", raw.bmp(W, H, 8, rows, palette=quads(10), colors=10)
    two = raw.rows_of([noise(H, W, 1, 2)[y, :, 0].astype(numpy.uint8).tobytes() for y in range(H)])
    yield "bmp_8_black_and_white", raw.bmp(W, H, 8, two, palette=bytes(4) + bytes([255, 255, 255, 0]), colors=2)
    ramp = raw.rows_of([raw.packed(list(noise(H, W, 1, 16)[y, :, 0]), 4) for y in range(H)])
    yield "bmp_4_dark_ramp", raw.bmp(W, H, 4, ramp, palette=b"".join(bytes([i, i, i, 0]) for i in range(16)))
    words = raw.rows_of([noise(H, W, 1, 65536)[y, :, 0].astype("<u2").tobytes() for y in range(H)])
    yield "bmp_16", raw.bmp(W, H, 16, words)
    yield "bmp_16_555", raw.bmp(W, H, 16, words, method=3, masks=(0x7C00, 0x3E0, 0x1F))
    yield "bmp_16_565", raw.bmp(W, H, 16, words, method=3, masks=(0xF800, 0x7E0, 0x1F))
    yield "bmp_16_565_v4", raw.bmp(W, H, 16, words, method=3, masks=(0xF800, 0x7E0, 0x1F, 0), header_bytes=108)
    four = raw.rows_of([smooth(H, W, 4)[y].tobytes() for y in range(H)])
    yield "bmp_32", raw.bmp(W, H, 32, four)
    for name, masks in (("bgrx", (0xFF0000, 0xFF00, 0xFF, 0)), ("bgra", (0xFF0000, 0xFF00, 0xFF, 0xFF000000)),
                        ("xbgr", (0xFF000000, 0xFF0000, 0xFF00, 0)), ("rgba", (0xFF, 0xFF00, 0xFF0000, 0xFF000000)),
                        ("bgxr", (0xFF000000, 0xFF00, 0xFF, 0)), ("none", (0, 0, 0, 0))):
        yield f"bmp_32_{name}", raw.bmp(W, H, 32, four, method=3, masks=masks, header_bytes=124)
    yield "bmp_32_masks_behind", raw.bmp(W, H, 32, four, method=3, masks=(0xFF0000, 0xFF00, 0xFF))
    # 13 wide: a run, a run beyond the end, single pixels, a part row, a jump.
    runs8 = bytes([5, 7, 0, 3, 1, 2, 3, 0, 5, 9, 0, 0]) + bytes([200, 4, 0, 0]) + bytes([0, 4, 9, 8, 7, 6, 2, 5, 0, 0])
    runs8 += bytes([3, 1, 0, 2, 4, 2]) + bytes([6, 2, 0, 0])
    runs8 += b"".join(bytes([13, i, 0, 0]) for i in range(H - 6)) + bytes([13, 3, 0, 0, 0, 1])
    yield "bmp_rle8", raw.bmp(W, H, 8, runs8, method=1, palette=quads(256))
    yield "bmp_rle8_from_top", raw.bmp(W, -H, 8, runs8, method=1, palette=quads(256))
    runs4 = bytes([5, 0x7A, 0, 3, 0x12, 0x30, 5, 0x9B, 0, 0]) + bytes([200, 0x45, 0, 0])
    runs4 += bytes([0, 4, 0x98, 0x76, 2, 0x5C, 0, 0])
    runs4 += bytes([0, 5, 0x12, 0x34, 0x50, 0, 8, 0xAB, 0, 0])
    runs4 += b"".join(bytes([13, 17 * i, 0, 0]) for i in range(H - 4)) + bytes([0, 1])
    yield "bmp_rle4", raw.bmp(W, H, 4, runs4, method=2, palette=quads(16))


def pnms():
    size, text = f"{W} {H}\n".encode(), lambda values: b"\n".join(b" ".join(b"%d" % v for v in row.reshape(-1)) for row in values) + b"\n"
    bits = noise(H, W, 1, 2)
    yield "pbm_plain", b"P1\n" + size + text(bits)
    yield "pbm_plain_dense", b"P1 # bits\n" + size + text(bits).replace(b" ", b"")
    yield "pbm_raw", b"P4\n" + size + b"".join(raw.packed(list(row[:, 0]), 1) for row in bits)
    for most in (1, 7, 100, 255, 256, 1000, 65535):
        for channels, plain, packed in ((1, b"P2", b"P5"), (3, b"P3", b"P6")):
            values = noise(H, W, channels, most + 1)
            start = size + b"%d\n" % most
            name = "pgm" if channels == 1 else "ppm"
            yield f"{name}_{most}_plain", plain + b"\n" + start + text(values)
            yield f"{name}_{most}_raw", packed + b"\n" + start + values.astype(">u2" if most > 255 else "u1").tobytes()
    above = noise(H, W, 3, 256).astype("u1").tobytes()
    yield "ppm_levels_above_the_largest", b"P6 " + size + b"100 " + above
    yield "pgm_comments", b"P5\t# one\r# two\n13 # three\n 11\x0b\x0c255\n" + above[:H * W]
    yield "ppm_plain_comments", b"P3\n" + size + b"255 # \n" + text(noise(H, W, 3, 256)).replace(b"\n", b"\n# 1 2 x\n")


def oriented():
    image = PIL.Image.fromarray(smooth(11, 17))
    block = b"Exif\0\0" + raw.tiff(1)
    for orientation in range(1, 9):
        block = raw.tiff(orientation)
        yield f"exif_jpeg_{orientation}", saved(image, format="JPEG", quality=95, exif=b"Exif\0\0" + block)
        yield f"exif_png_{orientation}", saved(image, format="PNG", exif=block)
        yield f"exif_webp_{orientation}", saved(image, format="WEBP", quality=90, exif=b"Exif\0\0" + block)
        yield f"exif_webp_bare_{orientation}", saved(image, format="WEBP", lossless=True, exif=block)
    yield "exif_animated_webp", saved(image, format="WEBP", save_all=True, append_images=[image.rotate(180)], exif=block)


def high_bytes(file):
    """16-bit greys as Pillow treats 16-bit colours: its own conversion makes all from 255 on white."""
    image = PIL.Image.open(io.BytesIO(file))
    values = numpy.asarray(image).astype(numpy.int64)
    assert image.mode in ("I", "I;16"), image.mode
    levels = values >> 8 if image.format == "PNG" else numpy.rint(values / 65535 * 255)
    return numpy.repeat(levels[..., None], 3, axis=2).astype(numpy.uint8)


def own_palette(file):
    """A BMP of 4 or 8 bits whose palette begins like greys, which Pillow then misreads as of another depth."""
    bits, at = file[28], int.from_bytes(file[10:14], "little")
    stride = (W * bits + 31) // 32 * 4
    rows = [file[at + y * stride:at + (y + 1) * stride] for y in range(H)][::-1]
    index = [[row[x] if bits == 8 else row[x // 2] >> (4 if x % 2 == 0 else 0) & 15 for x in range(W)] for row in rows]
    colors = numpy.frombuffer(file, numpy.uint8, at - 54, 54).reshape(-1, 4)[:, 2::-1]
    return colors[numpy.array(index)]


def decided(name):
    """What makes the expected pixels instead of Pillow; None: Pillow does."""
    if name.startswith("png_grey_16") or (name.startswith("pgm_") and name.split("_")[1] in ("256", "1000", "65535")):
        return high_bytes
    return own_palette if name in ("bmp_8_black_and_white", "bmp_4_dark_ramp") else None


def in_pillow(file):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on palettes with alpha
        return numpy.asarray(PIL.ImageOps.exif_transpose(PIL.Image.open(io.BytesIO(file))).convert("RGB"))


def expected(name, file):
    rule = decided(name)
    try:
        pixels = in_pillow(file)
    except Exception as error:  # whatever a file can make Pillow raise
        pixels = None
        if not rule:
            raise SystemExit(f"{name}: Pillow refuses it: {error}") from error
    assert not rule or not numpy.array_equal(rule(file), pixels), f"{name}: Pillow would do"
    return numpy.ascontiguousarray(rule(file) if rule else pixels)


def arrays():
    for kinds in (jpegs, pngs, webps, bmps, pnms, oriented):
        for name, file in kinds():
            yield f"file/{name}", numpy.frombuffer(file, numpy.uint8)
            yield f"pixels/{name}", expected(name, file)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, help="where goldens are written")
    args = parser.parse_args()
    assert int(PIL.__version__.split(".")[0]) >= 13, PIL.__version__
    contents = dict(arrays())
    path = os.path.join(args.out, "pillow_images.npz")
    numpy.savez_compressed(path, **contents)
    libraries = ", ".join(f"{name} {PIL.features.version(name)}" for name in ("libjpeg_turbo", "webp"))
    golden_manifest.update(args.out, {"pillow_images.npz": f"{len(contents) // 2} pictures, Pillow {PIL.__version__}, its {libraries}"})


if __name__ == "__main__":
    main()
