#!/usr/bin/env python3
"""Times a search step of Retia and of plain PyTorch side by side, and writes both to a JSON file.

The runs take turns (one of each a round), so that a machine whose speed drifts treats all alike; what
is compared are the medians over rounds of each run's median step, and peak resident memory above that
of the idle process.

  bench/search_step.py --peers FOLDER [--rounds 3] [--threads 1] [--only WORD] [--out bench/results/search_step.json]

FOLDER holds torch_darts.py, torch_spos.py and torch_enas.py, plain-PyTorch programs that take the same
flags and print the same JSON line as `retia bench search-step`.
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
AVX2 = {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2"}


def darts(name, peers=(PLAIN, BEST), environment=None, **flags):
    return dict(name="darts " + name, space="darts_cnn", algorithm="darts", peer="torch_darts.py",
                peers=peers, environment=environment or {}, flags=flags)


def chain(space, algorithm, peers):
    return dict(name=algorithm, space=space, algorithm=algorithm, peer=f"torch_{algorithm}.py",
                peers=peers, environment={}, flags=dict(channels=16, layers=12, batch=32, image=32))


SMALL = dict(channels=8, layers=5, batch=16, image=32)
CASES = [
    darts("small", **SMALL),
    darts("fashion", channels=8, layers=3, nodes=2, batch=32, image=28, in_channels=1),
    darts("narrow", channels=16, layers=8, batch=16, image=16),
    darts("paper", channels=16, layers=8, batch=64, image=32, rounds=1, steps=2),
    darts("second order", [PLAIN], order=2, **SMALL),
    darts("odd 30", [PLAIN], channels=10, layers=3, batch=16, image=30),
    darts("odd 15", [PLAIN], channels=12, layers=3, batch=16, image=15),
    darts("AVX2", [PLAIN], AVX2, **SMALL),
    chain("spos_chain", "spos", [PLAIN, LAST]),
    chain("enas_macro", "enas", [LAST]),
]


def words(flags):
    return [w for k, v in flags.items() for w in ("--" + k.replace("_", "-"), str(v))]


def run(command, environment):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True,
                          env={**os.environ, **environment})
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} failed: {done.stderr.strip()}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def summary(runs):
    idle = min(r["rss_after_import_mib"] for r in runs)
    peak = max(r["peak_rss_mib"] for r in runs)
    return {"seconds": statistics.median(r["seconds_per_step"]["median"] for r in runs),
            "peak_rss_mib": peak, "above_idle_mib": peak - idle,
            "runs": [r["seconds_per_step"] for r in runs]}


def time_case(case, args):
    flags = dict(case["flags"])
    rounds = flags.pop("rounds", args.rounds)
    flags.setdefault("steps", args.steps)
    flags.update(warmup=1, threads=args.threads, seed=0)
    ours, theirs = [], {name: [] for name, _ in case["peers"]}
    for _ in range(rounds):
        ours.append(run([args.program, "bench", "search-step", "--space", case["space"], "--algorithm",
                         case["algorithm"], "--executor", args.executor, *words(flags)],
                        case["environment"]))
        for name, more in case["peers"]:
            theirs[name].append(run([args.python, args.peers / case["peer"], *words(flags), *more],
                                    case["environment"]))
            if ours[0]["params"] != theirs[name][0]["params"]:
                sys.exit(f"unlike work: {ours[0]['params']} weights against {theirs[name][0]['params']}")
    row = {"name": case["name"], "space": case["space"], "algorithm": case["algorithm"], "flags": flags,
           "environment": case["environment"], "params": ours[0]["params"], "retia": summary(ours),
           "torch": {name: summary(runs) for name, runs in theirs.items()}}
    for name, torch in row["torch"].items():
        torch["ratio"] = torch["seconds"] / row["retia"]["seconds"]
        print(f"{case['name']:20} {name:26} {row['retia']['seconds']:9.4f} {torch['seconds']:9.4f} "
              f"{torch['ratio']:6.2f} {row['retia']['above_idle_mib']:10.0f} "
              f"{torch['above_idle_mib']:10.0f}", flush=True)
    return row


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
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--executor", choices=("reference", "fused"), default="fused")
    parser.add_argument("--only", default="", help="cases whose names hold this word")
    parser.add_argument("--out", type=pathlib.Path)
    args = parser.parse_args()

    print(f"{'case':20} {'PyTorch':26} {'retia s':>9} {'torch s':>9} {'ratio':>6} {'retia MiB':>10} "
          f"{'torch MiB':>10}")
    rows = [time_case(case, args) for case in CASES if args.only in case["name"]]
    result = {"format": "retia.bench.search_step", "version": 2, "machine": processor(),
              "threads": args.threads, "executor": args.executor, "cases": rows}
    if args.out:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
