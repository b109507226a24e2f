"""The building blocks that StyleGAN2 and StyleGAN3 share: dense layers, the mapping network, modulation."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..ops import bias_act, filter2d, setup_filter, upsample2d


def normal(*shape: int, std: float = 1.0) -> Tensor:
    """Return normal numbers, but nothing on the meta device, where asking for them costs two seconds."""
    empty = torch.empty(shape)
    return empty if empty.is_meta else empty.normal_(0, std)


class Dense(nn.Module):
    """act(x·(W·lr/√in)ᵀ + b·lr): a dense layer with an equalized learning rate (Karras et al. 2018, section 4.1)."""

    def __init__(self, n_in: int, n_out: int, act: str = "linear", lr: float = 1.0, bias_init: float = 0.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(normal(n_out, n_in, std=1 / lr))
        self.bias = nn.Parameter(torch.full((n_out,), bias_init / lr))
        self.act, self.lr = act, lr

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in) to (N, out)."""
        weight = self.weight.to(x.dtype) * (self.lr / math.sqrt(self.weight.shape[1]))
        bias = self.bias.to(x.dtype) * self.lr
        if self.act == "linear":
            return F.linear(x, weight, bias)
        return bias_act(F.linear(x, weight), bias, self.act)


def normalize_2nd_moment(x: Tensor) -> Tensor:
    """Scale each row of (N, D) to mean square 1."""
    return x * torch.rsqrt(x.square().mean(1, keepdim=True) + 1e-8)


class Mapping(nn.Module):
    """z, c → w: pixel norm, then dense layers (Karras et al. 2019, section 2)."""

    w_avg: Tensor

    def __init__(
        self,
        z_dim: int,
        c_dim: int,
        w_dim: int,
        num_layers: int,
        lr: float = 0.01,
        hidden: int | None = None,
        embed: int | None = None,
        act: str = "lrelu",
        average: bool = True,
    ) -> None:
        super().__init__()
        self.z_dim, self.c_dim, self.w_dim, self.num_layers = z_dim, c_dim, w_dim, num_layers
        embed = (embed or w_dim) if c_dim else 0
        if c_dim:
            self.embed = Dense(c_dim, embed)
        widths = [z_dim + embed] + [hidden or w_dim] * (num_layers - 1) + [w_dim]
        for i in range(num_layers):
            setattr(self, f"fc{i}", Dense(widths[i], widths[i + 1], act, lr))
        if average:
            self.register_buffer("w_avg", torch.zeros(w_dim))

    def forward(self, z: Tensor | None, c: Tensor | None = None) -> Tensor:
        """Return w (N, w_dim) for z (N, z_dim) and the label c (N, c_dim)."""
        parts = [normalize_2nd_moment(z)] if z is not None and self.z_dim else []
        if self.c_dim:
            if c is None:
                raise ValueError(f"a conditional network needs a label of {self.c_dim} numbers")
            parts.append(normalize_2nd_moment(self.embed(c)))
        x = torch.cat(parts, 1)
        for i in range(self.num_layers):
            x = getattr(self, f"fc{i}")(x)
        return x


class ConvFn:
    """A convolution with optional resampling, as a function of input and stored weight (no bias)."""

    def __init__(self, resample_filter: Tensor | None = None, up: int = 1, down: int = 1, padding: int = 0) -> None:
        self.f, self.up, self.down, self.padding = resample_filter, up, down, padding

    def __call__(self, x: Tensor, weight: Tensor) -> Tensor:
        """Map (N, I, H, W) and (O, I, k, k) to (N, O, H·up/down, W·up/down)."""
        if self.up == 2:
            return self._up(x, weight)
        if self.down == 2:
            return self._down(x, weight)
        return F.conv2d(x, weight, padding=self.padding)

    def _up(self, x: Tensor, weight: Tensor) -> Tensor:
        f = self.f if self.f is not None else setup_filter(None).to(weight.device)
        if weight.shape[-1] == 1:
            return upsample2d(F.conv2d(x, weight), f)
        t, k, p = f.shape[-1], weight.shape[-1], self.padding
        x = F.conv_transpose2d(x, weight.transpose(0, 1), stride=2)  # k-1 zeros before and k-2 after are within
        pad = (p + (t + 1) // 2 - (k - 1), p + (t - 2) // 2 - (k - 2))
        return filter2d(x, f, pad, gain=4)

    def _down(self, x: Tensor, weight: Tensor) -> Tensor:
        f = self.f if self.f is not None else setup_filter(None).to(weight.device)
        t, p = f.shape[-1], self.padding
        pad = (p + (t - 1) // 2, p + (t - 2) // 2)
        if weight.shape[-1] == 1:
            return F.conv2d(filter2d(x, f, pad, down=2), weight)
        return F.conv2d(filter2d(x, f, pad), weight, stride=2)


def modulated_conv(x: Tensor, weight: Tensor, style: Tensor, conv: ConvFn, demodulate: bool = True) -> Tensor:
    """Modulate the input, apply one shared weight, demodulate the output (Karras et al. 2020, equations 1 to 3).

    `x` (N, I, H, W), `weight` (O, I, k, k), `style` (N, I). The per-sample weight of the paper is never built: it
    would make the backward pass compute the gradient of a convolution's weight.
    """
    if x.dtype == torch.float16 and demodulate:  # keep the products within half's range; cancelled by demodulation
        weight = weight / (weight.abs().amax((1, 2, 3), keepdim=True) * math.sqrt(weight[0].numel()))
        style = style / style.abs().amax(1, keepdim=True).clamp(min=1e-8)
    y = conv(x * style.to(x.dtype)[:, :, None, None], weight.to(x.dtype))
    if not demodulate:
        return y
    wide = torch.promote_types(weight.dtype, torch.float32)
    energy = (
        style.to(wide).square() @ weight.to(wide).square().sum((2, 3)).t()
    )  # (N, O): Σ (s·w)², no kernel per sample
    return y * torch.rsqrt(energy + 1e-8).to(y.dtype)[:, :, None, None]
