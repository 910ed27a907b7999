#!/usr/bin/env python3
"""Trains every architecture of a small space alone, and asks of each search algorithm how good the one is
that it exports: its true rank. Writes both, and a picture, to bench/results.

  bench/true_rank.py --runs FOLDER [--seeds 5] [--trainings 5] [--ranks 5] [--out bench/results/true_rank.json]

The space is a chain of three residual layers on 8 x 8 digits, each of four candidates: 64 architectures. All
is done by the program: `explore` and `rank` train them alone, `search` searches. FOLDER keeps the runs; what
is done there is not done again, so the same command continues after an interruption, and with more seeds.
"""
import argparse
import collections
import itertools
import json
import os
import pathlib
import random
import resource
import shutil
import sqlite3
import statistics
import subprocess
import sys

from search_step import ROOT, processor

LAYERS, CANDIDATES = 3, ["skip", "avg_pool", "conv1x1", "conv3x3"]
N_ARCHITECTURES = len(CANDIDATES) ** LAYERS
CHANNELS, N_CLASSES = 8, 10
PARTIAL = 2  # pc_darts decides on 1/PARTIAL of the channels

DATA = ["--data", "digits", "--batch-size", 64, "--set", "weight_optimizer.lr=0.1"]
ALONE_EPOCHS, SEARCH_EPOCHS, STEPS_PER_EPOCH = 10, 40, 11
# The paper's 3e-4 over 50 epochs of 390 steps, over ours: alphas can come as far.
ALPHA_LR = round(3e-4 * 50 * 390 / (SEARCH_EPOCHS * STEPS_PER_EPOCH), 4)
ALPHAS = {"alpha_optimizer.lr": ALPHA_LR}
# As many steps of the controller as of the weights. It can solve a bandit in 50 steps of 0.01; so fast, it would
# have decided before the weights are worth anything. Its baseline follows the rewards within an epoch.
ENAS = {"controller_lr": 0.001, "controller_steps": STEPS_PER_EPOCH, "aggregate": 5, "baseline_decay": 0.95}
N_TRIALS = 16  # of the trials that search without a supernet
ALGORITHMS = {  # name in the table -> algorithm, its options
    "darts, first order": ("darts", ALPHAS),
    "darts, second order": ("darts", ALPHAS | {"order": 2}),
    "pc_darts": ("pc_darts", ALPHAS | {"partial_channels": 1}),  # the space has partial channels already
    "gdas": ("gdas", ALPHAS),
    "proxyless": ("proxyless", ALPHAS),
    "enas": ("enas", ENAS),
    "spos": ("spos", {}),
    "fairnas": ("fairnas", {}),
    "random": ("random", {}),
}
RANKED = ["spos", "fairnas", "random"]


def space(partial):
    """The graph; its choices see all channels, or one in `partial` of them. Layers are residual, x + o(x), so that
    the scale of o(x) tells: before a batch normalisation alone it would not, and leave gdas without gradient."""
    nodes = [{"id": 0, "name": "image", "input": {"shape": [1, 8, 8]}}]

    def node(name, inputs, **content):
        nodes.append({"id": len(nodes), "name": name, "inputs": inputs, **content})
        return nodes[-1]["id"]

    def add(name, kind, inputs, **parameters):
        return node(name, inputs, type=kind, parameters=parameters)

    def candidate(name):
        kind = {"skip": "identity", "avg_pool": "avg_pool2d"}.get(name, "conv_bn")
        parameters = {"kernel": int(name[-1]), "relu": "before", "affine": False} if kind == "conv_bn" else {}
        return {"name": name, "type": kind, "parameters": parameters}

    def layer(label, x):
        choice = {"label": label, "candidates": [candidate(name) for name in CANDIDATES]}
        if partial == 1:
            return node(label, [x], layer_choice=choice)
        part = node(label, [add(label + "_part", "split", [x], of=partial)], layer_choice=choice)
        rest = add(label + "_rest", "split", [x], index=1, of=partial, count=partial - 1)
        return add(label + "_mix", "shuffle", [add(label + "_join", "concat", [part, rest])], groups=partial)

    x = add("stem", "conv_bn", [0], out=CHANNELS)
    for i in range(LAYERS):
        if i > 0:
            x = add(f"halve{i}", "max_pool2d", [x], kernel=2, stride=2, padding=0)
        x = add(f"add{i}", "add", [x, layer(f"layer{i}", x)])
    x = add("mean", "global_mean", [add("relu", "relu", [add("bn", "batch_norm", [x])])])
    head = add("head", "linear", [x], out=N_CLASSES)
    return {"format": "retia.graph", "version": 1, "name": "true_rank", "nodes": nodes,
            "outputs": [{"name": "logits", "node": head}]}


