"""The operators as torch.ops.retia: their schemas, gradients, torch.compile, torch.export, ranks."""
import copy
import pathlib
import re
import unittest

import torch
import torch.distributed
from torch.library import opcheck

import operators
from operators import retia


def draw(*sizes):
    return torch.randn(*sizes, dtype=torch.double, requires_grad=True)


def statistics(n, channels):
    """Running mean and variance of n normalisations."""
    return [torch.rand(channels, dtype=torch.double) for _ in range(2 * n)]


def detached(values):
    return [v.detach() if isinstance(v, torch.Tensor) else
            detached(v) if isinstance(v, list) else v for v in values]


def layers():
    """Arguments of retia.conv_norm: each kind, training and not, with and without scales."""
    for kind in range(7):
        for training in (True, False):
            stride = 2 if kind == operators.HALVING else 1 if kind == operators.NONE else 1 + training
            sizes = operators.weight_sizes(kind, 5, 6, 3)
            out = operators.n_outputs(kind, 5, sizes)
            affine = [draw(out), draw(out)] if training else []
            yield ([draw(2, 5, 7, 6), [draw(*size) for size in sizes], affine, statistics(1, out), kind],
                   dict(stride=stride, dilation=1 if kind in (0, 4, 5, 6) else 2,
                        relu_before=kind != operators.NONE, relu_after=training, training=training))


def mixtures():
    """Arguments of retia.mixed_op: all branches of each stride, training and not."""
    for stride, branches in ((1, [0, 2, 3, 4, 5, 6, 7, 2]), (2, [1, 2, 3, 4, 5, 6, 7, 3])):
        for training in (True, False):
            sizes = [s for b in branches for s in operators.branch_weight_sizes(b, 5)]
            n = sum(map(operators.n_norms, branches))
            yield ([draw(2, 5, 7, 6), draw(len(branches)), [draw(*size) for size in sizes],
                    statistics(n, 5), branches], dict(stride=stride, training=training))


def augmentation():
    return [torch.randint(0, 256, (4, 3, 8, 6), dtype=torch.uint8),
            torch.randint(-2, 3, (4, 5), dtype=torch.int32), torch.rand(3, 256), 3]


def leaves_of(values):
    flat = [t for v in values for t in (v if isinstance(v, list) else [v])]
    return [t for t in flat if isinstance(t, torch.Tensor) and t.requires_grad]


