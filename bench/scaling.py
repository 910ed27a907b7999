#!/usr/bin/env python3
"""Measures how a search scales over ranks: throughput of 1 … n ranks of one core each, with the same
number of samples a rank, what they wait for each other, and what they send.

  bench/scaling.py [--ranks 1,2] [--epochs 4] [--cases darts,spos] [--out bench/results/scaling_cpu.json]
  bench/scaling.py --show bench/results/scaling_cpu.json      prints the tables of docs/scaling.md

Each rank is pinned to a core of its own. The first epoch is warm-up; the fastest of the others counts,
for others may use the machine: `load` is how many did at the beginning. `efficiency` is throughput by that of as many ranks alone on the machine;
`efficiency_to_busy` by that of as many runs at once that do not talk, which share caches and memory as
ranks do. Parts of time in communication are what rank 0 waits, for the network and for slower ranks;
bytes are those of the tensors that a rank hands over in a step. `all_reduce_seconds` is what the calls
for gradients take with nothing else to do; `overlap` the part of it that ranks do not wait for.

Beside, one process of as many threads on the same cores trains on as many samples a step: what one
machine gains by threads instead of ranks.
"""
import argparse
import json
import os
import pathlib
import platform
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
LITTLE_SEARCH = ["--set", "algorithm.evolution.population=2", "--set", "algorithm.evolution.rounds=1",
                 "--set", "algorithm.recalibration_batches=1"]
# Name: samples of a step a rank, and what runs. The last is of the paper's size, for its bytes.
CASES = {
    "darts": (64, ["--space", "darts_cnn", "--algorithm", "darts", "--set", "space.channels=8",
                   "--set", "space.layers=5"]),
    "spos": (64, ["--space", "spos_chain", "--algorithm", "spos", "--set", "space.channels=16",
                  *LITTLE_SEARCH]),
    "darts_paper": (8, ["--space", "darts_cnn", "--algorithm", "darts", "--set", "space.channels=16",
                        "--set", "space.layers=8", "--set", "data.limit=128"]),
}
# A search that trains little and scores much.
SCORING = ["--space", "spos_chain", "--algorithm", "spos", "--set", "space.channels=16",
           "--set", "algorithm.evolution.population=20", "--set", "algorithm.evolution.parents=5",
           "--set", "algorithm.evolution.crossovers=8", "--set", "algorithm.evolution.mutations=8",
           "--set", "algorithm.evolution.rounds=2"]
PURPOSES = ("gradients", "statistics", "agreement")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return str(listener.getsockname()[1])


def processor():
    for line in open("/proc/cpuinfo"):
        if line.startswith("model name"):
            return f"{line.split(':')[1].strip()}, {os.cpu_count()} cores"
    return platform.machine()


def start(command, core, rank=0, n_ranks=1, port="", n_threads=1):
    """A process on one core, or on n_threads from it on; as a rank where there are several."""
    environment = dict(os.environ, OMP_NUM_THREADS=str(n_threads))
    core = f"{core}-{core + n_threads - 1}"
    if n_ranks > 1:
        environment |= dict(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(n_ranks),
                            MASTER_ADDR="127.0.0.1", MASTER_PORT=port)
    return subprocess.Popen(["taskset", "-c", str(core), *command], env=environment,
                            stdout=subprocess.PIPE, text=True)


def finish(processes):
    outputs = [process.communicate()[0] for process in processes]
    if any(process.returncode for process in processes):
        sys.exit("a rank failed")
    return outputs


def fastest_epoch(folder):
    lines = [json.loads(line) for line in open(f"{folder}/metrics.jsonl")]
    return max(lines[1:], key=lambda line: line["images_per_second"])