class Bench:
    """Runs the program once for each folder."""

    def __init__(self, program, runs):
        self.program, self.runs = program, runs
        runs.mkdir(parents=True, exist_ok=True)
        for partial in (1, PARTIAL):
            self.space(partial).write_text(json.dumps(space(partial), indent=1) + "\n")

    def space(self, partial):
        return self.runs / f"space{partial}.json"

    def run(self, name, *words, partial=1):
        """The folder of the run `name`, and the processor seconds it took."""
        folder, done = self.runs / name, self.runs / (name + ".done.json")
        if not done.exists():
            if words[0] != "rank":  # whose seconds are not reported: it may continue
                shutil.rmtree(folder, ignore_errors=True)
            before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
            command = [self.program, *words, "--space", self.space(partial), *DATA, "--threads", 1, "--quiet",
                       "--resume", "--out", folder]
            result = subprocess.run([str(c) for c in command], capture_output=True, text=True,
                                    env=dict(os.environ, OMP_NUM_THREADS="1"))
            if result.returncode != 0:
                sys.exit(f"{' '.join(map(str, command))} failed: {result.stderr.strip()}")
            seconds = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
            done.write_text(json.dumps({"cpu_seconds": round(seconds, 2)}))
            print(f"{name}: {seconds:.1f} s", file=sys.stderr, flush=True)
        return folder, json.loads(done.read_text())["cpu_seconds"]

    def alone(self, seed):
        folder, seconds = self.run(f"explore-{seed}", "explore", "--strategy", "grid", "--epochs", ALONE_EPOCHS,
                                   "--seed", seed)
        return folder, seconds

    def trials(self, seed):
        """What `explore` finds without a supernet, trained with a seed of its own."""
        folder, seconds = self.run(f"trials-{seed}", "explore", "--strategy", "random", "--max-trials", N_TRIALS,
                                   "--epochs", ALONE_EPOCHS, "--seed", 1000 + seed)
        return exported(folder), seconds

    def search(self, name, seed):
        algorithm, options = ALGORITHMS[name]
        settings = [w for k, v in options.items() for w in ("--set", f"algorithm.{k}={v}")]
        folder, seconds = self.run(f"{name.replace(', ', '-').replace(' ', '-')}-{seed}", "search", "--algorithm",
                                   algorithm, "--epochs", SEARCH_EPOCHS, "--seed", seed, *settings,
                                   partial=PARTIAL if algorithm == "pc_darts" else 1)
        return folder, exported(folder), seconds

    def rank(self, name, seed):
        """Trained alone with another seed and split than the supernet, so no luck is shared."""
        supernet, _, _ = self.search(name, seed)
        other = 100 + len(RANKED) * seed + RANKED.index(name)
        folder, _ = self.run(f"rank-{name}-{seed}", "rank", "--checkpoint", supernet, "--strategy", "grid",
                             "--max-trials", N_ARCHITECTURES, "--epochs", ALONE_EPOCHS, "--seed", seed,
                             "--set", f"evaluator.seed={other}")
        return json.loads((folder / "rank.json").read_text())


def key(choices):
    return tuple(choices[f"layer{i}"] for i in range(LAYERS))


def exported(folder):
    return key(json.loads((folder / "architecture.json").read_text())["choices"])


