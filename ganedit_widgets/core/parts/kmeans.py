"""Spherical k-means: clusters of directions, as Editing in Style finds parts by (Collins et al., CVPR 2020, section 3).

Dhillon and Modha, "Concept decompositions for large sparse text data using clustering", Machine Learning 2001.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import LatentError
from ..short import short

CHUNK = 1 << 16  # rows whose cosines are held at once
MOST = 64  # clusters
LEAST_GAIN = 1e-6  # of the objective, in one iteration, for the walk to go on


@dataclass(frozen=True, eq=False)
class Clusters:
    """K directions, and how well they stand for the rows they were fitted to."""

    centers: Tensor  # (K, C), of unit length
    objective: float  # mean cosine of every row with its center, in [-1, 1]
    seed: int = 0

    __repr__ = short

    def assign(self, rows: Tensor) -> Tensor:
        """Return the number of the nearest center (N,) of rows (N, C) of any length."""
        return _nearest(_unit(rows), self.centers.to(rows))[0]


@dataclass(frozen=True)
class Progress:
    """Where a fit has come to."""

    best: Clusters  # so far
    step: int  # iterations done, over all restarts
    total: int  # at most


def spherical_kmeans(
    rows: Tensor, k: int, restarts: int = 3, iterations: int = 60, seed: int = 0, batch: int | None = None
) -> Iterator[Progress]:
    """Maximize Σₙ maxₖ cos(xₙ, cₖ) over unit centers cₖ; yield the best clusters so far after every iteration.

    `rows` (N, C) of any length, on any device; zero rows belong to no direction and are refused. Each restart begins
    with k-means++ on the sphere (Arthur and Vassilvitskii 2007, with 1 − cos as the squared distance). A full
    iteration never lowers the objective; empty clusters move to the rows that fit worst. `batch`: rows drawn for an
    iteration, for data too large to go through each time; centers then move by running means. The same seed gives
    the same clusters. Raises `LatentError` if there are fewer rows than clusters, or k is not 2 … 64.
    """
    _check(rows, k, restarts, iterations)
    x, total = _unit(rows), restarts * iterations
    best: Clusters | None = None
    for restart in range(restarts):
        rng = torch.Generator().manual_seed(seed + 7919 * restart)
        for i, (centers, objective) in enumerate(_walk(x, k, iterations, batch, rng), restart * iterations + 1):
            if best is None or objective > best.objective:
                best = Clusters(centers.cpu(), objective, seed)
            yield Progress(best, i, total)
    assert best is not None  # there is at least one iteration
    yield Progress(best, total, total)


def _walk(
    x: Tensor, k: int, iterations: int, batch: int | None, rng: torch.Generator
) -> Iterator[tuple[Tensor, float]]:
    """Yield centers and their objective from one start on, until it no longer rises; of small batches only the last."""
    centers = plus_plus(x, k, rng)
    if batch is not None and batch < len(x):
        counts = torch.ones(k, device=x.device)
        for _ in range(iterations):
            part = x[torch.randint(len(x), (batch,), generator=rng).to(x.device)]
            centers = _move(part, *_nearest(part, centers), centers, counts)
        yield centers, float(_nearest(x, centers)[1].mean())
        return
    before = -2.0
    for _ in range(iterations):
        labels, cosines = _nearest(x, centers)
        objective = float(cosines.mean())
        yield centers, objective
        if objective - before < LEAST_GAIN:
            return
        before, centers = objective, _move(x, labels, cosines, centers)


def plus_plus(x: Tensor, k: int, rng: torch.Generator) -> Tensor:
    """Return k of the unit rows `x` (N, C), each drawn with odds 1 − cos to the nearest one drawn before."""
    chosen = [int(torch.randint(len(x), (), generator=rng))]
    far = 1 - x @ x[chosen[0]]
    for _ in range(k - 1):
        odds = far.clamp(min=0).double().cpu()
        if float(odds.sum()) <= 1e-9:  # fewer different rows than clusters
            chosen.append(int(torch.randint(len(x), (), generator=rng)))
            continue
        chosen.append(int(torch.multinomial(odds, 1, generator=rng)))
        far = torch.minimum(far, 1 - x @ x[chosen[-1]])
    return x[chosen].clone()


def _move(x: Tensor, labels: Tensor, cosines: Tensor, centers: Tensor, counts: Tensor | None = None) -> Tensor:
    """Return each center as the direction of the sum of its rows; with `counts`, of a running sum (Sculley 2010)."""
    sums = torch.zeros_like(centers).index_add_(0, labels, x)
    found = torch.bincount(labels, minlength=len(centers)).to(x)
    if counts is not None:
        sums, counts[:] = sums + counts[:, None] * centers, counts + found
    moved = torch.where(found[:, None] > 0, _unit(sums), centers)
    if counts is None:
        empty = (found == 0).nonzero().flatten()
        worst = cosines.topk(min(len(empty), len(x)), largest=False).indices
        moved[empty[: len(worst)]] = x[worst]
    return moved


def _nearest(x: Tensor, centers: Tensor) -> tuple[Tensor, Tensor]:
    """Return the number of the center of largest cosine, and that cosine, for unit rows (N, C)."""
    found = [(part @ centers.t()).max(1) for part in x.split(CHUNK)]
    return torch.cat([f.indices for f in found]), torch.cat([f.values for f in found])


def _unit(rows: Tensor) -> Tensor:
    return F.normalize(rows.float(), dim=1)


def _check(rows: Tensor, k: int, restarts: int, iterations: int) -> None:
    if rows.ndim != 2 or len(rows) < k:
        raise LatentError(f"Rows of shape {tuple(rows.shape)} were given for {k} clusters: give (N, C) with N ≥ K.")
    if not 2 <= k <= MOST:
        raise LatentError(f"{k} clusters were asked for: choose 2 to {MOST}.")
    if restarts < 1 or iterations < 1:
        raise LatentError("At least one restart and one iteration are needed.")
    if not rows.isfinite().all() or float(rows.square().sum(1).min()) == 0:
        raise LatentError("A row is zero or not finite, it has no direction: leave it out.")
