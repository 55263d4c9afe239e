"""Times an ONNX network in PyTorch on CUDA: fp16, channels last, replayed as a CUDA graph.

    bench/onnx_torch.py [--batches 1,2] [--runs 100] [--cpu] [--save DIR] MODEL.onnx...

Prints one JSON document. Each node becomes the PyTorch function of the same meaning, in the file's
order; nothing is fused by hand. A batch of 1 that the file fixes is changed where it leads a Reshape.
With --cpu everything runs in fp32 on the CPU, without graphs: for checking the conversion.
"""

import argparse
import json
import pathlib
import statistics
import struct
import sys
import time

try:
    import torch
    import torch.nn.functional as F
except ImportError as error:
    sys.exit(f"this Python has no PyTorch: {error}")


# --- The protobuf wire format, as far as ONNX files need it ---

def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def fields(data):
    """(number, value) of each field; nested messages stay bytes."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        number, kind = key >> 3, key & 7
        if kind == 0:
            value, at = varint(data, at)
        elif kind == 2:
            size, at = varint(data, at)
            value, at = data[at:at + size], at + size
        else:
            size = {1: 8, 5: 4}[kind]
            value, at = data[at:at + size], at + size
        yield number, value


def signed(value):
    return value - (1 << 64) if isinstance(value, int) and value >= 1 << 63 else value


def integers(value):
    """A repeated int64: packed, or one element."""
    if isinstance(value, int):
        return [signed(value)]
    found, at = [], 0
    while at < len(value):
        element, at = varint(value, at)
        found.append(signed(element))
    return found


DTYPES = {1: torch.float32, 6: torch.int32, 7: torch.int64, 9: torch.bool, 10: torch.float16, 11: torch.float64}


def tensor_of(data):
    """Name and value of a TensorProto."""
    dims, dtype, raw, name, typed = [], 1, None, "", []
    for number, value in fields(data):
        if number == 1:
            dims += integers(value)
        elif number == 2:
            dtype = value
        elif number == 4:
            typed += struct.unpack(f"<{len(value) // 4}f", bytes(value))
        elif number in (5, 7):
            typed += integers(value)
        elif number == 8:
            name = bytes(value).decode()
        elif number == 9:
            raw = bytearray(value)
        elif number in (13, 14):
            raise NotImplementedError("external data")
    if raw:
        return name, torch.frombuffer(raw, dtype=DTYPES[dtype]).reshape(dims)
    return name, torch.tensor(typed, dtype=DTYPES[dtype]).reshape(dims)


def attribute_of(data):
    name, found, lists = "", None, []
    for number, value in fields(data):
        if number == 1:
            name = bytes(value).decode()
        elif number == 2:
            found = struct.unpack("<f", bytes(value))[0]
        elif number == 3:
            found = signed(value)
        elif number == 4:
            found = bytes(value).decode()
        elif number == 5:
            found = tensor_of(value)[1]
        elif number == 7:
            lists += struct.unpack(f"<{len(value) // 4}f", bytes(value))
        elif number == 8:
            lists += integers(value)
    return name, lists if found is None else found


class Graph:
    """Nodes (operator, inputs, outputs, attributes), constants by name, input sizes, output names."""

    def __init__(self, path):
        self.nodes, self.constants, self.inputs, self.outputs = [], {}, {}, []
        model = memoryview(pathlib.Path(path).read_bytes())
        graph = next(value for number, value in fields(model) if number == 7)
        for number, value in fields(graph):
            if number == 1:
                self.nodes.append(self.node(value))
            elif number == 5:
                name, tensor = tensor_of(value)
                self.constants[name] = tensor
            elif number == 11:
                name, size = self.value(value)
                self.inputs[name] = size
            elif number == 12:
                self.outputs.append(self.value(value)[0])
        self.inputs = {name: size for name, size in self.inputs.items() if name not in self.constants}

    @staticmethod
    def node(data):
        inputs, outputs, op, attributes = [], [], "", {}
        for number, value in fields(data):
            if number == 1:
                inputs.append(bytes(value).decode())
            elif number == 2:
                outputs.append(bytes(value).decode())
            elif number == 4:
                op = bytes(value).decode()
            elif number == 5:
                name, content = attribute_of(value)
                attributes[name] = content
        return op, inputs, outputs, attributes

    @staticmethod
    def value(data):
        name, size = "", []
        for number, value in fields(data):
            if number == 1:
                name = bytes(value).decode()
            elif number == 2:
                tensor = next(v for n, v in fields(value) if n == 1)
                shape = next((v for n, v in fields(tensor) if n == 2), b"")
                for _, dim in fields(shape):
                    size.append(next((v for n, v in fields(dim) if n == 1), 0))
        return name, size


# --- The operators ---

def conv(x, w, b=None, **a):
    pads, rank = a.get("pads", [0, 0, 0, 0]), w.dim() - 2
    if pads[:rank] != pads[rank:]:
        x, pads = F.pad(x, [pads[1], pads[3], pads[0], pads[2]]), [0] * (2 * rank)
    return F.conv2d(x, w, b, a.get("strides", 1), pads[:rank], a.get("dilations", 1), a.get("group", 1))


def pool(x, **a):
    pads = a.get("pads", [0, 0, 0, 0])
    if pads[:2] != pads[2:]:
        x, pads = F.pad(x, [pads[1], pads[3], pads[0], pads[2]], value=float("-inf")), [0, 0, 0, 0]
    return F.max_pool2d(x, a["kernel_shape"], a.get("strides", 1), pads[:2], ceil_mode=bool(a.get("ceil_mode", 0)))


def average_pool(x, **a):
    return F.avg_pool2d(x, a["kernel_shape"], a.get("strides", 1), a.get("pads", [0, 0, 0, 0])[:2],
                        count_include_pad=bool(a.get("count_include_pad", 0)))


def gemm(x, w, c=None, **a):
    x = x.t() if a.get("transA") else x
    w = w.t() if a.get("transB") else w
    y = a.get("alpha", 1.0) * (x @ w) if a.get("alpha", 1.0) != 1.0 else x @ w
    return y if c is None else y + a.get("beta", 1.0) * c


def resize(x, _roi=None, scales=None, sizes=None, **a):
    if a.get("mode", "nearest") != "nearest":
        raise NotImplementedError("Resize in mode " + a["mode"])
    size = sizes[2:] if sizes else [int(d * s) for d, s in zip(x.shape[2:], scales[2:])]
    return F.interpolate(x, size=size, mode="nearest")


def slice_(x, starts, ends, axes=None, steps=None, **_):
    index = [slice(None)] * x.dim()
    for i, axis in enumerate(axes or range(len(starts))):
        index[axis] = slice(starts[i], min(ends[i], x.shape[axis]), steps[i] if steps else 1)
    return x[tuple(index)]


def reduce(kind):
    def apply(x, axes=None, **a):
        axes = axes if axes is not None else a.get("axes")
        keep = bool(a.get("keepdims", 1))
        return kind(x, axes if axes else list(range(x.dim())), keep)
    return apply


def pad(x, pads, value=None, **_):
    rank = x.dim()
    flat = [n for axis in reversed(range(rank)) for n in (pads[axis], pads[rank + axis])]
    return F.pad(x, flat, value=float(value) if value is not None else 0.0)


def squeeze(x, axes=None, **a):
    for axis in sorted((d % x.dim() for d in axes or a["axes"]), reverse=True):
        x = x.squeeze(axis)
    return x


def unsqueeze(x, axes=None, **a):
    axes = axes or a["axes"]
    rank = x.dim() + len(axes)
    for axis in sorted(d % rank for d in axes):
        x = x.unsqueeze(axis)
    return x


def batch_norm(x, scale, bias, mean, variance, **a):
    return F.batch_norm(x, mean, variance, scale, bias, eps=a.get("epsilon", 1e-5))


OPERATORS = {
    "Conv": conv, "MaxPool": pool, "AveragePool": average_pool, "Gemm": gemm, "Resize": resize, "Slice": slice_, "Pad": pad,
    "Squeeze": squeeze, "Unsqueeze": unsqueeze, "BatchNormalization": batch_norm,
    "MatMul": lambda a, b: a @ b, "Add": lambda a, b: a + b, "Sub": lambda a, b: a - b, "Mul": lambda a, b: a * b,
    "Div": lambda a, b: a / b, "Pow": lambda a, b: a ** b, "Sqrt": torch.sqrt, "Abs": torch.abs, "Exp": torch.exp,
    "Relu": F.relu, "Sigmoid": torch.sigmoid, "Tanh": torch.tanh, "LeakyRelu": lambda x, alpha=0.01: F.leaky_relu(x, alpha),
    "Clip": lambda x, low=None, high=None, **a: torch.clamp(
        x, float(low) if low is not None else a.get("min"), float(high) if high is not None else a.get("max")),
    "Concat": lambda *x, axis: torch.cat(x, axis), "Transpose": lambda x, perm: x.permute(perm),
    "Flatten": lambda x, axis=1: x.flatten(axis), "Softmax": lambda x, axis=-1: F.softmax(x, axis),
    "GlobalAveragePool": lambda x: x.mean((2, 3), keepdim=True),
    "InstanceNormalization": lambda x, s, b, epsilon=1e-5: F.instance_norm(x, weight=s, bias=b, eps=epsilon),
    "ReduceMean": reduce(lambda x, d, k: x.mean(d, k)), "ReduceSum": reduce(lambda x, d, k: x.sum(d, k)),
    "ReduceMax": reduce(lambda x, d, k: torch.amax(x, d, k)), "ReduceL2": reduce(lambda x, d, k: x.norm(dim=d, keepdim=k)),
    "TopK": lambda x, k, axis=-1, largest=1, sorted=1: torch.topk(x, k[0], axis, bool(largest), bool(sorted)),
    "Greater": lambda a, b: a > b, "GreaterOrEqual": lambda a, b: a >= b, "Less": lambda a, b: a < b,
    "Equal": lambda a, b: a == b, "Where": torch.where, "Identity": lambda x: x,
    "Shape": lambda x, start=0, end=None: torch.tensor(x.shape[start:end]),
    "ConstantOfShape": lambda size, value=torch.zeros(1): torch.full(size, value.item(), dtype=value.dtype),
    "Expand": lambda x, size: x.expand(torch.broadcast_shapes(x.shape, size)), "Tile": lambda x, times: x.repeat(times),
    "Gather": lambda x, i, axis=0: x.select(axis, int(i)) if i.dim() == 0 else x.index_select(axis, i),
}
# Inputs that are sizes, read once as Python numbers.
SIZES = {"Slice": (1, 2, 3, 4), "Pad": (1,), "Squeeze": (1,), "Unsqueeze": (1,), "TopK": (1,), "ReduceSum": (1,),
         "ReduceMean": (1,), "ReduceMax": (1,), "ReduceL2": (1,), "Reshape": (1,), "Expand": (1,), "Tile": (1,),
         "ConstantOfShape": (0,), "Resize": (1, 2, 3)}


class Network(torch.nn.Module):
    """The graph as PyTorch calls; `batch` replaces a leading 1 of Reshape's sizes."""

    def __init__(self, path, batch, dtype, device):
        super().__init__()
        graph = Graph(path)
        self.outputs, self.batch, self.dtype = graph.outputs, batch, dtype
        self.sizes = {name: [batch, *size[1:]] for name, size in graph.inputs.items()}
        if any(min(size) < 1 for size in self.sizes.values()):
            raise NotImplementedError("symbolic sizes other than the batch")
        self.steps, self.values, self.numbers = [], dict(graph.constants), {}
        for step in graph.nodes:
            op, inputs, outputs, attributes = step
            if op == "Constant":
                self.values[outputs[0]] = attributes["value"]
            elif op not in OPERATORS and op not in ("Reshape", "Cast"):
                raise NotImplementedError(op)
            elif all(name in self.values for name in inputs if name):
                self.run(step, self.values)  # what depends on constants only is computed once
            else:
                self.steps.append(step)
        for name, tensor in self.values.items():
            if tensor.numel() <= 16:
                self.numbers[name] = tensor.tolist()
            if not tensor.is_floating_point() and tensor.numel() <= 16:
                continue  # sizes
            tensor = tensor.to(device)
            if tensor.is_floating_point():
                tensor = tensor.to(dtype)
            if tensor.dim() == 4:
                tensor = tensor.contiguous(memory_format=torch.channels_last)
            self.values[name] = tensor

    def reshape(self, x, sizes):
        sizes = [x.shape[i] if n == 0 else n for i, n in enumerate(sizes)]
        if self.batch > 1 and sizes[0] == 1 and x.shape[0] == self.batch:
            sizes[0] = self.batch
        return x.reshape(sizes)

    def run(self, step, values):
        op, names, outputs, attributes = step
        operands = []
        for i, name in enumerate(names):
            if not name:
                operands.append(None)
            elif i in SIZES.get(op, ()):
                operands.append(self.numbers[name] if name in self.numbers else values[name].tolist())
            else:
                operands.append(values[name])
        if op == "Reshape":
            result = self.reshape(*operands)
        elif op == "Cast":
            dtype = DTYPES[attributes["to"]]
            result = operands[0].to(self.dtype if dtype.is_floating_point else dtype)
        else:
            if op == "Concat" and self.batch > 1:
                widest = max(operand.shape[0] for operand in operands)
                operands = [o.expand(widest, *o.shape[1:]) if o.dim() == 4 and o.shape[0] == 1 else o for o in operands]
            result = OPERATORS[op](*operands, **attributes)
        for name, value in zip(outputs, result if isinstance(result, tuple) else (result,)):
            values[name] = value

    def forward(self, *inputs):
        values = dict(self.values)
        values.update(zip(self.sizes, inputs))
        for step in self.steps:
            self.run(step, values)
        return [values[name] for name in self.outputs]


