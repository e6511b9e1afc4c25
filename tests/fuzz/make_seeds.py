#!/usr/bin/env python3
"""Writes the files that fuzzing starts from: make_seeds.py OUT, a folder for each target. Standard library only."""

import shutil
import struct
import sys
import zipfile
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS / "hostile"))

import cases  # noqa: E402

MAGIC = {b"\xff\xd8": "jpeg", b"\x89P": "png", b"RI": "webp", b"BM": "bmp", b"P": "pnm"}
MOST_BYTES = 64 << 10  # larger seeds make every run slow


def pictures():
    with zipfile.ZipFile(TESTS / "golden/pillow_images.npz") as archive:
        for entry in archive.namelist():
            if not entry.startswith("file/"):
                continue
            data = archive.read(entry)
            name = entry[len("file/"):-len(".npy")]
            picture = data[10 + struct.unpack("<H", data[8:10])[0]:]
            target = next(target for magic, target in MAGIC.items() if picture.startswith(magic))
            yield target, name, picture


def models():
    for name, make in cases.all_files().items():
        target = "penult_file" if name.endswith(".penult") else "pytorch"
        yield target, name, make()
    for path in (TESTS / "converters/fixtures").glob("*.pt"):
        yield "pytorch", path.name, path.read_bytes()


def small_arrays():
    """The first arrays of a golden, in an archive that is as numpy.savez makes it."""
    with zipfile.ZipFile(TESTS / "golden/pillow_images.npz") as archive:
        for entry in archive.namelist()[:3]:
            yield "npz", entry.replace("/", "_"), archive.read(entry)


def main():
    out = Path(sys.argv[1])
    shutil.rmtree(out, ignore_errors=True)
    for target, name, data in (*pictures(), *models(), *small_arrays()):
        if len(data) > MOST_BYTES:
            continue
        folder = out / target
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    archive_path = out / "npz/archive.npz"
    with zipfile.ZipFile(archive_path, "w") as archive:
        for i, (_, _, data) in enumerate(small_arrays()):
            archive.writestr(f"{('input', 'pixels', 'tap')[i]}.npy", data)


if __name__ == "__main__":
    main()
