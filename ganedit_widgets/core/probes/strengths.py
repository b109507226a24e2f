"""How much each layer of W+ has to do with a direction of W: weights for a label measured there (LARGE)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from ..descent import gradients, require_differentiable
from ..errors import DirectionError
from ..generators.base import Generator
from ..latent import Latent
from .directions import Direction, require_fit

PAIRS = 100
STEPS = (1.25, 2.5)  # how far to either side of the boundary, in units of the direction
PSI = 0.5


def layer_strengths(generator: Generator, direction: Direction, pairs: int = PAIRS, seed: int = 0) -> Tensor:
    """Return ω (L,), which sum to L: by how much more a layer's w shows along `direction` than between any two samples.

    Nitzan et al., "LARGE", CVPR 2022: of a pair of latents, one on either side of the direction's boundary and else
    alike, take |∂ mean|G(w) − G(w')| / ∂w|, average over pairs and each layer's numbers, and divide by the same for
    pairs of samples. Latents are truncated to ψ = 0.5, noise is constant. Steps are given in `Direction.unit`, so
    that they mean the same in every model.
    Raises `DirectionError` for a direction of W+ or S, or of another model, and for less than one pair.
    """
    require_fit(generator, direction)
    require_differentiable(generator)
    if direction.space != "w" or not isinstance(direction.vector, Tensor):
        raise DirectionError(
            f"{direction.name!r} lies in {direction.space.upper()}, where each layer has its own step: only a "
            "direction of W needs weights."
        )
    if pairs < 1:
        raise DirectionError(f"{pairs} pairs were asked for: give 1 at least.")
    n = direction.vector.to(generator.w_avg)
    rng = np.random.default_rng(seed)
    along, between = torch.zeros(2, generator.latent_shape[0], dtype=torch.float64)
    for _ in range(pairs):
        w, other = (generator.w_samples[i] for i in rng.integers(len(generator.w_samples), size=2))
        on_boundary = w - ((w - generator.w_avg) @ n) * n
        up, down = (float(x) * direction.unit for x in rng.uniform(*STEPS, size=2))
        along += _gradient(generator, on_boundary + up * n, on_boundary - down * n)
        between += _gradient(generator, w, other)
    ratio = along / between.clamp(min=1e-30)
    return (ratio * len(ratio) / ratio.sum()).float()


def weighted(generator: Generator, direction: Direction, pairs: int = PAIRS, seed: int = 0) -> Direction:
    """Return `direction` with the weights that `layer_strengths` finds."""
    found = layer_strengths(generator, direction, pairs, seed)
    return replace(direction, weights=tuple(found.tolist()))


def _gradient(generator: Generator, w: Tensor, other: Tensor) -> Tensor:
    """Return (L,): |∂ mean|G(w) − G(other)| / ∂w|, the mean over the numbers of each layer."""
    start, end = (generator.w_avg + PSI * (x - generator.w_avg) for x in (w, other))
    with gradients():
        rows = start.detach().clone().expand(generator.latent_shape[0], -1).clone().requires_grad_()
        pictures = generator.draw_many([Latent(rows, generator.fingerprint), generator.latent(end)])
        loss = (pictures[0] - pictures[1]).abs().mean()
        (gradient,) = torch.autograd.grad(loss, rows)
    return gradient.abs().mean(1).cpu().double()
