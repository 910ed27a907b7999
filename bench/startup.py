#!/usr/bin/env python3
"""Times `retia --help` against an empty program that loads LibTorch's CPU half, in turns.

  bench/startup.py [--rounds 30] [--out bench/results/startup.json]
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import time

from search_step import ROOT, processor


def seconds(command):
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=pathlib.Path, default=ROOT / "build/release/bin")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--out", type=pathlib.Path)
    args = parser.parse_args()
    commands = {"retia_help": [args.folder / "retia", "--help"], "empty": [args.folder / "empty_bench"]}
    times = {name: [] for name in commands}
    for name, command in commands.items():
        seconds(command)
    for _ in range(args.rounds):
        for name, command in commands.items():
            times[name].append(seconds(command))
    medians = {name: statistics.median(values) for name, values in times.items()}
    difference = medians["retia_help"] - medians["empty"]
    print(f"retia --help {medians['retia_help']:.3f} s, empty program {medians['empty']:.3f} s, "
          f"difference {1000 * difference:.1f} ms")
    if args.out:
        args.out.write_text(json.dumps(
            {"format": "retia.bench.startup", "version": 1, "machine": processor(), "rounds": args.rounds,
             "median_seconds": medians, "min_seconds": {n: min(v) for n, v in times.items()},
             "difference_ms": 1000 * difference}, indent=2) + "\n")


if __name__ == "__main__":
    main()