def trials(folder):
    rows = sqlite3.connect(folder / "experiment.sqlite").execute("SELECT choices, objectives FROM trials")
    return {key(json.loads(choices)): json.loads(objectives)[0] for choices, objectives in rows}


def ranks(values):
    """Of the largest 1; equal ones share the mean of theirs."""
    return [1 + sum(w > v for w in values) + (sum(w == v for w in values) - 1) / 2 for v in values]


def spearman(x, y):
    return statistics.correlation(ranks(x), ranks(y))


def kendall(x, y):
    """Tau-b."""
    sign = lambda v: (v > 0) - (v < 0)
    pairs = [(sign(x[i] - x[j]), sign(y[i] - y[j])) for i, j in itertools.combinations(range(len(x)), 2)]
    return sum(a * b for a, b in pairs) / (sum(a * a for a, _ in pairs) * sum(b * b for _, b in pairs)) ** 0.5


def truth(trained):
    """trained: a dictionary architecture -> accuracy for each training seed."""
    accuracies = {a: [t[a] for t in trained] for a in trained[0]}
    means = {a: statistics.mean(v) for a, v in accuracies.items()}
    rank = dict(zip(means, ranks(list(means.values()))))
    noise = statistics.mean(statistics.variance(v) for v in accuracies.values()) ** 0.5
    dice, halves = random.Random(0), []
    for _ in range(100):
        order = dice.sample(range(len(trained)), len(trained))
        half = len(order) // 2
        x, y = ([statistics.mean(v[i] for i in part) for v in accuracies.values()]
                for part in (order[:half], order[half:2 * half]))
        halves.append(spearman(x, y))
    pairs = itertools.combinations([list(t[a] for a in means) for t in trained], 2)
    return {
        "trainings_of_each": len(trained),
        "best": max(means.values()), "median": statistics.median(means.values()), "worst": min(means.values()),
        "sd_between_architectures": statistics.stdev(means.values()), "sd_between_seeds": noise,
        "sd_of_a_mean": noise / len(trained) ** 0.5,
        "spearman_of_halves": statistics.mean(halves),
        "tau_of_two_trainings": statistics.mean(kendall(x, y) for x, y in pairs),
        "architectures": [{"choices": list(a), "rank": rank[a], "accuracy": means[a],
                           "sd": statistics.stdev(accuracies[a])}
                          for a in sorted(means, key=lambda a: rank[a])],
    }, rank, means


def by_chance(found, all_ranks):
    """The probability that as many random architectures have so small a mean rank, or a smaller one."""
    ways = collections.Counter({0: 1})
    for _ in found:
        more = collections.Counter()
        for total, n in ways.items():
            for rank in all_ranks:
                more[total + rank] += n
        ways = more
    return sum(n for total, n in ways.items() if total <= sum(found)) / len(all_ranks) ** len(found)


def row(name, runs, rank, means, **more):
    """runs: (seed, architecture, seconds)."""
    found = [rank[a] for _, a, _ in runs]
    return {"name": name, **more, "mean_rank": statistics.mean(found), "ranks": found,
            "mean_accuracy": statistics.mean(means[a] for _, a, _ in runs),
            "p_by_chance": by_chance(found, list(rank.values())),
            "cpu_seconds": statistics.median(s for _, _, s in runs),
            "runs": [{"seed": seed, "choices": list(a), "rank": rank[a], "accuracy": means[a], "cpu_seconds": s}
                     for seed, a, s in runs]}


def rank_row(name, reports, means):
    def with_interval(values):
        half = 2.776 * statistics.stdev(values) / len(values) ** 0.5 if len(values) == 5 else None
        return {"mean": statistics.mean(values), "half_interval": half, "values": values}

    scored = [{key(a["choices"]): a["inherited"] for a in report["architectures"]} for report in reports]
    order = list(means)
    return {"name": name,
            "reports": [{"kendall_tau": r["kendall_tau"], "spearman_rho": r["spearman_rho"]} for r in reports],
            "tau_with_one_training": with_interval([r["kendall_tau"]["value"] for r in reports]),
            "tau_with_truth": with_interval([kendall([s[a] for a in order], [means[a] for a in order])
                                             for s in scored])}