def search(program, words, folder, n_ranks, batch, epochs, talking=True, n_threads=1):
    """Runs a search on n ranks into folder/run or, not talking, n of one into folder/run0, …"""
    port, ranks = free_port(), []
    for rank in range(n_ranks):
        out = f"{folder}/run" if talking else f"{folder}/run{rank}"
        command = [program, "search", "--data", "digits", "--batch-size", str(batch), "--epochs",
                   str(epochs), "--threads", str(n_threads), "--quiet", "--out", out, "--set",
                   "trainer.validate_every=0", *words]
        ranks.append(start(command, rank, rank, n_ranks if talking else 1, port, n_threads))
    finish(ranks)


def by_threads(given, words, batch, n_threads):
    """Images a second of one process of n threads."""
    with tempfile.TemporaryDirectory() as folder:
        search(given.program, words, folder, 1, batch * n_threads, given.epochs, n_threads=n_threads)
        return fastest_epoch(f"{folder}/run")["images_per_second"]


def measure(given, words, batch, n_ranks, talking=True):
    """The metrics of the fastest epoch of n ranks or, not talking, the sum of n runs of one."""
    with tempfile.TemporaryDirectory() as folder:
        search(given.program, words, folder, n_ranks, batch * (n_ranks if talking else 1), given.epochs,
               talking)
        if talking:
            return fastest_epoch(f"{folder}/run")
        return {"images_per_second": sum(fastest_epoch(f"{folder}/run{rank}")["images_per_second"]
                                         for rank in range(n_ranks))}


def scoring_seconds(program, n_ranks):
    """How long n ranks take to score the architectures that end a search, the same for any n."""
    with tempfile.TemporaryDirectory() as folder:
        search(program, SCORING, folder, n_ranks, 64, 1)
        database = sqlite3.connect(f"{folder}/run/final_search/experiment.sqlite")
        return database.execute("SELECT seconds FROM runs").fetchone()[0]


def all_reduce_alone(n_ranks, n_bytes, n_calls):
    """Seconds that n_calls sums over ranks of n_bytes in all take, with nothing beside."""
    port = free_port()
    words = [ROOT / ".venv/bin/python", __file__, "--all-reduce", str(n_bytes), str(n_calls)]
    return float(finish([start(words, r, r, n_ranks, port) for r in range(n_ranks)])[0])


