#!/usr/bin/python3
"""Runs the tool and the Python baseline on the same models, in turn, in one run: npm run bench -- [CASE...]

Whole processes, start-up included. Every round runs each command once, so the machine's drift meets both alike;
ratios are taken round by round, of wall time and of processor time. Figures are medians. A further run of the tool with one
thread counts what its kernels do (bench/count.mjs): passes over the weights, and the rates at which matrices are read and
numbers computed inside them, as shares of what this machine reads and computes in the same process. Needs Debian's python3-numpy, python3-scipy, python3-torch
and python3-onnx, and a built tool. Synthetic models are written to BENCH_MODELS (default: a folder below the
system's temporary one) by bench/models.py; BENCH_COLLECTION names a folder of real models, cases whose model is
not there are left out. The tool runs with its default settings; `fast` stands for the tool with `--effort fast`.
"""

import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
# rounds that are thrown away: files come into the cache
WARM = int(os.environ.get("BENCH_WARM", "1"))
SYNTHETIC = pathlib.Path(os.environ.get("BENCH_MODELS", tempfile.gettempdir() + "/lipschitz-bench"))
COLLECTION = pathlib.Path(os.environ.get("BENCH_COLLECTION", HERE.parent / "../shared/models"))
FIXTURES = HERE.parent / "fixtures"
TOOL = ["node", str(HERE.parent / "bin/lipschitz.js"), "audit", "-f", "json"]

# small models are compared with a script that reads the file by the onnx package, too, and with the tool's least effort
SMALL = ["estimate", "estimate-onnx", "fast"]

# case: (model, what it is compared with)
CASES = {
    "digits-mlp": (FIXTURES / "trained/digits-mlp.onnx", SMALL),
    "digits-resnet": (FIXTURES / "trained/digits-resnet-folded.onnx", SMALL),
    "acasxu": (COLLECTION / "vnncomp/acasxu/ACASXU_run2a_1_1_batch_2000.onnx", SMALL),
    "mnist-256x2": (COLLECTION / "vnncomp/mnist_fc/mnist-net_256x2.onnx", SMALL),
    "mnist-256x4": (COLLECTION / "vnncomp/mnist_fc/mnist-net_256x4.onnx", SMALL),
    "resnet-4b": (COLLECTION / "vnncomp/cifar10_resnet/resnet_4b.onnx", SMALL),
    "ultraface": (COLLECTION / "ultraface/version-RFB-320.onnx", ["estimate"]),
    "squeezenet": (COLLECTION / "onnxruntime/squeezenet_tensor_input.onnx", ["estimate"]),
    "densenet": (SYNTHETIC / "densenet.onnx", ["estimate"]),
    "dense-2048": (SYNTHETIC / "dense-2048.onnx", ["numpy-norm"]),
    "dense-4096-one": (SYNTHETIC / "dense-4096-one.onnx", ["numpy-norm"]),
    "dense-4096": (SYNTHETIC / "dense-4096.onnx", ["estimate", "verified"]),
    "resnet50": (SYNTHETIC / "resnet50.onnx", ["estimate"]),
    "dense-128m": (SYNTHETIC / "dense-128m.onnx", ["estimate"]),
    "dense-1g": (SYNTHETIC / "dense-1g.onnx", ["estimate"]),
}

NUMPY_NORM = """
import sys, numpy, onnx
from onnx import numpy_helper
for tensor in onnx.load(sys.argv[1]).graph.initializer:
    print(numpy.linalg.norm(numpy_helper.to_array(tensor), 2))
"""


def command(kind, model):
    if kind == "tool":
        return [*TOOL, str(model)]
    if kind == "fast":
        return [*TOOL, "--effort", "fast", str(model)]
    if kind == "numpy-norm":
        return ["/usr/bin/python3", "-c", NUMPY_NORM, str(model)]
    return ["/usr/bin/python3", str(HERE / "baseline.py"), kind, str(model)]


def run(arguments):
    """(wall seconds, processor seconds, peak resident megabytes) of one process."""
    start = time.perf_counter()
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{' '.join(arguments)} ended with {process.returncode}: {errors.decode()}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def counts(model):
    """What the kernels do in one run of the tool with one thread; None where it has none."""
    with tempfile.NamedTemporaryFile("r") as file:
        counted = ["node", "--import", str(HERE / "count.mjs"), *TOOL[1:], "--threads", "1", str(model)]
        subprocess.run(counted, stdout=subprocess.DEVNULL, check=True, env={**os.environ, "BENCH_COUNTS": file.name})
        line = file.readline()
    return json.loads(line) if line else None


def weight_bytes(model):
    external = model.with_suffix(".bin")
    return external.stat().st_size if external.exists() else model.stat().st_size


def measure(name):
    model, rivals = CASES[name]
    if not model.exists() and SYNTHETIC in model.parents:
        subprocess.run(["/usr/bin/python3", str(HERE / "models.py"), str(SYNTHETIC), name], check=True)
    if not model.exists():
        return print(f"| {name} | left out: {model} is not there |")
    kinds = ["tool", *rivals]
    rounds = [{kind: run(command(kind, model)) for kind in kinds} for _ in range(ROUNDS + WARM)][WARM:]
    middle = lambda kind, figure: statistics.median(r[kind][figure] for r in rounds)
    ratio = lambda rival, figure: statistics.median(r[rival][figure] / r["tool"][figure] for r in rounds)
    done = counts(model)
    for rival in rivals:
        print(f"| {name} | {rival} | {middle('tool', 0):.2f} s | {middle(rival, 0):.2f} s | {ratio(rival, 0):.2f} | "
              f"{middle('tool', 1):.2f} s | {middle(rival, 1):.2f} s | {ratio(rival, 1):.2f} | "
              f"{middle('tool', 2):.0f} MB | {middle(rival, 2):.0f} MB | {work_of(done, model)} |", flush=True)


def work_of(done, model):
    if done is None or done["seconds"] == 0:
        return " | | "
    read, compute = done["bytes"] / done["seconds"], done["flops"] / done["seconds"]
    return (f"{done['bytes'] / weight_bytes(model):.0f} | "
            f"{read / 1e9:.1f} GB/s, {100 * read / done['read']:.0f} % | "
            f"{compute / 1e9:.1f} GFLOP/s, {100 * compute / done['compute']:.0f} %")


def main():
    floor = statistics.median(run(["node", "-e", "0"])[0] for _ in range(5))
    print(f"`node -e 0`: {floor:.2f} s; load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n")
    print("| model | compared with | lipschitz | other | times faster | processor | other's processor | times less | peak | "
          "other's peak | passes | read in kernels, of the machine | computed in kernels, of the machine |")
    print("|---|---|" + "--:|" * 11)
    for name in sys.argv[1:] or [name for name in CASES if name != "dense-1g"]:
        measure(name)


if __name__ == "__main__":
    main()
