"""One function a peer: file, batch, threads, input -> a function that runs once and returns the output.

Each runs in a process of its own (this file as a program): it prints a line with the output's first
values, then, for each line it reads, milliseconds of that many runs. All compute in fp32.
"""
import json
import os
import shutil
import subprocess
import sys
import time


def ort(path, batch, threads, x):
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, {"input": x})[0]


def openvino(path, batch, threads, x):
    import openvino as ov
    model = ov.Core().compile_model(path, "CPU", {
        "INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": 1,
        "INFERENCE_PRECISION_HINT": "f32"})
    request = model.create_infer_request()
    request.set_input_tensor(ov.Tensor(x))

    def run():
        request.infer()
        return request.get_output_tensor(0).data
    return run


def mnn(path, batch, threads, x):
    import MNN.expr
    import MNN.nn
    own = path.replace(".onnx", ".mnn")
    if not os.path.exists(own):
        tool = os.path.join(os.path.dirname(sys.executable), "mnnconvert")
        subprocess.run([tool, "-f", "ONNX", "--modelFile", path, "--MNNModel", own, "--bizCode", "x"],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    runtime = MNN.nn.create_runtime_manager(({"backend": "CPU", "precision": "high", "numThread": threads},))
    net = MNN.nn.load_module_from_file(own, ["input"], ["output"], runtime_manager=runtime)
    value = MNN.expr.placeholder(list(x.shape), MNN.expr.NCHW)
    value.write(x)
    return lambda: net.forward([MNN.expr.convert(value, MNN.expr.NC4HW4)])[0].read()


def ncnn(path, batch, threads, x):
    """ncnn has no batch: image by image."""
    import ncnn as ncnn_module
    import numpy
    one = path.replace(f"_b{batch}.onnx", "_b1.onnx")
    base = one.replace(".onnx", "")
    if not os.path.exists(base + ".ncnn.param"):
        tool = os.path.join(os.path.dirname(sys.executable), "pnnx")
        copy = base + ".pnnx.onnx"  # pnnx rewrites what it reads
        shutil.copy(one, copy)
        subprocess.run([tool, copy, "inputshape=[1,3,224,224]", f"ncnnparam={base}.ncnn.param",
                        f"ncnnbin={base}.ncnn.bin"], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
    net = ncnn_module.Net()
    net.opt.num_threads = threads
    net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = net.opt.use_fp16_packed = False
    net.opt.use_bf16_storage = False
    net.load_param(base + ".ncnn.param")
    net.load_model(base + ".ncnn.bin")
    images = [ncnn_module.Mat(numpy.ascontiguousarray(image)).clone() for image in x]

    def run():
        outputs = []
        for image in images:
            extractor = net.create_extractor()
            extractor.input("in0", image)
            outputs.append(numpy.array(extractor.extract("out0")[1]))
        return numpy.stack(outputs)
    return run


def torch(path, batch, threads, x):
    import torch as t
    import nets
    t.set_num_threads(threads)
    folder, name = os.path.split(path)
    name = name.rsplit("_b", 1)[0]
    model = nets.builders()[name]()
    model.load_state_dict(t.load(nets.state_dict(folder, name), weights_only=True))
    image = t.from_numpy(x)
    with t.no_grad():
        traced = t.jit.optimize_for_inference(t.jit.freeze(t.jit.trace(model.eval(), image)))

    def run():
        with t.inference_mode():
            return traced(image).numpy()
    return run


ENGINES = {f.__name__: f for f in (ort, openvino, mnn, ncnn, torch)}


def main(engine, path, batch, threads, input_file):
    import numpy
    run = ENGINES[engine](path, int(batch), int(threads), numpy.load(input_file))
    output = numpy.asarray(run(), dtype=numpy.float64).reshape(int(batch), -1)
    for _ in range(2):
        run()
    print(json.dumps({"ready": True, "output": output[-1].tolist()}), flush=True)
    for line in sys.stdin:
        times = []
        for _ in range(int(line)):
            begin = time.perf_counter()
            run()
            times.append((time.perf_counter() - begin) * 1e3)
        print(json.dumps(times), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
