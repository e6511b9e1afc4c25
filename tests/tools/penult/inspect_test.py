#!/usr/bin/env python3
"""penult inspect and penult bench, and model files that are damaged or missing."""

import json
import os

import support

TAP_KEYS = ["name", "aliases", "op", "shape", "dim", "macs", "macs_share", "weights",
            "weights_share", "ram_bytes", "receptive_field", "stride", "ms"]
BENCH_KEYS = ["model", "tap", "batch", "threads", "device", "precision", "backend", "isa", "numerics",
              "runs", "median_ms", "min_ms", "mad_ms"]
STEP_KEYS = BENCH_KEYS[:10] + ["step", "kernel", "macs", "median_ms", "share", "cumulative_ms"]


class Inspect(support.ModelTest):
    def root(self, *options):
        return json.loads(self.penult("inspect", self.model, "--json", *options).stdout)

    def taps(self):
        root = self.root()
        self.assertEqual(list(root), ["model", "taps", "notes"])
        return root["model"], {tap["name"]: tap for tap in root["taps"]}

    def test_json_describes_model_and_taps(self):
        model, taps = self.taps()
        self.assertEqual((model["architecture"], model["input"]), ("mobilenet_v2", [3, 32, 32]))
        self.assertRegex(model["model_id"], r"\A[0-9a-f]{64}\Z")
        self.assertRegex(model["source_sha256"], r"\A2f518e773d4402dd")
        self.assertGreater(len(taps), 100)
        for tap in taps.values():
            self.assertEqual(list(tap), TAP_KEYS)
            self.assertEqual(tap["dim"], tap["shape"][0])
        block = taps["features.14.conv.3"]
        self.assertEqual((block["shape"], block["op"]), ([160, 1, 1], "batchnorm"))
        self.assertIn("features.14", block["aliases"])

    def test_costs_grow_towards_the_end(self):
        _, taps = self.taps()
        blocks = [tap for tap in taps.values() if tap["op"] == "conv2d"]
        for key in ("macs", "weights", "macs_share", "weights_share", "receptive_field", "stride",
                    "ms"):
            values = [tap[key] for tap in blocks]
            self.assertEqual(values, sorted(values), key)
        last = list(taps.values())[-1]
        self.assertEqual((last["macs_share"], last["weights_share"]), (1, 1))
        self.assertEqual((last["receptive_field"], last["stride"]), (32, None))
        self.assertEqual(taps["features.17.conv.3"]["receptive_field"], 491)

    def test_a_tap_inside_a_step_has_the_time_of_the_step(self):
        _, taps = self.taps()
        names = ("features.3.conv.2", "features.3.conv.3", "features.3.add")
        self.assertEqual(len({taps[name]["ms"] for name in names}), 1)
        self.assertTrue(0 < taps["features.3.add"]["ms"] < taps["features.4.conv.0.0"]["ms"])

    def test_ram_is_what_a_run_to_the_tap_needs(self):
        _, taps = self.taps()
        for tap in taps.values():
            # Four numbers of a batchnorm become one, folded.
            self.assertGreater(tap["ram_bytes"], 3 * tap["weights"])
        # 2.2 million weights and maps of at most 96 x 16 x 16
        self.assertLess(taps["adaptive_avg_pool2d"]["ram_bytes"], 10 << 20)
        self.assertLess(taps["features.3.add"]["ram_bytes"],
                        taps["features.17.conv.3"]["ram_bytes"] / 10)

    def test_without_ms_the_output_is_the_same_each_time(self):
        for options in ([], ["-v"], ["--json"], ["--json", "-v"]):
            first, second = (self.penult("inspect", self.model, "--no-ms", *options).stdout
                             for _ in range(2))
            self.assertEqual(first, second)
        root = self.root("--no-ms")
        self.assertEqual({tap["ms"] for tap in root["taps"]}, {None})
        self.assertEqual(root["notes"], [])

    def test_verbose_json_has_the_steps_and_their_kernels(self):
        root = self.root("-v")
        self.assertEqual(list(root), ["model", "taps", "steps", "notes"])
        steps = root["steps"]
        self.assertEqual((steps[0]["kernel"], steps[-1]["kernel"]), ("copy_input", "deliver"))
        by_name = {step["name"]: step for step in steps[:-1]}
        self.assertRegex(by_name["features.3.conv.1"]["kernel"], r"^conv2d_depthwise_f32_")
        self.assertEqual(by_name["features.3.conv.1"]["declined"], [])
        self.assertIn("kernel must be 3x3 or 5x5, got 1x1",
                      "".join(by_name["features.3.add"]["declined"]))

    def test_the_isa_class_is_said_and_a_wrong_one_refused(self):
        text = self.penult("inspect", self.model, "--no-ms", env={"PENULT_ISA_MAX": "scalar"}).stdout
        self.assertIn("native scalar\n", text)
        self.penult("inspect", self.model, env={"PENULT_ISA_MAX": "sse9"}, code=2)

    def test_table_has_a_line_for_each_tap(self):
        _, taps = self.taps()
        plain = self.penult("inspect", self.model).stdout
        self.assertLessEqual(max(map(len, plain.splitlines())), 120)
        verbose = self.penult("inspect", self.model, "-v").stdout
        for name in taps:
            self.assertRegex(plain, rf"(?m)^{name} ")
        self.assertIn("-l blocks stands for 19 taps", plain)
        self.assertNotIn("features.14.conv,", plain)
        self.assertRegex(verbose,
                         r"(?m)^features\.14\.conv\.3 .*  .*features\.14, features\.14\.conv$")
        self.assertRegex(verbose, r"(?m)^features\.3\.add +conv2d_igemm_f32_\w+ +"
                                  r"conv2d_depthwise_f32_\S+: kernel must be")
        self.assertNotIn("conv2d_igemm", plain)


