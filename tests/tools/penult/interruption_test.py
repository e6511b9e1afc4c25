#!/usr/bin/env python3
"""The program when it is stopped, when disks are full and when its streams are closed."""

import resource
import signal
import subprocess
import time

import support
from support import PROGRAM, WEIGHTS

COMMANDS = (["--help"], ["--version"], ["doctor"], ["inspect"], ["inspect", "--json"], ["bench"])


def wait_until_caught(pid, number):
    """Waits until the process handles the signal, which takes a while on a busy machine."""
    for _ in range(600):
        with open(f"/proc/{pid}/status") as status:
            caught = next(int(line.split()[1], 16) for line in status
                          if line.startswith("SigCgt:"))
        if caught >> (number - 1) & 1:
            return
        time.sleep(0.1)


class Signals(support.ModelTest):
    def start(self, *arguments, **options):
        return subprocess.Popen([PROGRAM, "extract", *arguments, "-m", self.model, "-o", "x.npz"],
                                cwd=self.folder, stderr=subprocess.PIPE, stdout=subprocess.PIPE,
                                text=True, **options)

    def assert_stops(self, process, number, code):
        wait_until_caught(process.pid, number)
        time.sleep(0.3)  # into the middle of the run
        self.assertIsNone(process.poll(), "was to run until it is stopped")
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
        self.assertEqual(process.returncode, code, errors)
        self.assertRegex(errors, r"\Apenult: Cancelled: [^\n]+; nothing was written\n\Z")

    def test_in_the_middle_of_a_run_leave_nothing(self):
        self.png("a.png")
        (self.folder / "list").write_text("a.png\n" * 1_000_000)
        before = self.files()
        for number, code in ((signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)):
            process = self.start("@list", "--backend", "reference", stdin=subprocess.DEVNULL)
            self.assert_stops(process, number, code)
            self.assertEqual(self.files(), before)

    def test_end_the_wait_for_a_list(self):
        for number, code in ((signal.SIGTERM, 143), (signal.SIGINT, 130)):
            self.assert_stops(self.start("-", stdin=subprocess.PIPE), number, code)
        self.assertEqual(self.files(), [])


class Streams(support.ModelTest):
    def command(self, command):
        takes_model = command[0] in ("inspect", "bench")
        quick = ["--seconds", "0.01"] if command[0] == "bench" else []
        return [*command, *([self.model] if takes_model else []), *quick]

    def test_output_that_does_not_arrive_is_an_io_error(self):
        self.png("a.png")
        extract = ["extract", "a.png", "-m", self.model, "-o", "x.npz", "--force"]
        convert = ["convert", WEIGHTS, "-o", "m", "--force"]
        for command in (*COMMANDS, extract, convert):
            with open("/dev/full", "w") as full:
                result = self.penult(*self.command(command), stdout=full, code=4)
            self.assertIn("standard output", result.stderr)
        # What was written is complete all the same.
        self.assertEqual(support.read_npz(self.folder / "x.npz")["paths"][1], ["a.png"])
        self.penult("inspect", "m")

    def shell(self, redirection, *arguments):
        script = f'"$0" "$@" {redirection}'
        return subprocess.run(["sh", "-c", script, PROGRAM, *map(str, arguments)], timeout=300,
                              cwd=self.folder, capture_output=True, text=True)

    def test_closed_streams_do_no_harm_to_files(self):
        self.png("a.png")
        want = self.extracted("a.png")
        extract = ["extract", "a.png", "gone.png", "-m", self.model, "-o", "x.npz", "--force"]
        for redirection in ("<&-", ">&-", "2>&-", "<&- >&-", "<&- >&- 2>&-"):
            self.assertEqual(self.shell(redirection, *extract).returncode, 1, redirection)
            arrays = support.read_npz(self.folder / "x.npz")
            self.assertEqual(arrays["penultimate"], want["penultimate"])
            self.assertEqual(len(support.read_csv(self.folder / "x.npz.errors.csv")), 2)
        self.assertEqual(self.shell(">&-", "inspect", self.model).returncode, 4)
        self.assertEqual(self.shell("<&-", "inspect", self.model).returncode, 0)
        self.assertEqual(self.shell("<&-", "extract", "-", *extract[3:]).returncode, 4)

    def leave(self, *command):
        """(exit code, stderr) of a command whose output nobody reads."""
        process = subprocess.Popen([PROGRAM, *map(str, command)], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, cwd=self.folder)
        process.stdout.close()
        errors = process.stderr.read()
        process.stderr.close()
        return process.wait(timeout=60), errors

    def test_a_reader_that_leaves_early_is_told_nothing(self):
        self.png("a.png")
        extract = ["extract", "a.png", "-m", self.model, "-o", "x.npz"]
        convert = ["convert", WEIGHTS, "-o", "m"]
        for command in (*COMMANDS, ["fetch", "--list"], ["--help"], ["extract", "--help"], extract,
                        convert):
            self.assertEqual(self.leave(*self.command(command)), (141, ""), command)
        # What was written is complete all the same.
        self.assertEqual(support.read_npz(self.folder / "x.npz")["paths"][1], ["a.png"])
        self.penult("inspect", "m")

    def test_a_failure_is_told_also_when_the_reader_has_left(self):
        code, errors = self.leave("extract", "gone.png", "-m", self.model, "-o", "x.npz")
        self.assertNotIn(code, (0, 141))
        self.assertIn("gone.png", errors)


class FullDisk(support.ModelTest):
    """A limit on the size of files acts as a full disk does."""

    def limited(self, size, *arguments, code):
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

        return self.penult(*arguments, code=code, preexec_fn=limit)

    def test_leaves_nothing_and_replaces_nothing(self):
        for i in range(4):
            self.png(f"{i}.png")
        before = self.files()
        inputs = [f"{i}.png" for i in range(4)] + ["gone.png"]
        for out in ("x.npz", "x.npy", "x.csv"):
            command = ["extract", *inputs, "-m", self.model, "-o", out]
            self.assertIn("NoSpace", self.limited(9000, *command, code=4).stderr)
            self.assertEqual(self.files(), before)
        self.penult("extract", *inputs, "-m", self.model, "-o", "x.npz", code=1)
        old = {path: path.read_bytes() for path in self.folder.glob("x.*")}
        self.assertEqual(len(old), 2)
        self.limited(9000, "extract", *inputs, "-m", self.model, "-o", "x.npz", "--force", code=4)
        self.assertEqual({path: path.read_bytes() for path in self.folder.glob("x.*")}, old)

    def test_leaves_no_half_model(self):
        result = self.limited(1_000_000, "convert", WEIGHTS, "-o", "m", code=4)
        self.assertIn("NoSpace", result.stderr)
        self.assertEqual(self.files(), [])


if __name__ == "__main__":
    support.main()
