#!/usr/bin/env python3
"""Fails if a compiler made register tiles of the matrix product that are not what the source says.

A tile of accumulators that needs one register too many still computes the right thing, at half the
speed: an accumulator goes to the stack and back in each step. A load of weights that is folded into
each multiply-add that uses it is as slow. Neither shows in any result, so this looks at the code: in
every loop of gemm_tiles that multiplies

  - no vector register is stored to or loaded from the stack; but six times at most in a turn of
    eight steps of 4x24 or 3x32: they fill the registers, and gcc 12 parks sums at the end of a
    turn, which costs less than turns of one step (docs/decisions/0017)
  - no multiply-add reads memory
  - there are multiply-adds (else this test tests nothing)

usage: check_codegen.py OBJDUMP OBJECT...
       check_codegen.py OBJDUMP --compile COMPILER COMPILE_COMMANDS SOURCE...

The second form compiles the sources first, with another compiler and the flags that
compile_commands.json has for them. Exit 77: there is no such compiler.
"""

import json
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SKIPPED = 77

FUNCTION = re.compile(r"^[0-9a-f]+ <(.*)>:$")
INSTRUCTION = re.compile(r"^\s*([0-9a-f]+):\s+(\S+)\s*(.*)$")
STACK = re.compile(r"\(%rsp\b")  # %rbp is a register like others: frames are addressed by %rsp
FULL = re.compile(r"avx2::Vec, (4, 3|3, 4),")
VECTOR = re.compile(r"%[xyz]mm")


def functions(objdump, path):
    """(name, [(address, mnemonic, operands)]) of each gemm_tiles in an object."""
    text = subprocess.run([objdump, "-d", "--no-show-raw-insn", "-C", path], check=True,
                          capture_output=True, text=True).stdout
    name, body = None, []
    for line in text.splitlines():
        if head := FUNCTION.match(line):
            if name:
                yield name, body
            name, body = head[1] if "gemm_tiles<" in head[1] else None, []
        elif name and (found := INSTRUCTION.match(line)):
            body.append((int(found[1], 16), found[2], found[3]))
    if name:
        yield name, body


def loops(body):
    """The innermost loops: what lies between a jump backwards and its target, and holds no other."""
    index = {address: i for i, (address, _, _) in enumerate(body)}
    spans = []
    for i, (_, mnemonic, operands) in enumerate(body):
        if mnemonic.startswith("j") and (target := re.match(r"([0-9a-f]+)", operands)):
            start = index.get(int(target[1], 16))
            if start is not None and start <= i:
                spans.append((start, i))
    for a in spans:
        if not any(b != a and a[0] <= b[0] and b[1] <= a[1] for b in spans):
            yield body[a[0]:a[1] + 1]


def is_multiply_add(mnemonic):
    return mnemonic.startswith("vfmadd") and mnemonic.endswith("ps")


def complaints(name, loop):
    sums = [operands for _, mnemonic, operands in loop if is_multiply_add(mnemonic)]
    found = [f"folded load: {operands}" for operands in sums if "(" in operands]
    # A broadcast from the stack would be a spilled vector, too; a pointer is in a general register.
    spills = [f"spill: {mnemonic} {operands}" for _, mnemonic, operands in loop
              if VECTOR.search(operands) and STACK.search(operands)]
    allowed = 6 if FULL.search(name) and len(sums) == 96 else 0
    return found + (spills if len(spills) > allowed else [])


def check(objdump, path):
    """(loops looked at, complaints)"""
    count, found = 0, []
    for name, body in functions(objdump, path):
        multiplying = [loop for loop in loops(body)
                       if any(is_multiply_add(mnemonic) for _, mnemonic, _ in loop)]
        if not multiplying:
            found.append(f"{name}: no loop multiplies")
        count += len(multiplying)
        found += [f"{name}: {text}" for loop in multiplying for text in complaints(name, loop)]
    return count, found


def compiled(compiler, commands, sources, folder):
    """Objects of the sources. Warnings are the other compiler's affair, so its options go."""
    entries = {entry["file"]: entry for entry in json.loads(Path(commands).read_text())}
    for source in map(str, (Path(source).resolve() for source in sources)):
        out = Path(folder) / (Path(source).stem + ".o")
        words = shlex.split(entries[source]["command"])
        flags = [word for word in words if re.match(r"-(I|D|O|f|m|std=)", word)]
        subprocess.run([compiler, *flags, "-c", source, "-o", out], check=True)
        yield out


def main(argv):
    if len(argv) < 3:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    objdump, objects = argv[1], argv[2:]
    with tempfile.TemporaryDirectory() as folder:
        if objects[0] == "--compile":
            if shutil.which(objects[1]) is None:
                print(f"{objects[1]} is not installed")
                return SKIPPED
            objects = list(compiled(objects[1], objects[2], objects[3:], folder))
        total, failures = 0, []
        for path in objects:
            count, found = check(objdump, path)
            total += count
            failures += [f"{Path(path).name}: {text}" for text in found]
    for failure in failures[:20]:
        print(failure, file=sys.stderr)
    print(f"{total} loops, {len(failures)} complaints")
    return 1 if failures or total == 0 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
