"""The registered operators of libretia_kernels.so: loads them, and has the same in eager PyTorch."""
import os
import pathlib

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # where cores are shared, a thread that spins delays the others

import torch
import torch.nn.functional as F

LIBRARY = pathlib.Path(os.environ["RETIA_PROGRAMS"]) / "libretia_kernels.so"
torch.ops.load_library(str(LIBRARY))
retia = torch.ops.retia

NONE, DENSE, DEPTHWISE, SEPARABLE, HALVING, MAX_POOL, AVERAGE_POOL = range(7)
(IDENTITY, FACTORIZED_REDUCE, MAX_POOL_3, AVERAGE_POOL_3, SEP_CONV_3, SEP_CONV_5, DIL_CONV_3,
 DIL_CONV_5) = range(8)


def halved(x, even, odd):
    shifted = F.pad(x, (-1, x.shape[3] % 2, -1, x.shape[2] % 2))
    return torch.cat([F.conv2d(x, even, stride=2), F.conv2d(shifted, odd, stride=2)], 1)


def conv_norm(x, weights, affine, running, kind, stride=1, dilation=1, relu_before=False,
              relu_after=False, training=True, momentum=0.1, epsilon=1e-5):
    """retia.conv_norm in eager PyTorch."""
    y = F.relu(x) if relu_before else x
    if kind == HALVING:
        y = halved(y, *weights)
    elif kind == MAX_POOL:
        y = F.max_pool2d(y, 3, stride, 1)
    elif kind == AVERAGE_POOL:
        y = F.avg_pool2d(y, 3, stride, 1, count_include_pad=False)
    elif kind != NONE:
        padding = weights[0].shape[2] // 2 * dilation
        y = F.conv2d(y, weights[0], None, stride, padding, dilation,
                     1 if kind == DENSE else x.shape[1])
        y = F.conv2d(y, weights[1]) if kind == SEPARABLE else y
    y = F.batch_norm(y, *(running or (None, None)), *(affine or (None, None)), training, momentum,
                     epsilon)
    return F.relu(y) if relu_after else y


def mixed_op(x, blend, weights, running, branches, stride=1, training=True, momentum=0.1,
             epsilon=1e-5):
    """retia.mixed_op in eager PyTorch."""
    weights, running = iter(weights), iter(running)

    def norm(y):
        return F.batch_norm(y, next(running, None), next(running, None), None, None, training,
                            momentum, epsilon)

    def convolution(y, step, dilation):
        depthwise = next(weights)
        padding = depthwise.shape[2] // 2 * dilation
        y = F.conv2d(F.relu(y), depthwise, None, step, padding, dilation, y.shape[1])
        return norm(F.conv2d(y, next(weights)))

    def branch(number):
        if number == IDENTITY:
            return x
        if number == FACTORIZED_REDUCE:
            return norm(halved(F.relu(x), next(weights), next(weights)))
        if number == MAX_POOL_3:
            return norm(F.max_pool2d(x, 3, stride, 1))
        if number == AVERAGE_POOL_3:
            return norm(F.avg_pool2d(x, 3, stride, 1, count_include_pad=False))
        if number in (SEP_CONV_3, SEP_CONV_5):
            return convolution(convolution(x, stride, 1), 1, 1)
        return convolution(x, stride, 2)

    return sum(blend[i] * branch(number) for i, number in enumerate(branches))


def weight_sizes(kind, channels, out, kernel):
    """Sizes of the weights of retia.conv_norm."""
    depthwise, pointwise = (channels, 1, kernel, kernel), (out, channels, 1, 1)
    return {NONE: [], DENSE: [(out, channels, kernel, kernel)], DEPTHWISE: [depthwise],
            SEPARABLE: [depthwise, pointwise],
            HALVING: [(out - out // 2, channels, 1, 1), (max(out // 2, 1), channels, 1, 1)],
            MAX_POOL: [], AVERAGE_POOL: []}[kind]


def n_outputs(kind, channels, weights):
    """Channels of the result of retia.conv_norm, by the sizes of the weights."""
    if kind == HALVING:
        return weights[0][0] + weights[1][0]
    return weights[-1][0] if kind in (DENSE, SEPARABLE) else channels


def branch_weight_sizes(branch, channels):
    """Sizes of the weights of a branch of retia.mixed_op."""
    if branch == FACTORIZED_REDUCE:
        return [(channels // 2, channels, 1, 1), (channels - channels // 2, channels, 1, 1)]
    kernel = 5 if branch in (SEP_CONV_5, DIL_CONV_5) else 3
    both = [(channels, 1, kernel, kernel), (channels, channels, 1, 1)]
    return {SEP_CONV_3: 2 * both, SEP_CONV_5: 2 * both, DIL_CONV_3: both,
            DIL_CONV_5: both}.get(branch, [])


def n_norms(branch):
    """Normalisations of a branch of retia.mixed_op."""
    return {IDENTITY: 0, SEP_CONV_3: 2, SEP_CONV_5: 2}.get(branch, 1)
