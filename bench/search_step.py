#!/usr/bin/env python3
"""Times a search step of Retia and of plain PyTorch side by side, and writes both to a JSON file.

The runs take turns (one of each a round), so that a machine whose speed drifts treats all alike; what
is compared are the medians over rounds of each run's median step, and peak memory: on the CPU what is
resident above the idle process, on a GPU what tensors held. A run that fails is named, the others go on.

  bench/search_step.py [--peers FOLDER] [--device cuda] [--precision bf16] [--compile] [--rounds 3]
                       [--threads 1,2] [--only WORD,…] [--before PROGRAM]
                       [--out bench/results/search_step.json]

Each case is timed on each number of threads, Retia and PyTorch on the same; those of one case take turns
too, so that the ratio of two numbers is that of one time. PROGRAM is an older build of retia, which takes
turns with this one.

FOLDER holds torch_darts.py, torch_spos.py and torch_enas.py, plain-PyTorch programs that take the same
flags and print the same JSON line as `retia bench search-step`; without it, Retia is timed alone. On a
GPU, and on the CPU with --compile, DARTS's is run by torch.compile as well.
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
PLAIN = ("plain", [])
LAST = ("channels_last", ["--channels-last"])
BEST = ("channels_last, alpha only", ["--channels-last", "--arch-grads", "alpha"])
COMPILED = ("compiled", ["--compile"])
BEST_COMPILED = ("compiled, " + BEST[0], ["--compile", *BEST[1]])
AVX2 = {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2"}


def darts(name, peers=(PLAIN, BEST), environment=None, **flags):
    return dict(name="darts " + name, space="darts_cnn", algorithm="darts", peer="torch_darts.py",
                peers=peers, environment=environment or {}, flags=flags)


def chain(space, algorithm, peers, name="", **flags):
    return dict(name=name or algorithm, space=space, algorithm=algorithm, peer=f"torch_{algorithm}.py",
                peers=peers, environment={},
                flags=flags or dict(channels=16, layers=12, batch=32, image=32))


SMALL = dict(channels=8, layers=5, batch=16, image=32)
CASES = [
    darts("small", **SMALL),
    darts("fashion", channels=8, layers=3, nodes=2, batch=32, image=28, in_channels=1),
    darts("narrow", channels=16, layers=8, batch=16, image=16),
    darts("paper", channels=16, layers=8, batch=64, image=32, rounds=2, steps=2),
    darts("second order", [PLAIN], order=2, **SMALL),
    darts("odd 30", [PLAIN], channels=10, layers=3, batch=16, image=30),
    darts("odd 15", [PLAIN], channels=12, layers=3, batch=16, image=15),
    darts("AVX2", [PLAIN], AVX2, **SMALL),
    chain("spos_chain", "spos", [PLAIN, LAST]),
    chain("enas_macro", "enas", [LAST]),
    # Sizes and widths that nothing was tuned to.
    darts("16 wide", channels=16, layers=5, batch=32, image=32),
    darts("36 wide", channels=36, layers=4, batch=8, image=32),
    chain("spos_chain", "spos", [PLAIN, LAST], "spos 20 wide", channels=20, layers=9, batch=24, image=28),
    chain("enas_macro", "enas", [PLAIN, LAST], "enas 20 wide", channels=20, layers=9, batch=24, image=28),
]
GPU_CASES = [
    darts("small", **SMALL),
    darts("paper", channels=16, layers=8, batch=64, image=32),
    darts("second order", [PLAIN], order=2, channels=16, layers=8, batch=64, image=32),
    chain("spos_chain", "spos", [PLAIN, LAST]),
    chain("enas_macro", "enas", [LAST]),
]


def words(flags):
    return [w for k, v in flags.items() for w in ("--" + k.replace("_", "-"), str(v))]


class Failed(Exception):
    """A run that ended with an error; the message is one line."""


def run(command, environment):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True,
                          env={**os.environ, **environment})
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise Failed(f"{' '.join(map(str, command))}: {said[-1]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def peers_of(case, args):
    if args.peers is None:
        return []
    compiled = [COMPILED, BEST_COMPILED] if args.compile and BEST in case["peers"] else []
    return [*case["peers"], *compiled]


def memory(runs):
    if "cuda_peak_mib" in runs[0]:
        return {"cuda_peak_mib": max(r["cuda_peak_mib"] for r in runs)}
    idle = min(r["rss_after_import_mib"] for r in runs)
    peak = max(r["peak_rss_mib"] for r in runs)
    return {"peak_rss_mib": peak, "above_idle_mib": peak - idle}


def summary(runs):
    return {"seconds": statistics.median(r["seconds_per_step"]["median"] for r in runs), **memory(runs),
            "runs": [r["seconds_per_step"] for r in runs]}


def time_case(case, args):
    """The rows of a case, one for each number of threads, and one line for each run that failed."""
    flags = dict(case["flags"])
    rounds = flags.pop("rounds", args.rounds)
    flags.setdefault("steps", args.steps)
    flags.update(warmup=args.warmup, seed=0, device=args.device)
    amp = ["--amp"] if args.precision == "bf16" else []
    commands = {}
    for threads in args.threads:
        flags["threads"] = threads
        commands[threads, "retia"] = [
            args.program, "bench", "search-step", "--space", case["space"], "--algorithm",
            case["algorithm"], "--executor", args.executor, "--precision", args.precision, *words(flags)]
        if args.before:
            commands[threads, "before"] = [args.before, *commands[threads, "retia"][1:]]
        for name, more in peers_of(case, args):
            commands[threads, name] = [args.python, args.peers / case["peer"], *words(flags), *amp, *more]
    runs, failures = {key: [] for key in commands}, {}
    for _ in range(rounds):
        for key, command in commands.items():
            if key in failures:
                continue
            try:
                runs[key].append(run(command, case["environment"]))
            except Failed as failure:
                failures[key] = str(failure)
                print(f"{case['name']}: {key[1]} failed: {failure}", file=sys.stderr, flush=True)
    rows = [row_of(case, dict(flags, threads=threads),
                   {name: made for (t, name), made in runs.items() if t == threads},
                   {name: said for (t, name), said in failures.items() if t == threads})
            for threads in args.threads if (threads, "retia") not in failures]
    for row in rows[1:]:
        if rows[0]["flags"]["threads"] == 1:
            row["threads"] = scaling(rows[0]["retia"]["seconds"], row["retia"]["seconds"],
                                     row["flags"]["threads"])
            print(f"{row['name']:20} {row['flags']['threads']} threads are {row['threads']['ratio']:.2f} times "
                  f"as fast as one", flush=True)
    return rows, failures


def scaling(alone, together, n):
    """How many times as fast n threads are as one; the part of the step that does not become shorter by
    Amdahl's law, T(n) = T(1) (serial + (1 - serial) / n), in which waiting and shared memory count too;
    and what that part lets 8 and 16 threads gain."""
    serial = max(0.0, (n * together / alone - 1) / (n - 1))
    return {"ratio": alone / together, "serial": serial,
            "projected": {str(m): 1 / (serial + (1 - serial) / m) for m in (8, 16)}}


def row_of(case, flags, runs, failures):
    """What the runs of a case on one number of threads come to."""
    row = {"name": case["name"], "space": case["space"], "algorithm": case["algorithm"], "flags": flags,
           "environment": case["environment"], "params": runs["retia"][0]["params"],
           "retia": summary(runs["retia"]), "torch": {}, "failed": failures}
    if runs.get("before"):
        row["before"] = summary(runs["before"])
    for name in runs:
        if name not in ("retia", "before") and name not in failures:
            if runs[name][0]["params"] != row["params"]:
                sys.exit(f"unlike work: {row['params']} weights against {runs[name][0]['params']}")
            row["torch"][name] = summary(runs[name])
    show(row)
    return row


def show(row):
    def megabytes(of):
        return of.get("cuda_peak_mib", of.get("above_idle_mib"))

    retia, threads = row["retia"], row["flags"]["threads"]
    if "before" in row:
        ratio = row["before"]["seconds"] / retia["seconds"]
        print(f"{row['name']:20} {threads:2} {'before':36} {retia['seconds']:9.4f} "
              f"{row['before']['seconds']:9.4f} {ratio:6.2f}", flush=True)
    if not row["torch"]:
        print(f"{row['name']:20} {threads:2} {'':36} {retia['seconds']:9.4f} {'':16} {megabytes(retia):10.0f}", flush=True)
    for name, torch in row["torch"].items():
        torch["ratio"] = torch["seconds"] / retia["seconds"]
        print(f"{row['name']:20} {threads:2} {name:36} {retia['seconds']:9.4f} {torch['seconds']:9.4f} "
              f"{torch['ratio']:6.2f} {megabytes(retia):10.0f} {megabytes(torch):10.0f}", flush=True)


def processor():
    for line in open("/proc/cpuinfo"):
        if line.startswith("model name"):
            return f"{line.split(':')[1].strip()}, {os.cpu_count()} cores"
    return platform.machine()


def machine(args):
    if args.device == "cpu":
        return processor()
    asked = subprocess.run(["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"],
                           capture_output=True, text=True)
    return asked.stdout.strip().splitlines()[0] if asked.returncode == 0 else "a GPU"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", type=pathlib.Path)
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build/release/bin/retia")
    parser.add_argument("--python", type=pathlib.Path, default=ROOT / ".venv/bin/python")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    parser.add_argument("--compile", action="store_true", help="also on the CPU; takes minutes a case")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, help="timed steps of a run; 4, on a GPU 20")
    parser.add_argument("--threads", type=lambda text: [int(n) for n in text.split(",")], default=[1],
                        help="numbers of threads, e.g. 1,2")
    parser.add_argument("--executor", choices=("reference", "fused"), default="fused")
    parser.add_argument("--only", default="", help="cases whose names hold one of these words")
    parser.add_argument("--before", type=pathlib.Path, help="an older build of retia")
    parser.add_argument("--out", type=pathlib.Path)
    args = parser.parse_args()
    on_gpu = args.device == "cuda"
    args.compile = args.compile or on_gpu
    args.steps = args.steps or (20 if on_gpu else 4)
    args.warmup = 5 if on_gpu else 1
    cases = [case for case in (GPU_CASES if on_gpu else CASES) if any(word in case["name"] for word in args.only.split(","))]
    if not cases:
        parser.error(f"no case is called like '{args.only}'")

    print(f"{'case':20} {'n':>2} {'PyTorch':36} {'retia s':>9} {'torch s':>9} {'ratio':>6} {'retia MiB':>10} "
          f"{'torch MiB':>10}")
    rows, failed = [], False
    for case in cases:
        more, failures = time_case(case, args)
        rows += more
        failed = failed or bool(failures)
    result = {"format": "retia.bench.search_step", "version": 3, "machine": machine(args),
              "device": args.device, "precision": args.precision, "threads": args.threads,
              "executor": args.executor, "cases": rows}
    if args.out and rows:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(json.dumps(result, indent=2) + "\n")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