def all_reduce(n_bytes, n_calls):
    """What the ranks of all_reduce_alone run."""
    import torch
    import torch.distributed as ranks
    torch.set_num_threads(1)
    ranks.init_process_group("gloo")
    tensor = torch.zeros(max(1, n_bytes // n_calls // 4))
    seconds = []
    for _ in range(30):
        ranks.barrier()
        began = time.perf_counter()
        for _ in range(n_calls):
            ranks.all_reduce(tensor)
        seconds.append(time.perf_counter() - began)
    if ranks.get_rank() == 0:
        print(statistics.median(seconds[5:]))
    ranks.destroy_process_group()


def result_of(name, batch, synchronised, n, line, alone, busy):
    rate = line["images_per_second"]
    result = {"case": name, "sync_batch_norm": synchronised, "ranks": n, "batch": batch,
              "images_per_second": round(rate, 1), "step_seconds": batch * n / rate,
              "efficiency": round(rate / (n * alone), 3)}
    if n == 1:
        return result
    result |= {"efficiency_to_busy": round(rate / busy, 3),
               "communication": round(line["communication"], 4)}
    for purpose in PURPOSES:
        key = f"communication_{purpose}"
        result[purpose] = {"part": round(line[key], 4), "calls": round(line[f"{key}_calls"], 2),
                           "bytes": round(line[f"{key}_bytes"])}
    sent = result["gradients"]
    took = all_reduce_alone(n, sent["bytes"], max(1, round(sent["calls"])))
    waited = sent["part"] * result["step_seconds"]
    return result | {"all_reduce_seconds": took, "overlap": round(max(0.0, 1 - waited / took), 3)}


def tables(stored):
    """What docs/scaling.md shows of a stored run."""
    rows = [row for row in stored["results"] if row["ranks"] > 1]
    alone = {(row["case"], row["sync_batch_norm"]): row["images_per_second"]
             for row in stored["results"] if row["ranks"] == 1}
    lines = [f"{stored['processor']}; {stored['load']:g} processes wanted to run when it began.", "",
             "| search | ranks | batch norm | images/s, one and all | efficiency | beside as busy cores | "
             "waited for gradients | statistics | the rest | of sending gradients hidden |",
             "| --- |" + " --- |" * 9]
    for row in rows:
        key = row["case"], row["sync_batch_norm"]
        parts = " | ".join(f"{100 * row[purpose]['part']:.1f} %" for purpose in PURPOSES)
        lines.append(f"| `{row['case']}` | {row['ranks']} | of {'all ranks' if key[1] else 'each rank'} | "
                     f"{alone[key]:,.0f}, {row['images_per_second']:,.0f} | {100 * row['efficiency']:.0f} % | "
                     f"{100 * row['efficiency_to_busy']:.0f} % | {parts} | {100 * row['overlap']:.0f} % |")
    lines += ["", "| search, batch norm of | gradients: bytes | calls | statistics: bytes | calls | "
              "the rest: bytes | calls |", "| --- |" + " --- |" * 6]
    for row in rows:
        if row["ranks"] == min(row["ranks"] for row in rows):
            cells = " | ".join(f"{row[purpose]['bytes']:,} | {row[purpose]['calls']:g}"
                               for purpose in PURPOSES)
            lines.append(f"| `{row['case']}`, {'all ranks' if row['sync_batch_norm'] else 'each rank'} | "
                         f"{cells} |")
    if "threads" in stored:
        lines += ["", "| search | threads of one process | images/s, one and all | efficiency |",
                  "| --- |" + " --- |" * 3]
        for row in stored["threads"]:
            one = alone[row["case"], False]
            lines.append(f"| `{row['case']}` | {row['threads']} | {one:,.0f}, {row['images_per_second']:,.0f} "
                         f"| {100 * row['images_per_second'] / (row['threads'] * one):.0f} % |")
    seconds = {int(n): value for n, value in stored["scoring_seconds"].items()}
    lines += ["", "Scoring 40 architectures at the end of a search: " + ", ".join(
        f"{n} rank{'s' * (n > 1)} {value:g} s (× {seconds[1] / value:.2f})"
        for n, value in seconds.items()) + "."]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build/release/bin/retia")
    parser.add_argument("--ranks", default="1,2")
    parser.add_argument("--cases", default=",".join(CASES))
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("--all-reduce", type=int, nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--show", type=pathlib.Path)
    given = parser.parse_args()
    if given.all_reduce:
        return all_reduce(*given.all_reduce)
    if given.show:
        return print(tables(json.loads(given.show.read_text())))

    load = round(os.getloadavg()[0], 1)
    results, threads = [], []
    numbers = sorted({1, *map(int, given.ranks.split(","))})
    for name in given.cases.split(","):
        batch, words = CASES[name]
        busy = {n: measure(given, words, batch, n, talking=False)["images_per_second"]
                for n in numbers}
        threads += [{"case": name, "threads": n,
                     "images_per_second": round(by_threads(given, words, batch, n), 1)}
                    for n in numbers if n > 1]
        for synchronised in (False, True):
            settings = [*words, "--set", f"trainer.sync_batch_norm={str(synchronised).lower()}"]
            for n in numbers:
                line = ({"images_per_second": busy[1]} if n == 1 else
                        measure(given, settings, batch, n))
                results.append(result_of(name, batch, synchronised, n, line, busy[1], busy[n]))
                print(json.dumps(results[-1]), flush=True)
    scoring = {str(n): round(min(scoring_seconds(given.program, n) for _ in range(2)), 2)
               for n in numbers}
    stored = {"processor": processor(), "load": load, "results": results, "threads": threads,
              "scoring_seconds": scoring}
    print(tables(stored))
    if given.out:
        given.out.write_text(json.dumps(stored, indent=2) + "\n")


if __name__ == "__main__":
    main()
