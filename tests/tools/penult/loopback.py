"""A server of files on this machine that answers as broken as a test tells it to, and what the
tests of penult fetch do with it.
"""

import hashlib
import json
import os
import random
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import support

TAG = '"state-1"'
FILE = "net-file.pth"


class Loopback:
    """Answers the n-th request with the n-th of `answers`, and all later ones with the last.

    An answer is a function of the handler. `requests` holds the headers of what was asked.
    """

    def __init__(self, *answers):
        self.answers = answers
        self.requests = []
        self.lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                with outer.lock:
                    number = len(outer.requests)
                    outer.requests.append((self.path, dict(self.headers)))
                self.close_connection = True
                try:
                    outer.answers[min(number, len(outer.answers) - 1)](self)
                except (BrokenPipeError, ConnectionResetError):
                    pass  # the program had enough

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.block_on_close = False
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(timeout=60)

    def url(self, name):
        return f"http://127.0.0.1:{self.port}/{name}"

    def ranges(self):
        """(Range, If-Range) of each request."""
        return [(headers.get("Range"), headers.get("If-Range")) for _, headers in self.requests]


def head(handler, status, headers=()):
    handler.send_response(status)
    for name, value in headers:
        handler.send_header(name, value)
    handler.end_headers()


def whole(content, tag=TAG, send=None, length=True):
    """200, of which only the first `send` bytes are sent."""
    def answer(handler):
        headers = [("ETag", tag)] if tag else []
        headers += [("Content-Length", str(len(content)))] if length else [("Connection", "close")]
        head(handler, 200, headers)
        handler.wfile.write(content if send is None else content[:send])
    return answer


def rest(content, tag=TAG, say=None, send=None):
    """206 from where the request wants it; `say` is another Content-Range."""
    def answer(handler):
        begin = int(handler.headers["Range"].split("=")[1].split("-")[0])
        honest = f"bytes {begin}-{len(content) - 1}/{len(content)}"
        head(handler, 206, [("Content-Range", say or honest),
                            ("Content-Length", str(len(content) - begin)),
                            *([("ETag", tag)] if tag else [])])
        handler.wfile.write(content[begin:] if send is None else content[begin:begin + send])
    return answer


def chunked(content):
    def answer(handler):
        head(handler, 200, [("Transfer-Encoding", "chunked")])
        for begin in range(0, len(content), 50_000):
            piece = content[begin:begin + 50_000]
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        handler.wfile.write(b"0\r\n\r\n")
    return answer


def status(code, *headers, body=b""):
    def answer(handler):
        head(handler, code, [*headers, ("Content-Length", str(len(body)))])
        handler.wfile.write(body)
    return answer


def redirect(where):
    return status(302, ("Location", where))


def endless(code=200):
    def answer(handler):
        head(handler, code, [("Connection", "close")])
        while True:
            handler.wfile.write(bytes(65_536))
    return answer


def endless_header(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        handler.wfile.write(b"X-Filler: " + b"x" * 1000 + b"\r\n")


def raw(content):
    """These bytes instead of HTTP."""
    return lambda handler: handler.wfile.write(content)


def stalled(content, send, until=None):
    """The first bytes, and then nothing: until an event, or for half a minute."""
    def answer(handler):
        head(handler, 200, [("ETag", TAG), ("Content-Length", str(len(content)))])
        handler.wfile.write(content[:send])
        handler.wfile.flush()
        if until is not None and until.wait(30):
            handler.wfile.write(content[send:])
        elif until is None:
            handler.connection.settimeout(30)
            try:
                handler.connection.recv(1)  # returns when the program hangs up
            except (socket.timeout, ConnectionResetError):
                pass
    return answer


def blob(bytes_=300_000, seed=1):
    return random.Random(seed).randbytes(bytes_)


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


BLOB = blob()


class FetchTest(support.ProgramTest):
    """Most of them download what is no weight file, since converting takes longer: such a run ends
    with "not a weight file", and the file in the cache.
    """

    def setUp(self):
        super().setUp()
        self.cache = self.folder / "cache"
        self.part = self.cache / (FILE + ".part")
        self.tag = self.cache / (FILE + ".part.etag")

    def serve(self, *answers):
        server = Loopback(*answers)
        self.addCleanup(server.close)
        return server

    def table(self, server, content=BLOB, **fields):
        row = {"name": "net", "aliases": ["other-name"], "arch": "mobilenet_v2", "weights": "test",
               "file": FILE, "url": server.url(FILE) if server else "http://127.0.0.1:1/x",
               "bytes": len(content), "sha256": sha256(content), "licence": "none",
               "preprocess": "keras-tf", **fields}
        row = {key: value for key, value in row.items() if value is not None}
        (self.folder / "table.json").write_text(json.dumps([row]))

    def command(self, *arguments):
        return ["fetch", "net", "--table", "table.json", "--cache", self.cache, "--hurry",
                *arguments]

    def fetch(self, *arguments, code=0, **options):
        return self.penult(*self.command(*arguments), code=code, **options)

    def keep_part(self, content, tag=None):
        self.cache.mkdir()
        self.part.write_bytes(content)
        if tag:
            self.tag.write_text(tag)

    def assert_downloads(self, server, ranges, **options):
        """BLOB arrives, after requests for these ranges."""
        result = self.fetch(code=3, **options)
        self.assertIn("not a weight file of a known format", result.stderr)
        self.assertEqual(os.listdir(self.cache), [FILE])
        self.assertEqual((self.cache / FILE).read_bytes(), BLOB)
        self.assertEqual([asked for asked, _ in server.ranges()], ranges)

    def assert_refused(self, words, code=3, requests=1, server=None):
        """It fails, with nothing left behind."""
        result = self.fetch(code=code)
        self.assertRegex(result.stderr, words)
        self.assertEqual(os.listdir(self.cache), [])
        if server:
            self.assertEqual(len(server.requests), requests)
        return result
