#!/usr/bin/env python3
"""penult extract: which files INPUT arguments stand for, in which order, under which label."""

import os
import shutil
import subprocess
import unittest

import support


class Inputs(support.ModelTest):
    def paths(self, *arguments, **options):
        arrays = self.extracted(*arguments, "-l", "features.0.0", **options)
        rows = arrays["features.0.0"][0][0]
        self.assertEqual((rows,), arrays["paths"][0])
        self.assertEqual((rows,), arrays["labels"][0])
        return list(arrays["paths"][1])

    def test_a_folder_is_searched_and_sorted_by_bytes(self):
        names = ["B.png", "a.png", "b/2.png", "b/10.png", "b.png", "b/c/x.png", "\xe9.png"]
        for name in names:
            self.png(f"in/{name}")
        expected = ["in/B.png", "in/a.png", "in/b.png", "in/b/10.png", "in/b/2.png",
                    "in/b/c/x.png", "in/\xe9.png"]
        self.assertEqual(self.paths("in"), expected)
        self.assertEqual(self.paths("in/"), expected)
        self.assertEqual(self.paths("./in"), ["./" + path for path in expected])

    def test_label_is_the_first_folder_below_the_input(self):
        for name in ("in/x.png", "in/cat/x.png", "in/cat/big/x.png", "in/dog/x.png"):
            self.png(name)
        (self.folder / "list").write_text("in/cat/x.png\n")
        arrays = self.extracted("in", "in/cat", "in/cat/x.png", "@list")
        self.assertEqual(list(zip(arrays["paths"][1], arrays["labels"][1])), [
            ("in/cat/big/x.png", "cat"), ("in/cat/x.png", "cat"), ("in/dog/x.png", "dog"),
            ("in/x.png", ""), ("in/cat/big/x.png", "big"), ("in/cat/x.png", ""),
            ("in/cat/x.png", ""), ("in/cat/x.png", "")])

    def test_several_inputs_keep_the_order_of_the_command_line(self):
        for name in ("z.png", "a/1.png", "m.png"):
            self.png(name)
        self.assertEqual(self.paths("z.png", "a", "m.png", "z.png"),
                         ["z.png", "a/1.png", "m.png", "z.png"])

    def test_lists_keep_their_order_and_their_spelling(self):
        for name in ("b.png", "a.png", " .png"):
            self.png(name)
        (self.folder / "list.txt").write_bytes(b"b.png\r\n\n./a.png\n .png\nb.png")
        expected = ["b.png", "./a.png", " .png", "b.png"]
        self.assertEqual(self.paths("@list.txt"), expected)
        text = (self.folder / "list.txt").read_text()
        self.assertEqual(self.paths("a.png", "-", input=text), ["a.png", *expected])

    def test_a_list_may_start_with_a_byte_order_mark(self):
        self.png("a.png")
        (self.folder / "list").write_bytes(b"\xef\xbb\xbfa.png\r\n")
        self.assertEqual(self.paths("@list"), ["a.png"])

    def test_what_is_no_list_is_refused_before_memory_is_full(self):
        errors = self.extract("@/dev/zero", code=2).stderr
        self.assertIn("expected a list of paths, one a line", errors)

    def test_a_list_that_cannot_be_read_is_an_io_error(self):
        self.extract("@gone", code=4)
        self.extract(f"@{self.folder}", code=4)
        folder = os.open(self.folder, os.O_RDONLY)
        self.addCleanup(os.close, folder)
        self.extract("-", stdin=folder, code=4)

    def test_options_may_stand_before_and_after_inputs(self):
        for name in ("a.png", "b.png"):
            self.png(name)
        for arguments in (["-l", "features.0", "a.png", "b.png", "-l", "features.1"],
                          ["a.png", "-l", "features.0", "b.png", "-l", "features.1"],
                          ["a.png", "b.png", "--layer=features.0", "--layer", "features.1"]):
            arrays = self.extracted(*arguments)
            self.assertEqual(list(arrays)[:2], ["features.0", "features.1"])
            self.assertEqual(list(arrays["paths"][1]), ["a.png", "b.png"])

    def test_names_are_taken_in_any_case_and_content_decides(self):
        png = self.png("in/a.png").read_bytes()
        for name in ("b.PNG", "c.Jpg", "d.jPEG", "e.BMP", "f.webp", "g.PPM"):
            (self.folder / "in" / name).write_bytes(png)
        self.assertEqual(len(self.paths("in")), 7)

    def test_an_explicit_file_may_have_any_name(self):
        os.rename(self.png("a.png"), self.folder / "picture.dat")
        (self.folder / "list").write_text("picture.dat\n")
        self.assertEqual(self.paths("picture.dat", "@list"), ["picture.dat"] * 2)

    def test_a_folder_named_as_an_image_is_descended_into(self):
        self.png("in/folder.jpg/a.png")
        self.assertEqual(self.paths("in"), ["in/folder.jpg/a.png"])

    def test_links_to_files_are_followed_and_links_to_folders_are_not(self):
        target = self.png("elsewhere/a.png")
        (self.folder / "in").mkdir()
        os.symlink(target, self.folder / "in/link.png")
        os.symlink(target.parent, self.folder / "in/folder")
        os.symlink(".", self.folder / "in/circle.png")
        text = self.extract("in").stdout
        self.assertIn("2 other files in the folders are not taken:\n"
                      "  in/circle.png: a link to a folder\n  in/folder: a link to a folder\n",
                      text)
        # As INPUT itself, a link to a folder is what was asked for.
        self.assertEqual(self.paths("in/folder"), ["in/folder/a.png"])

    def test_what_is_not_taken_is_listed_with_its_reason(self):
        self.png("in/a.png")
        for name in ("notes.txt", "png", "a.png.bak", "line\nbreak"):
            (self.folder / "in" / name).write_text("")
        os.mkfifo(self.folder / "in/fifo")
        text = self.extract("in").stdout
        self.assertIn("5 other files in the folders are not taken:\n", text)
        self.assertIn("  in/line\\x0abreak: not named as an image\n", text)
        self.assertIn("  in/notes.txt: not named as an image\n", text)

    def test_special_files_fail_without_hanging(self):
        self.png("in/a.png")
        folder = self.folder / "in"
        os.mkfifo(folder / "fifo.png")
        os.symlink("gone", folder / "dangling.png")
        os.symlink("loop.png", folder / "loop.png")
        os.symlink("/dev/zero", folder / "zero.png")
        self.extract("in", code=1)
        failed = {row[0]: row[1] for row in support.read_csv(self.folder / "x.npz.errors.csv")}
        self.assertEqual(failed, {"path": "code", "in/dangling.png": "NotFound",
                                  "in/fifo.png": "Io", "in/loop.png": "Io", "in/zero.png": "Io"})
        self.assertEqual(support.read_npz(self.folder / "x.npz")["paths"][1], ["in/a.png"])

    @unittest.skipUnless(os.geteuid() == 0 and shutil.which("setpriv"),
                         "needs root, to become somebody who may not read")
    def test_files_and_folders_that_may_not_be_read_fail(self):
        self.png("in/a.png")
        self.png("in/secret.png").chmod(0)
        self.png("in/closed/b.png").parent.chmod(0)
        self.folder.chmod(0o777)
        # Where the program itself is out of reach for others, there is nothing to test.
        command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", support.PROGRAM]
        run = {"cwd": self.folder, "capture_output": True, "text": True}
        if subprocess.run([*command, "--version"], **run).returncode != 0:
            self.skipTest("others may not run the program")
        result = subprocess.run([*command, "extract", "in", "-m", self.model, "-o", "x.npz"], **run)
        self.assertEqual(result.returncode, 1, result.stderr)
        rows = support.read_csv(self.folder / "x.npz.errors.csv")[1:]
        self.assertEqual([row[:2] for row in rows], [["in/closed", "Io"], ["in/secret.png", "Io"]])

    def test_a_pattern_stands_for_what_it_matches(self):
        for name in ("in/b.png", "in/a.png", "in/c.dat", "cat/1.png", "car/2.png", "[x].png"):
            self.png(name)
        self.assertEqual(self.paths("in/*.png"), ["in/a.png", "in/b.png"])
        self.assertEqual(self.paths("in/?.*"), ["in/a.png", "in/b.png", "in/c.dat"])
        self.assertEqual(self.paths("ca[rt]"), ["car/2.png", "cat/1.png"])
        self.assertEqual(self.paths("[x].png"), ["[x].png"])  # the name itself goes first
        self.extract("in/*.jpg", "in", "--force", code=1)
        self.assertEqual([row[:2] for row in support.read_csv(
            self.folder / "x.npz.errors.csv")[1:]], [["in/*.jpg", "NotFound"]])

    def test_arguments_that_all_name_nothing_are_refused(self):
        for arguments in (["gone"], ["gone.jpg", "in/*.jpg"]):
            result = self.extract(*arguments, code=3)
            self.assertIn(f'there is no "{arguments[0]}"', result.stderr)
        self.assertEqual(self.files(), [])

    def test_no_usable_input_is_refused(self):
        (self.folder / "empty").mkdir()
        (self.folder / "texts").mkdir()
        (self.folder / "texts/a.txt").write_text("")
        (self.folder / "list").write_text("\n\n")
        for argument in ("empty", "@list", "-"):
            self.assertIn("no input", self.extract(argument, code=3).stderr)
        self.assertIn("the first: texts/a.txt: not named", self.extract("texts", code=3).stderr)
        self.assertNotIn("x.npz", self.files())


if __name__ == "__main__":
    support.main()