class Damaged(support.ModelTest):
    def damaged(self, change):
        data = bytearray(self.model.read_bytes())
        path = self.folder / "damaged.penult"
        path.write_bytes(change(data) or data)
        return path

    def test_a_missing_model_is_an_io_error_in_every_command(self):
        os.mkfifo(self.folder / "fifo")
        self.png("a.png")
        for name in ("gone", "fifo", self.folder):
            self.penult("inspect", name, code=4)
            self.penult("bench", name, code=4)
            self.penult("extract", "a.png", "-m", name, "-o", "x.npz", code=4)

    def test_a_damaged_model_is_refused_in_every_command(self):
        self.png("a.png")

        def flip(data):
            data[200] ^= 1

        for change in (flip, lambda data: data[:-64], lambda data: data[:30], lambda data: b"-",
                       lambda data: data + b"-", lambda data: b"PK" + data[2:]):
            path = self.damaged(change)
            self.penult("inspect", path, code=3)
            self.penult("bench", path, code=3)
            self.penult("extract", "a.png", "-m", path, "-o", "x.npz", code=3)
            self.assertNotIn("x.npz", self.files())

    def test_weights_are_verified_when_they_are_used(self):
        def flip_last_weight(data):
            data[-64] ^= 1

        path = self.damaged(flip_last_weight)
        self.png("a.png")
        self.assertIn("ChecksumMismatch", self.penult("inspect", path, code=3).stderr)
        self.penult("extract", "a.png", "-m", path, "-o", "x.npz", code=3)
        # Nothing after the tap is read, so nothing after it can spoil it.
        self.penult("extract", "a.png", "-m", path, "-o", "x.npz", "-l", "features.3")

    def test_an_unknown_tap_comes_with_the_nearest_names(self):
        for command in (["bench"], ["extract", "a.png", "-o", "x.npz", "-m"]):
            result = self.penult(*command, self.model, "-l", "feature.14", code=2)
            self.assertIn('no tap is called "feature.14"', result.stderr)
            self.assertIn('"features.14"', result.stderr)


class Bench(support.ModelTest):
    def bench(self, *arguments, **options):
        return self.penult("bench", *arguments, "--seconds", "0.01", **options).stdout

    def test_json_is_one_object_a_line_in_the_order_of_the_lists(self):
        text = self.bench(self.model, "-b", "1,3", "-j", "1,2", "-l", "features.2", "-l",
                          "penultimate", "--json")
        rows = [json.loads(line) for line in text.splitlines()]
        self.assertEqual([(row["tap"], row["batch"], row["threads"]) for row in rows],
                         [(tap, batch, threads) for tap in ("features.2", "penultimate")
                          for batch in (1, 3) for threads in (1, 2)])
        for row in rows:
            self.assertEqual(list(row), BENCH_KEYS)
            self.assertEqual((row["model"], row["device"], row["backend"]),
                             ("mobilenet_v2", "cpu", "native"))
            self.assertTrue(0 < row["min_ms"] <= row["median_ms"])
            self.assertGreaterEqual(row["runs"], 5)

    def test_steps_sum_up(self):
        text = self.bench(self.model, "--steps", "--json", "-l", "features.2", "-l", "features.3")
        rows = [json.loads(line) for line in text.splitlines()]
        for tap in ("features.2", "features.3"):
            steps = [row for row in rows if row["tap"] == tap]
            self.assertEqual((steps[0]["step"], steps[0]["kernel"]), ("input", "copy_input"))
            self.assertEqual(steps[-1]["kernel"], "deliver")
            self.assertAlmostEqual(sum(row["share"] for row in steps), 1, 6)
            total = 0
            for row in steps:
                self.assertEqual(list(row), STEP_KEYS)
                self.assertGreaterEqual(row["runs"], 5)
                total += row["median_ms"]
                self.assertAlmostEqual(row["cumulative_ms"], total, 9)
        table = self.bench(self.model, "--steps", "-l", "features.3")
        self.assertRegex(table, r"(?m)^features\.3\.add +conv2d_igemm_f32_\w+( +\d+\.\d+){3}$")

    def test_lists_do_not_swallow_the_model(self):
        for option, value in (("-b", "1,2"), ("-j", "1"), ("-l", "features.2"),
                              ("--backend", "native,reference")):
            self.assertIn("batch", self.bench(option, value, self.model))

    def test_names_are_checked_before_anything_is_timed(self):
        for arguments in (["--backend", "native,cudnn"], ["-l", "features.2", "-l", "gone"],
                          ["-l", "blocks"], ["--steps", "--backend", "native,reference"], ["-b", "1,0"], ["-j", "1,x"],
                          ["--seconds", "0"], ["--seconds", "nan"]):
            self.assertEqual(self.penult("bench", self.model, *arguments, code=2).stdout, "")


if __name__ == "__main__":
    support.main()
