"""Runs a reference network in plain PyTorch and writes what it computes, for peer_parity_test.cpp.

usage: peer_parity.py PEERS CASE OUT

PEERS is the folder of the reference networks; CASE a JSON object with `space`, `channels`, `layers`,
`nodes` (darts_cnn), `path` (spos_chain; enas_macro: with `skips`), `image`, `in_channels`, `classes`, `batch`, `seed`. OUT, a
safetensors file, receives in float64, under the names of our spaces: `input`, `targets`, `logits`,
`evaluation_logits` (after the pass has moved the running statistics), `weight:NAME` and
`gradient:NAME` of each weight, `alpha:LABEL` and `alpha_gradient:LABEL` of each edge.
"""

import json
import sys
from types import SimpleNamespace

import torch
from safetensors.torch import save_file


def conv_bn(ours):
    return {
        "0.weight": f"{ours}/conv.weight",
        "1.weight": f"{ours}/bn.weight",
        "1.bias": f"{ours}/bn.bias",
    }


def halved(ours):
    return {"even.weight": f"{ours}/even.weight", "odd.weight": f"{ours}/odd.weight"}


def separable(ours):
    return {
        "1.weight": f"{ours}/depthwise1.weight",
        "2.weight": f"{ours}/pointwise1.weight",
        "5.weight": f"{ours}/depthwise2.weight",
        "6.weight": f"{ours}/pointwise2.weight",
    }


def dilated(ours):
    return {"1.weight": f"{ours}/depthwise.weight", "2.weight": f"{ours}/pointwise.weight"}


def put(names, prefix, part):
    names.update({f"{prefix}.{theirs}": ours for theirs, ours in part.items()})


def edges(nodes):
    return [f"{i}-{j}" for j in range(2, nodes + 2) for i in range(j)]


def darts_names(case):
    """Their names of weights -> ours."""
    names = {"head.weight": "head.weight", "head.bias": "head.bias"}
    put(names, "stem", conv_bn("stem"))
    for i in range(case["layers"]):
        cell, ours = f"cells.{i}", f"cell{i}"
        for pre in ("pre0", "pre1"):
            put(names, f"{cell}.{pre}", halved(f"{ours}/{pre}"))
            names[f"{cell}.{pre}.1.weight"] = f"{ours}/{pre}/conv.weight"
        for k, edge in enumerate(edges(case["nodes"])):
            for op, name, part in (
                (3, "skip_connect", halved),
                (4, "sep_conv_3x3", separable),
                (5, "sep_conv_5x5", separable),
                (6, "dil_conv_3x3", dilated),
                (7, "dil_conv_5x5", dilated),
            ):
                put(names, f"{cell}.edges.{k}.ops.{op}", part(f"{ours}/{edge}/{name}"))
    return names


def branch(theirs, ours, layers):
    """`layers`: "dw" (convolution, normalisation) and "pw" (and a rectifier), in order."""
    names, at, counts = {}, 0, {"dw": 0, "pw": 0}
    long = {"dw": "depthwise", "pw": "pointwise"}
    for layer in layers:
        counts[layer] += 1
        number = counts[layer] if layers.count(layer) > 1 else ""
        part = f"{ours}/{long[layer]}{number}"
        names[f"{theirs}.{at}.weight"] = f"{part}.weight"
        names[f"{theirs}.{at + 1}.weight"] = f"{part}_bn.weight"
        names[f"{theirs}.{at + 1}.bias"] = f"{part}_bn.bias"
        at += 3 if layer == "pw" else 2
    return names


def spos_names(case):
    names = {"head.weight": "head.weight", "head.bias": "head.bias"}
    put(names, "stem", conv_bn("stem"))
    for i in range(case["layers"]):
        for k, choice in enumerate(("shuffle3", "shuffle5", "shuffle7", "xception")):
            theirs, ours = f"blocks.{i}.{k}", f"block{i}/{choice}"
            main = ("dw", "pw") * 3 if choice == "xception" else ("pw", "dw", "pw")
            names.update(branch(f"{theirs}.main", f"{ours}/main", main))
            names.update(branch(f"{theirs}.side", f"{ours}/side", ("dw", "pw")))
    return names