def measure(bench, args, commit):
    searched = {name: [] for name in ALGORITHMS}
    for seed in range(args.seeds):
        for name in ALGORITHMS:
            searched[name].append((seed, *bench.search(name, seed)[1:]))
    trial_runs = [(seed, *bench.trials(seed)) for seed in range(args.seeds)]
    trained, alone_runs = [], []
    for seed in range(args.trainings):
        folder, seconds = bench.alone(seed)
        trained.append(trials(folder))
        alone_runs.append((seed, exported(folder), seconds))
    reports = {name: [bench.rank(name, seed) for seed in range(args.ranks)] for name in RANKED}
    for report in (r for rs in reports.values() for r in rs):
        trained.append({key(a["choices"]): a["alone"] for a in report["architectures"]})
    true, rank, means = truth(trained)
    rows = [row(name, searched[name], rank, means, options=ALGORITHMS[name][1],
                steps=SEARCH_EPOCHS * STEPS_PER_EPOCH) for name in ALGORITHMS]
    for n, runs in ((N_TRIALS, trial_runs), (N_ARCHITECTURES, alone_runs)):
        rows.append(row(f"best of {n} trained alone", runs, rank, means, steps=n * ALONE_EPOCHS * STEPS_PER_EPOCH))
    return {"format": "retia.bench.true_rank", "version": 1, "machine": processor(), "commit": commit,
            "space": f"{LAYERS} residual layers of {', '.join(CANDIDATES)} on 8 x 8 digits, {CHANNELS} channels",
            "seeds": args.seeds, "alone_epochs": ALONE_EPOCHS, "search_epochs": SEARCH_EPOCHS,
            "truth": true, "searches": rows,
            "rank": [rank_row(name, reports[name], means) for name in RANKED]}


def markdown(result):
    true, per_cent = result["truth"], lambda v: f"{100 * v:.2f} %"
    n = len(true["architectures"])
    lines = ["| algorithm | true rank, mean | of each seed | accuracy alone | by chance | CPU seconds |",
             "| --- | --- | --- | --- | --- | --- |",
             f"| the best | 1 | | {per_cent(true['best'])} | | |"]
    for r in sorted(result["searches"], key=lambda r: r["mean_rank"]):
        p = f"{r['p_by_chance']:.4f}" if r["p_by_chance"] >= 1e-4 else "< 0.0001"
        lines.append(f"| {r['name']} | {r['mean_rank']:.1f} | {', '.join(f'{v:g}' for v in r['ranks'])} | "
                     f"{per_cent(r['mean_accuracy'])} | {p} | {r['cpu_seconds']:.1f} |")
    mean = statistics.mean(a["accuracy"] for a in true["architectures"])
    lines += [f"| a random choice | {(n + 1) / 2} | | {per_cent(mean)} | 0.5 | 0 |", "",
              "| supernet of | tau, first seed | one training, mean | the true ranking, mean |",
              "| --- | --- | --- | --- |"]
    for r in result["rank"]:
        first = r["reports"][0]["kendall_tau"]
        spread = lambda v: f"{v['mean']:.3f}" + (f" ± {v['half_interval']:.3f}" if v["half_interval"] else "")
        lines.append(f"| {r['name']} | {first['value']:.3f} ({first['low']:.3f} to {first['high']:.3f}) | "
                     f"{spread(r['tau_with_one_training'])} | {spread(r['tau_with_truth'])} |")
    lines += ["", f"{n} architectures, each trained {true['trainings_of_each']} times: "
              f"{per_cent(true['worst'])} to {per_cent(true['best'])}; standard deviation "
              f"{per_cent(true['sd_between_architectures'])} between architectures, "
              f"{per_cent(true['sd_between_seeds'])} between seeds of one, {per_cent(true['sd_of_a_mean'])} of a mean; "
              f"Spearman of two halves of the seeds {true['spearman_of_halves']:.3f}, tau of two trainings "
              f"{true['tau_of_two_trainings']:.3f}"]
    return "\n".join(lines)


