#!/usr/bin/env python3
"""Compares two result files of one bench, and exits with 1 where the second is slower.

  bench/compare.py BEFORE.json AFTER.json [--threshold 0.1]

It reads what `retia bench kernels --out` and bench/search_step.py write. A case is slower where its
time has grown by more than the threshold, a part of the time before; cases of one file only are named.
"""
import argparse
import json
import pathlib
import sys


def name_of(row):
    """The name of a case of search_step.py, which each number of threads has a row of."""
    threads = row["flags"]["threads"]
    return row["name"] if threads == 1 else f"{row['name']}, {threads} threads"


def seconds(path):
    """Seconds of each case of a result file."""
    result = json.loads(path.read_text())
    if result.get("format") == "retia.bench.kernels":
        return {row["name"]: row["ms"] / 1e3 for row in result["kernels"]}
    if result.get("format") == "retia.bench.search_step" and result.get("version") in (2, 3):
        return {name_of(row): row["retia"]["seconds"] for row in result["cases"]}
    sys.exit(f"{path}: expected what `retia bench kernels` or bench/search_step.py writes, "
             f"got format {result.get('format')}, version {result.get('version')}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("before", type=pathlib.Path)
    parser.add_argument("after", type=pathlib.Path)
    parser.add_argument("--threshold", type=float, default=0.1)
    args = parser.parse_args()
    before, after = seconds(args.before), seconds(args.after)
    if not before.keys() & after.keys():
        sys.exit("the files have no case in common")
    slower = 0
    print(f"{'case':28} {'before ms':>10} {'after ms':>10} {'after / before':>15}")
    for name in [*before, *(n for n in after if n not in before)]:
        if name not in before or name not in after:
            print(f"{name:28} only {'before' if name in before else 'after'}")
            continue
        ratio = after[name] / before[name]
        is_slower = ratio > 1 + args.threshold
        slower += is_slower
        print(f"{name:28} {before[name] * 1e3:10.2f} {after[name] * 1e3:10.2f} {ratio:15.2f}"
              f"{'  slower' if is_slower else ''}")
    sys.exit(f"{slower} slower by more than {args.threshold:.0%}" if slower else 0)


if __name__ == "__main__":
    main()
