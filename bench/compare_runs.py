#!/usr/bin/env python3
"""Compares two sets of reports of kernels_bench or nets_bench that were made in turn.

    bench/compare_runs.py OLD.1.json OLD.2.json ... -- NEW.1.json NEW.2.json ...

Prints, for each row that all reports have, the median times and new / old: the ratio of the medians,
and the range of the ratios round by round. "even" if that range holds 1. Standard library only.
"""
import json
import math
import statistics
import sys


def times(path):
    """Row -> nanoseconds; of a row with repetitions the median."""
    units = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}
    found = {}
    with open(path, encoding="utf-8") as file:
        for row in json.load(file)["benchmarks"]:
            if row.get("run_type") != "aggregate" and not row.get("error_occurred"):
                found.setdefault(row["name"], []).append(row["real_time"] * units[row["time_unit"]])
    return {name: statistics.median(values) for name, values in found.items()}


def compare(old, new):
    """Two lists of {row: time} -> [(row, old median, new median, ratio, least, most)]."""
    names = [name for name in old[0] if all(name in report for report in old + new)]
    rows = []
    for name in names:
        before, after = [r[name] for r in old], [r[name] for r in new]
        ratios = [b / a for a, b in zip(before, after)]
        medians = statistics.median(before), statistics.median(after)
        rows.append((name, *medians, medians[1] / medians[0], min(ratios), max(ratios)))
    return rows


def verdict(least, most):
    return "even" if least <= 1 <= most else "faster" if most < 1 else "slower"


def main(arguments):
    if arguments.count("--") != 1:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    middle = arguments.index("--")
    old, new = arguments[:middle], arguments[middle + 1:]
    if not old or len(old) != len(new):
        print(f"compare_runs: expected as many old reports as new ones, got {len(old)} and {len(new)}",
              file=sys.stderr)
        return 2
    rows = compare([times(path) for path in old], [times(path) for path in new])
    if not rows:
        print("compare_runs: the reports have no row in common", file=sys.stderr)
        return 1
    for name, before, after, ratio, least, most in rows:
        print(f"{ratio:6.3f} ({least:.3f} to {most:.3f}) {verdict(least, most):6} "
              f"{before / 1e3:12.2f} -> {after / 1e3:12.2f} us  {name}")
    mean = math.exp(statistics.fmean(math.log(row[3]) for row in rows))
    print(f"{mean:6.3f} geometric mean of {len(rows)} rows")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
