"""Upsample, filter with a small FIR kernel, downsample: the resampling of every StyleGAN layer."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

BINOMIAL = (1.0, 3.0, 3.0, 1.0)  # the filter of every released StyleGAN2


def setup_filter(taps: Sequence[float] | None = BINOMIAL) -> Tensor:
    """Return the filter as stored in checkpoints: fewer than 8 taps as their outer product, else 1-D; sum 1."""
    f = torch.as_tensor([1.0] if taps is None else taps, dtype=torch.float32, device="cpu")
    if f.ndim == 1 and f.numel() < 8:
        f = torch.outer(f, f)
    return f / f.sum()


def upfirdn2d(
    x: Tensor,
    f: Tensor | None,
    up: int = 1,
    down: int = 1,
    pad: tuple[int, int, int, int] = (0, 0, 0, 0),
    gain: float = 1.0,
) -> Tensor:
    """Insert up-1 zeros after each sample of `x` (N, C, H, W), pad, convolve with `f`·gain, keep each down-th sample.

    `f` is (T, T), or (T,) for a separable filter, or None; `pad` = (left, right, top, bottom), negative crops.
    """
    if f is not None and f.ndim == 1:
        f = f * gain**0.5
        return _along_axis(_along_axis(x, f, 3, up, down, pad[:2]), f, 2, up, down, pad[2:])
    n, c, h, w = x.shape
    if up > 1:
        x = F.pad(x.reshape(n, c, h, 1, w, 1), (0, up - 1, 0, 0, 0, up - 1)).reshape(n, c, h * up, w * up)
    if any(pad):
        x = F.pad(x, pad)
    if f is None:
        return (x if gain == 1 else x * gain)[:, :, ::down, ::down]
    return F.conv2d(x, _depthwise((f * gain).flip((0, 1)), x), stride=down, groups=c)


def _along_axis(x: Tensor, f: Tensor, axis: int, up: int, down: int, pad: tuple[int, int]) -> Tensor:
    """Resample along one axis, 2 or 3, without the products with inserted zeros."""

    def both(value: int, other: int) -> tuple[int, int]:
        return (value, other) if axis == 2 else (other, value)

    taps, kernel = len(f), f[:, None] if axis == 2 else f[None]
    if up == 1:
        x = _padded(x, axis, *pad)
        return F.conv2d(x, _depthwise(kernel.flip((0, 1)), x), stride=both(down, 1), groups=x.shape[1])
    x = F.conv_transpose2d(x, _depthwise(kernel, x), stride=both(up, 1), groups=x.shape[1])
    x = _padded(x, axis, pad[0] - (taps - 1), pad[1] - (taps - up))  # it has padded by these already
    return x[(slice(None),) * axis + (slice(None, None, down),)]


def _padded(x: Tensor, axis: int, before: int, after: int) -> Tensor:
    if not (before or after):
        return x
    return F.pad(x, (before, after) if axis == 3 else (0, 0, before, after))


def _depthwise(f: Tensor, x: Tensor) -> Tensor:
    return f.to(x.dtype)[None, None].repeat(x.shape[1], 1, 1, 1)


def taps_of(f: Tensor | None) -> int:
    """Return the number of taps along one axis; 1 for no filter."""
    return 1 if f is None else f.shape[-1]


def upsample2d(x: Tensor, f: Tensor, up: int = 2) -> Tensor:
    """Enlarge `x` (N, C, H, W) `up` times."""
    if up == 2 and is_binomial(f):
        return upsample2d_binomial(x)
    t = taps_of(f)
    lo, hi = (t + up - 1) // 2, (t - up) // 2
    return upfirdn2d(x, f, up=up, pad=(lo, hi, lo, hi), gain=up**2)


def downsample2d(x: Tensor, f: Tensor, down: int = 2) -> Tensor:
    """Shrink `x` (N, C, H, W) `down` times."""
    t = taps_of(f)
    lo, hi = (t - down + 1) // 2, (t - down) // 2
    if down == 2 and is_binomial(f):
        return filter2d_binomial(x, (lo, hi), stride=2)
    return upfirdn2d(x, f, down=down, pad=(lo, hi, lo, hi))


def filter2d(x: Tensor, f: Tensor, pad: tuple[int, int], gain: float = 1.0, down: int = 1) -> Tensor:
    """Filter `x` (N, C, H, W) with the same (before, after) padding on both axes, then keep each down-th sample."""
    if is_binomial(f) and down <= 2:
        y = filter2d_binomial(x, pad, stride=down)
        return y if gain == 1 else y * gain
    return upfirdn2d(x, f, down=down, pad=(pad[0], pad[1], pad[0], pad[1]), gain=gain)


# ---- the same for the common filter, in operations that torch does fast on every device


def is_binomial(f: Tensor | None) -> bool:
    """Tell whether `f` is the stored form of [1, 3, 3, 1]; answered once per tensor."""
    if f is None or f.shape != (4, 4):
        return False
    version = 0 if f.is_inference() else f._version
    known = getattr(f, "_is_binomial", None)
    if known is None or known[0] != version:
        known = (version, torch.allclose(f.detach().float().cpu(), setup_filter(), atol=1e-6))
        f._is_binomial = known  # type: ignore[attr-defined]
    return bool(known[1])


def upsample2d_binomial(x: Tensor) -> Tensor:
    """`upsample2d` with [1, 3, 3, 1]: bilinear interpolation that fades to zero beyond the border."""
    x = F.pad(x, (1, 1, 1, 1))
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)[:, :, 2:-2, 2:-2]


def filter2d_binomial(x: Tensor, pad: tuple[int, int], stride: int = 1) -> Tensor:
    """`filter2d` with [1, 3, 3, 1] = [1, 1]∗[1, 1]∗[1, 1]: three averages over 2×2, the last one with the stride."""
    x = F.pad(x, (pad[0], pad[1], pad[0], pad[1]))
    x = F.avg_pool2d(F.avg_pool2d(x, 2, 1), 2, 1)
    return F.avg_pool2d(x, 2, stride)
