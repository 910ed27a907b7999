#!/usr/bin/env python3
"""Draws how many times faster fused operations and search steps are than PyTorch's, by size.

  bench/plot_ratios.py KERNELS.json STEPS.json OUT.svg

The files are what `retia bench kernels --out` and bench/search_step.py write.
"""
import json
import pathlib
import sys
from xml.sax.saxutils import escape

from compare import name_of

BAR, GAP, LEFT, WIDTH, RIGHT = 9, 8, 210, 420, 60
COLOURS = {"plain": "#4477aa", "channels_last": "#ee6677"}


def groups(kernels, steps):
    """(title, [(case, {layout: ratio})]) of both files, smallest step first."""
    step_rows = [(name_of(row), {"plain" if name == "plain" else "channels_last": torch["ratio"]
                                for name, torch in row["torch"].items()})
                 for row in sorted(steps["cases"], key=lambda row: row["retia"]["seconds"])]
    kernel_rows = [(row["name"], {"plain": row["ratio"],
                                  "channels_last": row["ratio_to_channels_last"]})
                   for row in kernels["kernels"]]
    return [("search steps, shortest first", step_rows), ("operations, forward and backward", kernel_rows)]


def draw(all_groups):
    most = max(r for _, rows in all_groups for _, ratios in rows for r in ratios.values())
    y, parts = 40, []

    def text(x, at, words, anchor="start", weight="normal"):
        parts.append(f'<text x="{x}" y="{at}" text-anchor="{anchor}" font-weight="{weight}">'
                     f"{escape(words)}</text>")

    for i, (name, label) in enumerate((("plain", "to PyTorch"),
                                       ("channels_last", "to PyTorch in channels_last"))):
        parts.append(f'<rect x="{LEFT + 110 * i}" y="8" width="10" height="10" fill="{COLOURS[name]}"/>')
        text(LEFT + 110 * i + 14, 17, label)
    for title, rows in all_groups:
        text(8, y, title, weight="bold")
        y += 10
        for case, ratios in rows:
            text(LEFT - 6, y + BAR * len(ratios) / 2 + 4, case, "end")
            for name, ratio in ratios.items():
                width = ratio / most * WIDTH
                parts.append(f'<rect x="{LEFT}" y="{y}" width="{width:.1f}" height="{BAR - 1}" '
                             f'fill="{COLOURS[name]}"/>')
                text(LEFT + width + 4, y + BAR - 1, f"{ratio:.1f}")
                y += BAR
            y += GAP
        y += 24
    one = LEFT + WIDTH / most
    parts.append(f'<line x1="{one:.1f}" y1="26" x2="{one:.1f}" y2="{y - 30}" stroke="#888"/>')
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + RIGHT}" height="{y - 20}" '
            f'font-family="sans-serif" font-size="11"><rect width="100%" height="100%" fill="white"/>'
            + "".join(parts) + "</svg>\n")


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    kernels, steps, out = map(pathlib.Path, sys.argv[1:])
    out.write_text(draw(groups(json.loads(kernels.read_text()), json.loads(steps.read_text()))))


if __name__ == "__main__":
    main()
