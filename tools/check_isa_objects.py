#!/usr/bin/env python3
"""Fails if an object file compiled for one ISA offers the linker a symbol that others may share.

Of several copies of an inline function the linker keeps one, whichever flags it was compiled with;
if that is the AVX2 copy, older processors crash in code that has nothing to do with AVX2. So files
compiled for one ISA may define no weak (V, W) and no unique (u) symbol.

usage: check_isa_objects.py NM OBJECT...
"""

import subprocess
import sys

SHARED = {"V": "weak object", "W": "weak function", "u": "unique object"}


def shared_symbols(nm, path):
    """Symbols that `path` defines and that the linker may merge with other objects' copies."""
    listing = subprocess.run([nm, "--defined-only", "-C", path], check=True, capture_output=True, text=True)
    lines = listing.stdout.splitlines()
    if not lines:
        raise SystemExit(f"{path}: no symbols at all; is it an object file?")
    fields = (line.split(maxsplit=2) for line in lines)
    return [(SHARED[f[1]], f[2]) for f in fields if len(f) == 3 and f[1] in SHARED]


def main(argv):
    if len(argv) < 3:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    failures = 0
    for path in argv[2:]:
        for kind, symbol in shared_symbols(argv[1], path):
            print(f"{path}: {kind} {symbol}", file=sys.stderr)
            failures += 1
    print(f"{len(argv) - 2} objects, {failures} shared symbols")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
