#!/usr/bin/env python3
"""penult extract: what it shows of its progress, on a terminal, as JSON, and to nobody."""

import json
import re
import subprocess

import support
from support import PROGRAM, make_terminal_picture

STAGES = ["read", "decode", "resize", "net", "write"]


class Progress(support.ModelTest):
    def setUp(self):
        super().setUp()
        for i in range(20):
            self.png(f"in/{i}.png", seed=i)
        (self.folder / "in/bad.png").write_text("no picture")

    def on_a_terminal(self, *options):
        """What a terminal is sent, both streams in the order in which they arrive."""
        command = [PROGRAM, "extract", "in", "-m", self.model, "-o", "x.npz", "--force", *options]
        code, shown = make_terminal_picture.on_terminal(command, cwd=self.folder)
        self.assertEqual(code, 1)
        return shown.decode().replace("\r\n", "\n")

    def test_on_a_terminal_is_one_line_that_ends_before_what_follows(self):
        lines = self.on_a_terminal().split("\n")
        self.assertTrue(lines[0].startswith("\r"))
        last = lines[0].split("\r")[-1]
        self.assertRegex(last, r"\A21/21 images  [\d.]+/s  0 s left  1 failed  limited by: \w+\x1b\[K\Z")
        self.assertEqual(lines[1], "x.npz: penultimate 20 x 1280")
        self.assertRegex(lines[2], r"\Atime of the threads: read \d+ %, .*write \d+ %\Z")

    def test_quiet_shows_errors_only(self):
        self.assertRegex(self.on_a_terminal("--quiet"), r"\Apenult: [^\n]*\n\Z")

    def test_as_json_is_one_object_a_line_with_the_last_one_complete(self):
        result = subprocess.run([PROGRAM, "extract", "in", "-m", self.model, "-o", "x.npz", "--json-progress"],
                                cwd=self.folder, capture_output=True, text=True)
        *lines, error = result.stderr.splitlines()
        self.assertTrue(error.startswith("penult: ImageUnsupported: "), error)
        last = json.loads(lines[-1])
        self.assertEqual((last["done"], last["total"], last["failed"]), (21, 21, 1))
        self.assertEqual(list(last["stage_s"]), STAGES)
        self.assertIn(last["stage"], STAGES)
        self.assertEqual(last["stage"], max(last["stage_s"], key=last["stage_s"].get))

    def test_in_a_pipe_there_is_none(self):
        self.assertFalse(re.search("images", self.extract("in", code=1).stderr))


if __name__ == "__main__":
    support.main()
