#!/usr/bin/env python3
"""docs/cli.md, the man page and the completion are what the program says of itself, and work."""

import json
import shutil
import subprocess
import sys
import unittest

import support
from support import PROGRAM, ROOT

COMPLETION = ROOT / "tools/completion/penult.bash"


class CliDocuments(unittest.TestCase):
    def test_are_those_of_this_program(self):
        result = subprocess.run([sys.executable, "-B", ROOT / "tools/make_cli_docs.py", PROGRAM, "--check"],
                                capture_output=True, text=True)
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "", ""))

    def test_describe_every_command_and_option(self):
        description = json.loads(subprocess.run([PROGRAM, "--describe"], check=True,
                                                capture_output=True, text=True).stdout)
        text = (ROOT / "docs/cli.md").read_text(encoding="utf-8")
        listed = subprocess.run([PROGRAM, "--help"], capture_output=True, text=True).stdout
        for command in description["commands"]:
            self.assertIn(f"\n  {command['name']} ", listed)
            self.assertIn(f"\n## penult {command['name']}\n", text)
            for option in command["options"]:
                self.assertIn(f"`{option['names'][-1]}`", text)
                self.assertTrue(option["text"], option["names"])

    @unittest.skipUnless(shutil.which("man"), "needs man")
    def test_man_page_is_read_without_complaint(self):
        result = subprocess.run(["man", "--warnings", "-l", ROOT / "docs/man/penult.1"],
                                capture_output=True, text=True)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertIn("penult extract INPUT...", result.stdout)


class Completion(unittest.TestCase):
    def complete(self, *words):
        script = (f'source "{COMPLETION}"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _penult; '
                  'printf "%s\\n" "${COMPREPLY[@]}"')
        result = subprocess.run(["bash", "--norc", "-c", script, "bash", *words], check=True,
                                capture_output=True, text=True)
        self.assertEqual(result.stderr, "")
        return result.stdout.split()

    def test_of_commands_options_and_values(self):
        self.assertEqual(self.complete("penult", "ext"), ["extract"])
        self.assertIn("doctor", self.complete("penult", ""))
        self.assertEqual(self.complete("penult", "extract", "--on-"), ["--on-error"])
        self.assertEqual(self.complete("penult", "extract", "--on-error", ""), ["skip", "fail"])
        self.assertEqual(self.complete("penult", "extract", "--exif", "i"), ["ignore"])
        self.assertEqual(self.complete("penult", "inspect", "mod"), [])  # bash completes files


if __name__ == "__main__":
    support.main(needs_assets=False)
