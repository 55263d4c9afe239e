"""Writes classifiers with seeded random weights as ONNX files: EfficientNet-B0, ResNet-18, ResNet-50.

Inference form, input 1x3x224x224: batch norm is already part of the convolutions, SiLU is
Sigmoid and Mul, squeeze-excite is a GlobalAveragePool and two 1x1 convolutions.
"""

import argparse
import pathlib

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper


class Network:
    """Nodes put together one after the other; `channels` remembers the width of every tensor."""

    def __init__(self, name):
        self.name = name
        self.random = numpy.random.default_rng(7)
        self.nodes, self.weights = [], []
        self.channels = {"image": 3}

    def constant(self, values):
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(values.astype(numpy.float32), name))
        return name

    def add(self, op, inputs, channels, **attributes):
        out = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [out], name=f"{op}{len(self.nodes)}", **attributes))
        self.channels[out] = channels
        return out

    def conv(self, x, out, kernel=1, stride=1, groups=1, activation=None):
        depth = self.channels[x] // groups
        gain = 1.0 if activation is None else 2.0
        spread = (gain / (depth * kernel * kernel)) ** 0.5
        weights = self.constant(self.random.normal(0, spread, (out, depth, kernel, kernel)))
        bias = self.constant(self.random.normal(0, 0.1, out))
        pad = (kernel - 1) // 2
        y = self.add("Conv", [x, weights, bias], out, kernel_shape=[kernel] * 2, strides=[stride] * 2,
                     pads=[pad] * 4, group=groups)
        return self.activate(y, activation)

    def activate(self, x, activation):
        if activation == "silu":
            return self.add("Mul", [x, self.add("Sigmoid", [x], self.channels[x])], self.channels[x])
        return self.add(activation, [x], self.channels[x]) if activation else x

    def sum(self, a, b, activation=None):
        return self.activate(self.add("Add", [a, b], self.channels[a]), activation)

    def squeeze_excite(self, x, inner):
        mean = self.add("GlobalAveragePool", [x], self.channels[x])
        scale = self.conv(self.conv(mean, inner, activation="silu"), self.channels[x], activation="Sigmoid")
        return self.add("Mul", [x, scale], self.channels[x])

    def classify(self, x):
        x = self.add("Flatten", [self.add("GlobalAveragePool", [x], self.channels[x])], self.channels[x])
        weights = self.constant(self.random.normal(0, self.channels[x] ** -0.5, (1000, self.channels[x])))
        bias = self.constant(numpy.zeros(1000))
        self.nodes.append(helper.make_node("Gemm", [x, weights, bias], ["logits"], name="fc", transB=1))

    def save(self, folder):
        graph = helper.make_graph(
            self.nodes, self.name,
            [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 224, 224])],
            [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 1000])], self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
        onnx.checker.check_model(model, full_check=True)
        path = folder / f"{self.name}.onnx"
        onnx.save(model, path)
        return path


def efficientnet_b0():
    """Tan and Le 2019, table 1: (expansion, channels, repeats, stride, kernel) of each stage."""
    stages = [(1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 3, 2, 3),
              (6, 112, 3, 1, 5), (6, 192, 4, 2, 5), (6, 320, 1, 1, 3)]
    net = Network("efficientnet_b0")
    x = net.conv("image", 32, 3, 2, activation="silu")
    for expansion, channels, repeats, first_stride, kernel in stages:
        for i in range(repeats):
            stride = first_stride if i == 0 else 1
            source, width = x, net.channels[x]
            wide = width * expansion
            if expansion > 1:
                x = net.conv(x, wide, activation="silu")
            x = net.conv(x, wide, kernel, stride, groups=wide, activation="silu")
            x = net.conv(net.squeeze_excite(x, max(width // 4, 1)), channels)
            if stride == 1 and width == channels:
                x = net.sum(x, source)
    net.classify(net.conv(x, 1280, activation="silu"))
    return net


def resnet(depth):
    """He et al. 2016, table 1; stride in the 3x3 convolution of a bottleneck."""
    bottleneck = depth == 50
    repeats = [3, 4, 6, 3] if bottleneck else [2, 2, 2, 2]
    net = Network(f"resnet{depth}")
    x = net.conv("image", 64, 7, 2, activation="Relu")
    x = net.add("MaxPool", [x], 64, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    for stage, count in enumerate(repeats):
        width = 64 << stage
        out = width * 4 if bottleneck else width
        for i in range(count):
            stride = 2 if stage > 0 and i == 0 else 1
            source = x
            if bottleneck:
                x = net.conv(x, width, activation="Relu")
                x = net.conv(x, width, 3, stride, activation="Relu")
                x = net.conv(x, out)
            else:
                x = net.conv(net.conv(x, width, 3, stride, activation="Relu"), width, 3)
            if stride > 1 or net.channels[source] != out:
                source = net.conv(source, out, 1, stride)
            x = net.sum(x, source, "Relu")
    net.classify(x)
    return net


NETWORKS = {"efficientnet_b0": efficientnet_b0, "resnet18": lambda: resnet(18), "resnet50": lambda: resnet(50)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("names", nargs="*", default=list(NETWORKS), help=", ".join(NETWORKS))
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for name in arguments.names:
        print(NETWORKS[name]().save(arguments.folder))


if __name__ == "__main__":
    main()
