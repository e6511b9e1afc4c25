#!/usr/bin/env python3
"""Times a process from its start to the first feature, and says how much memory it took.

    cmake --preset release -DPENULT_BUILD_BENCH=ON
    cmake --build --preset release --target cold_start
    bench/cold_start.py build/release/bench/cold_start resnet50.penult [--rounds 20] [--threads 1]

Each round is a process of its own; the model's file is in the page cache. What counts is the time from
before the process is made to its first feature, less one warm run (the fastest of five), which a process
that stays would need, too. Prints the medians over the rounds and the parts: to the beginning of main(),
reading the graph, making the extractor (plan, weights read, verified and packed), the first run less a
warm one; and the largest resident memory up to the first feature. Run it while nothing else runs.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time


def run_once(options):
    command = [options.program, options.model, options.layer, options.threads, options.numerics,
               time.monotonic()]
    result = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, encoding="utf-8")
    if result.returncode != 0:
        sys.exit(2)
    row = json.loads(result.stdout)
    row["first_run"] -= row["warm_run"]
    row["total"] = row["to_feature"] - row["warm_run"]
    return row


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="the program cold_start")
    parser.add_argument("model", help="a .penult file")
    parser.add_argument("-l", "--layer", default="penultimate", help="the tap (default: penultimate)")
    parser.add_argument("-j", "--threads", type=int, default=1, help="threads of a run (default: 1)")
    parser.add_argument("--numerics", default="latency", help="table of numerics (default: latency)")
    parser.add_argument("--rounds", type=int, default=20, help="processes (default: 20)")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("--rounds: expected at least 1")

    run_once(options)  # the file into the page cache
    rows = [run_once(options) for _ in range(options.rounds)]
    print(f"{'':28}{'median':>9}{'least':>9}")
    for key, words in [("total", "to the first feature, s"), ("main", "  process until main()"),
                       ("load", "  graph read"), ("create", "  extractor made"),
                       ("first_run", "  first run less a warm one"), ("warm_run", "a warm run, s")]:
        times = [row[key] for row in rows]
        print(f"{words:28}{statistics.median(times):9.4f}{min(times):9.4f}")
    memory = statistics.median(row["resident_kib"] for row in rows) * 1024 / 1e6
    print(f"{'resident at most, MB':28}{memory:9.1f}")


if __name__ == "__main__":
    main()
