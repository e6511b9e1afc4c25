#!/usr/bin/env python3
"""bench/truncation_cost.cpp measures the taps that it is asked for. What it measures is not judged here."""

import json
import os
import subprocess

import support

PROGRAM = os.environ.get("PENULT_TRUNCATION_COST", "")


class TruncationCost(support.ModelTest):
    def measure(self, *arguments, code=0):
        result = subprocess.run([PROGRAM, self.model, *arguments], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, encoding="utf-8")
        self.assertEqual(result.returncode, code, result.stderr)
        return [json.loads(line) for line in result.stdout.splitlines()]

    def test_each_tap_in_each_round(self):
        head, *rows = self.measure("2", "1", "1", "features.3", "penultimate")
        self.assertEqual(head, {"architecture": "mobilenet_v2",
                                "taps": ["features.3.add", "adaptive_avg_pool2d"]})
        self.assertEqual([(row["tap"], row["round"]) for row in rows],
                         [(0, 0), (1, 0), (1, 1), (0, 1)])
        for row in rows:
            self.assertTrue(0 < row["truncated_ms"] and 0 < row["steps_ms"])

    def test_blocks_are_the_default(self):
        self.assertEqual(len(self.measure("0", "1", "1")[0]["taps"]), 19)

    def test_an_unknown_tap_is_an_error(self):
        self.measure("1", "1", "1", "gone", code=2)


if __name__ == "__main__":
    support.main()
