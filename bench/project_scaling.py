#!/usr/bin/env python3
"""Projects from measured bytes and calls how a search scales to many GPUs (docs/scaling.md).

  bench/project_scaling.py [RESULTS.json] [--case darts_paper] [--step-ms 30] [--gpus 8,64,512]
                           [--overlap 0.5] [--svg OUT.svg]

RESULTS.json is what bench/scaling.py writes; none: the stored one. All else is stated, not measured:
how long a step of one GPU takes, and what networks do. Prints a table for docs/scaling.md.
"""
import argparse
import json
import math
import pathlib
from dataclasses import dataclass
from xml.sax.saxutils import escape

ROOT = pathlib.Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Cluster:
    """Vendor figures of bandwidth, in bytes a second in one direction; hops in seconds."""
    gpus_a_node: int = 8
    inside: float = 450e9   # NVLink of an H100: 900 GB/s both ways
    between: float = 50e9   # an InfiniBand NDR adapter a GPU: 400 Gbit/s
    hop_inside: float = 3e-6
    hop_between: float = 6e-6


def exchange(n_bytes, n, bandwidth, hop):
    """Seconds of one sum over n equals: by a ring or by a tree, whichever is faster."""
    ring = 2 * (n - 1) * (n_bytes / n / bandwidth + hop)
    tree = 2 * (n_bytes / bandwidth + math.ceil(math.log2(n)) * hop)
    return min(ring, tree)


def all_reduce(n_bytes, n_gpus, cluster):
    """Seconds of one sum over GPUs: in each node, then of each GPU's part between nodes."""
    local = min(n_gpus, cluster.gpus_a_node)
    nodes = math.ceil(n_gpus / local)
    return (exchange(n_bytes, local, cluster.inside, cluster.hop_inside)
            + exchange(n_bytes / local, nodes, cluster.between, cluster.hop_between))


def communication(traffic, n_gpus, cluster):
    """Seconds of what ranks call each other for in a step: calls of equal size."""
    calls = max(traffic["calls"], 1e-9)
    return traffic["calls"] * all_reduce(traffic["bytes"] / calls, n_gpus, cluster)


def step(row, n_gpus, compute, overlap, cluster):
    """Seconds of a step: only gradients go beside the backward pass, and a part of them."""
    return (compute + (1 - overlap) * communication(row["gradients"], n_gpus, cluster)
            + communication(row["statistics"], n_gpus, cluster)
            + communication(row["agreement"], n_gpus, cluster))


def efficiency(row, n_gpus, compute, overlap, cluster):
    return compute / step(row, n_gpus, compute, overlap, cluster)


def row_of(results, case, synchronised):
    """The measurement with most ranks, whose bytes and calls do not depend on their number."""
    rows = [row for row in results["results"] if row["case"] == case and row["ranks"] > 1
            and row["sync_batch_norm"] == synchronised]
    if not rows:
        cases = sorted({row["case"] for row in results["results"] if row["ranks"] > 1})
        raise SystemExit(f"no measurement of {case} on several ranks: there are {', '.join(cases)}")
    return max(rows, key=lambda row: row["ranks"])


def table(rows, steps, gpus, overlap, cluster):
    lines = ["| step of one GPU | batch norm | " + " | ".join(f"{n} GPUs" for n in gpus) + " |",
             "| --- | --- |" + " --- |" * len(gpus)]
    for compute in steps:
        for synchronised, row in rows.items():
            cells = [f"{100 * efficiency(row, n, compute, overlap, cluster):.0f} %" for n in gpus]
            name = "of all ranks" if synchronised else "of each rank"
            lines.append(f"| {1000 * compute:g} ms | {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def draw(rows, steps, overlap, cluster, most=512):
    """Efficiency over the number of GPUs, a line for each step time; dashed: batch norm of all ranks."""
    width, height, left, top = 480, 260, 60, 30
    numbers = [2 ** i for i in range(int(math.log2(most)) + 1)]
    colours = ["#4477aa", "#ee6677", "#228833", "#aa3377"]

    def at(n, value):
        return left + math.log2(n) / math.log2(most) * width, top + (1 - value) * height

    parts = []
    for tenth in range(0, 11, 2):
        x, y = at(1, tenth / 10)
        parts.append(f'<line x1="{x}" y1="{y}" x2="{x + width}" y2="{y}" stroke="#ddd"/>'
                     f'<text x="{x - 6}" y="{y + 4}" text-anchor="end">{10 * tenth} %</text>')
    for n in numbers:
        x, y = at(n, 0)
        parts.append(f'<text x="{x:.1f}" y="{y + 16}" text-anchor="middle">{n}</text>')
    for i, compute in enumerate(steps):
        for synchronised, row in rows.items():
            points = " ".join("{:.1f},{:.1f}".format(*at(n, efficiency(row, n, compute, overlap, cluster)))
                              for n in numbers)
            dashes = ' stroke-dasharray="5 3"' if synchronised else ""
            parts.append(f'<polyline points="{points}" fill="none" stroke-width="2" '
                         f'stroke="{colours[i % len(colours)]}"{dashes}/>')
        parts.append(f'<text x="{left + 130 * i}" y="18" fill="{colours[i % len(colours)]}">'
                     f'{escape(f"{1000 * compute:g} ms a step")}</text>')
    parts.append(f'<text x="{left + width / 2}" y="{top + height + 34}" text-anchor="middle">GPUs '
                 f'(dashed: batch norm of all ranks)</text>')
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 30}" '
            f'height="{top + height + 46}" font-family="sans-serif" font-size="11">'
            f'<rect width="100%" height="100%" fill="white"/>' + "".join(parts) + "</svg>\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=pathlib.Path, nargs="?",
                        default=ROOT / "bench/results/scaling_cpu.json")
    parser.add_argument("--case", default="darts_paper")
    parser.add_argument("--step-ms", default="10,30,100", help="of one GPU: assumed")
    parser.add_argument("--gpus", default="8,64,512")
    parser.add_argument("--overlap", type=float, default=0,
                        help="the part of the time for gradients that hides behind the backward pass")
    for name, value in Cluster().__dict__.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    parser.add_argument("--svg", type=pathlib.Path)
    given = parser.parse_args()
    if not 0 <= given.overlap <= 1:
        parser.error(f"--overlap is a part from 0 to 1, got {given.overlap}")

    cluster = Cluster(**{name: getattr(given, name) for name in Cluster().__dict__})
    results = json.loads(given.results.read_text())
    rows = {synchronised: row_of(results, given.case, synchronised) for synchronised in (False, True)}
    steps = [float(ms) / 1000 for ms in given.step_ms.split(",")]
    print(table(rows, steps, [int(n) for n in given.gpus.split(",")], given.overlap, cluster))
    if given.svg:
        given.svg.write_text(draw(rows, steps, given.overlap, cluster))


if __name__ == "__main__":
    main()
