#!/usr/bin/env python3
"""penult fetch from a server on this machine: interruptions, refusals and redirections."""

import os
import resource
import signal
import subprocess
import threading

from loopback import (BLOB, FILE, TAG, FetchTest, blob, endless, raw, redirect, rest, stalled,
                      status, wait_for, whole)
import support
from support import PROGRAM


class Interrupted(FetchTest):
    def test_cut_short_goes_on_from_there(self):
        server = self.serve(whole(BLOB, send=100_000), rest(BLOB))
        self.table(server)
        self.assert_downloads(server, [None, "bytes=100000-"])
        self.assertEqual(server.ranges()[1][1], TAG)

    def test_cut_again_and_again_goes_on(self):
        server = self.serve(whole(BLOB, send=1), rest(BLOB, send=99), rest(BLOB, send=1000),
                            rest(BLOB))
        self.table(server)
        self.assert_downloads(server, [None, "bytes=1-", "bytes=100-", "bytes=1100-"])

    def test_cut_without_length_goes_on(self):
        server = self.serve(whole(BLOB, send=5000, length=False), rest(BLOB))
        self.table(server)
        self.assert_downloads(server, [None, "bytes=5000-"])

    def test_weak_or_missing_tags_promise_nothing(self):
        for tag in (None, 'W/"weak"', "bare", '"'):
            with self.subTest(tag):
                server = self.serve(whole(BLOB, tag=tag, send=5000), rest(BLOB, tag=tag))
                self.table(server)
                self.assert_downloads(server, [None, "bytes=5000-"])
                self.assertIsNone(server.ranges()[1][1])
                (self.cache / FILE).unlink()

    def test_server_without_ranges_sends_it_whole(self):
        server = self.serve(whole(BLOB, send=100_000), whole(BLOB))
        self.table(server)
        self.assert_downloads(server, [None, "bytes=100000-"])

    def test_other_range_than_asked_for_is_not_taken(self):
        n = len(BLOB)
        for say in (f"bytes 0-{n - 1}/{n}", f"bytes 100001-{n - 1}/{n}", f"bytes 99999-{n - 1}/{n}",
                    f"bytes 100000-{n}/{n + 1}", "bytes */300000", "nonsense", ""):
            with self.subTest(say):
                server = self.serve(whole(BLOB, send=100_000), rest(BLOB, say=say or " "),
                                    whole(BLOB))
                self.table(server)
                self.assert_downloads(server, [None, "bytes=100000-", None])
                (self.cache / FILE).unlink()

    def test_file_that_changed_meanwhile_is_fetched_anew(self):
        old = blob(seed=2)
        # A server that knows no If-Range; what it sends is not even appended.
        heedless = rest(BLOB, tag='"state-2"', send=10)
        changed = whole(BLOB, tag='"state-2"'), heedless
        for answer, ranges in zip(changed, (["bytes=5000-"], ["bytes=5000-", None])):
            server = self.serve(answer, whole(BLOB, tag='"state-2"'))
            self.table(server)
            self.keep_part(old[:5000], TAG)
            self.assert_downloads(server, ranges)
            self.assertEqual(server.ranges()[0][1], TAG)
            (self.cache / FILE).unlink()
            self.cache.rmdir()

    def test_nothing_behind_the_part_means_from_the_start(self):
        server = self.serve(status(416), whole(BLOB))
        self.table(server)
        self.keep_part(BLOB[:5000])
        self.assert_downloads(server, ["bytes=5000-", None])

    def test_corrupt_part_is_found_by_the_checksum(self):
        server = self.serve(rest(BLOB), whole(BLOB))
        self.table(server)
        self.keep_part(b"?" + BLOB[1:5000], TAG)
        self.assert_downloads(server, ["bytes=5000-", None])

    def test_corrupt_part_and_then_a_wrong_file_is_refused(self):
        wrong = BLOB[:-1] + b"!"
        server = self.serve(rest(wrong), whole(wrong))
        self.table(server)
        self.keep_part(BLOB[:5000], TAG)
        self.assert_refused("ChecksumMismatch", requests=2, server=server)

    def test_part_longer_than_the_file_is_dropped(self):
        server = self.serve(whole(BLOB))
        self.table(server)
        self.keep_part(BLOB + b"more", TAG)
        self.assert_downloads(server, [None])

    def test_whole_part_asks_nobody(self):
        server = self.serve(status(500))
        self.table(server)
        self.keep_part(BLOB, TAG)
        self.assert_downloads(server, [])

    def test_wrong_part_of_the_right_length_is_fetched_anew(self):
        server = self.serve(whole(BLOB))
        self.table(server)
        self.keep_part(BLOB[:-1] + b"!", TAG)
        self.assert_downloads(server, [None])

    def test_tag_file_of_somebody_else_is_no_header(self):
        for tag in ('"a"\r\nX-Evil: 1', '"' + "a" * 5000 + '"', '"a b"', "\0"):
            with self.subTest(tag):
                server = self.serve(rest(BLOB))
                self.table(server)
                self.keep_part(BLOB[:5000], tag)
                self.assert_downloads(server, ["bytes=5000-"])
                self.assertNotIn("If-Range", server.requests[0][1])
                self.assertNotIn("X-Evil", server.requests[0][1])
                (self.cache / FILE).unlink()
                self.cache.rmdir()

    def test_part_that_is_a_link_is_not_written_through(self):
        server = self.serve(whole(BLOB))
        self.table(server)
        self.cache.mkdir()
        precious = self.folder / "precious"
        precious.write_text("precious")
        self.part.symlink_to(precious)
        self.fetch(code=4)
        self.assertEqual(precious.read_text(), "precious")
        self.assertEqual(server.requests, [])

    def test_stall_is_noticed_and_the_rest_fetched(self):
        server = self.serve(stalled(BLOB, 100_000), rest(BLOB))
        self.table(server)
        self.assert_downloads(server, [None, "bytes=100000-"])

    def test_what_never_ends_well_is_kept_for_the_next_time(self):
        server = self.serve(whole(BLOB, send=1000), rest(BLOB, send=0))
        self.table(server)
        result = self.fetch(code=4)
        self.assertRegex(result.stderr, "Io: .*; 1000 bytes are kept in .*part")
        self.assertEqual(len(server.requests), 4)
        self.assertEqual(self.part.read_bytes(), BLOB[:1000])
        server.answers = [rest(BLOB)]
        server.requests.clear()
        self.assert_downloads(server, ["bytes=1000-"])
        self.assertEqual(server.ranges()[0][1], TAG)


