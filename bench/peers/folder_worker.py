"""A folder of photos to features with ONNX Runtime and Pillow, as a user would write it: a process of its own
that reads lines and answers each with the seconds of one pass over all photos.

    folder_worker.py MODEL.onnx THREADS LIST BATCH      one path a line in LIST; what the model takes at a time

With several threads Pillow works in a pool beside ONNX Runtime, which has as many threads: Pillow lets go of
Python's lock while it decodes and resizes.
"""
import concurrent.futures
import json
import sys
import time

import numpy
import onnxruntime
import PIL.Image

MEAN = numpy.array([0.485, 0.456, 0.406], numpy.float32)
STD = numpy.array([0.229, 0.224, 0.225], numpy.float32)


def load(path):
    """As torchvision: short side 256, bilinear with antialias, centre crop of 224, mean and std."""
    image = PIL.Image.open(path).convert("RGB")
    w, h = image.size
    size = (256, 256 * h // w) if w <= h else (256 * w // h, 256)
    image = image.resize(size, PIL.Image.Resampling.BILINEAR)
    left, top = round((size[0] - 224) / 2), round((size[1] - 224) / 2)
    image = image.crop((left, top, left + 224, top + 224))
    pixels = numpy.asarray(image, numpy.float32) / 255
    return ((pixels - MEAN) / STD).transpose(2, 0, 1)


def batches(paths, threads, batch):
    if threads == 1:
        for i in range(0, len(paths), batch):
            yield numpy.stack([load(path) for path in paths[i:i + batch]])
        return
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        ahead = 2 * max(batch, threads)
        waiting = [pool.submit(load, path) for path in paths[:ahead]]
        for i in range(0, len(paths), batch):
            waiting += [pool.submit(load, path) for path in paths[i + ahead:i + ahead + batch]]
            ready, waiting = waiting[:batch], waiting[batch:]
            yield numpy.stack([future.result() for future in ready])


def main():
    model, threads, listed, batch = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    with open(listed, encoding="utf-8") as lines:
        paths = lines.read().splitlines()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def one_pass():
        return numpy.concatenate([session.run(None, {"input": x})[0] for x in batches(paths, threads, batch)])

    first = one_pass()
    print(json.dumps({"ready": True, "output": first[:8].astype(float).tolist()}), flush=True)
    for _ in sys.stdin:
        begin = time.perf_counter()
        one_pass()
        print(time.perf_counter() - begin, flush=True)


if __name__ == "__main__":
    main()
