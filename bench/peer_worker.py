"""Times one network in ONNX Runtime or ncnn; runs inside the environment that bench/peers makes.

Prints one JSON line: {"median_ms", "min_ms", "device"} or {"reason"} where the peer cannot run it.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import numpy


class Unsupported(Exception):
    """The peer cannot run this network; the text says why."""


def sized_inputs(model, shapes):
    """Names and sizes of the file's inputs, with `shapes` in the place of symbolic ones."""
    import onnx

    graph = onnx.load(model, load_external_data=False).graph
    constants = {tensor.name for tensor in graph.initializer}
    sizes = {}
    for value in graph.input:
        if value.name in constants:
            continue
        size = [d.dim_value if d.HasField("dim_value") else 0 for d in value.type.tensor_type.shape.dim]
        sizes[value.name] = shapes.get(value.name, size)
        if min(sizes[value.name], default=1) < 1:
            raise Unsupported(f"input {value.name} has no fixed shape; give --shape {value.name}=...")
    return sizes


def random_inputs(sizes):
    random = numpy.random.default_rng(1)
    return {name: random.uniform(-1, 1, size).astype(numpy.float32) for name, size in sizes.items()}


def timed(call, runs, warmup):
    for _ in range(warmup):
        call()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        call()
        times.append(1e3 * (time.perf_counter() - start))
    return {"median_ms": statistics.median(times), "min_ms": min(times)}


def onnx_runtime(arguments, sizes):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = arguments.threads
    try:
        session = onnxruntime.InferenceSession(arguments.model, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise Unsupported(str(error).splitlines()[0]) from error
    feeds = random_inputs(sizes)
    result = timed(lambda: session.run(None, feeds), arguments.runs, arguments.warmup)
    return {**result, "device": f"CPU, {arguments.threads} threads"}


def converted(model, sizes, folder):
    """ncnn's two files for a network, made once by pnnx with fp32 weights."""
    tag = "_".join("x".join(map(str, size)) for size in sizes.values())
    stem = folder / f"{pathlib.Path(model).stem}_{tag}"
    files = [stem.with_name(stem.name + suffix) for suffix in (".ncnn.param", ".ncnn.bin")]
    if all(f.exists() and f.stat().st_mtime >= os.path.getmtime(model) for f in files):
        return files
    shape = ",".join("[" + ",".join(map(str, size)) + "]" for size in sizes.values())
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        copy = pathlib.Path(scratch) / "network.onnx"
        shutil.copyfile(model, copy)
        pnnx = pathlib.Path(sys.executable).with_name("pnnx")
        done = subprocess.run([pnnx, copy, f"inputshape={shape}", "fp16=0"], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        made = [copy.with_name("network" + suffix) for suffix in (".ncnn.param", ".ncnn.bin")]
        if not all(f.exists() for f in made):
            text = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout)
            told = [line for line in text.splitlines() if re.search("fail|error|not support", line, re.I)]
            raise Unsupported("pnnx cannot convert it: " + (told or ["no reason given"])[-1][:160])
        for source, target in zip(made, files):
            shutil.move(source, target)
    return files


def load_ncnn(files, arguments, vulkan):
    """The network in ncnn. What it prints to stderr on failure is its reason."""
    import ncnn

    net = ncnn.Net()
    net.opt.num_threads = arguments.threads
    net.opt.use_vulkan_compute = vulkan
    if not vulkan:  # the same arithmetic as the others on the CPU
        net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
        net.opt.use_bf16_storage = False
    with tempfile.TemporaryFile() as log:
        kept = os.dup(2)
        os.dup2(log.fileno(), 2)
        failed = net.load_param(str(files[0])) or net.load_model(str(files[1]))
        os.dup2(kept, 2)
        log.seek(0)
        told = [line for line in log.read().decode(errors="replace").splitlines() if "layer" in line]
    if failed:
        raise Unsupported("ncnn cannot load it: " + (told or ["no reason given"])[0])
    return net


def ncnn_peer(arguments, sizes, vulkan):
    import ncnn

    if vulkan and ncnn.get_gpu_count() == 0:
        raise Unsupported("ncnn finds no Vulkan device")
    net = load_ncnn(converted(arguments.model, sizes, arguments.cache), arguments, vulkan)
    arrays = [numpy.ascontiguousarray(x[0]) for x in random_inputs(sizes).values()]
    images = [ncnn.Mat(a).clone() for a in arrays]  # a Mat made from an array only points to it

    def call():
        extractor = net.create_extractor()
        for name, image in zip(net.input_names(), images):
            extractor.input(name, image)
        for name in net.output_names():
            status, _ = extractor.extract(name)
            if status != 0:
                raise Unsupported(f"ncnn fails at output {name}")

    result = timed(call, arguments.runs, arguments.warmup)
    return {**result, "device": ncnn.get_gpu_info(0).device_name() if vulkan else f"CPU, {arguments.threads} threads"}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("peer", choices=["ort", "ncnn", "ncnn-vulkan"])
    parser.add_argument("model")
    parser.add_argument("--shape", action="append", default=[])
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--runs", type=int, required=True)
    parser.add_argument("--warmup", type=int, default=3)
    parser.add_argument("--cache", type=pathlib.Path, required=True, help="where converted networks are kept")
    arguments = parser.parse_args()
    shapes = {}
    for binding in arguments.shape:
        name, _, size = binding.rpartition("=")
        shapes[name] = [int(d) for d in size.split("x")]
    try:
        sizes = sized_inputs(arguments.model, shapes)
        if arguments.peer == "ort":
            result = onnx_runtime(arguments, sizes)
        else:
            result = ncnn_peer(arguments, sizes, arguments.peer == "ncnn-vulkan")
    except Unsupported as error:
        result = {"reason": str(error)}
    print("\n" + json.dumps(result), flush=True)
    os._exit(0)  # ncnn's Vulkan instance does not always survive the interpreter's end


if __name__ == "__main__":
    main()
