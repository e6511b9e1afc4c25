#!/usr/bin/env python3
"""Checks that a run which ends at a tap costs what the whole network's steps up to it cost.

    cmake --preset release -DPENULT_BUILD_BENCH=ON
    cmake --build --preset release --target truncation_cost
    bench/truncation_cost.py build/release/bench/truncation_cost net.penult [--rounds 20] [-l TAP]...

For each tap, those of `blocks` unless others are named, and in each round: the time of a run that ends
there, and the sum of the times of the whole network's steps up to it (Extractor::profile), one after the
other in one process, one image. The run also pools the tap and hands it over, which the whole network
does not do: the claim is

    run <= 1.05 * steps + 0.1 ms

in the median over the rounds. The bootstrap interval (95 %) of the median of `run - 1.05 * steps - 0.1`,
round by round, tells chance from a miss: a tap is missed where all of it is above 0, and the exit code is
then 1. Run it while nothing else runs.
"""

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "peers"))

from statistics_of_rows import bootstrap_interval  # noqa: E402

FACTOR = 1.05
CONSTANT_MS = 0.1


def judge(pairs):
    """pairs: (ms of the run, ms of the steps) for each round. What the table says of a tap."""
    excess = [run - FACTOR * steps - CONSTANT_MS for run, steps in pairs]
    low, high = bootstrap_interval(excess)
    middle = statistics.median(excess)
    verdict = "missed" if low > 0 else "kept" if middle <= 0 else "unclear"
    return {"run": statistics.median(run for run, _ in pairs),
            "steps": statistics.median(steps for _, steps in pairs),
            "ratio": statistics.median(run / steps for run, steps in pairs),
            "excess": middle, "low": low, "high": high, "verdict": verdict}


def measure(options):
    """The program's first line, and for each tap its pairs."""
    command = [options.program, options.model, options.rounds, options.threads, options.milliseconds]
    result = subprocess.run([*map(str, command), *options.layer], stdout=subprocess.PIPE,
                            encoding="utf-8")
    if result.returncode != 0:
        sys.exit(2)
    head, *rows = map(json.loads, result.stdout.splitlines())
    pairs = [[] for _ in head["taps"]]
    for row in rows:
        pairs[row["tap"]].append((row["truncated_ms"], row["steps_ms"]))
    return head, pairs


def table(taps, judgements):
    width = max(map(len, ["tap", *taps]))
    yield (f"{'tap':{width}}  {'run ms':>8}  {'steps ms':>8}  {'run/steps':>9}  "
           f"{'run - allowed, ms (95 %)':>30}")
    for tap, row in zip(taps, judgements):
        interval = f"{row['excess']:+.3f} ({row['low']:+.3f} to {row['high']:+.3f})"
        yield (f"{tap:{width}}  {row['run']:8.3f}  {row['steps']:8.3f}  {row['ratio']:9.3f}  "
               f"{interval:>30}  {row['verdict']}")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="the built truncation_cost")
    parser.add_argument("model", help="a .penult file")
    parser.add_argument("-l", "--layer", action="append", default=[], help="a tap [blocks]")
    parser.add_argument("-j", "--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--milliseconds", type=float, default=30, help="for each measurement")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("--rounds: expected at least 1")
    head, pairs = measure(options)
    judgements = [judge(of_tap) for of_tap in pairs]
    print(f"{head['architecture']}, batch 1, threads {options.threads}, {options.rounds} rounds; "
          f"allowed: {FACTOR} * steps + {CONSTANT_MS} ms")
    for line in table(head["taps"], judgements):
        print(line)
    missed = sum(row["verdict"] == "missed" for row in judgements)
    print(f"{missed} of {len(judgements)} taps missed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
