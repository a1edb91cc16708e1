#!/usr/bin/python3
"""Writes the synthetic models of the benchmark: bench/models.py FOLDER [NAME...]

dense-2048, dense-4096-one   one Gaussian matrix
dense-4096      four 4096x4096 matrices: two Gaussian, two with eight spikes above the bulk
resnet50        the 53 convolutions of ResNet-50 at 224x224, He-random (no gap behind the largest singular value)
densenet        a 7 M parameter DenseNet-like CNN at 224x224 with decaying channel spectra, as training leaves them
dense-1g        sixteen 4096x4096 matrices in external data (1.07 GB); dense-128m: two of them
"""

import pathlib
import sys

import numpy as np
from onnx import TensorProto, helper, numpy_helper


class Builder:
    def __init__(self, folder, name, shape, external=False):
        self.nodes, self.tensors, self.shape = [], [], shape
        self.path = pathlib.Path(folder) / f"{name}.onnx"
        self.rng = np.random.default_rng(7)
        self.external = open(self.path.with_suffix(".bin"), "wb") if external else None

    def tensor(self, array, name):
        array = np.ascontiguousarray(array, np.float32)
        if self.external is None:
            self.tensors.append(numpy_helper.from_array(array, name))
            return name
        tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=array.shape)
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in [("location", self.path.with_suffix(".bin").name), ("offset", str(self.external.tell())),
                           ("length", str(array.nbytes))]:
            tensor.external_data.add(key=key, value=value)
        self.external.write(array.tobytes())
        self.tensors.append(tensor)
        return name

    def node(self, op, inputs, **attributes):
        output = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [output], name=f"{op}_{len(self.nodes)}", **attributes))
        return output

    def conv(self, x, weights, stride=1):
        pad = weights.shape[2] // 2
        w = self.tensor(weights, f"w{len(self.nodes)}")
        return self.node("Conv", [x, w], strides=[stride] * 2, pads=[pad] * 4, kernel_shape=list(weights.shape[2:]))

    def he(self, out, inside, kernel):
        scale = np.sqrt(2 / (inside * kernel * kernel))
        return self.rng.standard_normal((out, inside, kernel, kernel)) * scale

    def save(self, output):
        value = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        graph = helper.make_graph(self.nodes, "bench", [value("input", self.shape)], [value(output, None)], self.tensors)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
        self.path.write_bytes(model.SerializeToString())
        if self.external is not None:
            self.external.close()


def dense(folder, name, size, kinds, external=False):
    builder = Builder(folder, name, [1, size], external)
    x = "input"
    for index, kind in enumerate(kinds):
        w = builder.rng.standard_normal((size, size), dtype=np.float32) / np.float32(np.sqrt(size))
        if kind == "spiked":
            u = np.linalg.qr(builder.rng.standard_normal((size, 8)))[0]
            v = np.linalg.qr(builder.rng.standard_normal((size, 8)))[0]
            w += ((u * np.linspace(8, 3, 8)) @ v.T).astype(np.float32)
        x = builder.node("Relu", [builder.node("MatMul", [x, builder.tensor(w, f"w{index}")])])
    builder.save(x)


def resnet50(folder, name):
    builder = Builder(folder, name, [1, 3, 224, 224])
    x = builder.node("Relu", [builder.conv("input", builder.he(64, 3, 7), 2)])
    x = builder.node("MaxPool", [x], kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    inside = 64
    for width, blocks, stride in [(64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)]:
        for block in range(blocks):
            step = stride if block == 0 else 1
            y = builder.node("Relu", [builder.conv(x, builder.he(width, inside, 1))])
            y = builder.node("Relu", [builder.conv(y, builder.he(width, width, 3), step)])
            y = builder.conv(y, builder.he(4 * width, width, 1))
            skip = x if block else builder.conv(x, builder.he(4 * width, inside, 1), step)
            x = builder.node("Relu", [builder.node("Add", [y, skip])])
            inside = 4 * width
    x = builder.node("Flatten", [builder.node("GlobalAveragePool", [x])])
    builder.save(builder.node("MatMul", [x, builder.tensor(builder.he(inside, 1000, 1)[:, :, 0, 0], "fc")]))


def decaying(builder, out, inside, kernel):
    """A kernel whose channel spectrum decays and whose taps are smooth, as those of trained networks."""
    rank = min(out, inside)
    u = np.linalg.qr(builder.rng.standard_normal((out, rank)))[0]
    v = np.linalg.qr(builder.rng.standard_normal((inside, rank)))[0]
    axis = np.exp(-0.5 * ((np.arange(kernel) - kernel // 2) / 0.8) ** 2)
    smooth = np.outer(axis, axis) / np.outer(axis, axis).sum()
    decay = 1.5 * np.arange(1, rank + 1) ** -0.6
    return np.einsum("or,r,ir,hw->oihw", u, decay, v, smooth) + 0.15 * builder.he(out, inside, kernel)


def densenet(folder, name):
    builder = Builder(folder, name, [1, 3, 224, 224])
    growth, inside = 32, 64
    x = builder.node("Relu", [builder.conv("input", decaying(builder, 64, 3, 7), 2)])
    x = builder.node("MaxPool", [x], kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    for stage, count in enumerate([6, 12, 24, 16]):
        for _ in range(count):
            y = builder.node("Relu", [builder.conv(x, decaying(builder, 4 * growth, inside, 1))])
            y = builder.node("Relu", [builder.conv(y, decaying(builder, growth, 4 * growth, 3))])
            x = builder.node("Concat", [x, y], axis=1)
            inside += growth
        if stage < 3:
            x = builder.conv(x, decaying(builder, inside // 2, inside, 1))
            x = builder.node("AveragePool", [x], kernel_shape=[2, 2], strides=[2, 2])
            inside //= 2
    x = builder.node("Flatten", [builder.node("GlobalAveragePool", [x])])
    builder.save(builder.node("MatMul", [x, builder.tensor(decaying(builder, inside, 1000, 1)[:, :, 0, 0], "fc")]))


MODELS = {
    "dense-2048": lambda folder, name: dense(folder, name, 2048, ["gaussian"]),
    "dense-4096-one": lambda folder, name: dense(folder, name, 4096, ["gaussian"]),
    "dense-4096": lambda folder, name: dense(folder, name, 4096, ["gaussian", "spiked", "gaussian", "spiked"]),
    "resnet50": resnet50,
    "densenet": densenet,
    "dense-128m": lambda folder, name: dense(folder, name, 4096, ["spiked"] * 2, external=True),
    "dense-1g": lambda folder, name: dense(folder, name, 4096, ["spiked"] * 16, external=True),
}


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[2:] or MODELS:
        MODELS[name](folder, name)


if __name__ == "__main__":
    main()