def picture(result):
    """Accuracies in their true order; under them where each search ended, a dot a seed."""
    true, rows = result["truth"], sorted(result["searches"], key=lambda r: r["mean_rank"])
    n, left, width, high = len(true["architectures"]), 190, 560, 200
    low_accuracy, top = 0.05 * int(20 * true["worst"]), 40
    x = lambda rank: left + (rank - 1) / (n - 1) * width
    y = lambda accuracy: top + (1 - accuracy) / (1 - low_accuracy) * high
    bottom = top + high + 30 + 24 * len(rows)
    svg = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 30}" height="{bottom + 50}" '
           'font-family="sans-serif" font-size="13"><rect width="100%" height="100%" fill="white"/>']
    text = lambda px, py, anchor, words: svg.append(f'<text x="{px:.1f}" y="{py:.1f}" text-anchor="{anchor}">{words}</text>')
    text(left, 24, "start", f"accuracy of {n} architectures trained alone (mean and standard deviation of a training)")
    steps = round((1 - low_accuracy) / 0.05)
    for accuracy in (1 - 0.05 * i for i in range(steps + 1)):
        svg.append(f'<path d="M{left} {y(accuracy):.1f}h{width}" stroke="#ddd"/>')
        text(left - 8, y(accuracy) + 4, "end", f"{100 * accuracy:.0f} %")
    for i, a in enumerate(true["architectures"]):
        up, down = min(a["accuracy"] + a["sd"], 1), a["accuracy"] - a["sd"]
        svg.append(f'<path d="M{x(i + 1):.1f} {y(up):.1f}V{y(down):.1f}" stroke="#999"/>'
                   f'<circle cx="{x(i + 1):.1f}" cy="{y(a["accuracy"]):.1f}" r="2.5"/>')
    for i, r in enumerate(rows):
        py = top + high + 40 + 24 * i
        svg.append(f'<path d="M{left} {py}h{width}" stroke="#ddd"/>')
        text(left - 8, py + 4, "end", r["name"])
        svg.append(f'<path d="M{x(r["mean_rank"]):.1f} {py - 8}v16" stroke="black" stroke-width="2"/>')
        svg += [f'<circle cx="{x(rank):.1f}" cy="{py}" r="5" fill="steelblue" fill-opacity="0.6"/>' for rank in r["ranks"]]
    svg.append(f'<path d="M{x((n + 1) / 2):.1f} {top + high + 25}V{bottom}" stroke="firebrick" stroke-dasharray="4 3"/>')
    text(x((n + 1) / 2), bottom + 14, "middle", "a random choice")
    text(left, bottom + 14, "start", "best")
    text(left + width, bottom + 14, "end", "worst")
    text(left + width / 2, bottom + 36, "middle", "true rank of what was exported: a dot a seed, a bar their mean")
    return "\n".join(svg) + "\n</svg>\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=pathlib.Path, required=True)
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build/release/bin/retia")
    parser.add_argument("--seeds", type=int, default=5, help="searches of each algorithm")
    parser.add_argument("--trainings", type=int, default=5, help="of every architecture by explore, at least 1")
    parser.add_argument("--ranks", type=int, default=5, help="supernets of each algorithm that rank looks at")
    parser.add_argument("--commit", help="of the program; default: that of the tree")
    parser.add_argument("--out", type=pathlib.Path)
    args = parser.parse_args()
    commit = args.commit or subprocess.run(["git", "-C", ROOT, "rev-parse", "--short=12", "HEAD"],
                                           capture_output=True, text=True).stdout.strip()
    result = measure(Bench(args.program, args.runs.resolve()), args, commit)
    print(markdown(result))
    if args.out:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(json.dumps(result, indent=1) + "\n")
        args.out.with_suffix(".svg").write_text(picture(result))


if __name__ == "__main__":
    main()
