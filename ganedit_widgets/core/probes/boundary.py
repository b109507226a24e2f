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
        rows = [_coordinates(generator, latent, space, layers) for latent in latents]
        x = torch.stack([torch.cat([part.flatten() for part in row.values()]) for row in rows]).double().cpu()
        x = x - x.mean(0)
        x = x / x.square().mean().sqrt().clamp(min=1e-12)
    target = torch.from_numpy(y)
    normal = linear_svm(x, target > values[0], c)[0] if len(values) == 2 else ridge(x, target, c)
    pieces = dict(zip(rows[0], normal.split([part.numel() for part in rows[0].values()]), strict=True))
    vector = whole({k: piece.reshape(rows[0][k].shape) for k, piece in pieces.items()}, space)
    return new_direction(generator, vector, name, layers, "boundary", sign="the label rises")


def linear_svm(x: Tensor, positive: Tensor, c: float = 1.0) -> tuple[Tensor, float]:
    """Return (v, b) that minimize ½‖v‖² + c·Σ max(0, 1 − y·(v·x + b))², y = ±1, by L-BFGS in float64.

    `x` (N, M); `positive` (N,) bool. The squared hinge is smooth, and b is not penalized.
    """
    x, y = x.double(), positive.double() * 2 - 1

    def cost(theta: Tensor) -> Tensor:
        margins = y * (x @ theta[:-1] + theta[-1])
        return theta[:-1].square().sum() / 2 + c * (1 - margins).clamp(min=0).square().sum()

    theta = _minimize(cost, torch.zeros(x.shape[1] + 1, dtype=torch.float64))
    return theta[:-1], float(theta[-1])


def ridge(x: Tensor, y: Tensor, c: float = 1.0) -> Tensor:
    """Return v (M,) that minimizes ½‖v‖² + c·Σ (v·(x − x̄) − (y − ȳ)/σ(y))²/2; `x` (N, M), `y` (N,)."""
    x, y = x.double() - x.double().mean(0), y.double()
    y = (y - y.mean()) / y.std()
    if len(x) < x.shape[1]:  # the dual is smaller
        return x.t() @ torch.linalg.solve(x @ x.t() + torch.eye(len(x), dtype=x.dtype) / c, y)
    return torch.linalg.solve(x.t() @ x + torch.eye(x.shape[1], dtype=x.dtype) / c, x.t() @ y)


def _minimize(cost: Any, start: Tensor) -> Tensor:
    with torch.inference_mode(False), torch.enable_grad():
        theta = start.clone().requires_grad_()
        search = torch.optim.LBFGS(
            [theta], max_iter=500, history_size=20, tolerance_grad=1e-9, tolerance_change=1e-14,
            line_search_fn="strong_wolfe",
        )  # fmt: skip

        def closure() -> Tensor:
            search.zero_grad()
            value: Tensor = cost(theta)
            value.backward()  # type: ignore[no-untyped-call]
            return value

        search.step(closure)
    return theta.detach()


def _coordinates(generator: Generator, latent: Latent, space: str, layers: range | None) -> dict[str, Tensor]:
    require_own(generator, latent)
    if space == "s":
        return generator.styles(latent)
    if space == "w+":
        return {"": latent.w}
    return {"": latent.w[list(range(len(latent.w)) if layers is None else layers)].mean(0)}
