#!/usr/bin/env python3
"""The measuring part of bench/peers/run.sh, which see: rounds in turn, each engine in its own process."""
import argparse
import datetime
import functools
import hashlib
import importlib.metadata
import json
import os
import re
import statistics
import subprocess
import sys

import numpy

import engines
import nets
import report
import statistics_of_rows

PACKAGES = {"ort": "onnxruntime", "openvino": "openvino", "mnn": "mnn", "ncnn": "ncnn", "torch": "torch"}
HERE = os.path.dirname(os.path.abspath(__file__))


class Peer:
    """A worker process (engines.py) that runs when told to."""

    def __init__(self, engine, path, batch, threads, input_file):
        env = dict(os.environ, OMP_NUM_THREADS=str(threads))
        command = [sys.executable, "-B", os.path.join(HERE, "engines.py"), engine, path, str(batch),
                   str(threads), input_file]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True, env=env)
        line = self.process.stdout.readline()
        while line and not line.startswith('{"ready"'):
            line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{engine} did not start on {path}")
        self.output = numpy.array(json.loads(line)["output"])
        self.last_ms = 50.0

    def round(self, milliseconds):
        runs = max(3, min(300, int(milliseconds / self.last_ms)))
        self.process.stdin.write(f"{runs}\n")
        self.process.stdin.flush()
        self.last_ms = statistics.median(json.loads(self.process.stdout.readline()))
        return self.last_ms

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Penult:
    """The program itself, started anew for each round: penult bench --json. With a module, its backend
    onednn, which is a peer like the others."""

    def __init__(self, program, model, batch, threads, module=None):
        self.env = dict(os.environ, PENULT_ONEDNN_MODULE=module) if module else None
        backend = "onednn" if module else "native"
        inspect = subprocess.run([program, "inspect", model, "--json", "--no-ms"], check=True,
                                 capture_output=True)
        self.tap = json.loads(inspect.stdout)["taps"][-1]["name"]
        # The table that a user of such batches takes: the program's own default for files is throughput.
        self.numerics = "latency" if batch < 8 else "throughput"
        self.command = [program, "bench", model, "-l", self.tap, "-b", str(batch), "-j", str(threads),
                        "--backend", backend, "--numerics", self.numerics, "--json"]
        self.isa = None

    def round(self, milliseconds):
        out = subprocess.run([*self.command, "--seconds", str(milliseconds / 1000)], check=True,
                             capture_output=True, env=self.env)
        line = json.loads(out.stdout)
        self.isa = line["isa"]
        return line["median_ms"]

    def close(self):
        pass


@functools.cache
def macs(program, model, tap, numerics):
    """Multiply-adds that the kernels need for one image: Winograd's, where it computes a layer."""
    out = subprocess.run([program, "bench", model, "-l", tap, "-b", "1", "-j", "1", "--numerics", numerics,
                          "--steps", "--seconds", "0.01", "--json"], check=True, capture_output=True)
    return sum(json.loads(line)["macs"] for line in out.stdout.splitlines())


def agree(program, model, tap, x, output, folder):
    """The peers' output through penult verify, on the first image."""
    golden = os.path.join(folder, "peers.npz")
    meta = json.dumps({"source": "ONNX Runtime"})
    numpy.savez(golden, **{"input": x[-1:], tap: output.astype(numpy.float32)[None], "meta": meta})
    done = subprocess.run([program, "verify", model, "--against", golden], capture_output=True, text=True)
    return done.returncode == 0, (done.stdout + done.stderr).strip()


def measure(args, net, batch, threads, probe):
    x = numpy.random.default_rng(0).standard_normal((batch, 3, 224, 224), dtype=numpy.float32)
    input_file = os.path.join(args.folder, f"input_b{batch}.npy")
    numpy.save(input_file, x)
    model = nets.model_file(args.folder, net)
    own = Penult(args.penult, model, batch, threads)
    workers = {engine: Peer(engine, nets.onnx_file(args.folder, net, batch), batch, threads, input_file)
               for engine in args.engines}
    modules = {name: Penult(args.penult, model, batch, threads, module) for name, module in args.modules.items()}
    first = next(iter(workers.values()))
    for engine, worker in workers.items():
        error = numpy.abs(worker.output - first.output).max() / numpy.abs(first.output).max()
        if error > 1e-3:
            print(f"  {engine}: output differs by {error:.1e} of the maximum", flush=True)
    ok, said = agree(args.penult, model, own.tap, x, first.output, args.folder)
    if not ok:
        print("  penult verify:", said, flush=True)
    workers.update(modules)
    times = {engine: [] for engine in [*workers, "penult"]}
    probes = []
    for _ in range(args.rounds):
        probes.append(probe())
        for engine, worker in workers.items():
            times[engine].append(worker.round(args.milliseconds))
        times["penult"].append(own.round(args.milliseconds))
    for worker in workers.values():
        worker.close()
    row = statistics_of_rows.row(times, statistics_of_rows.usable_rounds(probes))
    row.update(net=net, batch=batch, threads=threads, agrees=ok, times=times, probes=probes, isa=own.isa,
               numerics=own.numerics, macs=macs(args.penult, model, own.tap, own.numerics))
    return row


