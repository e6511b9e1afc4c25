#!/usr/bin/env python3
"""The measuring part of bench/peers/folder.sh, which see: a folder of photos to features, in turn."""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

import numpy
import PIL.Image

import compare
import nets
import report
import statistics_of_rows

NET = "mobilenet_v2"
OWN_BATCH = 8
PEER_BATCHES = (1, 8)  # the faster one is compared with
LAST_TAP = "classifier.1"  # what the ONNX file's output is
MADE_PHOTOS, MADE_SIZE = 96, (512, 384)  # 0.2 Mpx


def make_photos(assets, folder):
    """JPEGs of 0.2 Mpx: crops of the sample photos, quality 90, 4:2:0."""
    os.makedirs(folder, exist_ok=True)
    sources = sorted(pathlib.Path(assets).iterdir())
    for i in range(MADE_PHOTOS):
        path = os.path.join(folder, f"{i:03}.jpg")
        if os.path.exists(path):
            continue
        image = PIL.Image.open(sources[i % len(sources)]).convert("RGB")
        draw = numpy.random.default_rng(i)
        scale = max(MADE_SIZE[0] / image.width, MADE_SIZE[1] / image.height) * draw.uniform(1, 1.4)
        image = image.resize((round(image.width * scale) + 1, round(image.height * scale) + 1))
        left = int(draw.integers(0, image.width - MADE_SIZE[0] + 1))
        top = int(draw.integers(0, image.height - MADE_SIZE[1] + 1))
        image.crop((left, top, left + MADE_SIZE[0], top + MADE_SIZE[1])).save(path, quality=90)


class Penult:
    """The whole program, its start included, from files to a file of features."""

    def __init__(self, args, threads, listed, tap):
        self.out = os.path.join(args.folder, "folder.npz")
        self.command = [args.penult, "extract", "@" + listed, "-m", nets.model_file(args.folder, NET), "-o",
                        self.out, "-l", tap, "-j", str(threads), "-b", str(OWN_BATCH), "--force"]

    def run(self, *options):
        begin = time.perf_counter()
        done = subprocess.run([*self.command, *options], check=True, capture_output=True, text=True)
        return time.perf_counter() - begin, done.stdout


class Peer(compare.Peer):
    """ONNX Runtime with Pillow; close() is that of every peer."""

    def __init__(self, args, threads, listed, batch):
        model = nets.onnx_file(args.folder, NET, batch)
        worker = os.path.join(compare.HERE, "folder_worker.py")
        self.process = subprocess.Popen([sys.executable, "-B", worker, model, str(threads), listed,
                                         str(batch)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.output = numpy.array(json.loads(self.process.stdout.readline())["output"])

    def run(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())


def agreement(args, listed, peer):
    """The smallest cosine between the outputs for the first photos: decoding and resizing included."""
    own = Penult(args, 1, listed, LAST_TAP)
    own.run()
    got = numpy.load(own.out)[LAST_TAP][:len(peer.output)].astype(float)
    norms = numpy.linalg.norm(got, axis=1) * numpy.linalg.norm(peer.output, axis=1)
    return ((got * peer.output).sum(axis=1) / norms).min()


def measure(args, threads, listed, probe):
    peers = {f"ort + Pillow, batch {batch}": Peer(args, threads, listed, batch) for batch in PEER_BATCHES}
    cosine = min(agreement(args, listed, peer) for peer in peers.values())
    runs = {"penult": Penult(args, threads, listed, "penultimate"),
            **{f"penult up to {tap}": Penult(args, threads, listed, tap) for tap in args.taps}}
    times = {name: [] for name in [*peers, *runs]}
    probes, shares = [], ""
    for _ in range(args.rounds):
        probes.append(probe())
        for name, peer in peers.items():
            times[name].append(peer.run())
        for name, own in runs.items():
            seconds, said = own.run()
            times[name].append(seconds)
            if name == "penult":
                shares = next(line for line in said.splitlines() if line.startswith("time of the threads"))
    for peer in peers.values():
        peer.close()
    return {"threads": threads, "times": times, "probes": probes, "cosine": cosine,
            "shares": shares.split(": ")[1]}


def table(row, photos):
    rounds = statistics_of_rows.usable_rounds(row["probes"])
    lines = []
    best = min((name for name in row["times"] if name.startswith("ort")),
               key=lambda name: statistics.median(row["times"][name][i] for i in rounds))
    for name, times in row["times"].items():
        speed = photos / statistics.median(times[i] for i in rounds)
        cells = [row["threads"], name, f"{speed:.0f}"]
        if name.startswith("ort"):
            cells += ["", ""]
        else:
            ratios = [row["times"][best][i] / times[i] for i in rounds]
            low, high = statistics_of_rows.bootstrap_interval(ratios)
            cells += [f"{statistics.median(ratios):.2f} ({low:.2f} to {high:.2f})",
                      row["shares"] if name == "penult" else ""]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return lines


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--penult", required=True)
    parser.add_argument("--folder", default="build/peers/files")
    parser.add_argument("--assets", default="build/assets/photos", help="what photos are made of")
    parser.add_argument("--photos", help="a folder of JPEGs to take instead")
    parser.add_argument("--threads", type=lambda text: [int(word) for word in text.split(",")], default=[1, 2])
    parser.add_argument("--taps", type=lambda text: text.split(","), default=["features.14", "features.7"])
    parser.add_argument("--count", type=int, default=384, help="photos in a pass; a multiple of 8")
    parser.add_argument("--rounds", type=int, default=10)
    return parser.parse_args()


def main():
    args = arguments()
    os.makedirs(args.folder, exist_ok=True)
    args.nets, args.batches = [NET], list(PEER_BATCHES)
    compare.prepare(args)
    photos = args.photos
    if photos is None:
        photos = os.path.join(args.folder, "photos")
        make_photos(args.assets, photos)
    paths = sorted(str(path) for path in pathlib.Path(photos).rglob("*.jpg"))
    listed = os.path.abspath(os.path.join(args.folder, "photos.txt"))
    with open(listed, "w", encoding="utf-8") as out:
        out.writelines(os.path.abspath(paths[i % len(paths)]) + "\n" for i in range(args.count))
    probe = compare.fma_probe(args.penult)
    print(f"{report.cpu_name()}; {args.count} photos of {photos}, {args.rounds} rounds")
    lines = ["| threads | what | photos/s | times as fast as the faster peer (95 % interval) | time of the threads |",
             "|---|---|---|---|---|"]
    for threads in args.threads:
        row = measure(args, threads, listed, probe)
        print(f"{threads} threads: smallest cosine to ONNX Runtime's output {row['cosine']:.9f}", flush=True)
        lines += table(row, args.count)
    print("\n".join(lines))


if __name__ == "__main__":
    main()
