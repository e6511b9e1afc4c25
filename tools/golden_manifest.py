"""tests/golden/MANIFEST: one line for each golden file, `NAME SHA-256 WHAT`. Several tools write goldens;
each replaces its own lines and keeps the others'."""

import hashlib
from pathlib import Path

HEADER = ("# file sha256 content; written by: tools/make_golden.py (*.npz), tools/make_pillow_golden.py (*.txt), "
          "both with --assets DIR --out tests/golden; tools/make_image_golden.py (pillow_images.npz)\n")


def sha256(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def read(folder):
    """{name: (SHA-256, what)} in the order of the file; empty if there is none."""
    path = Path(folder) / "MANIFEST"
    if not path.exists():
        return {}
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line and line[0] != "#"]
    fields = [line.split(" ", 2) for line in lines]
    assert all(len(f) == 3 for f in fields) and len({f[0] for f in fields}) == len(fields), path
    return {name: (digest, what) for name, digest, what in fields}


def update(folder, contents):
    """Adds or replaces the lines of the files {name: what}, which lie in the folder."""
    entries = read(folder)
    for name, what in contents.items():
        entries[name] = (sha256(Path(folder) / name), what)
    lines = [f"{name} {digest} {what}\n" for name, (digest, what) in entries.items()]
    (Path(folder) / "MANIFEST").write_text(HEADER + "".join(lines), encoding="utf-8")


def problems(folder):
    """What is wrong between the manifest and the files beside it, one line each."""
    entries = read(folder)
    for file in sorted(Path(folder).iterdir()):
        if file.name != "MANIFEST" and file.name not in entries:
            yield f"{file.name} is not in MANIFEST"
    for name, (digest, _) in entries.items():
        file = Path(folder) / name
        if not file.is_file():
            yield f"{name} is in MANIFEST, but not there"
        elif sha256(file) != digest:
            yield f"{name} has another SHA-256 than in MANIFEST"
