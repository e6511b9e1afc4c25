"""Rows to the table in docs/benchmarks.md and to dated JSON in bench/results/."""
import datetime
import json
import math
import os
import platform

import plot

# One block of the page for each ISA class: a run replaces its own machine's kind.
BEGIN, END = "<!-- peers {}: written by bench/peers/run.sh --write -->", "<!-- peers: end -->"


def verdict(row):
    if row["low"] > 1:
        return "lost"
    return "won" if row["high"] < 1 else "even"


def floor_ms(row, fma_gflops):
    """The algorithm's multiply-adds at the FMA peak of all threads; the best round of the probe counts."""
    return 2 * row["macs"] * row["batch"] / (fma_gflops * 1e6 * row["threads"])


def table(rows, engines, fma_gflops):
    head = ["net", "batch", "threads", *engines, "penult", "table", "floor", "of floor", "best peer",
            "penult / best (95 % interval)", ""]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for row in rows:
        cells = [row["net"], row["batch"], row["threads"]]
        cells += [f"{row['medians'][e]:.2f}" if e in row["medians"] else "-" for e in [*engines, "penult"]]
        floor = floor_ms(row, fma_gflops)
        cells += [row["numerics"], f"{floor:.2f}", f"{100 * floor / row['medians']['penult']:.0f} %"]
        cells += [row["best"], f"{row['ratio']:.2f} ({row['low']:.2f} to {row['high']:.2f})", verdict(row)]
        lines.append("| " + " | ".join(str(c) for c in cells) + " |")
    mean = math.exp(sum(math.log(row["ratio"]) for row in rows) / len(rows))
    lost = sum(verdict(row) == "lost" for row in rows)
    lines.append(f"\nGeometric mean of the ratios: {mean:.2f}; {lost} of {len(rows)} rows lost.")
    return "\n".join(lines)


def cpu_name():
    with open("/proc/cpuinfo", encoding="ascii") as f:
        info = dict(line.split(":", 1) for line in f.read().split("\n\n")[0].splitlines() if ":" in line)
    info = {key.strip(): value.strip() for key, value in info.items()}
    return f"{info.get('model name', platform.machine())} (family {info.get('cpu family')}, model {info.get('model')})"


def plot_file(meta):
    return f"docs/images/peers-{meta['isa']}.svg"


def picture(meta):
    return (f"![time of each engine as a multiple of penult's, for each network, batch and number of threads]"
            f"({os.path.relpath(plot_file(meta), 'docs')})")


def describe(meta):
    versions = ", ".join(f"{name} {version}" for name, version in sorted(meta["versions"].items()))
    return (f"{meta['cpu']}, ISA class {meta['isa']}; {meta['date']}; {versions}. Milliseconds a run of the whole "
            f"batch, fp32, 224 x 224, seeded weights, medians over {meta['rounds']} interleaved rounds; FMA peak "
            f"{meta['fma_gflops']:.0f} GFLOP/s a core. `floor`: the multiply-adds of "
            f"the kernels (Winograd's, where they compute a layer) at that peak on all threads, and the share of "
            f"penult's time that it is. Command: `{meta['command']}`")


def write(rows, meta, engines):
    begin = BEGIN.format(meta["isa"])
    text = f"{begin}\n{describe(meta)}\n\n{table(rows, engines, meta['fma_gflops'])}\n\n{picture(meta)}\n{END}"
    path = "docs/benchmarks.md"
    with open(path, encoding="utf-8") as f:
        page = f.read()
    if begin not in page:
        raise SystemExit(f"{path}: expected the line {begin}, for the table of this ISA class")
    before, rest = page.split(begin, 1)
    with open(path, "w", encoding="utf-8") as f:
        f.write(before + text + rest.split(END, 1)[1])
    plot.write(rows, engines, plot_file(meta))
    os.makedirs("bench/results", exist_ok=True)
    name = f"bench/results/{datetime.date.today().isoformat()}-peers-{meta['isa']}.json"
    with open(name, "w", encoding="utf-8") as f:
        json.dump({"meta": meta, "rows": rows}, f, indent=1)
        f.write("\n")
    print("wrote", path, name)
