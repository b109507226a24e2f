"""The boundary between the pictures that have most and least of something, and how well it holds (InterFaceGAN)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import DirectionError
from ..generators.base import Generator
from ..latent import Latent
from .boundary import boundary, coordinates, linear_svm
from .directions import Direction, parts

SHARE = 0.02  # of the latents, on each side
TRAINED = 0.7  # of those chosen; the others test the boundary
FEWEST = 4  # on each side: three to learn from and one to test on


def interfacegan(
    generator: Generator,
    latents: Sequence[Latent],
    scores: Any,
    name: str = "boundary",
    share: float = SHARE,
    space: str = "w",
    c: float = 1.0,
    seed: int = 0,
) -> Direction:
    """Return the normal of the boundary between the latents of the highest and of the lowest scores.

    Shen et al., "InterFaceGAN", TPAMI 2020. `scores`: N numbers of an attribute; of those that are not finite the
    latent is left out. int(N·`share`) are taken from each end, 70 % of them to learn from. `about` says how many of
    the others lie on their side ("accuracy"), and how many of the latents between ("accuracy between", where a score
    is high from the middle of the range on). The SVM's loss is squared, so that its minimum is found exactly.
    Raises `DirectionError` if fewer than four would be taken from each end, or all scores are the same.
    """
    values = np.asarray([float(score) for score in scores], np.float64)
    if len(values) != len(latents):
        raise DirectionError(f"{len(latents)} latents came with {len(values)} scores: give one score for each latent.")
    known = np.flatnonzero(np.isfinite(values))
    low, high, between = _ends(values, known, share)
    rng = np.random.default_rng(seed)
    cut = int(len(low) * TRAINED)
    low, high = rng.permutation(low), rng.permutation(high)
    learned = np.concatenate([low[:cut], high[:cut]])
    found = boundary(generator, [latents[i] for i in learned.tolist()], [0.0] * cut + [1.0] * cut, name, space, None, c)
    height = _heights(generator, found, [latents[i] for i in known.tolist()])
    row = {int(i): n for n, i in enumerate(known)}
    at = {key: height[[row[int(i)] for i in chosen]] for key, chosen in
          {"low": low, "high": high, "between": between}.items()}  # fmt: skip
    edge = _edge(at["low"][:cut], at["high"][:cut])
    tested = torch.cat([at["low"][cut:] < edge, at["high"][cut:] >= edge])
    about: dict[str, str | float] = {"chosen on each side": float(len(low)), "accuracy": float(tested.double().mean())}
    if len(between):
        truth = torch.from_numpy(values[between] >= (values[known].max() + values[known].min()) / 2)
        about["accuracy between"] = float(((at["between"] >= edge) == truth).double().mean())
    return replace(found, kind="interfacegan", about=about, sign="the score rises")


def _ends(values: np.ndarray[Any, Any], known: np.ndarray[Any, Any], share: float) -> list[np.ndarray[Any, Any]]:
    """Return which are the lowest, the highest, and all between."""
    if not 0 < share <= 0.5:
        raise DirectionError(f"A share of {share:g} of the latents was asked for on each side: give 0 to 0.5.")
    count = int(len(known) * share + 1e-9)  # 0.29·100 is less than 29 in binary
    if count < FEWEST:
        raise DirectionError(
            f"{share:g} of {len(known)} latents are {count} on each side, at least {FEWEST} are needed: sample more, "
            "or raise the share."
        )
    if np.ptp(values[known]) == 0:
        raise DirectionError("All scores are the same: a boundary needs latents that differ.")
    order = known[np.argsort(values[known], kind="stable")]
    return [order[:count], order[len(order) - count :], order[count : len(order) - count]]


def _heights(generator: Generator, direction: Direction, latents: Sequence[Latent]) -> Tensor:
    """Return ⟨x, n⟩ (N,) of latents, in the direction's own space."""
    n = {k: x.to(generator.device) for k, x in parts(direction.vector).items()}
    with torch.no_grad():
        rows = [coordinates(generator, latent, direction.space, direction.layers) for latent in latents]
    return torch.stack([torch.stack([(row[k] * x).sum() for k, x in n.items()]).sum() for row in rows]).cpu().double()


def _edge(low: Tensor, high: Tensor) -> float:
    """Return the height at which the boundary lies."""
    x = torch.cat([low, high])
    center, spread = x.mean(), x.std().clamp(min=1e-12)
    v, b = linear_svm(((x - center) / spread)[:, None], torch.arange(len(x)) >= len(low))
    return float(center - spread * b / v[0])
