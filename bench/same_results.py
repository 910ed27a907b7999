#!/usr/bin/env python3
"""Runs two versions of the program on the same tiny searches, and exits with 1 where results differ.

  bench/same_results.py OLD NEW [--old-env LD_LIBRARY_PATH=/old/lib] [--only darts spos]

Each algorithm searches for two epochs, with one thread in float64. The architectures, and all numbers of
metrics.jsonl that are not times or memory, must be the same to the last bit; else the largest relative
difference is printed. The new program also goes on with a search that the old one was stopped in, and
trains an architecture that the old one found. No results are stored.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

CELLS = ["space.channels=2", "space.layers=3", "space.nodes=2"]
CHAIN = ["space.channels=4", "space.layers=3"]
EVOLUTION = ["algorithm.evolution.population=4", "algorithm.evolution.rounds=2",
             "algorithm.recalibration_batches=2"]
# The space of a case and its settings. An algorithm that is not named here searches `tiny` by its defaults.
CASES = {
    "darts": ("darts_cnn", CELLS + ["data.augment.cutout=2"]),
    "darts, second order": ("darts_cnn", CELLS + ["algorithm.order=2"]),
    "darts, watched": ("tiny", ["algorithm.early_stop.eigenvalue_ratio=0.1", "algorithm.early_stop.window=1"]),
    "darts, penalised": ("spos_chain", CHAIN + ["algorithm.penalty.cost=multiply_adds",
                                                "algorithm.penalty.scale=0.5"]),
    "enas": ("enas_micro", CELLS + ["algorithm.controller_steps=2", "algorithm.aggregate=2",
                                    "algorithm.n_candidates=2", "algorithm.recalibration_batches=2"]),
    "fairnas": ("spos_chain", CHAIN + EVOLUTION),
    "gdas": ("darts_cnn", CELLS),
    "gdas, soft": ("tiny", ["algorithm.hard=false"]),
    "p_darts": ("darts_cnn", CELLS + ["algorithm.extra_layers=[0,1]", "algorithm.dropped=[2]",
                                      "algorithm.skip_dropout=[0.2,0.3]", "algorithm.warmup=0"]),
    "pc_darts": ("darts_cnn", ["space.channels=4", "space.layers=3", "space.nodes=2", "algorithm.warmup=0"]),
    "proxyless": ("spos_chain", CHAIN + ["algorithm.warmup=0"]),
    "proxyless, one path": ("spos_chain", CHAIN + ["algorithm.warmup=0", "algorithm.paths=1"]),
    "random": ("spos_chain", CHAIN + ["algorithm.n_candidates=3", "algorithm.recalibration_batches=2"]),
    "spos": ("spos_chain", CHAIN + EVOLUTION),
}
DATA = ["--data", "synthetic", "--batch-size", "8", "--epochs", "2", "--threads", "1", "--precision", "fp64",
        "--set", "data.synthetic.n_train=64", "--set", "data.synthetic.n_test=16",
        "--set", "data.augment.crop_padding=1"]
VARYING = re.compile(r"seconds|memory|time|images_per_second")


class Program:
    """One version of the program."""

    def __init__(self, path, environment):
        self.path = path
        self.environment = {**os.environ, **dict(entry.split("=", 1) for entry in environment)}

    def run(self, words, expected=0):
        """Runs a command and returns what it wrote; ends this script on another exit code."""
        ended = subprocess.run([self.path, *words], env=self.environment, capture_output=True, text=True)
        if ended.returncode != expected:
            sys.exit(f"{self.path} {' '.join(words)}\nexpected exit code {expected}, got {ended.returncode}:\n"
                     f"{ended.stderr}")
        return ended.stdout + ended.stderr

    def algorithms(self):
        """The names of the algorithms, which the message about an unknown one lists."""
        words = ["search", "--space", "tiny", "--algorithm", "?", "--out", "unused"]
        return re.search(r"known: (.*)$", self.run(words, expected=2))[1].split(", ")


def settings(assignments):
    return [word for assignment in assignments for word in ("--set", assignment)]


def steady(value):
    """`value` without what varies from run to run."""
    if isinstance(value, dict):
        return {key: steady(inner) for key, inner in value.items() if not VARYING.search(key)}
    return [steady(inner) for inner in value] if isinstance(value, list) else value


def results(folder):
    """The results of a run: the architecture, and the metrics of each epoch."""
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    return {"architecture": json.loads((folder / "architecture.json").read_text()),
            "metrics": [steady(json.loads(line)) for line in lines]}


def difference(old, new, where=""):
    """The place of the largest relative difference and its size; infinite where kinds or texts differ."""
    if isinstance(old, dict) and isinstance(new, dict) and old.keys() == new.keys():
        return max((difference(old[key], new[key], f"{where}.{key}") for key in old),
                   key=lambda found: found[1], default=(where, 0.0))
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return max((difference(a, b, f"{where}[{i}]") for i, (a, b) in enumerate(zip(old, new))),
                   key=lambda found: found[1], default=(where, 0.0))
    if old == new:
        return where, 0.0
    if all(isinstance(value, (int, float)) for value in (old, new)):
        return where, abs(old - new) / max(abs(old), abs(new))
    return where, float("inf")


def compare(name, old, new):
    """Prints one line on two runs. Returns whether they are the same."""
    where, size = difference(results(old), results(new))
    print(f"{name}: " + ("the same" if size == 0 else f"differs by {size:.3g} at {where}"), flush=True)
    return size == 0


def search(name):
    """The words of a search, without its folder."""
    space, assignments = CASES.get(name, ("tiny", []))
    return (["search", "--space", space, "--algorithm", name.split(",")[0]] + DATA + settings(assignments))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("old", type=pathlib.Path)
    parser.add_argument("new", type=pathlib.Path)
    parser.add_argument("--old-env", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--new-env", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--only", nargs="+", help="algorithms; default: all that the old program has")
    args = parser.parse_args()
    old, new = Program(args.old, args.old_env), Program(args.new, args.new_env)
    algorithms = args.only or old.algorithms()
    cases = [name for name in CASES if name.split(",")[0] in algorithms]
    cases += [name for name in algorithms if name not in CASES]
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        same = []
        for name in cases:
            base = folder / name.replace(", ", "-").replace(" ", "-")
            words = search(name)
            old.run(words + ["--out", f"{base}.old"])
            new.run(words + ["--out", f"{base}.new"])
            same.append(compare(name, pathlib.Path(f"{base}.old"), pathlib.Path(f"{base}.new")))
        for name in algorithms:
            base = folder / name
            begun = pathlib.Path(f"{base}.begun")
            old.run(search(name) + ["--out", str(begun), "--time-limit", "0.001"], expected=130)
            new.run(search(name) + ["--out", str(begun), "--resume"])
            same.append(compare(f"{name}, begun by the old program", pathlib.Path(f"{base}.old"), begun))
        found = folder / f"{algorithms[0]}.old" / "architecture.json"
        retrain = (["retrain", "--space", CASES.get(algorithms[0], ("tiny",))[0], "--architecture", str(found)]
                   + DATA + (settings(CELLS) if algorithms[0] == "darts" else []))
        for program, name in ((old, "old"), (new, "new")):
            program.run(retrain + ["--out", str(folder / f"retrained.{name}")])
        same.append(compare("retrain", folder / "retrained.old", folder / "retrained.new"))
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(0 if all(same) else 1)


if __name__ == "__main__":
    main()
