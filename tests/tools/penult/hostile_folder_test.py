#!/usr/bin/env python3
"""penult extract on a folder of 1,000 files, a quarter of them hostile: every file ends as it must."""

import os
import shutil
import struct
import subprocess
import tempfile
import unittest
import zlib
from pathlib import Path

import support
from support import PHOTOS, PROGRAM, ROOT, nearest, read_csv, read_npz

FILES = 1000
HOSTILE_SHARE = 0.25
MOST_RSS_KB = 300_000
HUGE = 60_000  # pixels a side
NOBODY = 65534
# Sanitizers make a net slow, and their own memory counts as the program's: there the net sees few pixels, and
# how much memory there was is not asked.
SANITIZED = os.environ.get("PENULT_SANITIZED") == "1"
INPUT_SIZE = "32x32" if SANITIZED else "224x224"


def golden_files():
    """{name: bytes} of small pictures of every kind: CMYK, 16 bits, palettes, EXIF orientations ..."""
    arrays = nearest.read_npz(ROOT / "tests/golden/pillow_images.npz")
    return {key.removeprefix("file/"): data for key, (_, data) in arrays.items() if key.startswith("file/")}


def huge_headers():
    """A start of a picture of 60,000 x 60,000 for each format that can say so."""
    ihdr = b"IHDR" + struct.pack(">IIBBBBB", HUGE, HUGE, 8, 2, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + ihdr + struct.pack(">I", zlib.crc32(ihdr))
    frame = struct.pack(">HBHHB", 17, 8, HUGE, HUGE, 3) + b"\1\x11\0\2\x11\0\3\x11\0"
    scan = b"\xff\xda\0\x0c\3\1\0\2\0\3\0\0\x3f\0"
    jpeg = b"\xff\xd8\xff\xc0" + frame + scan
    bmp = b"BM" + struct.pack("<IHHIIiiHHIIIIII", 54, 0, 0, 54, 40, HUGE, HUGE, 1, 24, *[0] * 6)
    ppm = b"P6 %d %d 255\n" % (HUGE, HUGE)
    return {"png": png, "jpg": jpeg, "bmp": bmp, "ppm": ppm}


class Folder:
    """Fills `root` and remembers what must become of each file."""

    def __init__(self, root):
        self.root = root
        self.good, self.failed, self.not_taken = [], {}, set()
        self.to_delete, self.unreadable = [], []

    def path(self, name):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def add_good(self, name, data):
        self.path(name).write_bytes(data)
        self.good.append(name)

    def add_failing(self, name, code, data=None):
        self.failed[name] = code
        if data is not None:
            self.path(name).write_bytes(data)
        return self.path(name)

    def taken(self):
        return len(self.good) + len(self.failed)

    def fill(self):
        files = golden_files()
        self.damage(files)
        self.special_files(files)
        self.others()
        hostile = len(self.failed)
        assert hostile >= HOSTILE_SHARE * FILES, hostile
        photos = {path.stem: path.read_bytes() for path in sorted(PHOTOS.iterdir())}
        sources = [*photos.items(), *files.items()]
        count = 0
        while self.taken() + len(self.not_taken) < FILES:
            name, data = sources[count % len(sources)]
            # The ending says nothing: content decides.
            self.add_good(f"class{count % 7}/{name}_{count}.{('jpg', 'PNG', 'webp')[count % 3]}", data)
            count += 1

    def damage(self, files):
        jpeg, png = (PHOTOS / "rocket.jpg").read_bytes(), (PHOTOS / "camera.png").read_bytes()
        webp = next(data for name, data in files.items() if name.startswith("webp") and len(data) > 300)
        for percent in range(1, 100):
            self.add_failing(f"cut/{percent}.jpg", "ImageCorrupt", jpeg[:len(jpeg) * percent // 100])
        for percent in range(1, 100, 3):
            self.add_failing(f"cut/{percent}.png", "ImageCorrupt", png[:len(png) * percent // 100])
            self.add_failing(f"cut/{percent}.webp", "ImageCorrupt", webp[:len(webp) * percent // 100])
        for i in range(40):
            at = 60 + i * (len(png) - 100) // 40
            flipped = png[:at] + bytes([png[at] ^ 0x10]) + png[at + 1:]
            self.add_failing(f"flipped/{i}.png", "ImageCorrupt", flipped)
        for ending, data in huge_headers().items():
            self.add_failing(f"huge/{ending}.{ending}", "LimitExceeded", data)
        for i in range(10):
            self.add_failing(f"empty/{i}.jpg", "ImageCorrupt", b"")
        for name, data in (("gif", b"GIF89a" + bytes(50)), ("tiff", b"II*\0" + bytes(50)),
                           ("text", b"not a picture\n"), ("html", b"<html><body>404</body></html>"),
                           ("zip", b"PK\3\4" + bytes(50)), ("zeros", bytes(1000))):
            self.add_failing(f"other/{name}.jpg", "ImageUnsupported", data)

    def special_files(self, files):
        some = files["jpeg_444"]
        for i in range(5):
            os.mkfifo(self.add_failing(f"special/fifo{i}.png", "Io"))
            os.symlink(f"loop{i}.png", self.add_failing(f"special/loop{i}.png", "Io"))
            os.symlink("gone", self.add_failing(f"special/dangling{i}.png", "NotFound"))
            self.unreadable.append(self.add_failing(f"special/secret{i}.jpg", "Io", some))
        os.symlink("/dev/zero", self.add_failing("special/zero.png", "Io"))
        closed = self.add_failing("closed.jpg", "Io")  # a folder: what is in it, nobody can know
        closed.mkdir()
        self.unreadable.append(closed)
        for i in range(10):
            self.to_delete.append(self.add_failing(f"z_deleted/{i}.jpg", "NotFound", some))
            self.add_good(f"folder{i}.jpg/inside.png", some)
        os.symlink("../class0/linked.png", self.path("special/link.png"))
        self.good.append("special/link.png")
        self.add_good("class0/linked.png", some)

    def others(self):
        for name in ("notes.txt", "class1/Thumbs.db", "cut/1.jpg.part", "movie.mp4", "noending"):
            self.path(name).write_bytes(b"x")
            self.not_taken.add(f"in/{name}: not named as an image")
        os.symlink("class1", self.path("again"))
        os.symlink(".", self.path("circle.jpg"))
        self.not_taken |= {"in/again: a link to a folder", "in/circle.jpg: a link to a folder"}


class HostileFolder(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        temporary = tempfile.TemporaryDirectory(prefix="penult-hostile-")
        cls.addClassCleanup(temporary.cleanup)
        cls.base = Path(temporary.name)
        cls.model = cls.base / "net.penult"
        subprocess.run([PROGRAM, "convert", support.WEIGHTS, "-o", cls.model, "--input-size", INPUT_SIZE], check=True,
                       stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        cls.files = Folder(cls.base / "in")
        cls.files.fill()
        cls.command = [PROGRAM]
        if os.geteuid() == 0:  # who may read everything
            if not shutil.which("setpriv"):
                raise unittest.SkipTest("needs setpriv, to become somebody who may not read")
            cls.command = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups",
                           PROGRAM]
            os.chmod(cls.base, 0o777)
            if subprocess.run([*cls.command, "--version"], capture_output=True).returncode != 0:
                raise unittest.SkipTest("others may not run the program")
        for path in cls.files.unreadable:
            path.chmod(0)
        cls.addClassCleanup(lambda: (cls.base / "in/closed.jpg").chmod(0o700))

    def run_hostile(self, out, *options):
        """Deletes files between the search of the folder and its work. (process, peak KB, stdout)"""
        fifo = self.base / "list"
        os.mkfifo(fifo)
        process = subprocess.Popen(
            [*self.command, "extract", "in", "@list", "-m", self.model, "-o", out, *options],
            cwd=self.base, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
        with open(fifo, "w"):  # returns once the program reads its list: behind the folder
            for path in self.files.to_delete:
                path.unlink()
        stdout, stderr = process.stdout.read(), process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        process.stdout.close(), process.stderr.close()
        fifo.unlink()
        for path in self.files.to_delete:
            path.write_bytes(b"")
        return process.returncode, usage.ru_maxrss, stdout.decode(), stderr.decode()

    def test_every_file_ends_as_it_must_in_bounded_memory(self):
        code, rss, stdout, stderr = self.run_hostile("x.npz")
        self.assertEqual(code, 1, stderr)
        self.assertEqual(stderr.count("\n"), 1, stderr)
        rows = read_csv(self.base / "x.npz.errors.csv")[1:]
        self.assertEqual(len(rows), len({row[0] for row in rows}), "a file failed twice")
        self.assertEqual({row[0]: row[1] for row in rows},
                         {"in/" + name: code for name, code in self.files.failed.items()})
        arrays = read_npz(self.base / "x.npz")
        good = sorted(("in/" + name for name in self.files.good), key=os.fsencode)
        self.assertEqual(list(arrays["paths"][1]), good)
        self.assertEqual(arrays["penultimate"][0], (len(good), 1280))
        listed = {line.strip() for line in stdout.splitlines() if line.startswith("  ")}
        self.assertEqual(listed, self.files.not_taken)
        self.assertEqual(self.files.taken() + len(listed), FILES)
        if not SANITIZED:
            self.assertLess(rss, MOST_RSS_KB)
        print(f"peak RSS {rss} KB, {len(good)} rows, {len(rows)} failed, {len(listed)} not taken")

    def test_good_rows_are_those_of_a_clean_run_whatever_the_threads(self):
        names = sorted(("in/" + name for name in self.files.good), key=os.fsencode)
        listed = "".join(name + "\n" for name in names)
        subprocess.run([*self.command, "extract", "-", "-m", self.model, "-o", "clean.npz", "--quiet",
                        "-b", "1", "-j", "1"], cwd=self.base, input=listed, text=True, check=True)
        clean = read_npz(self.base / "clean.npz")
        for threads, batch in ((1, 8), (2, 8), (4, 3)):
            self.run_hostile("y.npz", "-j", str(threads), "-b", str(batch), "--force")
            got = read_npz(self.base / "y.npz")
            self.assertEqual(got["paths"], clean["paths"])
            self.assertEqual(got["penultimate"], clean["penultimate"])


if __name__ == "__main__":
    support.main()
