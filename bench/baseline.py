#!/usr/bin/python3
"""The strongest plain Python that gives the same norms: bench/baseline.py estimate|estimate-onnx|verified MODEL

Memory-mapped file, a protobuf walk over the graph that never touches the weights, float32 Lanczos with BLAS on all
cores, 1x1 and patch convolutions as matrices, the symbol for large images and Lanczos on the finite operator
(torch, imported only when one is met) for the rest. `estimate`: point estimates right to about 1e-3, no certificate.
`estimate-onnx`: the same, the file read by the onnx package, as scripts usually do.
`verified`: for dense layers also one Gram matrix and one Cholesky factorisation in float64.
Prints one line per layer: node, norm.
"""

import mmap
import os
import sys

import numpy as np

# ---------------------------------------------------------------- protobuf, as far as needed


def varint(data, at):
    value, shift = 0, 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7


def fields(data, at, end):
    while at < end:
        key, at = varint(data, at)
        number, wire = key >> 3, key & 7
        if wire == 2:
            length, at = varint(data, at)
            yield number, (at, at + length)
            at += length
        elif wire == 0:
            value, at = varint(data, at)
            yield number, value
        else:
            size = 8 if wire == 1 else 4
            yield number, data[at:at + size]
            at += size


def text(data, span):
    return bytes(data[span[0]:span[1]]).decode()


def ints(data, value):
    if not isinstance(value, tuple):
        return [value]
    at, out = value[0], []
    while at < value[1]:
        item, at = varint(data, at)
        out.append(item)
    return out


def read_tensor(data, span, folder):
    tensor = {"dims": [], "name": "", "type": 1, "raw": None, "external": {}}
    for number, value in fields(data, *span):
        if number == 1:
            tensor["dims"] += ints(data, value)
        elif number == 2:
            tensor["type"] = value
        elif number == 8:
            tensor["name"] = text(data, value)
        elif number in (4, 9):
            tensor["raw"] = value
        elif number == 13:
            pair = dict(fields(data, *value))
            tensor["external"][text(data, pair[1])] = text(data, pair[2])
    tensor["folder"] = folder
    return tensor


def load(data, tensor):
    if "array" in tensor:
        return np.asarray(tensor["array"], np.float32)
    kind = {1: "<f4", 10: "<f2", 11: "<f8"}[tensor["type"]]
    if tensor["external"]:
        where = tensor["external"]
        array = np.memmap(os.path.join(tensor["folder"], where["location"]), kind, "r", int(where.get("offset", 0)),
                          tuple(tensor["dims"]))
    else:
        array = np.frombuffer(data, kind, int(np.prod(tensor["dims"])), tensor["raw"][0])
    return np.asarray(array.reshape(tensor["dims"]), np.float32)


def read_graph(data, folder):
    graph = next(value for number, value in fields(data, 0, len(data)) if number == 7)
    nodes, tensors, shapes = [], {}, {}
    for number, value in fields(data, *graph):
        if number == 1:
            node = {"in": [], "out": [], "op": "", "name": "", "attr": {}}
            for n, v in fields(data, *value):
                if n in (1, 2):
                    node["in" if n == 1 else "out"].append(text(data, v))
                elif n in (3, 4):
                    node["name" if n == 3 else "op"] = text(data, v)
                elif n == 5:
                    attr = {"ints": []}
                    for m, w in fields(data, *v):
                        if m == 1:
                            name = text(data, w)
                        elif m == 8:
                            attr["ints"] += ints(data, w)
                        elif m == 3:
                            attr["i"] = w
                        elif m == 4:
                            attr["s"] = text(data, w)
                        elif m == 5:
                            attr["t"] = w
                    node["attr"][name] = attr
            if node["op"] == "Constant" and "t" in node["attr"].get("value", {}):
                tensor = read_tensor(data, node["attr"]["value"]["t"], folder)
                tensors[node["out"][0]] = tensor
            nodes.append(node)
        elif number == 5:
            tensor = read_tensor(data, value, folder)
            tensors[tensor["name"]] = tensor
        elif number == 11:
            info = dict(fields(data, *value))
            kind = dict(fields(data, *info[2]))
            if 1 in kind:
                tensor_type = dict(fields(data, *kind[1]))
                dims = [dict(fields(data, *v)).get(1, 1) for n, v in fields(data, *tensor_type.get(2, (0, 0))) if n == 1]
                shapes[text(data, info[1])] = [d if isinstance(d, int) else 1 for d in dims]
    return nodes, tensors, shapes