class Schemas(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(1)

    def check(self, operator, arguments, options=None):
        with self.subTest(operator=operator.__name__, options=options):
            found = opcheck(operator.default, tuple(arguments), options or {})
            self.assertEqual(set(found.values()), {"SUCCESS"})
            self.assertEqual(len(found), 4)

    def test_of_conv_norm_pass_opcheck(self):
        for arguments, options in layers():
            self.check(retia.conv_norm, arguments, options)
            x, weights, affine, running, kind = arguments
            settings = [kind, options["stride"], options["dilation"], options["relu_before"],
                        options["relu_after"], options["training"]]
            self.check(retia.conv_norm_forward, [x, weights, affine, running, *settings, 1e-5, ""])
            given = detached([x, weights, affine, running])
            out, kept, moments, _ = retia.conv_norm_forward(*given, *settings, 1e-5, "")
            self.check(retia.conv_norm_backward,
                       [torch.rand_like(out), given[0], out, given[1], given[2], kept, moments,
                        *settings, "", True, True])

    def test_of_mixed_op_pass_opcheck(self):
        for arguments, options in mixtures():
            self.check(retia.mixed_op, arguments, options)
            x, blend, weights, running, branches = arguments
            edges = [3, len(branches) - 3]
            settings = [options["stride"], options["training"]]
            added = draw(2, 5, -(-7 // options["stride"]), -(-6 // options["stride"]))
            self.check(retia.mixed_ops_forward, [x, blend, weights, running, [added], branches, edges,
                                                 [1], *settings, 1e-5, ""])
            given = detached([x, blend, weights, running, [added]])
            out, kept, moments, _ = retia.mixed_ops_forward(*given, branches, edges, [1], *settings,
                                                            1e-5, "")
            self.check(retia.mixed_ops_backward,
                       [[torch.rand_like(o) for o in out], *given[:3], kept, moments, branches, edges,
                        *settings, "", True, True])

    def test_of_the_others_pass_opcheck(self):
        self.check(retia.augment, augmentation())
        self.check(retia.move_running_, [statistics(2, 4), torch.rand(2, 3, 4).double() + 2, 0.1])

    def test_are_those_that_are_checked(self):
        names = {name.split("::")[1] for name in torch._C._dispatch_get_all_op_names()
                 if name.startswith("retia::")}
        self.assertEqual(names, {"augment", "conv_norm", "conv_norm_forward", "conv_norm_backward",
                                 "mixed_op", "mixed_ops_forward", "mixed_ops_backward",
                                 "move_running_"})


class Gradients(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(2)

    def expect_alike(self, operator, reference, arguments, options):
        other = copy.deepcopy(detached(arguments))
        for mine, copied in zip(leaves_of(arguments), leaves_of_copies(arguments, other)):
            copied.requires_grad_(mine.requires_grad)
        out, wanted = operator(*arguments, **options), reference(*other, **options)
        torch.testing.assert_close(out, wanted, rtol=1e-10, atol=1e-10)
        weight = torch.rand_like(out)
        got = torch.autograd.grad(out, leaves_of(arguments), weight)
        expected = torch.autograd.grad(wanted, leaves_of(other), weight)
        for mine, theirs in zip(got, expected):
            torch.testing.assert_close(mine, theirs, rtol=1e-8, atol=1e-8)
        for mine, theirs in zip(arguments[3], other[3]):
            torch.testing.assert_close(mine, theirs, rtol=1e-10, atol=1e-10)

    def test_of_conv_norm_are_those_of_pytorch(self):
        for arguments, options in layers():
            with self.subTest(kind=arguments[4], options=options):
                self.expect_alike(retia.conv_norm, operators.conv_norm, arguments, options)

    def test_of_mixed_op_are_those_of_pytorch(self):
        for arguments, options in mixtures():
            with self.subTest(options=options):
                self.expect_alike(retia.mixed_op, operators.mixed_op, arguments, options)

    def test_are_slopes(self):
        x, blend, weights, _, branches = next(mixtures())[0]
        self.assertTrue(torch.autograd.gradcheck(
            lambda *given: retia.mixed_op(given[0][:, :, :3, :3], given[1], list(given[2:]), [],
                                          branches), (x, blend, *weights), fast_mode=True))
        (x, weights, affine, _, kind), options = next(l for l in layers() if l[0][4] == 3)
        n = len(weights)
        self.assertTrue(torch.autograd.gradcheck(
            lambda *given: retia.conv_norm(given[0], list(given[1:1 + n]), list(given[1 + n:]), [],
                                           kind, **options), (x, *weights, *affine), fast_mode=True))

    def test_of_gradients_are_refused(self):
        (x, weights, affine, running, kind), _ = next(l for l in layers() if l[0][4] == 1)
        out = retia.conv_norm(x, weights, affine, running, kind)
        with self.assertRaisesRegex(RuntimeError, "differentiable once"):
            torch.autograd.grad(out.sum(), x, create_graph=True)

    def test_follow_autocast(self):
        x, blend, weights, _, branches = detached(next(mixtures())[0])
        single = [x.float(), blend.float(), [w.float() for w in weights], [], branches]
        with torch.autocast("cpu", torch.bfloat16):
            self.assertTrue(torch.equal(
                retia.mixed_op(single[0].bfloat16(), *single[1:]),
                retia.mixed_op(single[0].bfloat16().float(), *single[1:])))


def leaves_of_copies(arguments, other):
    """The tensors of `other` at the places where those of `arguments` require gradients."""
    for mine, copied in zip(arguments, other):
        for a, b in zip(*((mine, copied) if isinstance(mine, list) else ([mine], [copied]))):
            if isinstance(a, torch.Tensor) and a.requires_grad:
                yield b


class Small(torch.nn.Module):
    """A network of each operator that users call."""

    def __init__(self):
        super().__init__()
        self.register_buffer("levels", torch.rand(3, 256).double())
        self.weight = torch.nn.Parameter(torch.randn(6, 3, 3, 3).double())
        self.affine = torch.nn.ParameterList([torch.ones(6).double(), torch.zeros(6).double()])
        self.blend = torch.nn.Parameter(torch.rand(4).double())
        sizes = [s for b in (2, 3, 4) for s in operators.branch_weight_sizes(b, 6)]
        self.mixed = torch.nn.ParameterList([torch.randn(s).double() for s in sizes])
        for i in range(5):
            self.register_buffer(f"mean{i}", torch.zeros(6).double())
            self.register_buffer(f"variance{i}", torch.ones(6).double())

    def running(self, norms):
        return [getattr(self, f"{name}{i}") for i in norms for name in ("mean", "variance")]

    def forward(self, images, draws):
        x = retia.augment(images, draws, self.levels, 2)
        x = retia.conv_norm(x, [self.weight], list(self.affine), self.running([0]), operators.DENSE,
                            relu_after=True, training=self.training)
        x = retia.mixed_op(x, self.blend, list(self.mixed), self.running([1, 2, 3, 4]), [0, 2, 3, 4],
                           training=self.training)
        return x.mean((2, 3))


def batch(n):
    return (torch.randint(0, 256, (n, 3, 8, 8), dtype=torch.uint8),
            torch.randint(-2, 3, (n, 5), dtype=torch.int32))


class Graphs(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(3)
        self.plain = Small()
        self.batch = batch(4)

    def expect_same(self, nets, states, given):
        """The same results, gradients and running statistics, to the bit."""
        results = [net(*given) for net in nets]
        self.assertTrue(torch.equal(*results))
        for result in results:
            (result ** 2).sum().backward()
        one, other = (dict(state.named_parameters()) for state in states)
        self.assertEqual(len(one), 8)
        for name in one:
            self.assertTrue(torch.equal(one[name].grad, other[name].grad), name)
        one, other = (dict(state.named_buffers()) for state in states)
        for name in one:
            self.assertTrue(torch.equal(one[name], other[name]), name)

    def test_of_torch_compile_train_alike(self):
        for dynamic in (False, True):
            with self.subTest(dynamic=dynamic):
                other = copy.deepcopy(self.plain)
                compiled = torch.compile(other, backend="aot_eager", fullgraph=True, dynamic=dynamic)
                for n in (4, 6) if dynamic else (4,):
                    one = copy.deepcopy(other)
                    one.zero_grad()
                    other.zero_grad()
                    self.expect_same((one, compiled), (one, other), batch(n))

    def test_of_torch_export_hold_the_operators(self):
        sizes = ({0: torch.export.Dim("n", min=2)},) * 2
        for training in (True, False):
            with self.subTest(training=training):
                one = copy.deepcopy(self.plain).train(training)
                exported = torch.export.export(copy.deepcopy(one), self.batch, dynamic_shapes=sizes)
                other = exported.module()
                self.expect_same((one, other), (one, other), batch(6))
                called = {str(node.target) for node in exported.run_decompositions().graph.nodes}
                self.assertLessEqual({"retia.augment.default", "retia.conv_norm_forward.default",
                                      "retia.mixed_ops_forward.default"}, called)

    def test_know_the_sizes_on_a_gpu(self):
        with torch._subclasses.FakeTensorMode():
            x = torch.empty(2, 5, 7, 6, device="cuda", dtype=torch.half)
            weight = torch.empty(6, 5, 3, 3, device="cuda")
            out, kept, moments, moved = retia.conv_norm_forward(x, [weight], [], [], 1, 2, 1, False,
                                                                False, True, 1e-5, "")
            self.assertEqual([tuple(t.shape) for t in (out, kept, moments, moved)],
                             [(2, 6, 4, 3), (2, 6, 4, 3), (4, 6), (1, 3, 6)])
            self.assertEqual([t.dtype for t in (out, kept, moments, moved)],
                             [torch.half, torch.half, torch.float, torch.float])
            self.assertEqual(out.device.type, "cuda")


class Docs(unittest.TestCase):
    def test_run_as_they_are_printed(self):
        page = (pathlib.Path(__file__).resolve().parents[2] / "docs/operators.md").read_text()
        program, = re.findall(r"```python\n(.*?)```", page, re.S)
        self.assertIn("build/release/bin/libretia_kernels.so", program)
        names = {}
        exec(program.replace("build/release/bin/libretia_kernels.so", str(operators.LIBRARY)), names)
        self.assertTrue(names["blend"].alphas.grad.abs().sum() > 0)
        self.assertIn("retia.conv_norm.default",
                      {str(node.target) for node in names["exported"].graph.nodes})


class Ranks(unittest.TestCase):
    def test_are_process_groups_by_name(self):
        store = torch.distributed.HashStore()
        torch.distributed.init_process_group("gloo", store=store, rank=0, world_size=1)
        try:
            group = torch.distributed.group.WORLD.group_name
            for arguments, options in layers():
                alone = retia.conv_norm(*arguments, **options)
                among = retia.conv_norm(*arguments, **options, group=group)
                torch.testing.assert_close(among, alone, rtol=1e-10, atol=1e-10)
                wanted = torch.autograd.grad(alone.sin().sum(), leaves_of(arguments))
                for got, expected in zip(
                        torch.autograd.grad(among.sin().sum(), leaves_of(arguments)), wanted):
                    torch.testing.assert_close(got, expected, rtol=1e-9, atol=1e-9)
        finally:
            torch.distributed.destroy_process_group()

    def test_of_no_such_name_are_refused(self):
        for arguments, _ in (next(mixtures()),):
            with self.assertRaisesRegex(RuntimeError, "no process group is named 'nobody'"):
                retia.mixed_op(*arguments, group="nobody")


if __name__ == "__main__":
    unittest.main()