def time_on_cuda(network, inputs, runs):
    """Milliseconds of each replay of the network captured as a CUDA graph."""
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        for _ in range(5):
            network(*inputs)
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        outputs = network(*inputs)
    times = []
    for i in range(runs + 10):
        torch.cuda.synchronize()
        start = time.perf_counter()
        graph.replay()
        torch.cuda.synchronize()
        if i >= 10:
            times.append(1e3 * (time.perf_counter() - start))
    return times, outputs


def time_on_cpu(network, inputs, runs):
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        outputs = network(*inputs)
        times.append(1e3 * (time.perf_counter() - start))
    return times, outputs


def measure(path, batch, options):
    dtype, device = (torch.float32, "cpu") if options.cpu else (torch.float16, "cuda")
    case = {"file": path.name, "batch": batch, "precision": str(dtype).removeprefix("torch.")}
    try:
        network = Network(path, batch, dtype, device)
        generator = torch.Generator().manual_seed(1)
        inputs = [torch.rand(size, generator=generator).to(device, dtype).contiguous(memory_format=torch.channels_last)
                  for size in network.sizes.values()]
        times, outputs = (time_on_cpu if options.cpu else time_on_cuda)(network, inputs, options.runs)
    except (NotImplementedError, RuntimeError) as error:
        return {**case, "error": f"{type(error).__name__}: {error}".splitlines()[0]}
    if options.save:
        for name, output in zip(network.outputs, outputs):
            values = output.float().flatten().tolist()
            (options.save / f"{path.stem}.{batch}.{name}.f32").write_bytes(struct.pack(f"<{len(values)}f", *values))
    case.update({"median_ms": statistics.median(times), "min_ms": min(times), "runs": len(times),
                 "finite": all(bool(o.isfinite().all()) for o in outputs)})
    return case


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", type=pathlib.Path)
    parser.add_argument("--batches", default="1")
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--cpu", action="store_true")
    parser.add_argument("--save", type=pathlib.Path, help="folder for the outputs as little-endian float32")
    options = parser.parse_args()
    if not options.cpu and not torch.cuda.is_available():
        sys.exit(f"PyTorch {torch.__version__} finds no CUDA device")
    torch.backends.cudnn.benchmark = True
    with torch.inference_mode():
        cases = [measure(path, int(batch), options) for path in options.models for batch in options.batches.split(",")]
    device = "cpu" if options.cpu else torch.cuda.get_device_name()
    print(json.dumps({"version": torch.__version__, "device": device,
                      "what": "the same ONNX files, one PyTorch function per node, inference mode; on CUDA in fp16, "
                              "channels last, cudnn.benchmark, replayed as a CUDA graph, inputs already on the GPU, "
                              "outputs left there; ours includes both copies",
                      "cases": cases}))


if __name__ == "__main__":
    main()
