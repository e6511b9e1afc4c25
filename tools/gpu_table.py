#!/usr/bin/env python3
"""Registers, spills and occupancy of the kernels for GPUs, as far as compilers know them.

    tools/gpu_table.py [--nvcc nvcc] [--write docs/cuda.md]

Compiles each kernel's source for each processor below, and prints a table in Markdown: registers of a
thread, bytes spilled, shared memory of a block, and how many of its warps a multiprocessor holds, as a share
of what it could. Nothing of it was measured on a GPU. --write puts the table between the marks in a file.
Exit 1 if a kernel spills.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Of a multiprocessor: CUDA C++ Programming Guide, table "Technical Specifications per Compute Capability".
# Registers are given to warps in units of 256; a block has 1 KB of shared memory besides its own.
PROCESSORS = {
    "A100": {"sm": 80, "warps": 64, "blocks": 32, "shared": 164 * 1024},
    "4090": {"sm": 89, "warps": 48, "blocks": 24, "shared": 100 * 1024},
    "H100": {"sm": 90, "warps": 64, "blocks": 32, "shared": 228 * 1024},
}
REGISTERS = 65536
UNIT = 256
RESERVED = 1024


def f16_tile_bytes(rows, cols, stages):
    """F16Tile::kSharedBytes in kernels/conv2d/conv2d_f16_cuda.cuh: known to launch() only."""
    return max(stages * (rows + cols) * 64, rows * (4 * cols + 32))


# Of kernels that ask for as much as the layer needs, that of the largest layer of the networks: ResNet's
# first (7x7, 3 to 64 channels), and MobileNetV3's last block (960 channels squeezed to 240).
LARGEST_LAYERS = {
    "conv2d_stem_kernel<float": 7 * 7 * 3 * 64 * 4,
    "conv2d_stem_kernel<Half": 3 * 3 * 3 * 64 * 4,  # larger windows are for tensor cores
    "squeeze_excitation_kernel": (4 * 960 + 960 + 240) * 4,
}


def dynamic_bytes(kernel):
    tile = re.search(r"F16Tile<(\d+), ?(\d+), ?(\d+)", kernel)
    if tile:
        return f16_tile_bytes(*map(int, tile.groups()))
    return next((size for name, size in LARGEST_LAYERS.items() if kernel.startswith(name)), 0)


def run(*command):
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8")
    if result.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: exit code {result.returncode}\n{result.stdout}")
    return result.stdout


def compile_for(nvcc, source, sm, folder):
    """Mangled name -> registers, spilled bytes, static shared bytes, threads of a block (0: any)."""
    # --keep: names hold a number that is another one in each run of nvcc.
    report = run(nvcc, "-cubin", "-Xptxas=-v", "--keep", "--keep-dir", folder, "-o", folder / "out.cubin",
                 "-std=c++20", "-O3", "--fmad=false", f"-I{ROOT}", f"-I{ROOT}/engine/include",
                 "-gencode", f"arch=compute_{sm},code=sm_{sm}", source)
    ptx = (folder / source.name).with_suffix(".ptx").read_text()
    threads = {name: int(count) for name, count in re.findall(
        r"\.entry (\w+)\(.*?\)\s*(?:\.\w+ [\d, ]+\s*)*?\.maxntid (\d+)", ptx, re.S)}
    kernels = {}
    for name, entry in re.findall(r"Compiling entry function '(\w+)'.*?\n(.*?Used [^\n]*)", report, re.S):
        number = lambda pattern: sum(map(int, re.findall(pattern, entry)))
        kernels[name] = {"registers": number(r"Used (\d+) registers"),
                         "spilled": number(r"(\d+) bytes spill stores"),
                         "shared": number(r"(\d+) bytes smem"), "threads": threads.get(name, 0)}
    return kernels


def occupancy(kernel, shared, processor):
    """Warps that a multiprocessor holds, as a share of the most."""
    warps = kernel["threads"] // 32
    if warps == 0:
        return None
    by_registers = REGISTERS // (-(-kernel["registers"] * 32 // UNIT) * UNIT) // warps
    by_shared = processor["shared"] // (shared + RESERVED)
    blocks = min(by_registers, by_shared, processor["warps"] // warps, processor["blocks"])
    return blocks * warps / processor["warps"]


def short_name(demangled):
    """Without namespaces and parameters."""
    name = re.sub(r"^void ", "", demangled)
    name = re.sub(r"penult::kernels::cuda::|penult::gpu::|\(anonymous namespace\)::", "", name)
    depth = 0
    for i, c in enumerate(name):
        depth += (c == "<") - (c == ">")
        if c == "(" and depth == 0 and not name[i:].startswith("(Mutation)"):
            name = name[:i]
            break
    return re.sub(r", ?\(Mutation\)0|\(Mutation\)0", "", name).replace("|", "/")


def table(nvcc):
    rows, spilled = {}, 0
    with tempfile.TemporaryDirectory() as folder:
        for source in sorted([*ROOT.glob("kernels/*/*.cu")]):
            for gpu, processor in PROCESSORS.items():
                kernels = compile_for(nvcc, source, processor["sm"], Path(folder))
                names = run("c++filt", *kernels).splitlines() if kernels else []
                for kernel, demangled in zip(kernels.values(), names):
                    name = short_name(demangled)
                    shared = kernel["shared"] + dynamic_bytes(name)
                    rows.setdefault(name, {})[gpu] = (kernel, shared, occupancy(kernel, shared, processor))
                    spilled += kernel["spilled"]
    lines = ["| kernel | threads | shared memory, bytes | " + " | ".join(
        f"{gpu}: registers, spilled bytes, occupancy" for gpu in PROCESSORS) + " |",
        "|---" * (3 + len(PROCESSORS)) + "|"]
    for name in sorted(rows):
        cells = rows[name]
        kernel, shared, _ = next(iter(cells.values()))
        line = f"| `{name}` | {kernel['threads'] or '-'} | {shared} |"
        for gpu in PROCESSORS:
            kernel, _, share = cells[gpu]
            share = "-" if share is None else f"{100 * share:.0f} %"
            line += f" {kernel['registers']}, {kernel['spilled']}, {share} |"
        lines.append(line)
    return lines, spilled


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nvcc", default="nvcc")
    parser.add_argument("--write", metavar="FILE", help="file with the marks <!-- gpu table --> and <!-- end -->")
    options = parser.parse_args()
    lines, spilled = table(options.nvcc)
    if options.write:
        path = Path(options.write)
        begin, end = "<!-- gpu table: written by tools/gpu_table.py --write -->", "<!-- gpu table: end -->"
        before, rest = path.read_text().split(begin)
        after = rest.split(end)[1]
        path.write_text(before + begin + "\n" + "\n".join(lines) + "\n" + end + after)
    else:
        print("\n".join(lines))
    if spilled:
        sys.exit(f"{spilled} bytes are spilled")


if __name__ == "__main__":
    main()
