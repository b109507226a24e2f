"""Find the direction of an attribute from labeled latents: a linear boundary, or a linear trend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import DirectionError
from ..generators.base import Generator, require_own
from ..latent import Latent
from .directions import Direction, new_direction, whole

NEWTON_STEPS = 100  # many more than are ever taken


def boundary(
    generator: Generator,
    latents: Sequence[Latent],
    labels: Any,
    name: str = "boundary",
    space: str = "w",
    layers: range | None = None,
    c: float = 1.0,
) -> Direction:
    """Return the direction along which the label rises: the normal of a linear boundary.

    `labels`: N numbers, one per latent. Two different values make two classes, parted by a linear SVM (Shen et al.,
    "InterFaceGAN", TPAMI 2020, section 3.1); more values are a continuous attribute, fitted by ridge regression.
    `space`: "w" (the mean of the latent's layers), "w+" or "s". `c` weighs the samples against the length of the
    normal. Raises `DirectionError` if there are fewer than two latents of each class or the counts differ.
    """
    y = np.asarray([float(value) for value in labels], np.float64)
    if len(y) != len(latents):
        raise DirectionError(f"{len(latents)} latents came with {len(y)} labels: give one label for each latent.")
    if not np.isfinite(y).all():
        raise DirectionError("A label is not finite: leave that picture out.")
    if space not in ("w", "w+", "s"):
        raise DirectionError(f"Space {space!r} is unknown: choose 'w', 'w+' or 's'.")
    values, counts = np.unique(y, return_counts=True)
    if len(values) < 2 or (len(values) == 2 and counts.min() < 2):
        raise DirectionError("Both sides need at least two pictures: label more of them.")
    with torch.no_grad():
        rows = [coordinates(generator, latent, space, layers) for latent in latents]
        x = torch.stack([torch.cat([part.flatten() for part in row.values()]) for row in rows]).cpu().double()
        x = x - x.mean(0)
        x = x / x.square().mean().sqrt().clamp(min=1e-12)
    target = torch.from_numpy(y)
    normal = linear_svm(x, target > values[0], c)[0] if len(values) == 2 else ridge(x, target, c)
    pieces = dict(zip(rows[0], normal.split([part.numel() for part in rows[0].values()]), strict=True))
    vector = whole({k: piece.reshape(rows[0][k].shape) for k, piece in pieces.items()}, space)
    return new_direction(generator, vector, name, layers, "boundary", sign="the label rises")


def linear_svm(x: Tensor, positive: Tensor, c: float = 1.0) -> tuple[Tensor, float]:
    """Return (v, b) that minimize ½‖v‖² + c·Σ max(0, 1 − y·(v·x + b))², y = ±1; b is not penalized.

    `x` (N, M); `positive` (N,) bool. Newton's method: the loss is quadratic on the samples within the margin, so that
    it ends after a few steps (Keerthi and DeCoste, "A modified finite Newton method…", JMLR 2005).
    """
    x, y = x.double(), positive.double() * 2 - 1
    axes = torch.linalg.svd(x, full_matrices=False)[2] if len(x) < x.shape[1] else None  # v lies in the samples' span
    rows = torch.cat([x if axes is None else x @ axes.t(), torch.ones(len(x), 1, dtype=x.dtype)], 1)
    penalty = torch.cat([torch.ones(rows.shape[1] - 1), torch.zeros(1)]).to(x)

    def cost(theta: Tensor) -> Tensor:
        return (penalty * theta.square()).sum() / 2 + c * (1 - y * (rows @ theta)).clamp(min=0).square().sum()

    theta = torch.zeros_like(penalty)
    for _ in range(NEWTON_STEPS):
        inside = y * (rows @ theta) < 1
        a, target = rows[inside], y[inside]
        slope = penalty * theta + 2 * c * a.t() @ (a @ theta - target)
        curvature = torch.diag(penalty + 1e-10) + 2 * c * a.t() @ a
        step, length = torch.linalg.solve(curvature, slope), 1.0
        while cost(theta - length * step) > cost(theta) and length > 1e-6:
            length /= 2
        theta = theta - length * step
        if step.norm() <= 1e-10 * (1 + theta.norm()):
            break
    v = theta[:-1] if axes is None else theta[:-1] @ axes
    return v, float(theta[-1])


def ridge(x: Tensor, y: Tensor, c: float = 1.0) -> Tensor:
    """Return v (M,) that minimizes ½‖v‖² + c·Σ (v·(x − x̄) − (y − ȳ)/σ(y))²/2; `x` (N, M), `y` (N,)."""
    x, y = x.double() - x.double().mean(0), y.double()
    y = (y - y.mean()) / y.std()
    if len(x) < x.shape[1]:  # the dual is smaller
        return x.t() @ torch.linalg.solve(x @ x.t() + torch.eye(len(x), dtype=x.dtype) / c, y)
    return torch.linalg.solve(x.t() @ x + torch.eye(x.shape[1], dtype=x.dtype) / c, x.t() @ y)


def coordinates(generator: Generator, latent: Latent, space: str, layers: range | None) -> dict[str, Tensor]:
    """Return what a direction of `space` is to be multiplied with: the mean of w's layers, all of w, or the styles."""
    require_own(generator, latent)
    if space == "s":
        return generator.styles(latent)
    if space == "w+":
        return {"": latent.w}
    return {"": latent.w[list(range(len(latent.w)) if layers is None else layers)].mean(0)}
