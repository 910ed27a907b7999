#!/usr/bin/env python3
"""Times a search step of Retia and of plain PyTorch side by side, and writes both to a JSON file.

The runs take turns (one of each a round), so that a machine whose speed drifts treats both alike; what
is compared are the medians over rounds of each run's median step, and peak resident memory.

  bench/search_step.py --peers FOLDER [--rounds 3] [--threads 1] [--out bench/results/search_step.json]

FOLDER holds torch_darts.py and torch_spos.py, plain-PyTorch programs that take the same flags and print
the same JSON line as `retia bench search-step`.
"""
import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SIZES = [
    # space, algorithm, peer, flags
    ("darts_cnn", "darts", "torch_darts.py", dict(channels=8, layers=5, batch=16, image=32)),
    ("darts_cnn", "darts", "torch_darts.py",
     dict(channels=8, layers=3, nodes=2, batch=32, image=28, in_channels=1)),
    ("darts_cnn", "darts", "torch_darts.py", dict(channels=16, layers=8, batch=16, image=16)),
    ("darts_cnn", "darts", "torch_darts.py", dict(channels=4, layers=3, batch=64, image=8, in_channels=1)),
    ("spos_chain", "spos", "torch_spos.py", dict(channels=16, layers=12, batch=32, image=32)),
]


def words(flags):
    return [w for k, v in flags.items() for w in ("--" + k.replace("_", "-"), str(v))]


def run(command):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} failed: {done.stderr.strip()}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def processor():
    for line in open("/proc/cpuinfo"):
        if line.startswith("model name"):
            return f"{line.split(':')[1].strip()}, {os.cpu_count()} cores"
    return platform.machine()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", type=pathlib.Path, required=True)
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build/release/bin/retia")
    parser.add_argument("--python", type=pathlib.Path, default=ROOT / ".venv/bin/python")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--executor", choices=("reference", "fused"), default="fused")
    parser.add_argument("--out", type=pathlib.Path)
    args = parser.parse_args()

    rows = []
    print(f"{'case':58} {'retia s':>9} {'torch s':>9} {'ratio':>6} {'retia MiB':>10} {'torch MiB':>10}")
    for space, algorithm, peer, sizes in SIZES:
        flags = dict(sizes, steps=args.steps, warmup=2, threads=args.threads, seed=0)
        ours, theirs = [], []
        for _ in range(args.rounds):
            ours.append(run([args.program, "bench", "search-step", "--space", space, "--algorithm",
                             algorithm, "--executor", args.executor, *words(flags)]))
            theirs.append(run([args.python, args.peers / peer, *words(flags)]))
        a, b = (statistics.median(r["seconds_per_step"]["median"] for r in rs) for rs in (ours, theirs))
        if ours[0]["params"] != theirs[0]["params"]:
            sys.exit(f"unlike work: {ours[0]['params']} weights against {theirs[0]['params']}")
        memory = [max(r["peak_rss_mib"] for r in rs) for rs in (ours, theirs)]
        name = f"{algorithm} " + " ".join(f"{k}={v}" for k, v in sizes.items())
        print(f"{name:58} {a:9.4f} {b:9.4f} {b / a:6.2f} {memory[0]:10.0f} {memory[1]:10.0f}", flush=True)
        rows.append({"space": space, "algorithm": algorithm, "flags": flags, "params": ours[0]["params"],
                     "retia_seconds": a, "torch_seconds": b, "ratio": b / a,
                     "retia_rss_mib": memory[0], "torch_rss_mib": memory[1],
                     "retia_runs": [r["seconds_per_step"] for r in ours],
                     "torch_runs": [r["seconds_per_step"] for r in theirs]})
    result = {"format": "retia.bench.search_step", "version": 1, "machine": processor(),
              "threads": args.threads, "executor": args.executor, "rounds": args.rounds, "cases": rows}
    if args.out:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
