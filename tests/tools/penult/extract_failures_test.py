#!/usr/bin/env python3
"""penult extract: images that cannot be read. Each fails by itself; all others keep their bits."""

import shutil

import support
from support import PHOTOS, read_csv, read_npz


class FailedRows(support.ModelTest):
    def setUp(self):
        super().setUp()
        (self.folder / "in").mkdir()

    def photos(self):
        for name in ("chelsea.png", "retina.jpg", "rocket.jpg"):
            shutil.copy(PHOTOS / name, self.folder / "in" / name)

    def assert_one_failure(self, code, reason):
        """retina.jpg fails, and the other two rows are those of a run without it."""
        result = self.extract("in", "--force", code=1)
        self.assertIn('1 of 3 inputs failed, listed in "x.npz.errors.csv"', result.stderr)
        rows = read_csv(self.folder / "x.npz.errors.csv")
        self.assertEqual(rows[0], ["path", "code", "reason"])
        self.assertEqual([row[:2] for row in rows[1:]], [["in/retina.jpg", code]])
        self.assertRegex(rows[1][2], reason)
        got = read_npz(self.folder / "x.npz")
        self.extract("in/chelsea.png", "in/rocket.jpg", out="clean.npz")
        want = read_npz(self.folder / "clean.npz")
        (self.folder / "clean.npz").unlink()
        for key in ("penultimate", "paths", "labels"):
            self.assertEqual(got[key], want[key])

    def test_a_truncated_jpeg_fails_and_the_other_rows_keep_their_bits(self):
        self.photos()
        path = self.folder / "in/retina.jpg"
        whole = path.read_bytes()
        for size in (len(whole) // 2, len(whole) - 2, 600, 3):
            path.write_bytes(whole[:size])
            self.assert_one_failure("ImageCorrupt", "JPEG")

    def test_other_damage_fails_likewise(self):
        self.photos()
        path = self.folder / "in/retina.jpg"
        png = (PHOTOS / "coffee.png").read_bytes()
        for data, code, reason in ((b"", "ImageCorrupt", "empty"),
                                   (b"hello", "ImageUnsupported", "."),
                                   (b"GIF89a" + bytes(100), "ImageUnsupported", "GIF"),
                                   (png[:-4000], "ImageCorrupt", "."),
                                   (png[:9000] + b"\xff" + png[9001:], "ImageCorrupt", ".")):
            path.write_bytes(data)
            self.assert_one_failure(code, reason)

    def test_failures_anywhere_in_a_batch_do_not_shift_rows(self):
        for i in range(9):
            if i % 3 == 1:
                (self.folder / f"in/{i}.png").write_text("no picture")
            else:
                self.png(f"in/{i}.png", seed=i)
        good = [f"in/{i}.png" for i in range(9) if i % 3 != 1]
        want = self.extracted(*good)["penultimate"]
        for batch in (1, 2, 3, 4, 8):
            arrays = self.extracted("in", "-b", batch, code=1)
            self.assertEqual((arrays["paths"][1], arrays["penultimate"]), (good, want))
            self.assertEqual(arrays["provenance"]["inputs"], 9)

    def test_a_listed_path_that_does_not_exist_is_a_failed_row(self):
        self.png("a.png")
        (self.folder / "list").write_text("gone.png\na.png\n/a.png/b\n")
        self.extract("gone too.png", "@list", code=1)
        self.assertEqual([row[:2] for row in read_csv(self.folder / "x.npz.errors.csv")[1:]],
                         [["gone too.png", "NotFound"], ["gone.png", "NotFound"],
                          ["/a.png/b", "NotFound"]])

    def test_all_failed_still_writes_arrays_of_no_rows(self):
        (self.folder / "empty.png").touch()
        self.extract("empty.png", "gone.png", code=1)
        arrays = read_npz(self.folder / "x.npz")
        self.assertEqual([arrays[key][0] for key in ("penultimate", "paths", "labels")],
                         [(0, 1280), (0,), (0,)])

    def test_names_in_errors_are_quoted_for_csv_and_escaped_for_the_terminal(self):
        names = ['comma,.png', 'quote".png', "line\nbreak.png", "return\r.png", "b\udcff.png"]
        self.png("a.png")
        result = self.extract(*names, "a.png", code=1)
        self.assertIn("5 of 6 inputs failed", result.stderr)
        data = (self.folder / "x.npz.errors.csv").read_bytes()
        self.assertTrue(data.startswith(b'path,code,reason\r\n"comma,.png",NotFound,'))
        self.assertIn(b'\r\n"quote"".png",', data)
        self.assertTrue(data.endswith(b"\r\n"))
        self.assertEqual([row[0] for row in read_csv(self.folder / "x.npz.errors.csv")[1:]], names)
        self.assertIn(r"line\x0abreak.png",
                      self.extract("line\nbreak.png", "a.png", "--force", code=1).stderr)

    def test_names_that_are_no_text_arrive_as_python_reads_them(self):
        self.png("in/b\udcff\xe9.png")
        self.assertEqual(self.extracted("in")["paths"][1], ["in/b\udcff\xe9.png"])


class Rates(support.ModelTest):
    def setUp(self):
        super().setUp()
        for i in range(3):
            self.png(f"{i}.png")
        self.inputs = ["0.png", "1.png", "2.png", "gone.png"]

    def test_a_rate_up_to_the_allowed_one_is_success_and_still_reported(self):
        for rate in ("0.25", "0.5", "1"):
            text = self.extract(*self.inputs, "--max-failure-rate", rate, "--force").stdout
            self.assertIn("1 of 4 inputs failed", text)
            self.assertEqual(len(read_csv(self.folder / "x.npz.errors.csv")), 2)
        (self.folder / "empty.png").touch()
        self.extract("empty.png", "--max-failure-rate", "1", "--force")

    def test_a_rate_above_it_is_exit_1_after_the_work_is_written(self):
        for rate in ("0", "0.2"):
            self.extract(*self.inputs, "--max-failure-rate", rate, "--force", code=1)
            self.assertEqual(read_npz(self.folder / "x.npz")["penultimate"][0], (3, 1280))

    def test_on_error_fail_stops_and_writes_nothing(self):
        before = self.files()
        result = self.extract(*self.inputs, "--on-error", "fail", code=1)
        self.assertIn("gone.png", result.stderr)
        self.assertEqual(self.files(), before)
        # An earlier result stays what it was.
        (self.folder / "x.npz").write_text("precious")
        self.extract(*self.inputs, "--on-error", "fail", "--force", code=1)
        self.assertEqual((self.folder / "x.npz").read_text(), "precious")
        self.extract(*self.inputs[:3], "--on-error", "fail", "--force")

    def test_quiet_prints_nothing_but_errors(self):
        self.assertEqual(self.extract(*self.inputs[:3], "--quiet").stdout, "")
        self.assertEqual(self.extract(*self.inputs, "--quiet", "--force", code=1).stdout, "")
        self.assertEqual(self.extract(*self.inputs, "--quiet", "--force", "--max-failure-rate",
                                      "1").stdout, "")


if __name__ == "__main__":
    support.main()
