#!/usr/bin/env python3
"""Writes the files that fuzzing starts from: make_seeds.py OUT, a folder for each target. Standard library only."""

import shutil
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "hostile"), str(TESTS.parent / "tools")]

import cases  # noqa: E402
import nearest  # noqa: E402
import onnx_files  # noqa: E402
import onnx_networks  # noqa: E402
import small_files  # noqa: E402

MAGIC = {b"\xff\xd8": "jpeg", b"\x89P": "png", b"RI": "webp", b"BM": "bmp", b"P": "pnm"}
MOST_BYTES = 8 << 10  # larger seeds make every run slow, but for a few that have no equal
TARGETS = {".penult": "penult_file", ".pt": "pytorch", ".safetensors": "safetensors",
           ".json": "safetensors", ".onnx": "onnx"}
LARGE = ("legacy_control.pt", "every_operator.penult", "safetensors_control.safetensors", "squeezenet1_1.onnx",
         "resnet18.onnx", "resnet18_folded.onnx")


def pictures():
    for key, (_, picture) in nearest.read_npz(TESTS / "golden/pillow_images.npz").items():
        if key.startswith("file/"):
            target = next(target for magic, target in MAGIC.items() if picture.startswith(magic))
            yield target, key.removeprefix("file/"), picture


def models():
    for name, make in cases.all_files().items():
        yield TARGETS[Path(name).suffix], name, make()
    for path in (TESTS / "converters/fixtures").glob("torch*"):
        yield TARGETS[path.suffix], path.name, path.read_bytes()


def main():
    out = Path(sys.argv[1])
    shutil.rmtree(out, ignore_errors=True)
    for target, name, data in (*pictures(), *models(), *small_files.all_files(), *onnx_files.all_files(),
                               *onnx_networks.all_files()):
        if len(data) > MOST_BYTES and name not in LARGE:
            continue
        folder = out / target
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


if __name__ == "__main__":
    main()
