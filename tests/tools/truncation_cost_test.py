#!/usr/bin/env python3
"""bench/truncation_cost.py tells misses from chance, on made-up times."""

import json
import os
import random
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "bench/truncation_cost.py"
sys.dont_write_bytecode = True
sys.path.insert(0, str(SCRIPT.parent))

import truncation_cost  # noqa: E402


def rounds(run, steps, noise, count=20):
    numbers = random.Random(1)
    return [(run + numbers.uniform(-noise, noise), steps + numbers.uniform(-noise, noise))
            for _ in range(count)]


class Judge(unittest.TestCase):
    def verdict(self, *arguments):
        return truncation_cost.judge(rounds(*arguments))["verdict"]

    def test_what_is_allowed_is_kept(self):
        self.assertEqual(self.verdict(10, 10, 0.1), "kept")
        self.assertEqual(self.verdict(10.5, 10, 0.01), "kept")
        self.assertEqual(self.verdict(0.19, 0.1, 0.001), "kept")

    def test_what_is_clearly_above_is_missed(self):
        self.assertEqual(self.verdict(10.7, 10, 0.01), "missed")
        self.assertEqual(self.verdict(0.22, 0.1, 0.001), "missed")

    def test_what_chance_may_have_lifted_is_not_missed(self):
        self.assertEqual(self.verdict(10.65, 10, 2), "unclear")

    def test_rounds_are_compared_one_by_one(self):
        drifting = [(scale * 10.8, scale * 10) for scale in range(1, 21)]
        self.assertEqual(truncation_cost.judge(drifting)["verdict"], "missed")
        self.assertAlmostEqual(truncation_cost.judge(drifting)["ratio"], 1.08)


class Script(unittest.TestCase):
    """With a program that prints what it is told to."""

    def run_script(self, lines, code):
        with tempfile.TemporaryDirectory() as folder:
            program = Path(folder) / "program"
            text = "\n".join(map(json.dumps, lines))
            program.write_text(f"#!/bin/sh\ncat <<'END'\n{text}\nEND\n", encoding="utf-8")
            os.chmod(program, 0o755)
            result = subprocess.run([sys.executable, "-B", SCRIPT, program, "net.penult"],
                                    stdout=subprocess.PIPE, encoding="utf-8")
        self.assertEqual(result.returncode, code)
        return result.stdout

    def rows(self, tap, run, steps):
        return [{"tap": tap, "round": i, "truncated_ms": a, "steps_ms": b}
                for i, (a, b) in enumerate(rounds(run, steps, 0.001))]

    def test_a_miss_is_exit_1(self):
        head = {"architecture": "net", "taps": ["layer1", "layer2"]}
        good = self.rows(0, 1, 1)
        text = self.run_script([head, *good, *self.rows(1, 2, 2)], 0)
        self.assertIn("0 of 2 taps missed", text)
        text = self.run_script([head, *good, *self.rows(1, 3, 2)], 1)
        self.assertRegex(text, r"(?m)^layer1 .*kept$")
        self.assertRegex(text, r"(?m)^layer2 .*missed$")


if __name__ == "__main__":
    unittest.main()
