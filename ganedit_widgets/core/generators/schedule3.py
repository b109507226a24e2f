"""The layer schedule of StyleGAN3: sizes, bands and widths from a few numbers (Karras et al. 2021, section 3.2)."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from .stylegan3 import Layer3, StyleGAN3Config

FILTER_SIZE = 6  # taps per sample
LRELU_UPSAMPLING = 2  # the nonlinearity works at twice the rate


@dataclass(frozen=True)
class _Stage:
    cutoff: float
    half_width: float
    rate: int
    size: int
    channels: int


def stylegan3_config(
    resolution: int,
    family: str = "stylegan3-t",
    num_layers: int = 14,
    channel_base: int = 32768,
    channel_max: int = 512,
    num_critical: int = 2,
    first_cutoff: float = 2.0,
    first_stopband: float = 2**2.1,
    last_stopband_rel: float = 2**0.3,
    margin: int = 10,
    img_channels: int = 3,
    num_half_res: int = 4,
    **options: Any,
) -> StyleGAN3Config:
    """Return the configuration that the paper's schedule gives.

    `family` "stylegan3-r" has 1×1 kernels and radial filters; the paper doubles `channel_base` and `channel_max` for
    it. `options` are further fields of `StyleGAN3Config`.
    """
    stages: list[_Stage] = []
    for i in range(num_layers + 1):
        share = min(i / (num_layers - num_critical), 1)
        cutoff = first_cutoff * ((resolution / 2) / first_cutoff) ** share
        stopband = first_stopband * ((resolution / 2 * last_stopband_rel) / first_stopband) ** share
        rate = 2 ** math.ceil(math.log2(min(2 * stopband, resolution)))
        size = rate + 2 * margin if i < num_layers - 1 else resolution
        channels = round(min((channel_base / 2) / cutoff, channel_max)) if i < num_layers else img_channels
        stages.append(_Stage(cutoff, max(stopband, rate / 2) - cutoff, rate, size, channels))
    layers = []
    for i, stage in enumerate(stages):
        radial = family == "stylegan3-r" and i < num_layers - num_critical
        kernel = 1 if family == "stylegan3-r" or i == num_layers else 3
        layer = _layer(i, stages[max(i - 1, 0)], stage, kernel, i == num_layers)
        layers.append(replace(layer, radial=radial, half=stage.rate * 2**num_half_res > resolution))
    return StyleGAN3Config(
        resolution,
        tuple(layers),
        input_size=stages[0].size,
        input_rate=float(stages[0].rate),
        input_bandwidth=stages[0].cutoff,
        img_channels=img_channels,
        family=family,
        **options,
    )


def _layer(i: int, before: _Stage, stage: _Stage, kernel: int, last: bool) -> Layer3:
    rate = max(before.rate, stage.rate) * (1 if last else LRELU_UPSAMPLING)
    up, down = rate // before.rate, rate // stage.rate
    up_taps = FILTER_SIZE * up if up > 1 and not last else 1
    down_taps = FILTER_SIZE * down if down > 1 and not last else 1
    total = (stage.size - 1) * down + 1 - (before.size + kernel - 1) * up + up_taps + down_taps - 2
    low = (total + up) // 2
    return Layer3(
        name=f"L{i}_{stage.size}_{stage.channels}",
        n_in=before.channels,
        n_out=stage.channels,
        kernel=kernel,
        up=up,
        down=down,
        up_taps=up_taps,
        down_taps=down_taps,
        padding=(low, total - low, low, total - low),
        rate=float(rate),
        in_cutoff=before.cutoff,
        in_half_width=before.half_width,
        out_cutoff=stage.cutoff,
        out_half_width=stage.half_width,
        is_torgb=last,
    )
