#!/usr/bin/env python3
"""bench/compare_runs.py on reports made by hand."""

import contextlib
import io
import json
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))

import compare_runs  # noqa: E402


class CompareRuns(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def report(self, name, *rows):
        path = self.folder / name
        path.write_text(json.dumps({"benchmarks": [
            {"name": row, "run_type": "iteration", "real_time": time, "time_unit": unit, **more}
            for row, time, unit, more in rows]}), encoding="utf-8")
        return str(path)

    def run_main(self, *arguments):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = compare_runs.main(list(arguments))
        return code, out.getvalue(), err.getvalue()

    def test_compares_medians_and_judges_by_the_rounds(self):
        old = [self.report(f"old{i}", ("a", t, "us", {}), ("b", 10.0, "us", {}))
               for i, t in enumerate((100.0, 110.0, 90.0))]
        new = [self.report(f"new{i}", ("a", t, "ns", {}), ("b", u, "us", {}))
               for i, (t, u) in enumerate(((50e3, 9.0), (66e3, 11.0), (45e3, 10.0)))]
        code, out, _ = self.run_main(*old, "--", *new)
        self.assertEqual(code, 0)
        a, b, mean = out.splitlines()
        self.assertIn("0.500 (0.500 to 0.600) faster", a)
        self.assertIn("1.000 (0.900 to 1.100) even", b)
        self.assertIn("0.707 geometric mean of 2 rows", mean)

    def test_takes_the_median_of_repetitions_and_leaves_out_errors_and_aggregates(self):
        rows = [("a", t, "us", {}) for t in (1.0, 2.0, 9.0)]
        rows += [("a", 77.0, "us", {"run_type": "aggregate"}),
                 ("bad", 0.0, "us", {"error_occurred": True})]
        self.assertEqual(compare_runs.times(self.report("r", *rows)), {"a": 2000.0})

    def test_leaves_out_rows_that_one_side_lacks(self):
        old = self.report("old", ("a", 1.0, "us", {}))
        new = self.report("new", ("b", 1.0, "us", {}))
        code, _, err = self.run_main(old, "--", new)
        self.assertEqual(code, 1)
        self.assertIn("no row in common", err)

    def test_refuses_sides_of_unequal_number(self):
        old = self.report("old", ("a", 1.0, "us", {}))
        for arguments in ((old,), (old, "--"), (old, "--", old, old)):
            with self.subTest(arguments=arguments):
                self.assertEqual(self.run_main(*arguments)[0], 2)


if __name__ == "__main__":
    unittest.main()
