"""A Latent is everything a generator needs to draw one picture again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from torch import Tensor

from .errors import LatentError
from .short import short


@dataclass(frozen=True, eq=False)
class Latent:
    """A point of W+, what was added to it on the way to the pixels, and the checkpoint it belongs to.

    Frozen: an edit makes a new Latent, so that undo only has to keep the old one. Style offsets are *added* to the
    styles after the affine maps and never replace them, so that they compose with any later move in W+.
    """

    w: Tensor  # (L, D) float32: one style vector per style layer (W+)
    fingerprint: str  # of the checkpoint that can draw it
    offsets: Mapping[str, Tensor] = field(default_factory=dict)  # style layer -> (C,), added after its affine map
    noise: Mapping[str, Tensor] = field(default_factory=dict)  # layer -> (h, w), instead of the checkpoint's constant
    label: Tensor | None = None  # (K,): the condition of a conditional or self-conditioned generator

    __repr__ = short

    def moved(self, step: Tensor, layers: range | None = None) -> Latent:
        """Return the latent with `step`, (D,) or (L, D), added to the given layers of w; None means all of them."""
        chosen = range(len(self.w)) if layers is None else layers
        if len(chosen) and (chosen[0] < 0 or chosen[-1] >= len(self.w)):
            raise LatentError(
                f"Layers {chosen[0]} to {chosen[-1]} were asked for, this latent has layers 0 to {len(self.w) - 1}: "
                "choose layers among these."
            )
        step = step.to(self.w)
        w = self.w.clone()
        rows = list(chosen)
        w[rows] += step[rows] if step.ndim == 2 else step
        return replace(self, w=w)

    def shifted(self, steps: Mapping[str, Tensor]) -> Latent:
        """Return the latent with `steps`, style layer -> (C,), added to its style offsets."""
        offsets = dict(self.offsets)
        for layer, step in steps.items():
            offsets[layer] = offsets[layer] + step.to(offsets[layer]) if layer in offsets else step.clone()
        return replace(self, offsets=offsets)

    def detached(self) -> Latent:
        """Return a copy that shares no memory and no graph with this latent."""
        return replace(
            self,
            w=self.w.detach().clone(),
            offsets={k: v.detach().clone() for k, v in self.offsets.items()},
            noise={k: v.detach().clone() for k, v in self.noise.items()},
            label=None if self.label is None else self.label.detach().clone(),
        )