class Stopped(FetchTest):
    def start(self):
        return subprocess.Popen([PROGRAM, *map(str, self.command())], cwd=self.folder, text=True,
                                stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)

    def is_kept(self):
        return self.part.is_file() and self.part.stat().st_size == 100_000

    def test_interrupted_part_stays_and_the_next_run_goes_on(self):
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            server = self.serve(stalled(BLOB, 100_000, threading.Event()), rest(BLOB))
            self.table(server)
            # Not --hurry: that would not wait long enough.
            process = subprocess.Popen(
                [PROGRAM, "fetch", "net", "--table", "table.json", "--cache", self.cache],
                cwd=self.folder, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
            self.assertTrue(wait_for(self.is_kept))
            process.send_signal(number)
            _, errors = process.communicate(timeout=60)
            self.assertEqual(process.returncode, code, errors)
            self.assertRegex(errors, r"\Apenult: Cancelled: .*interrupted; 100000 bytes are kept "
                                     r"in .*goes on from there\n\Z")
            self.assert_downloads(server, [None, "bytes=100000-"])
            (self.cache / FILE).unlink()

    def test_killed_part_stays_too(self):
        server = self.serve(stalled(BLOB, 100_000, threading.Event()), rest(BLOB))
        self.table(server)
        process = self.start()
        self.assertTrue(wait_for(self.is_kept))
        process.kill()
        process.communicate(timeout=60)
        self.assert_downloads(server, [None, "bytes=100000-"])

    def test_second_one_at_the_same_time_is_told_to_wait(self):
        go_on = threading.Event()
        server = self.serve(stalled(BLOB, 100_000, go_on), status(500))
        self.table(server)
        process = subprocess.Popen(
            [PROGRAM, "fetch", "net", "--table", "table.json", "--cache", self.cache],
            cwd=self.folder, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        self.assertTrue(wait_for(self.is_kept))
        self.assertIn("Busy: ", self.fetch(code=3).stderr)
        go_on.set()
        _, errors = process.communicate(timeout=60)
        self.assertIn("not a weight file", errors)
        self.assertEqual((self.cache / FILE).read_bytes(), BLOB)
        self.assertEqual(len(server.requests), 1)

    def test_full_disk_keeps_what_fits(self):
        server = self.serve(whole(BLOB), rest(BLOB))
        self.table(server)

        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))

        result = self.fetch(code=4, preexec_fn=limit)
        self.assertRegex(result.stderr, "NoSpace: .* 100000 bytes are kept")
        self.assertNotIn("by other means", result.stderr)
        self.assert_downloads(server, [None, "bytes=100000-"])


