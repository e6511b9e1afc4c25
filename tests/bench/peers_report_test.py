#!/usr/bin/env python3
"""bench/peers: what becomes of measured rows."""
import os
import sys
import unittest
import xml.etree.ElementTree as xml

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../bench/peers"))
import plot
import report
import statistics_of_rows

ENGINES = ["ort", "mnn"]


def row(penult, ort, mnn, **more):
    times = {"penult": penult, "ort": ort, "mnn": mnn}
    made = statistics_of_rows.row(times, range(len(penult)))
    return {**made, "net": "n<e>t", "batch": 8, "threads": 2, "numerics": "throughput", "macs": 1_000_000_000, **more}


class Rows(unittest.TestCase):
    def test_compares_with_the_better_peer_of_each_round(self):
        made = row([10, 10, 10], [20, 8, 20], [12, 30, 12.5])
        self.assertEqual(made["ratio"], 10 / 12)  # of 10/12, 10/8, 10/12.5
        self.assertEqual(made["best"], "mnn")

    def test_is_lost_only_with_its_whole_interval(self):
        self.assertEqual(report.verdict(row([10] * 9, [9] * 9, [20] * 9)), "lost")
        self.assertEqual(report.verdict(row([9] * 9, [10] * 9, [20] * 9)), "won")
        self.assertEqual(report.verdict(row([10] * 9, [9, 11] * 4 + [9], [20] * 9)), "even")

    def test_slow_rounds_do_not_count(self):
        self.assertEqual(statistics_of_rows.usable_rounds([100, 94, 96, 99]), [0, 2, 3])


class Table(unittest.TestCase):
    def test_floor_is_the_multiply_adds_of_the_batch_at_the_peak_of_all_threads(self):
        # 2 * 8e9 operations at 2 * 100 GFLOP/s
        self.assertAlmostEqual(report.floor_ms(row([100], [100], [100]), 100), 80)
        cells = report.table([row([160], [200], [400])], ENGINES, 100).splitlines()[2].split(" | ")
        self.assertIn("80.00", cells)
        self.assertIn("50 %", cells)
        self.assertIn("throughput", cells)

    def test_has_a_cell_for_each_heading(self):
        lines = report.table([row([1], [2], [3]), row([1], [2], [3])], ENGINES, 100).splitlines()
        self.assertEqual({line.count("|") for line in lines if line.startswith("|")}, {lines[0].count("|")})
        self.assertIn("0 of 2 rows lost", lines[-1])


class Plot(unittest.TestCase):
    def test_is_xml_with_a_point_for_each_time(self):
        rows = [row([10], [20], [30]), row([10], [5], [900])]
        root = xml.fromstring(plot.svg(rows, ENGINES))
        points = [e for e in root.iter("{http://www.w3.org/2000/svg}circle") if len(e)]
        self.assertEqual([p[0].text for p in points], ["ort 2.00", "mnn 3.00", "ort 0.50", "mnn 90.00"])
        for point in points:
            self.assertLessEqual(float(point.get("cx")), plot.WIDTH)
        one = [float(e.get("x1")) for e in root.iter("{http://www.w3.org/2000/svg}line")
               if e.get("stroke") == "#222222"]
        self.assertEqual(len(one), 1)
        self.assertLess(float(points[2].get("cx")), one[0])
        self.assertGreater(float(points[0].get("cx")), one[0])


if __name__ == "__main__":
    unittest.main()