class Measured:
    """The rows so far, in a file: what took an hour is not lost with the last of it."""

    def __init__(self, args, columns):
        self.path = os.path.join(args.folder, "rows.jsonl")
        with open(args.penult, "rb") as f:
            program = hashlib.sha256(f.read()).hexdigest()
        self.setting = [program, report.cpu_name(), datetime.date.today().isoformat(), columns, args.rounds,
                        args.milliseconds]
        if not args.resume or not os.path.exists(self.path):
            open(self.path, "w", encoding="utf-8").close()

    def find(self, net, batch, threads):
        with open(self.path, encoding="utf-8") as f:
            for line in map(json.loads, f):
                row = line["row"]
                if line["setting"] == self.setting and [row["net"], row["batch"], row["threads"]] == [net, batch, threads]:
                    return row
        return None

    def add(self, row):
        with open(self.path, "a", encoding="utf-8") as f:
            f.write(json.dumps({"setting": self.setting, "row": row}) + "\n")


def prepare(args):
    for net in args.nets:
        subprocess.run([sys.executable, "-B", os.path.join(HERE, "nets.py"), args.folder, net,
                        ",".join(map(str, args.batches))], check=True)
        nets.convert(args.folder, net, args.penult)


def fma_probe(program):
    """GFLOP/s of one core, as penult doctor measures it."""
    def probe():
        out = subprocess.run([program, "doctor", "--probe"], check=True, capture_output=True, text=True)
        return float(re.search(r"^probe +fma +([0-9.]+)", out.stdout, re.MULTILINE)[1])
    return probe


def said_by_caller(arguments):
    """Without the paths that run.sh puts before them."""
    ours = {"--penult", "--module"}
    return [word for before, word in zip(["", *arguments], arguments) if word not in ours and before not in ours]


def module_name(program, module):
    """"onednn 3.2.0", as the module says itself."""
    env = dict(os.environ, PENULT_ONEDNN_MODULE=module)
    out = subprocess.run([program, "doctor"], check=True, capture_output=True, text=True, env=env)
    return "onednn " + re.search(r"^backend +onednn +yes: oneDNN ([0-9.]+)", out.stdout, re.MULTILINE)[1]


def peak(rows):
    """The best that a core was seen to do, GFLOP/s."""
    return max(max(row["probes"]) for row in rows)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    words = lambda text: text.split(",")
    numbers = lambda text: [int(word) for word in text.split(",")]
    parser.add_argument("--penult", required=True)
    parser.add_argument("--folder", default="build/peers/files")
    parser.add_argument("--nets", type=words, default=list(nets.NAMES))
    parser.add_argument("--batches", type=numbers, default=[1, 8, 32])
    parser.add_argument("--threads", type=numbers, default=[1, 2])
    parser.add_argument("--engines", type=words, default=list(engines.ENGINES))
    parser.add_argument("--module", action="append", default=[], help="a built penult_onednn.so, a peer, too")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--milliseconds", type=float, default=400, help="of each engine in each round")
    parser.add_argument("--resume", action="store_true", help="take rows that this program was measured in today")
    parser.add_argument("--write", action="store_true", help="into docs/benchmarks.md and bench/results/")
    return parser.parse_args()


def main():
    args = arguments()
    os.makedirs(args.folder, exist_ok=True)
    args.modules = {module_name(args.penult, module): module for module in args.module}
    columns = [*args.engines, *args.modules]
    prepare(args)
    probe = fma_probe(args.penult)
    measured = Measured(args, columns)
    rows = []
    for net in args.nets:
        for batch in args.batches:
            for threads in args.threads:
                row = measured.find(net, batch, threads)
                if row is None:
                    row = measure(args, net, batch, threads, probe)
                    measured.add(row)
                rows.append(row)
                print(report.table([row], columns, peak([row])).splitlines()[2], flush=True)
    meta = {"cpu": report.cpu_name(), "isa": rows[0]["isa"], "date": datetime.date.today().isoformat(),
            "rounds": args.rounds, "fma_gflops": peak(rows),
            "versions": {e: importlib.metadata.version(PACKAGES[e]) for e in args.engines},
            "command": "bench/peers/run.sh " + " ".join(said_by_caller(sys.argv[1:]))}
    print(report.table(rows, columns, meta["fma_gflops"]))
    if args.write:
        report.write(rows, meta, columns)


if __name__ == "__main__":
    main()
