#!/usr/bin/env python3
"""Compiles every CUDA kernel and writes what each takes of a multiprocessor: registers, spilled
bytes, shared memory, and the share of its threads that can be resident.

  bench/registers.py [--nvcc nvcc] [--architectures 80,90] [--out bench/results/registers.json]
"""
import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
REGISTERS = 65536  # of a multiprocessor, as are its 2048 threads, on both architectures
THREADS, OF_A_BLOCK = 2048, 256

ENTRY = re.compile(r"Compiling entry function '(\w+)' for 'sm_(\d+)'")
SPILL = re.compile(r"(\d+) bytes spill stores, (\d+) bytes spill loads")
USED = re.compile(r"Used (\d+) registers(?:.*?(\d+) bytes smem)?")


def kernels_of(log):
    """What ptxas -v says of each entry function."""
    found = []
    for line in log.splitlines():
        if match := ENTRY.search(line):
            found.append(dict(kernel=match[1], architecture=int(match[2]), spilled_bytes=0))
        elif match := SPILL.search(line):
            found[-1]["spilled_bytes"] = int(match[1]) + int(match[2])
        elif match := USED.search(line):
            registers = int(match[1])
            blocks = REGISTERS // (-(-registers // 8) * 8 * OF_A_BLOCK)
            found[-1].update(registers=registers, shared_bytes=int(match[2] or 0),
                             occupancy=min(1.0, blocks * OF_A_BLOCK / THREADS))
    return found


def demangled(kernels):
    names = subprocess.run(["c++filt"], input="\n".join(k["kernel"] for k in kernels),
                           capture_output=True, text=True, check=True).stdout.splitlines()
    for kernel, name in zip(kernels, names):
        name = re.sub(r"retia::kernels::cuda::|\(anonymous namespace\)::|^void ", "", name)
        kernel["kernel"] = re.sub(r"\(.*", "", name)
    return kernels


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nvcc", default="nvcc")
    parser.add_argument("--architectures", default="80,90")
    parser.add_argument("--out", type=pathlib.Path)
    given = parser.parse_args()
    targets = [f"-gencode=arch=compute_{a},code=sm_{a}" for a in given.architectures.split(",")]
    kernels = []
    with tempfile.TemporaryDirectory() as includes:
        pathlib.Path(includes, "retia").symlink_to(ROOT)
        for source in sorted(ROOT.glob("kernels/*/*.cu")):
            command = [given.nvcc, "-std=c++17", "-O3", "-I", includes, *targets, "-Xptxas", "-v",
                       "-c", source, "-o", "/dev/null"]
            done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
            if done.returncode != 0:
                sys.exit(f"{source.name} does not compile: {done.stderr.strip()}")
            kernels += kernels_of(done.stderr)
    kernels = sorted(demangled(kernels), key=lambda k: (k["architecture"], k["kernel"]))
    for kernel in kernels:
        print(f"sm_{kernel['architecture']}  {kernel['registers']:4} registers  "
              f"{kernel['spilled_bytes']:3} bytes spilled  {kernel['occupancy']:4.0%} resident  "
              f"{kernel['kernel']}")
    if given.out:
        given.out.write_text(json.dumps(kernels, indent=1) + "\n")
    n_spilled = sum(kernel["spilled_bytes"] > 0 for kernel in kernels)
    print(f"{n_spilled} of {len(kernels)} spill registers")


if __name__ == "__main__":
    main()
