#!/usr/bin/env python3
"""Measures how a search scales over ranks: throughput of 1 … n ranks of one core each, with the same
number of samples a rank, and the part of time that ranks wait for each other.

  bench/scaling.py [--ranks 1,2] [--batch 64] [--epochs 3] [--out bench/results/scaling_cpu.json]

Each rank is pinned to a core of its own. The first epoch is warm-up; the fastest of the others counts,
for others may use the machine.
"""
import argparse
import json
import os
import pathlib
import platform
import socket
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
CASES = {
    "darts": ["--space", "darts_cnn", "--algorithm", "darts", "--set", "space.channels=8",
              "--set", "space.layers=5"],
    "spos": ["--space", "spos_chain", "--algorithm", "spos", "--set", "space.channels=16",
             "--set", "algorithm.evolution.population=2", "--set", "algorithm.evolution.rounds=1",
             "--set", "algorithm.recalibration_batches=1"],
}


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def processor():
    for line in open("/proc/cpuinfo"):
        if line.startswith("model name"):
            return f"{line.split(':')[1].strip()}, {os.cpu_count()} cores"
    return platform.machine()


def measure(program, words, n_ranks, batch, epochs, settings):
    """Images a second of all ranks and the part of time in communication, of the fastest epoch."""
    with tempfile.TemporaryDirectory() as folder:
        command = [program, "search", "--data", "digits", "--batch-size", str(batch * n_ranks),
                   "--epochs", str(epochs), "--threads", "1", "--quiet", "--out", f"{folder}/run",
                   "--set", "trainer.validate_every=0", *words, *settings]
        port = str(free_port())
        ranks = []
        for rank in range(n_ranks):
            environment = dict(os.environ, OMP_NUM_THREADS="1")
            if n_ranks > 1:
                environment |= dict(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(n_ranks),
                                    MASTER_ADDR="127.0.0.1", MASTER_PORT=port)
            ranks.append(subprocess.Popen(["taskset", "-c", str(rank), *command], env=environment,
                                          stdout=subprocess.DEVNULL))
        if any([rank.wait() for rank in ranks]):
            sys.exit("a rank failed")
        lines = [json.loads(line) for line in open(f"{folder}/run/metrics.jsonl")]
        best = max(lines[1:], key=lambda line: line["images_per_second"])
        return best["images_per_second"], best.get("communication", 0.0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build/release/bin/retia")
    parser.add_argument("--ranks", default="1,2")
    parser.add_argument("--batch", type=int, default=64, help="samples of a step a rank")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--out", type=pathlib.Path)
    given = parser.parse_args()

    results = []
    for name, words in CASES.items():
        for synchronised in (False, True):
            settings = ["--set", f"trainer.sync_batch_norm={str(synchronised).lower()}"]
            alone = None
            for n in map(int, given.ranks.split(",")):
                rate, waiting = measure(given.program, words, n, given.batch, given.epochs, settings)
                alone = alone or rate
                results.append({"case": name, "sync_batch_norm": synchronised, "ranks": n,
                                "images_per_second": round(rate, 1),
                                "efficiency": round(rate / (n * alone), 3),
                                "communication": round(waiting, 3)})
                print(json.dumps(results[-1]), flush=True)
    if given.out:
        given.out.write_text(json.dumps({"processor": processor(), "batch": given.batch,
                                         "results": results}, indent=2) + "\n")


if __name__ == "__main__":
    main()
