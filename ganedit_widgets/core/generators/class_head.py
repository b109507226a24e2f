"""The self-conditioned discriminator: a second head tells the labels of a picture (Liu et al., SIGGRAPH 2022)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from .discriminator import Discriminator, DiscriminatorConfig
from .layers import Dense
from .self_conditioned import soft_labels

if TYPE_CHECKING:
    from ..conditioning.schema import Schema


@dataclass(frozen=True)
class ClassHeadConfig(DiscriminatorConfig):
    """A discriminator's configuration, and which attributes its second head tells."""

    family: str = "self_conditioned_discriminator"
    schema: Schema = field(kw_only=True)
    projection: bool = False  # whether the scores depend on labels


class ClassHead(nn.Module):
    """The last convolution's output → three logits for each attribute: dense, leaky ReLU, dense."""

    def __init__(self, n_in: int, width: int, attributes: int) -> None:
        super().__init__()
        self.fc, self.out = Dense(n_in, width, "lrelu"), Dense(width, 3 * attributes)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in) to logits (N, A, 3); their softmax is (l, m, h) of `soft_labels`."""
        return self.out(self.fc(x)).unflatten(1, (-1, 3))  # type: ignore[no-any-return]


class SelfConditionedDiscriminator(Discriminator):
    """Picture → score, and logits of the labels; the tensors beside a discriminator's are in `classes`.

    The class head is told nothing of the rest of the batch: it says the same of one picture as of many.
    """

    cfg: ClassHeadConfig

    def __init__(self, cfg: ClassHeadConfig) -> None:
        super().__init__(cfg)
        width = cfg.channels[4]
        self.classes = ClassHead(width * 16, width, len(cfg.schema))
        if cfg.projection:
            self.embed = Dense(3 * len(cfg.schema), width)
            nn.init.zeros_(self.embed.weight)  # at first the scores are those without labels

    def judge(self, img: Tensor, labels: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return the scores (N, 1) and the logits (N, A, 3) of pictures (N, img_channels, R, R) in [-1, 1].

        With `cfg.projection` and labels v (N, A), the scores gain ⟨E·(l, m, h), features⟩/√C (Miyato and Koyama 2018).
        """
        features, small = self._trunk(img)
        return self._scores(features[-1], small, labels), self.classes(self.b4.convolved(features[-1], small, True))

    def forward(self, img: Tensor, c: Tensor | None = None) -> Tensor:
        """Return the scores (N, 1) of pictures, as `judge` does; `c` are labels v (N, A)."""
        features, small = self._trunk(img)
        return self._scores(features[-1], small, c)

    def labels(self, img: Tensor) -> Tensor:
        """Return what the class head takes the labels v (N, A) for: 0·l + ½·m + 1·h, the inverse of `soft_labels`."""
        low, _, high = torch.softmax(self.judge(img)[1], -1).unbind(-1)
        return (1 + high - low) / 2

    def _scores(self, x: Tensor, small: Tensor | None, labels: Tensor | None) -> Tensor:
        hidden = self.b4.hidden(x, small)
        scores = self.b4.out(hidden)
        if labels is None or not self.cfg.projection:
            return scores  # type: ignore[no-any-return]
        wanted = self.embed(soft_labels(labels).flatten(1).to(hidden))
        return scores + (wanted * hidden).sum(1, keepdim=True) / math.sqrt(hidden.shape[1])  # type: ignore[no-any-return]
