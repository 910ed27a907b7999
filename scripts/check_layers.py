#!/usr/bin/env python3
"""Checks the direction of dependencies between the rooms, from the #include lines, that kernels do not
know each other, and that parallel loops are run in one place.

usage: check_layers.py [ROOT]

A room may include itself and the rooms that its line below names; a room inside engine/ itself and those
before it in the list; a kernel's folder itself, the top of kernels/ and kernels/stencil, which are for all
kernels. at::parallel_for is a serial loop
wherever a file is compiled without OpenMP, so only kernels/threads.cpp, which checks that, may call it.
Prints each offending line as file:line and exits with 1 if there is one.
"""

import pathlib
import re
import sys

MAY_INCLUDE = {
    "kernels": set(),
    "engine": {"kernels"},
    "models": {"kernels", "engine"},
    "mutators": {"kernels", "engine"},
    "strategies": {"kernels", "engine"},
    "trainers": {"kernels", "engine", "mutators", "strategies"},
    "apps": {"kernels", "engine", "models", "mutators", "strategies", "trainers"},
}
FOR_ALL_KERNELS = "stencil"
# The rooms of the engine, low to high.
ENGINE_ROOMS = ["base", "io", "distributed", "symbolic", "mutables", "operations", "ir", "space", "cost",
                "executor", "experiment"]
# The rooms of the engine that may include kernels.
USE_KERNELS = {"base", "distributed", "executor"}
SOURCES = {".h", ".cpp", ".cu", ".cuh"}
CUDA_SOURCES = {".cu", ".cuh"}
PARALLEL_LOOP = re.compile(r"\bat::parallel_(for|reduce)\s*[(<]")
MAY_LOOP = pathlib.Path("kernels/threads.cpp")
INCLUDE = re.compile(r'\s*#\s*include\s*["<]([^">]+)[">]')


def problem_inside(file, target, rest):
    """Returns why `file` of the engine must not include `rest`, a path that begins with the room
    `target`, or None."""
    room = file.parts[1]
    if len(file.parts) < 3 or room not in ENGINE_ROOMS:
        return "engine/ consists of rooms: " + ", ".join(ENGINE_ROOMS)
    if target == "kernels" and room not in USE_KERNELS:
        return f"engine/{room} may not include kernels"
    if target != "engine":
        return None
    allowed = ENGINE_ROOMS[:ENGINE_ROOMS.index(room) + 1]
    if rest.split("/")[1] not in allowed:
        return f"engine/{room} may include {', '.join(allowed)}"
    return None


def problem(file, included):
    """Returns why `file` (relative to the root) must not include `included`, or None."""
    room = file.parts[0]
    top, _, rest = included.partition("/")
    if file.suffix in CUDA_SOURCES and top in ("torch", "ATen", "c10"):
        return "a .cu file includes no LibTorch header: unwrap the tensors in a .cpp beside it"
    if included.startswith(".") or top in MAY_INCLUDE:
        return "includes of ours begin with retia/ and a room"
    if top != "retia":
        return None
    target = rest.split("/")[0]
    if target not in MAY_INCLUDE:
        return "a room includes rooms, not the headers for users"
    if target != room and target not in MAY_INCLUDE[room]:
        allowed = ", ".join(sorted(MAY_INCLUDE[room])) or "no other room"
        return f"{room} may include {allowed}"
    folder = rest.split("/")[1] if target == "kernels" and rest.count("/") > 1 else None
    if room == "kernels" and folder not in (None, FOR_ALL_KERNELS, file.parts[1]):
        return "a kernel includes no other kernel: what both need belongs in kernels/stencil"
    return problem_inside(file, target, rest) if room == "engine" else None


def problems(root):
    """Returns one line of text for each offending include beneath `root`."""
    found = []
    for room in MAY_INCLUDE:
        for path in sorted((root / room).rglob("*")):
            if path.suffix not in SOURCES:
                continue
            file = path.relative_to(root)
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                if PARALLEL_LOOP.search(line) and file != MAY_LOOP:
                    found.append(f"{file}:{number}: {line.strip()}, which is serial without OpenMP: "
                                 "call kernels::parallel_for")
                match = INCLUDE.match(line)
                reason = match and problem(file, match[1])
                if reason:
                    found.append(f"{file}:{number}: includes {match[1]}, but {reason}")
    return found


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent)
    found = problems(root)
    print("\n".join(found) or "every include points the right way")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
