#!/usr/bin/env python3
"""Runs penult on hostile files and compares with manifest.txt.

    hostile_test.py PENULT [--sanitized] [NAME or MODULE...]     # all files without names

Checks of each: exit code, status, one printable line on stderr, nothing on stdout and nothing in
the folder but the file itself (no output, no temporary file, no trace of a command that a pickle
wanted to run), at most 5 seconds, and at most 192 MiB of memory unless sanitizers need more.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
import unicodedata
import zlib
from pathlib import Path

import cases

MANIFEST = Path(__file__).with_name("manifest.txt")
MAX_SECONDS = 5
MAX_RESIDENT_KIB = 192 << 10
LINE = re.compile(r"penult: (\w+): .+")


def read_manifest():
    """name -> (command, exit code, status, rule)."""
    rows = {}
    for number, line in enumerate(MANIFEST.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) != 5 or not all(cells) or cells[0] in rows:
            sys.exit(f"{MANIFEST.name}:{number}: expected five cells and a new name")
        rows[cells[0]] = (cells[1].split(), int(cells[2]), cells[3], cells[4])
    return rows


def png(side=4):
    """A grey picture, for extract."""
    def chunk(kind, data):
        crc = zlib.crc32(kind + data)
        return len(data).to_bytes(4, "big") + kind + data + crc.to_bytes(4, "big")
    rows = (b"\0" + b"\x80" * side) * side
    size = side.to_bytes(4, "big")
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size + size + b"\x08\0\0\0\0") +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def arguments(command, file, folder):
    """The command line, and the file that it writes if all is well."""
    verb, *options = command
    if verb == "convert":
        return ["convert", file, "-o", "out.penult", *options], "out.penult"
    if verb == "extract":
        (folder / "grey.png").write_bytes(png())
        return ["extract", "grey.png", "-m", file, "-o", "out.npz", *options], "out.npz"
    return [verb, file, *options], None


def run(program, words, folder):
    """(exit code, stdout, stderr, seconds, peak KiB)."""
    with open(folder / ".out", "w+b") as out, open(folder / ".err", "w+b") as err:
        start = time.monotonic()
        child = subprocess.Popen([program, *words], cwd=folder, stdin=subprocess.DEVNULL,
                                 stdout=out, stderr=err)
        while True:
            pid, status, usage = os.wait4(child.pid, os.WNOHANG)
            seconds = time.monotonic() - start
            if pid:
                break
            if seconds > 4 * MAX_SECONDS:
                child.kill()
            time.sleep(0.002)
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        return child.returncode, out.read(), err.read(), seconds, usage.ru_maxrss


def unprintable(text):
    """Characters that a terminal would act upon, by number."""
    bad = ("Cc", "Cf", "Zl", "Zp")  # controls, direction marks, line and paragraph separators
    return sorted({hex(ord(c)) for c in text if unicodedata.category(c) in bad})


def check_error(stderr, status):
    problems = []
    text = stderr.decode("utf-8", "replace")
    if not text.endswith("\n") or text.count("\n") != 1:
        problems.append(f"stderr is not one line: {stderr[:2000]!r}")
    line = LINE.fullmatch(text.rstrip("\n"))
    if not line or line[1] != status:
        problems.append(f"expected {status}, got {text[:300]!r}")
    if unprintable(text[:-1]) or "\ufffd" in text:
        problems.append(f"unprintable characters on stderr: {stderr[:300]!r}")
    return problems


def check(program, name, row, sanitized):
    """What is wrong with the outcome of one file, as texts."""
    command, exit_code, status, _ = row
    problems = []
    with tempfile.TemporaryDirectory(prefix="penult_hostile.") as temporary:
        folder = Path(temporary)
        (folder / name).write_bytes(cases.FILES[name]())
        words, output = arguments(command, name, folder)
        expected = {entry.name for entry in folder.iterdir()} | {".out", ".err"}
        code, stdout, stderr, seconds, resident = run(program, words, folder)
        if code != exit_code:
            problems.append(f"expected exit {exit_code}, got {code}: {stderr[-2000:]!r}")
        if status == "Ok":
            expected |= {output} - {None}
            problems += [f"stderr is not empty: {stderr[:2000]!r}"] if stderr else []
        else:
            problems += check_error(stderr, status)
            problems += [f"stdout is not empty: {stdout[:300]!r}"] if stdout else []
        strange = unprintable(stdout.decode("utf-8", "replace").replace("\n", ""))
        if strange:
            problems.append(f"unprintable characters {strange} on stdout: {stdout[:300]!r}")
        left = {entry.name for entry in folder.iterdir()}
        if left != expected:
            problems.append(f"expected the files {sorted(expected)}, got {sorted(left)}")
    if seconds > MAX_SECONDS:
        problems.append(f"took {seconds:.1f} s, expected at most {MAX_SECONDS}")
    if resident > MAX_RESIDENT_KIB and not sanitized:
        problems.append(f"took {resident >> 10} MiB, expected at most {MAX_RESIDENT_KIB >> 10}")
    return problems


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program", help="the built penult")
    parser.add_argument("--sanitized", action="store_true", help="do not measure memory")
    parser.add_argument("names", nargs="*", help="files, or modules of files, to try [all]")
    options = parser.parse_args()
    rows, files = read_manifest(), cases.all_files()
    failed = 0
    if set(rows) != set(files):
        print(f"without a generator: {sorted(set(rows) - set(files))}")
        print(f"not in the manifest: {sorted(set(files) - set(rows))}")
        return 1
    chosen = [name for name in rows if not options.names or name in options.names or
              cases.MODULE_OF[name] in options.names]
    for name in chosen:
        problems = check(os.path.abspath(options.program), name, rows[name], options.sanitized)
        failed += bool(problems)
        for problem in problems:
            print(f"{name} ({rows[name][3]}): {problem}")
    print(f"hostile files: {len(chosen)} tried, {failed} failed")
    return 1 if failed or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
