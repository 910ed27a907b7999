"""Calls the operators with random arguments, most of them wrong: the answer is a result or an exception.

The calls run in a child process. If it dies, the test tells the seed and the arguments of the last call.
  operators_fuzz_test.py [--calls N] [--seed S]     --only I: call number I alone, in this process
"""
import argparse
import faulthandler
import math
import os
import random
import resource
import subprocess
import sys
import tempfile
import warnings

FOREVER = 1800  # seconds
MEMORY = 10 << 30  # bytes of address space, so that a wrong size is an exception here as well
REFUSALS = (RuntimeError, TypeError, ValueError, IndexError, NotImplementedError, OverflowError)

INTEGERS = [-2**63, -2**62, -2**32, -2**31, -9, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 63, 64, 255, 1000,
            2**15, 2**16, 2**31 - 1, 2**31, 2**32, 2**32 + 1, 2**33, 2**62, 2**63 - 1, 94000000000000]
NUMBERS = [0.0, -0.0, 0.1, 1e-5, 1.0, -1.0, 2.0, 1e300, -1e300, 5e-324, math.inf, -math.inf, math.nan]
GROUPS = ["", "", "", "0", "nobody", "retia/0", "retia/1", "default_pg", "\0", "é" * 99]


class Caller:
    """Makes call number i of a seed, always the same."""

    def __init__(self, seed, i):
        import operators
        import torch

        self.torch, self.operators = torch, operators
        self.random = random.Random(f"{seed}/{i}")
        torch.manual_seed(self.random.getrandbits(63))
        make = self.random.choice([
            self.augment, self.conv_norm, self.conv_norm_forward, self.conv_norm_backward,
            self.mixed_op, self.mixed_ops_forward, self.mixed_ops_backward, self.move_running])
        self.name, self.arguments = make()
        for _ in range(self.random.choice([0, 1, 1, 1, 2, 2, 3, 8])):
            self.spoil()
        self.mode = self.random.choice(["grad", "grad", "grad", "no_grad", "inference", "autocast",
                                        "twice", "meta"])

    # What fits.

    def size(self):
        return self.random.choice([1, 1, 2, 3, 4, 5, 7, 8, 9, 12, 16])

    def tensor(self, *sizes, dtype=None):
        t = self.torch.randn(sizes, dtype=dtype or self.dtype)
        return t.requires_grad_() if self.random.random() < 0.5 else t

    def batch(self):
        self.dtype = self.random.choice([self.torch.float, self.torch.double])
        self.sizes = [self.random.choice([1, 2, 3, 17]), self.size(), self.size(), self.size()]
        return self.tensor(*self.sizes)

    def statistics(self, n, channels):
        return [self.torch.rand(channels, dtype=self.dtype) for _ in range(2 * n)]

    def augment(self):
        torch, (n, c, h, w) = self.torch, [self.size() for _ in range(4)]
        draws = torch.randint(-9, 10, (n, 5), dtype=torch.int32)
        if self.random.random() < 0.2:
            draws = torch.randint(-2**31, 2**31, (n, 5)).to(torch.int32)
        return "augment", [torch.randint(0, 256, (n, c, h, w), dtype=torch.uint8), draws,
                           torch.rand(c, 256), self.random.choice([0, 1, 2, 5, 99])]

    def layer(self):
        x, kind = self.batch(), self.random.randrange(7)
        sizes = self.operators.weight_sizes(kind, self.sizes[1], self.size(),
                                            self.random.choice([3, 5, 7]))
        out = self.operators.n_outputs(kind, self.sizes[1], sizes)
        affine = [self.tensor(out), self.tensor(out)] if self.random.random() < 0.5 else []
        running = self.statistics(1, out) if self.random.random() < 0.7 else []
        stride = 2 if kind == 4 else 1 if kind == 0 else self.random.choice([1, 1, 2, 2, 3, 8, 2**62])
        dilation = self.random.choice([1, 1, 2, 3, 9, 1000, 2**33, 2**63 - 1])
        flags = [kind != 0 and self.random.random() < 0.5, self.random.random() < 0.5,
                 self.random.random() < 0.7]
        return [x, [self.tensor(*s) for s in sizes], affine, running], [kind, stride, dilation, *flags]

    def conv_norm(self):
        tensors, settings = self.layer()
        return "conv_norm", [*tensors, *settings, 0.1, 1e-5, ""]

    def conv_norm_forward(self):
        tensors, settings = self.layer()
        return "conv_norm_forward", [*tensors, *settings, 1e-5, ""]

    def conv_norm_backward(self):
        (x, weights, affine, running), settings = self.layer()
        try:
            with self.torch.no_grad():
                out, kept, moments, _ = self.operators.retia.conv_norm_forward(
                    x, weights, affine, running, *settings, 1e-5, "")
        except REFUSALS:
            out = kept = moments = self.tensor(*self.sizes)
        return "conv_norm_backward", [
            self.torch.randn_like(out), x, self.random.choice([out, None]), weights, affine, kept,
            moments, *settings, "", self.random.random() < 0.7, self.random.random() < 0.7]

    def mixture(self):
        x, stride = self.batch(), self.random.choice([1, 2])
        of_stride = [0, 2, 3, 4, 5, 6, 7] if stride == 1 else [1, 2, 3, 4, 5, 6, 7]
        branches = self.random.choices(of_stride, k=self.random.choice([1, 2, 3, 8]))
        weights = [self.tensor(*s) for b in branches
                   for s in self.operators.branch_weight_sizes(b, self.sizes[1])]
        n = sum(map(self.operators.n_norms, branches))
        training = self.random.random() < 0.7
        running = self.statistics(n, self.sizes[1]) if not training or self.random.random() < 0.7 else []
        return [x, self.tensor(len(branches)), weights, running], branches, [stride, training]

    def mixed_op(self):
        tensors, branches, settings = self.mixture()
        return "mixed_op", [*tensors, branches, *settings, 0.1, 1e-5, ""]

    def edges(self, branches):
        first = self.random.randrange(len(branches))
        return [first, len(branches) - first] if first else []

    def mixed_ops_forward(self):
        tensors, branches, settings = self.mixture()
        edges = self.edges(branches)
        summed = self.random.sample(range(max(len(edges), 1)), self.random.randint(0, 1))
        n, c, h, w = self.sizes
        sums = [self.tensor(n, c, -(-h // settings[0]), -(-w // settings[0])) for _ in summed]
        return "mixed_ops_forward", [*tensors, sums, branches, edges, summed, *settings, 1e-5, ""]

    def mixed_ops_backward(self):
        (x, blend, weights, running), branches, settings = self.mixture()
        edges = self.edges(branches)
        try:
            with self.torch.no_grad():
                out, kept, moments, _ = self.operators.retia.mixed_ops_forward(
                    x, blend, weights, running, [], branches, edges, [], *settings, 1e-5, "")
        except REFUSALS:
            out, kept, moments = [x], x, x
        return "mixed_ops_backward", [
            [self.torch.randn_like(o) for o in out], x, blend, weights, kept, moments, branches, edges,
            *settings, "", self.random.random() < 0.7, self.random.random() < 0.7]

    def move_running(self):
        self.dtype = self.random.choice([self.torch.float, self.torch.double])
        n, c = self.random.choice([0, 1, 2, 5]), self.size()
        return "move_running_", [self.statistics(n, c), self.torch.rand(n, 3, c).double(), 0.1]

    # What does not.

    def spoil(self):
        i = self.random.randrange(len(self.arguments))
        self.arguments[i] = self.spoilt(self.arguments[i])

    def spoilt(self, value):
        torch = self.torch
        if self.random.random() < 0.05:
            return self.random.choice([None, [], [None], 1, -1, 1.5, "x", True, torch.zeros(2), [1], {}])
        if isinstance(value, list):
            return self.spoilt_list(list(value))
        if isinstance(value, bool):
            return not value
        if isinstance(value, int):
            return self.random.choice(INTEGERS)
        if isinstance(value, float):
            return self.random.choice(NUMBERS)
        if isinstance(value, str):
            return self.random.choice(GROUPS)
        return self.spoilt_tensor(value)

    def spoilt_list(self, values):
        way = self.random.randrange(5)
        if way == 0 and values:
            values.pop(self.random.randrange(len(values)))
        elif way == 1 and values:
            values.insert(self.random.randrange(len(values)), self.random.choice(values))
        elif way == 2:
            self.random.shuffle(values)
        elif values:
            i = self.random.randrange(len(values))
            values[i] = self.spoilt(values[i])
        else:
            values.append(self.random.choice([self.torch.zeros(3), 1, 2**63 - 1, None]))
        return values

    def spoilt_tensor(self, t):
        torch, way = self.torch, self.random.randrange(17)
        if not isinstance(t, torch.Tensor):
            return torch.randn([self.size() for _ in range(self.random.randrange(6))])
        t = t.detach()
        if t.numel() > 1 << 20:
            return t  # one element that is expanded: PyTorch would be at a copy for long
        if way == 0:
            return t.to(self.random.choice([
                torch.float, torch.double, torch.half, torch.bfloat16, torch.int, torch.long,
                torch.uint8, torch.bool, torch.complex64, torch.complex128, torch.float8_e4m3fn]))
        if way == 1:
            return torch.randn([self.random.choice([0, 1, 2, 3, 5, 8])
                                for _ in range(self.random.randrange(7))], dtype=torch.double).to(t.dtype)
        if way == 2 and t.dim():
            return t.narrow(self.random.randrange(t.dim()), 0, 0)
        if way == 3 and t.dim():
            return t.repeat_interleave(self.random.choice([2, 3]), self.random.randrange(t.dim()))
        if way == 4 and t.dim() == 4:
            return t.contiguous(memory_format=torch.channels_last)
        if way == 5 and t.dim() > 1:
            return t.transpose(*self.random.sample(range(t.dim()), 2))
        if way == 6 and t.dim():
            a = self.random.randrange(t.dim())
            return t.narrow(a, 0, 1).expand(t.shape) if t.shape[a] else t
        if way == 7:
            return t.unsqueeze(self.random.randrange(t.dim() + 1))
        if way == 8 and t.dim() and t.shape[0]:
            return t[0]
        if way == 9:
            return t.to("meta")
        if way == 10 and t.numel():
            return self.random.choice([t.to_sparse, lambda: torch._neg_view(t.float()),
                                       lambda: torch.complex(t.float(), t.float()).conj().imag,
                                       lambda: torch._efficientzerotensor(t.shape, dtype=t.dtype)])()
        if way == 11:
            return torch.full_like(t, self.random.choice([math.nan, math.inf, -1, 0])
                                   if t.dtype.is_floating_point else 1)
        if way == 12 and t.dim():
            return torch.cat([t, t])[::2]
        if way == 13 and t.numel() and not t.is_complex():
            return torch.quantize_per_tensor(t.float(), 0.1, 0, torch.qint8)
        if way == 14 and t.dim() == 2:
            return t.to_sparse_csr()
        if way == 15 and t.dim():
            return torch.nested.nested_tensor([t.float(), t.float()])
        if way == 16:
            return torch.zeros(1, dtype=torch.double).to(t.dtype).expand(
                [self.random.choice([1, 2**16, 2**31, 2**40]) for _ in range(t.dim())])
        return torch.randn(self.size()).to(t.dtype)

    # The call.

    def run(self):
        """Returns whether the operator took the arguments."""
        torch, operator = self.torch, getattr(self.operators.retia, self.name)
        if self.mode == "meta":
            self.arguments = [self.on_meta(v) for v in self.arguments]
        contexts = {"no_grad": torch.no_grad, "inference": torch.inference_mode,
                    "autocast": lambda: torch.autocast("cpu", torch.bfloat16)}
        with contexts.get(self.mode, torch.enable_grad)():
            results = operator(*self.arguments)
        flat = [results] if isinstance(results, torch.Tensor) else list(results or [])
        flat = [t for r in flat for t in (r if isinstance(r, (list, tuple)) else [r])]
        for t in flat:
            if t.device.type == "cpu" and t.is_floating_point():
                t.detach().sum().item()  # reads all of it
        leaves = [t for v in self.arguments for t in (v if isinstance(v, list) else [v])
                  if isinstance(t, torch.Tensor) and t.requires_grad]
        outputs = [t for t in flat if t.requires_grad]
        if leaves and outputs:
            torch.autograd.grad(sum(o.sum() for o in outputs), leaves, allow_unused=True,
                                create_graph=self.mode == "twice")
        return True

    def on_meta(self, value):
        if isinstance(value, list):
            return [self.on_meta(v) for v in value]
        return value.to("meta") if isinstance(value, self.torch.Tensor) else value

    def described(self):
        def of(value):
            if isinstance(value, list):
                return f"[{', '.join(map(of, value))}]"
            if isinstance(value, self.torch.Tensor):
                strides = tuple(value.stride()) if value.layout == self.torch.strided and \
                    not value.is_nested else ""
                shape = "nested" if value.is_nested else tuple(value.shape)
                return f"<{value.dtype} {shape} {strides} {value.layout} {value.device}>"
            return repr(value)
        return f"torch.ops.retia.{self.name}({', '.join(map(of, self.arguments))}), mode {self.mode}"


def make(seed, i):
    """Returns a call, or None where PyTorch itself refuses to make such a tensor."""
    try:
        return Caller(seed, i)
    except REFUSALS:
        return None


def call_all(seed, n, progress):
    """The child: writes the number of each call before it makes it."""
    import operators  # first, for it sets how threads wait
    import torch

    faulthandler.enable()
    warnings.simplefilter("ignore")
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    torch.set_num_threads(2)
    taken, refusals = 0, {}
    for i in range(n):
        os.pwrite(progress, f"{i:<20}".encode(), 0)
        call = make(seed, i)
        if call is None:
            continue
        try:
            taken += call.run()
        except REFUSALS as error:
            line = str(error).split("\n")[0].strip()
            refusals[line[:40]] = refusals.get(line[:40], 0) + 1
            if not line or "INTERNAL ASSERT" in str(error):
                sys.exit(f"no clear line: {error!r}")
    print(f"{taken} of {n} calls had a result, the others one of {len(refusals)} kinds of exceptions")
    if n >= 500 and not (taken > n // 10 and len(refusals) > 20):
        sys.exit("so few results or exceptions that this tests little")


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--calls", type=int, default=10000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--only", type=int)
    options.add_argument("--child", type=int, help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.only is not None:
        call = make(given.seed, given.only)
        print(call and call.described(), flush=True)
        if call:
            call.run()
    elif given.child is not None:
        call_all(given.seed, given.calls, given.child)
    else:
        with tempfile.TemporaryFile() as progress:
            words = [sys.executable, __file__, "--seed", str(given.seed), "--calls", str(given.calls),
                     "--child", str(progress.fileno())]
            done = subprocess.run(words, pass_fds=[progress.fileno()], timeout=FOREVER)
            if done.returncode != 0:
                last = int(os.pread(progress.fileno(), 20, 0) or 0)
                call = make(given.seed, last)
                sys.exit(f"ended with {done.returncode} at --seed {given.seed} --only {last}:\n"
                         f"{call and call.described()}")


if __name__ == "__main__":
    main()
