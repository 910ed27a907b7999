#!/usr/bin/env python3
"""Runs searches and explorations for a while, all at once, and fits how their memory grows.

  bench/soak.py [--minutes 30] [--program build/release/bin/retia] [--out bench/results/soak.json]

A search of one rank and one of two, with a checkpoint, TensorBoard events and a digest an epoch, and
explorations in one process and with processes for the trials. Looks at each process every few
seconds: memory that is its own (RssAnon), open files, threads. The first quarter is warm-up, over the
rest a line is fitted. Fails where one grows by more than --limit MiB an hour, opens ever more files or
starts ever more threads. An exploration knows all of its trials, so it is said how many it ran.
"""
import argparse
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

from scaling import ROOT, free_port, processor

DATA = ["--data", "digits", "--batch-size", "16", "--threads", "1", "--quiet"]
SEARCH = ["search", *DATA, "--set", "data.limit=256", "--epochs", "1000000000", "--set",
          "trainer.digest_every=8"]
EXPLORE = ["explore", *DATA, "--space", "spos_chain", "--set", "space.channels=4", "--set",
           "space.layers=8", "--set", "data.limit=64", "--epochs", "1", "--max-trials", "1000000000",
           "--strategy", "evolution"]
CASES = {
    "search": [*SEARCH, "--space", "darts_cnn", "--algorithm", "darts", "--set", "space.channels=4",
               "--set", "space.layers=3", "--set", "space.nodes=2"],
    "search on two ranks": [*SEARCH, "--space", "tiny", "--algorithm", "spos"],
    "explore": EXPLORE,
    "explore in processes": [*EXPLORE, "--runner", "local", "--concurrency", "1"],
}
SECONDS = 5  # between two looks


def start(program, words, n_ranks, folder):
    port, ranks = str(free_port()), []
    for rank in range(n_ranks):
        environment = dict(os.environ, OMP_NUM_THREADS="1")
        if n_ranks > 1:
            environment |= dict(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(n_ranks),
                                MASTER_ADDR="127.0.0.1", MASTER_PORT=port)
        ranks.append(subprocess.Popen([program, *words, "--out", folder], env=environment,
                                      stdout=subprocess.DEVNULL))
    return ranks


def look(process):
    """MiB of memory that is its own, open files, threads."""
    status = dict(line.split(":", 1) for line in open(f"/proc/{process}/status"))
    return (int(status["RssAnon"].split()[0]) / 1024, len(os.listdir(f"/proc/{process}/fd")),
            int(status["Threads"]))


def slope(times, values):
    """Of the line of least squares."""
    t, v = sum(times) / len(times), sum(values) / len(values)
    return (sum((a - t) * (b - v) for a, b in zip(times, values)) /
            sum((a - t) ** 2 for a in times))


def amount_of_work(program, folder):
    metrics = folder / "metrics.jsonl"
    if metrics.exists():
        return {"epochs": metrics.read_text().count("\n")}
    shown = subprocess.run([program, "report", folder, "--format", "json"], capture_output=True)
    return {"trials": json.loads(shown.stdout)["trials"]}


def summary(samples):
    settled = [(time, *seen) for time, *seen in samples if time >= samples[-1][0] / 4]
    times, memory, files, threads = zip(*settled)
    return {"MiB": round(memory[-1], 2), "MiB an hour": round(slope(times, memory) * 3600, 3),
            "MiB after warm-up": round(memory[0], 2), "open files": [min(files), max(files)],
            "threads": [min(threads), max(threads)], "samples": len(settled),
            "MiB over time": [round(seen[1], 2) for seen in samples[::max(1, len(samples) // 20)]]}


def watch(runs, seconds):
    """What is seen of each rank of each case meanwhile."""
    samples = {(case, rank): [] for case, ranks in runs.items() for rank in range(len(ranks))}
    begin = time.monotonic()
    while (now := time.monotonic() - begin) < seconds:
        time.sleep(SECONDS)
        for (case, rank), seen in samples.items():
            process = runs[case][rank]
            if process.poll() is not None:
                sys.exit(f"{case}: rank {rank} ended with {process.returncode}")
            seen.append((now, *look(process.pid)))
    return samples


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build/release/bin/retia")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--limit", type=float, default=2, help="MiB an hour that a process may grow")
    parser.add_argument("--out", type=pathlib.Path)
    given = parser.parse_args()

    with tempfile.TemporaryDirectory(prefix="soak-") as name:
        folder = pathlib.Path(name)
        runs = {case: start(given.program, words, 2 if "two" in case else 1, folder / case)
                for case, words in CASES.items()}
        try:
            samples = watch(runs, 60 * given.minutes)
        finally:
            for ranks in runs.values():
                ranks[0].send_signal(signal.SIGTERM)
            codes = [rank.wait() for ranks in runs.values() for rank in ranks]
        if set(codes) != {130}:
            sys.exit(f"expected all to stop with 130, but got {codes}")
        results = [{"name": case, "rank": rank, **summary(seen),
                    **amount_of_work(given.program, folder / case)}
                   for (case, rank), seen in samples.items()]

    failed = False
    for result in results:
        grows = (result["MiB an hour"] > given.limit or
                 any(most > least + 2 for least, most in (result["open files"], result["threads"])))
        failed |= grows
        print(json.dumps(result), "GROWS" if grows else "")
    if given.out:
        given.out.write_text(json.dumps(
            {"format": "retia.bench.soak", "machine": processor(), "minutes": given.minutes,
             "processes": results}, indent=2) + "\n")
    sys.exit(failed)


if __name__ == "__main__":
    main()