def enas_names(case):
    names = {"head.weight": "head.weight", "head.bias": "head.bias"}
    put(names, "stem", conv_bn("stem"))
    outputs = ["stem"] + [f"layer{i}" for i in range(case["layers"])]
    middles = {
        "conv3x3": ("conv",),
        "conv5x5": ("conv",),
        "sep_conv3x3": ("depthwise", "pointwise"),
        "sep_conv5x5": ("depthwise", "pointwise"),
        "avg_pool3x3": (),
        "max_pool3x3": (),
    }

    def norm(theirs, ours):
        names[f"{theirs}.weight"] = f"{ours}.weight"
        names[f"{theirs}.bias"] = f"{ours}.bias"

    for i in range(case["layers"]):
        norm(f"norms.{i}", f"layer{i}/bn")
        for k, (op, middle) in enumerate(middles.items()):
            theirs, ours = f"layers.{i}.{k}", f"layer{i}/op/{op}"
            names[f"{theirs}.1.weight"] = f"{ours}/squeeze.weight"
            norm(f"{theirs}.2", f"{ours}/bn1")
            for at, part in enumerate(middle):
                names[f"{theirs}.{4 + at}.weight"] = f"{ours}/{part}.weight"
            norm(f"{theirs}.{4 + max(len(middle), 1)}", f"{ours}/bn2")
        for j in range(i + 1):
            ours = f"layer{i}/halve/{outputs[j]}"
            put(names, f"halve.{i}.{j}", halved(ours))
            norm(f"halve.{i}.{j}.bn", f"{ours}/bn")
    return names


def darts(case):
    from torch_darts import build

    net = build(SimpleNamespace(device="cpu", channels_last=False, mix="sum", **case))
    return net, net, list(net.alpha.items()), darts_names(case)


def spos(case):
    from chain_ops import SPOS_CHOICES, ShuffleUnit, spos_plan
    from torch import nn

    plan = spos_plan(case["layers"], case["channels"])
    net = nn.Module()
    net.stem = nn.Sequential(
        nn.Conv2d(case["in_channels"], case["channels"], 3, padding=1, bias=False),
        nn.BatchNorm2d(case["channels"]),
        nn.ReLU(),
    )
    net.blocks = nn.ModuleList(
        nn.ModuleList(ShuffleUnit(choice, *place) for choice in SPOS_CHOICES) for place in plan
    )
    net.head = nn.Linear(plan[-1][1], case["classes"])

    def run(x):
        x = net.stem(x)
        for block, k in zip(net.blocks, case["path"]):
            x = block[k](x)
        return net.head(x.mean((2, 3)))

    return net, run, [], spos_names(case)


def enas(case):
    from chain_ops import ENAS_CHOICES, enas_op
    from darts_ops import HalveSpatial
    from torch import nn

    c, n = case["channels"], case["layers"]
    marks = {n // 3, 2 * n // 3} - {0}
    net = nn.Module()
    net.stem = nn.Sequential(
        nn.Conv2d(case["in_channels"], c, 3, padding=1, bias=False), nn.BatchNorm2d(c)
    )
    net.layers = nn.ModuleList(
        nn.ModuleList(enas_op(name, c) for name in ENAS_CHOICES) for _ in range(n)
    )
    net.norms = nn.ModuleList(nn.BatchNorm2d(c) for _ in range(n))
    net.halve = nn.ModuleDict(
        {str(i): nn.ModuleList(HalveSpatial(c, c, True) for _ in range(i + 1)) for i in marks}
    )
    net.head = nn.Linear(c, case["classes"])

    def run(x):
        outs = [net.stem(x)]
        for i, (k, skips) in enumerate(zip(case["path"], case["skips"])):
            if i in marks:
                outs = [h(o) for h, o in zip(net.halve[str(i)], outs)]
            y = net.layers[i][k](outs[-1])
            for j in skips:
                y = y + outs[j]
            outs.append(net.norms[i](y))
        return net.head(outs[-1].mean((2, 3)))

    return net, run, [], enas_names(case)


def main(peers, case, out):
    sys.path.insert(0, peers)
    case = json.loads(case)
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    torch.manual_seed(case["seed"])
    make = {"darts_cnn": darts, "enas_macro": enas, "spos_chain": spos}[case.pop("space")]
    net, run, alphas, names = make(case)
    weights = {k: p for k, p in net.named_parameters() if not k.startswith("alpha.")}
    with torch.no_grad():
        for p in weights.values():
            p.add_(0.1 * torch.randn_like(p))
        for _, p in alphas:
            p.copy_(0.5 * torch.randn_like(p))
    x = torch.randn(case["batch"], case["in_channels"], case["image"], case["image"])
    y = torch.randint(case["classes"], (case["batch"],))
    logits = run(x)
    torch.nn.functional.cross_entropy(logits, y).backward()
    net.eval()
    tensors = {"input": x, "targets": y, "logits": logits, "evaluation_logits": run(x)}
    for theirs, p in weights.items():
        tensors[f"weight:{names[theirs]}"] = p
        if p.grad is not None:
            tensors[f"gradient:{names[theirs]}"] = p.grad
    for cell, p in alphas:
        for k, edge in enumerate(edges(case["nodes"])):
            tensors[f"alpha:{cell}/{edge}"] = p[k]
            tensors[f"alpha_gradient:{cell}/{edge}"] = p.grad[k]
    save_file({k: t.detach().clone().contiguous() for k, t in tensors.items()}, out)


if __name__ == "__main__":
    main(*sys.argv[1:])
