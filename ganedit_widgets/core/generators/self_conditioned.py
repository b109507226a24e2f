"""The self-conditioned StyleGAN2: its learned 4×4 input changes with labels (Liu et al., SIGGRAPH 2022).

Labels enter there and nowhere else: the mapping, w, the noise and all later layers do not know of them.
"""

from __future__ import annotations

from collections.abc import Mapping as MappingType
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from .stylegan2 import StyleGAN2, StyleGAN2Config, Synthesis

if TYPE_CHECKING:
    from ..conditioning.schema import Schema

LOW, MIDDLE, HIGH = range(3)  # the last axis of soft labels


def soft_labels(v: Tensor) -> Tensor:
    """Return (l, m, h), (…, 3), of labels v (…): l = max(0, 1 − 2v), h = max(0, 2v − 1), m = 1 − l − h.

    Labels outside [0, 1] count as 0 or 1. Liu et al. 2022, in their released code.
    """
    v = v.clamp(0, 1)
    low, high = (1 - 2 * v).clamp(min=0), (2 * v - 1).clamp(min=0)
    return torch.stack([low, 1 - low - high, high], -1)


@dataclass(frozen=True)
class SelfConditionedConfig(StyleGAN2Config):
    """A StyleGAN2's configuration, and which attributes its labels are about."""

    family: str = "self_conditioned"
    schema: Schema = field(kw_only=True)


class SelfConditionedSynthesis(Synthesis):
    """w+ and labels → picture; without labels, or with all at 0.5, it starts from C₀ as any StyleGAN2 does."""

    def __init__(self, cfg: SelfConditionedConfig) -> None:
        super().__init__(cfg)
        shape = (len(cfg.schema), cfg.channels[4], 4, 4)  # the rows are in the schema's order, that of the names
        self.low, self.high = nn.Parameter(torch.zeros(shape)), nn.Parameter(torch.zeros(shape))

    def constant(self, labels: Tensor) -> Tensor:
        """Return C₀ + Σₐ (lₐ·Cₐ,low + hₐ·Cₐ,high), (N, C, 4, 4), for labels v (N, A) in the order of the schema."""
        soft = soft_labels(labels)[..., None, None, None]
        x = self.block(4).const[None].expand(len(labels), -1, -1, -1)
        for a in range(len(self.low)):  # one after the other, so that a batch sums as a single picture does
            x = x + soft[:, a, LOW] * self.low[a] + soft[:, a, HIGH] * self.high[a]
        return x

    def forward(
        self,
        ws: Tensor,
        noise: object = "const",
        offsets: MappingType[str, Tensor] | None = None,
        taps: MappingType[str, object] | None = None,
        until: int | None = None,
        styles: MappingType[str, Tensor] | None = None,
        start: Tensor | None = None,
        labels: Tensor | None = None,
    ) -> Tensor:
        """Draw (N, img_channels, R, R) as `Synthesis` does; `labels` (N, A) in [0, 1], outside of which they saturate.

        `start` (N, C, 4, 4), if given, is taken instead of what the labels would make.
        """
        if start is None and labels is not None:
            start = self.constant(labels.to(self.low))
        return super().forward(ws, noise, offsets, taps, until, styles, start)


class SelfConditioned(StyleGAN2):
    """Mapping and synthesis networks; beside a StyleGAN2's tensors there are `synthesis.low` and `synthesis.high`."""

    cfg: SelfConditionedConfig
    synthesis: SelfConditionedSynthesis

    def __init__(self, cfg: SelfConditionedConfig) -> None:
        super().__init__(cfg)
        self.synthesis = SelfConditionedSynthesis(cfg)