def read_by_onnx(path):
    import onnx
    from onnx import helper, numpy_helper

    graph = onnx.load(path).graph
    nodes, tensors, shapes = [], {}, {}

    def keep(name, tensor):
        tensors[name] = {"dims": list(tensor.dims), "array": numpy_helper.to_array(tensor)}

    def attribute_of(attribute):
        value = helper.get_attribute_value(attribute)
        if isinstance(value, int):
            return {"ints": [], "i": value}
        return {"ints": list(value) if attribute.ints else [], "s": value.decode() if isinstance(value, bytes) else ""}

    for tensor in graph.initializer:
        keep(tensor.name, tensor)
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            keep(node.output[0], node.attribute[0].t)
        attributes = {attribute.name: attribute_of(attribute) for attribute in node.attribute}
        nodes.append({"in": list(node.input), "out": list(node.output), "op": node.op_type, "name": node.name,
                      "attr": attributes})
    for value in graph.input:
        shapes[value.name] = [dim.dim_value or 1 for dim in value.type.tensor_type.shape.dim]
    return nodes, tensors, shapes


# ---------------------------------------------------------------- shapes of the common operators


def attribute(node, name, default):
    return node["attr"].get(name, {}).get("ints") or default


def window(node, size, kernel):
    rank = len(size)
    strides, dilations = attribute(node, "strides", [1] * rank), attribute(node, "dilations", [1] * rank)
    pads = attribute(node, "pads", [0] * 2 * rank)
    if node["attr"].get("auto_pad", {}).get("s", "NOTSET").startswith("SAME"):
        out = [-(-n // s) for n, s in zip(size, strides)]
        total = [max(0, (o - 1) * s + (k - 1) * d + 1 - n) for o, s, k, d, n in zip(out, strides, kernel, dilations, size)]
        pads = [t // 2 for t in total] + [t - t // 2 for t in total]
    out = [(n + pads[i] + pads[i + rank] - dilations[i] * (kernel[i] - 1) - 1) // strides[i] + 1 for i, n in enumerate(size)]
    return out, strides, dilations, pads


def infer(node, shapes, tensors):
    x = shapes.get(node["in"][0]) if node["in"] else None
    if x is None:
        return None
    if node["op"] == "Conv":
        w = tensors[node["in"][1]]["dims"]
        return [x[0], w[0], *window(node, x[2:], w[2:])[0]]
    if node["op"] in ("MaxPool", "AveragePool"):
        return [*x[:2], *window(node, x[2:], attribute(node, "kernel_shape", None))[0]]
    if node["op"] == "GlobalAveragePool":
        return [*x[:2], *[1] * (len(x) - 2)]
    if node["op"] == "Concat":
        parts = [shapes.get(name) for name in node["in"]]
        axis = node["attr"]["axis"]["i"]
        return None if None in parts else [*x[:axis], sum(p[axis] for p in parts), *x[axis + 1:]]
    if node["op"] == "Transpose":
        return [x[i] for i in attribute(node, "perm", range(len(x))[::-1])]
    return x


# ---------------------------------------------------------------- norms


def lanczos(normal, size, tolerance=1e-4, steps=200):
    """The largest eigenvalue of a positive semidefinite map, float32 vectors, full reorthogonalisation."""
    rng = np.random.default_rng(0)
    basis = np.empty((min(steps, size) + 1, size), np.float32)
    basis[0] = rng.standard_normal(size)
    basis[0] /= np.linalg.norm(basis[0])
    alphas, betas, last = [], [], 0.0
    for k in range(min(steps, size)):
        w = normal(basis[k])
        alphas.append(float(basis[k] @ w))
        for _ in range(2):
            w = w - basis[:k + 1].T @ (basis[:k + 1] @ w)
        values, vectors = np.linalg.eigh(np.diag(alphas) + np.diag(betas, 1) + np.diag(betas, -1))
        beta = float(np.linalg.norm(w))
        residual = beta * abs(vectors[-1, -1])
        if residual < tolerance * values[-1] and abs(values[-1] - last) < tolerance * values[-1] or beta < 1e-12:
            break
        last = values[-1]
        basis[k + 1] = w / beta
        betas.append(beta)
    return max(values[-1], 0.0)


def dense(matrix):
    if min(matrix.shape) <= 512:
        tall = matrix if matrix.shape[0] >= matrix.shape[1] else matrix.T
        return float(np.sqrt(np.linalg.eigvalsh(tall.T @ tall)[-1]))
    wide = matrix.shape[0] < matrix.shape[1]
    apply = (lambda v: matrix @ (v @ matrix)) if wide else (lambda v: (matrix @ v) @ matrix)
    return float(np.sqrt(lanczos(apply, min(matrix.shape))))


def verify(matrix, norm):
    wide = np.asarray(matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T, np.float64)
    gram = wide @ wide.T
    bound = norm * norm * (1 + 1e-3)
    np.linalg.cholesky(bound * np.eye(len(gram)) - gram)
    return float(np.sqrt(bound))


def symbol(kernel, grid=24):
    out, inside, height, width = kernel.shape
    best = 0.0
    for p in range(grid // 2 + 1):
        rows = np.einsum("oihw,h->oiw", kernel, np.exp(-2j * np.pi * p * np.arange(height) / grid))
        phases = np.exp(-2j * np.pi * np.outer(np.arange(width), np.arange(grid)) / grid)
        values = np.einsum("oiw,wg->goi", rows, phases).astype(np.complex64)
        gram = values @ values.conj().transpose(0, 2, 1) if out <= inside else values.conj().transpose(0, 2, 1) @ values
        best = max(best, float(np.linalg.eigvalsh(gram)[:, -1].max()))
    return best ** 0.5


def conv(node, w, size):
    kernel = w.shape[2:]
    if max(kernel) == 1 or size is None and len(kernel) != 2:
        return max(dense(part.reshape(part.shape[0], -1)) for part in np.split(w, group(node)))
    out, strides, dilations, pads = window(node, size, kernel) if size else (None, [1, 1], [1, 1], None)
    if size and not any(pads) and all(s >= k for s, k in zip(strides, kernel)):
        return max(dense(part.reshape(part.shape[0], -1)) for part in np.split(w, group(node)))
    if size is None or group(node) == 1 and len(kernel) == 2 and max(strides) == 1 and min(size) >= 100:
        return symbol(w)
    import torch
    from torch.nn import functional

    weight = torch.from_numpy(np.array(w))
    rank = len(kernel)
    forward = [functional.conv1d, functional.conv2d, functional.conv3d][rank - 1]
    adjoint = [functional.conv_transpose1d, functional.conv_transpose2d, functional.conv_transpose3d][rank - 1]
    padding = [p for i in reversed(range(rank)) for p in (pads[i], pads[i + rank])]
    channels = w.shape[1] * group(node)

    def normal(v):
        x = functional.pad(torch.from_numpy(v).reshape(1, channels, *size), padding)
        y = forward(x, weight, stride=strides, dilation=dilations, groups=group(node))
        z = adjoint(y, weight, stride=strides, dilation=dilations, groups=group(node))
        z = functional.pad(z, [p for i in reversed(range(rank)) for p in (0, x.shape[i + 2] - z.shape[i + 2])])
        crop = tuple(slice(pads[i], pads[i] + size[i]) for i in range(rank))
        return z[(0, slice(None), *crop)].reshape(-1).numpy()

    with torch.no_grad():
        return float(np.sqrt(lanczos(normal, channels * int(np.prod(size)))))


def group(node):
    return node["attr"].get("group", {}).get("i", 1)


def main():
    mode, path = sys.argv[1:3]
    with open(path, "rb") as file:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    if mode == "estimate-onnx":
        nodes, tensors, shapes = read_by_onnx(path)
    else:
        nodes, tensors, shapes = read_graph(data, os.path.dirname(path) or ".")
    for node in nodes:
        shape = infer(node, shapes, tensors)
        if shape is not None:
            for name in node["out"]:
                shapes[name] = shape
        weight = next((tensors[name] for name in node["in"] if name in tensors and len(tensors[name]["dims"]) > 1), None)
        if weight is None or node["op"] not in ("Gemm", "MatMul", "Conv"):
            continue
        array = load(data, weight)
        if node["op"] == "Conv":
            norm = conv(node, array, (shapes.get(node["in"][0]) or [])[2:] or None)
        else:
            norm = dense(array)
            if mode == "verified":
                norm = verify(array, norm)
        print(node["name"] or node["out"][0], repr(norm))


if __name__ == "__main__":
    main()
