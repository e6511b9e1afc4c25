#!/usr/bin/env python3
"""How near convolutions come to the processor's peak, and Winograd against direct ones.

    cmake --preset release -DPENULT_BUILD_BENCH=ON
    cmake --build --preset release --target kernels_bench
    bench/kernel_table.py build/release/bench/kernels_bench [--isa avx2] [--repetitions 9]

Runs kernels_bench over the convolutions of the networks, one image, one thread, warm, and prints two tables
in Markdown. A figure is the best of the repetitions, since other work on a machine can only slow them down;
peaks are what multiply-adds in registers reach right before. K is the number of products in a sum. A floor
missed is listed, or stands beside the figure. Winograd's ratio is the time of our own direct kernel over its own; cold means that all
caches hold other data before each run. Run it while nothing else runs.
"""

import argparse
import json
import re
import subprocess
import sys

FLOORS = [(256, None, 0.92), (128, 255, 0.88)]
WINOGRAD_FLOORS = {56: 2.7, 28: 3.0, 14: 2.5}
NETS = "(mobilenet_v2|mobilenetv1_100|resnet18|resnet50)"


def run(options, pattern, *more):
    """Problem -> kernel -> the best row of its repetitions."""
    command = [options.program, f"--benchmark_filter={pattern}", "--threads=1", "--benchmark_format=json",
               f"--benchmark_repetitions={options.repetitions}", "--benchmark_min_time=0.02", *more]
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8")
    if result.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit code {result.returncode}")
    best = {}
    for row in json.loads(result.stdout)["benchmarks"]:
        if row["run_type"] != "iteration":
            continue
        _, kernel, _, problem = row["name"].split("/")[:4]
        kernels = best.setdefault(problem, {})
        if kernel not in kernels or row["real_time"] < kernels[kernel]["real_time"]:
            kernels[kernel] = row
    return best


def numbers(problem):
    """ic, width of src, kernel height, groups of a problem as kernels_bench names it."""
    ic, _, width = map(int, re.search(r"src=(\d+)x(\d+)x(\d+)", problem).groups())

    def option(name):
        found = re.search(rf"_{name}=(\d+)", problem)
        return int(found[1]) if found else 1

    return ic, width, option("k"), option("g")


def peak_table(options):
    rows = []
    for problem, kernels in run(options, f"^conv2d/igemm_f32_{options.isa}/{NETS}/").items():
        ic, _, kernel, groups = numbers(problem)
        if groups > 1:
            continue
        (row,) = kernels.values()
        rows.append((ic * kernel * kernel, problem, row["of_peak"]))
    print("| K | layers | of the peak: least | median | below the floor |")
    print("|---|---|---|---|---|")
    for low, high, floor in FLOORS:
        chosen = sorted((share, k, problem) for k, problem, share in rows
                        if k >= low and (high is None or k <= high))
        if not chosen:
            continue
        missed = [f"{problem.replace('_', ' ')} {share:.0%}" for share, _, problem in chosen if share < floor]
        middle = chosen[len(chosen) // 2][0]
        name = f"{low} and more" if high is None else f"{low} to {high}"
        print(f"| {name} | {len(chosen)} | {chosen[0][0]:.0%} | {middle:.0%} | "
              f"{len(missed)} below {floor:.0%}: {'; '.join(missed)} |")


def winograd_table(options):
    pattern = f"^conv2d/.*_{options.isa}/resnet50/src=.*_k=3x3_p=1,1,1,1_act"
    warm, cold = run(options, pattern), run(options, pattern, "--cold")
    print("| layer | direct | F(4,3), times as fast | cold | F(2,3) | cold | floor |")
    print("|---|---|---|---|---|---|---|")
    for problem in warm:
        cells = []
        for form in ("f43", "f23"):
            for rows in (warm, cold):
                direct = rows[problem][f"igemm_f32_{options.isa}"]["real_time"]
                cells.append(f"{direct / rows[problem][f'winograd_{form}_f32_{options.isa}']['real_time']:.2f}")
        ic, width, *_ = numbers(problem)
        direct = warm[problem][f"igemm_f32_{options.isa}"]
        floor = WINOGRAD_FLOORS.get(width, "-")
        print(f"| {ic} at {width}x{width} | {direct['of_peak']:.0%} of the peak | {' | '.join(cells)} | {floor} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="the program kernels_bench")
    parser.add_argument("--isa", default="avx2", help="level (default: avx2)")
    parser.add_argument("--repetitions", type=int, default=9, help="of which the best counts (default: 9)")
    options = parser.parse_args()
    peak_table(options)
    print()
    winograd_table(options)


if __name__ == "__main__":
    main()
