"""Directions of many labels at once: how w changes with each of them, and how each is read from w."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import DirectionError
from ..generators.base import Generator, require_own
from ..latent import Latent
from .directions import Direction, new_direction, require_fit

READOUT = "readout"  # the kind of a direction along which something is measured, not changed
SHRINK = 0.1  # of the mean variance, added to all: axes that W hardly has must not decide


def trends(generator: Generator, latents: Sequence[Latent], labels: Mapping[str, Any]) -> dict[str, Direction]:
    """Return one W direction per label: where w goes, on average, when that label rises and the others do not.

    Least squares of w ≈ w̄ + Σₖ bₖ·(yₖ − ȳₖ)/σₖ over N latents and their labels (name → N numbers); strength 1 along
    direction k is bₖ, one standard deviation of its label. A boundary's normal is what best *tells* a label, and may
    run where w hardly varies; bₖ is how the label *shows* in w (Haufe et al., "On the interpretation of weight
    vectors of linear models", NeuroImage 2014), so that it stays among the latents the generator knows.
    Raises `DirectionError` where counts differ, a label does not vary, or the labels explain one another.
    """
    names = list(labels)
    if not names:
        raise DirectionError("No labels were given: give at least one, with a number for each latent.")
    y = torch.stack([_standard(name, labels[name], len(latents)) for name in names], 1)
    for latent in latents:
        require_own(generator, latent)
    w = torch.stack([latent.w.mean(0) for latent in latents]).cpu().double()
    overlap = y.t() @ y / len(y)
    if torch.linalg.matrix_rank(overlap, rtol=1e-6) < len(names):
        raise DirectionError("Some labels explain one another exactly: leave one of them out.")
    pattern = torch.linalg.solve(overlap, y.t() @ (w - w.mean(0)) / len(y))
    found = {}
    for name, b in zip(names, pattern, strict=True):
        direction = new_direction(generator, b.float(), name, kind="trend", sign="the label rises")
        found[name] = replace(direction, unit=float(b.norm()))
    return found


def readout(generator: Generator, direction: Direction, shrink: float = SHRINK) -> Direction:
    """Return the direction of W along which that is *measured* which `direction` makes: n ∝ (Σ + shrink·σ̄²·1)⁻¹·b.

    Where w varies much for other reasons, a trend b points along that too, and ⟨w, b⟩ tells of them all; dividing by
    the covariance Σ of the model's own w takes them out (Haufe et al. 2014, theorem 1). σ̄² is the mean variance.
    Edit with `direction`, label with its readout; a boundary that was learned from labels is a readout already.
    Raises `DirectionError` for a direction of W+ or S, or of another model.
    """
    require_fit(generator, direction)
    if direction.space != "w" or not isinstance(direction.vector, Tensor):
        raise DirectionError(f"{direction.name!r} lies in {direction.space.upper()}: only one of W has a readout.")
    covariance = torch.cov(generator.w_samples.t().cpu().double())
    ridge = shrink * covariance.diag().mean() * torch.eye(len(covariance), dtype=torch.float64)
    n = torch.linalg.solve(covariance + ridge, direction.vector.double())
    found = new_direction(generator, n.float(), direction.name, direction.layers, READOUT, sign=direction.sign)
    return replace(found, about={"of": direction.kind, "shrink": shrink})


def _standard(name: str, values: Any, count: int) -> Tensor:
    y = np.asarray([float(value) for value in values], np.float64)
    if len(y) != count:
        raise DirectionError(f"{count} latents came with {len(y)} labels {name!r}: give one label for each latent.")
    if not np.isfinite(y).all() or y.std() < 1e-12:
        raise DirectionError(f"The label {name!r} is not finite or the same for all latents: leave it out.")
    return torch.from_numpy((y - y.mean()) / y.std())
