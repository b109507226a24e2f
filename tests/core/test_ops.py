"""Resampling and activation: every fast path equals the definition."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from ganedit_widgets.core.generators.layers import ConvFn
from ganedit_widgets.core.ops import bias_act, downsample2d, filter2d, setup_filter, upfirdn2d, upsample2d
from ganedit_widgets.core.ops.bias_act import ACTIVATIONS
from ganedit_widgets.core.ops.upfirdn2d import is_binomial

quick = settings(max_examples=40, deadline=None)
SIZES = st.tuples(st.integers(1, 2), st.integers(1, 3), st.integers(3, 9), st.integers(3, 9))
TAPS = st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=6)
PADS = st.tuples(*[st.integers(-1, 4)] * 4)


def definition(x, f, up, down, pad, gain):
    """upfirdn by its four sentences, in float64, one output sample after the other."""
    x, f = x.double().numpy(), np.ones((1, 1)) if f is None else f.double().numpy()
    f = np.outer(f, f) if f.ndim == 1 else f
    n, c, h, w = x.shape
    wide = np.zeros((n, c, h * up, w * up))
    wide[:, :, ::up, ::up] = x
    left, right, top, bottom = pad
    wide = np.pad(wide, ((0, 0), (0, 0), (max(top, 0), max(bottom, 0)), (max(left, 0), max(right, 0))))
    wide = wide[:, :, max(-top, 0) : wide.shape[2] - max(-bottom, 0), max(-left, 0) : wide.shape[3] - max(-right, 0)]
    rows, columns = wide.shape[2] - len(f) + 1, wide.shape[3] - f.shape[1] + 1
    out = np.zeros((n, c, rows, columns))
    for i in range(rows):
        for j in range(columns):
            out[:, :, i, j] = (wide[:, :, i : i + len(f), j : j + f.shape[1]] * f[::-1, ::-1]).sum((2, 3)) * gain
    return torch.from_numpy(out[:, :, ::down, ::down])


@quick
@given(SIZES, TAPS, st.integers(1, 4), st.integers(1, 3), PADS, st.booleans(), st.floats(0.5, 4), st.integers(0, 99))
def test_upfirdn_is_its_definition(shape, taps, up, down, pad, separable, gain, seed):
    x = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    f = torch.tensor(taps) if separable else torch.outer(torch.tensor(taps), torch.tensor(taps[::-1]))
    if min(shape[2] * up + pad[2] + pad[3], shape[3] * up + pad[0] + pad[1]) < len(taps):
        return  # nothing is left
    expected = definition(x, f, up, down, pad, gain)
    torch.testing.assert_close(upfirdn2d(x, f, up, down, pad, gain).double(), expected, rtol=1e-5, atol=1e-5)


@quick
@given(SIZES, st.integers(0, 3), st.integers(0, 3), st.sampled_from([1, 2]), st.integers(0, 99))
def test_the_common_filter_has_a_fast_path_that_is_exact(shape, before, after, down, seed):
    x = torch.randn(shape, generator=torch.Generator().manual_seed(seed), requires_grad=True)
    f, pad = setup_filter(), (before, after)
    if min(shape[2:]) + before + after < 4:
        return
    fast = filter2d(x, f, pad, gain=4, down=down)
    slow = upfirdn2d(x, f, down=down, pad=(before, after) * 2, gain=4)
    agree(fast, slow, x)
    agree(upsample2d(x, f), upfirdn2d(x, f, up=2, pad=(2, 1, 2, 1), gain=4), x)
    agree(downsample2d(x, f), upfirdn2d(x, f, down=2, pad=(1, 1, 1, 1)), x)


def agree(fast, slow, x):
    """Values and gradients are the same."""
    torch.testing.assert_close(fast, slow, rtol=1e-5, atol=1e-6)
    (a,), (b,) = (torch.autograd.grad(y.square().sum(), x, retain_graph=True) for y in (fast, slow))
    torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-5)


@quick
@given(SIZES, st.sampled_from([(1.0, 2, 1), (1.0, 3, 3, 1), (1.0, 4, 6, 4, 1), (0.5, 1, 3, 2)]), st.integers(2, 4))
def test_up_and_down_sampling_keep_sizes_and_brightness(shape, taps, factor):
    f = setup_filter(taps)
    x = torch.ones(shape)
    assert upsample2d(x, f, factor).shape[2:] == (shape[2] * factor, shape[3] * factor)
    if factor == 2:
        up = upsample2d(torch.ones(1, 1, 12, 12), setup_filter((1, 3, 3, 1)))
        torch.testing.assert_close(up[:, :, 4:-4, 4:-4], torch.ones(1, 1, 16, 16))
    assert downsample2d(torch.ones(1, 1, 12, 12), f, 2).shape[2:] == (6, 6)


def test_a_filter_is_stored_as_checkpoints_store_it():
    assert setup_filter().shape == (4, 4) and setup_filter([1] * 8).shape == (8,) and setup_filter(None).shape == (1, 1)
    for taps in ((1, 3, 3, 1), [1] * 8, None):
        assert float(setup_filter(taps).sum()) == pytest.approx(1)


def test_the_fast_path_is_left_when_the_filter_changes():
    f = setup_filter()
    assert is_binomial(f)
    f.mul_(2)
    assert not is_binomial(f) and not is_binomial(setup_filter([1, 2, 2, 1])) and not is_binomial(None)


# ---- convolution with resampling


def definition_of_conv(x, w, f, up, down):
    """Section B of StyleGAN2 in its slow form: zeros, padding, filter, then an ordinary convolution."""
    k, t = w.shape[-1], f.shape[-1]
    p = k // 2
    if up == 2:
        lo, hi = p + (t + 1) // 2, p + (t - 2) // 2
        x = upfirdn2d(x, f, up=2, pad=(lo, hi, lo, hi), gain=4)
        return F.conv2d(x, w.flip((2, 3)))
    if down == 2:
        lo, hi = p + (t - 1) // 2, p + (t - 2) // 2
        return F.conv2d(upfirdn2d(x, f, pad=(lo, hi, lo, hi)), w, stride=2)
    return F.conv2d(x, w, padding=p)


@quick
@given(
    st.integers(2, 7),
    st.sampled_from([1, 3]),
    st.sampled_from([(1, 1), (2, 1), (1, 2)]),
    st.sampled_from([(1.0, 3, 3, 1), (1.0, 2, 1), (1.0, 5, 2, 4, 3, 1), (1.0,)]),
    st.integers(0, 99),
)
def test_resampling_convolutions_are_their_definition(size, kernel, factors, taps, seed):
    up, down = factors
    rng = torch.Generator().manual_seed(seed)
    x = torch.randn(2, 3, 2 * size, 2 * size, generator=rng, requires_grad=True)
    w = torch.randn(4, 3, kernel, kernel, generator=rng)
    f = setup_filter(taps)
    fast = ConvFn(f, up, down, kernel // 2)(x, w)
    assert fast.shape[2:] == (2 * size * up // down,) * 2
    slow = definition_of_conv(x, w, f, up, down)
    torch.testing.assert_close(fast, slow, rtol=1e-4, atol=1e-4)
    (a,), (b,) = (torch.autograd.grad(y.square().sum(), x) for y in (fast, slow))
    torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-3)


# ---- bias and activation


@pytest.mark.parametrize("act", ACTIVATIONS)
def test_the_order_is_bias_activation_gain_clamp(act):
    x, b = torch.randn(2, 3, 4, 4), torch.randn(3)
    function, gain = ACTIVATIONS[act]
    expected = (function(x + b[None, :, None, None]) * gain * 0.5).clamp(-0.35, 0.35)
    torch.testing.assert_close(bias_act(x, b, act, 0.5, 0.7), expected)


def test_the_gains_keep_the_scale_of_a_normal_input():
    x = torch.randn(100_000, generator=torch.Generator().manual_seed(0))[:, None]
    for act in ("linear", "relu", "lrelu", "swish"):
        size = bias_act(x, None, act).square().mean().sqrt()
        assert math.isclose(float(size), 1, abs_tol=0.21), act