class Refused(FetchTest):
    def test_missing_file_is_asked_for_once(self):
        for code in (403, 404, 410):
            for answer in (status(code, body=b"gone"), endless(code)):
                server = self.serve(answer)
                self.table(server)
                self.assert_refused(f"Io: .*HTTP {code}; or fetch .* by other means", code=4,
                                    server=server)

    def test_trouble_of_the_server_is_tried_again(self):
        server = self.serve(status(500))
        self.table(server)
        self.assert_refused("Io: .*HTTP 500; or fetch .* by other means", code=4, requests=4, server=server)
        server = self.serve(status(503, ("Retry-After", "999999999")), status(429), whole(BLOB))
        self.table(server)
        self.assert_downloads(server, [None, None, None])

    def test_redirections_are_followed(self):
        for where in ("/else/where", "http://127.0.0.1:{port}/else", "http://localhost:{port}/x"):
            server = self.serve(raw(b""))
            server.answers = [redirect(where.format(port=server.port)), whole(BLOB)]
            self.table(server)
            self.assert_downloads(server, [None, None])
            (self.cache / FILE).unlink()

    def test_part_is_resumed_behind_a_redirection(self):
        server = self.serve(redirect("/else"), rest(BLOB))
        self.table(server)
        self.keep_part(BLOB[:5000], TAG)
        self.assert_downloads(server, ["bytes=5000-", "bytes=5000-"])

    def test_circle_of_redirections_ends(self):
        server = self.serve(redirect("/" + FILE))
        self.table(server)
        self.assert_refused("more than 5 redirections", requests=6, server=server)

    def test_redirections_lead_nowhere_else(self):
        precious = self.folder / "precious"
        precious.write_bytes(BLOB)
        for where in (f"file://{precious}", "http://example.invalid/x", "ftp://127.0.0.1/x",
                      "http://127.0.0.1.example.invalid/x", "http://127.0.0.1@example.invalid/x",
                      "scp://127.0.0.1/x", "gopher://127.0.0.1:1/x"):
            with self.subTest(where):
                server = self.serve(redirect(where))
                self.table(server)
                self.assert_refused("FormatUnsupported: .*is not asked", server=server)

    def test_redirection_without_an_address_is_an_error(self):
        server = self.serve(status(302))
        self.table(server)
        self.assert_refused("Io: .*HTTP 302", code=4, server=server)

    def test_https_is_spoken_where_the_address_says_so(self):
        server = self.serve(raw(b""))
        server.answers = [redirect(f"https://127.0.0.1:{server.port}/x")]
        self.table(server)
        self.assert_refused("Io: ", code=4)

    def test_address_of_the_table_must_be_https_too(self):
        for url in ("http://example.invalid/x", "file:///etc/passwd", "ftp://example.invalid/x",
                    "no address", "/etc/passwd", "https://"):
            with self.subTest(url):
                self.table(None, url=url)
                self.assert_refused("FormatUnsupported: .*is not asked")

    def test_loopback_needs_no_proxy(self):
        server = self.serve(whole(BLOB))
        self.table(server)
        proxy = "http://127.0.0.1:1"
        self.assert_downloads(server, [None], env={**os.environ, "http_proxy": proxy,
                                                   "all_proxy": proxy, "ALL_PROXY": proxy})


if __name__ == "__main__":
    support.main()
