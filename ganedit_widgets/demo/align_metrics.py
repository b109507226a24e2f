"""How well the aligner finds portraits that it has never seen, in scenes that nobody has seen."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..core.align import Aligner, Box
from ..core.align.aligner import DEMO, read_aligner
from ..core.align.box import turned
from ..core.image import to_pixels
from .align_scenes import FAR, scenes
from .held_out import HELD_OUT_SEED, held_out
from .results_file import Metric
from .statistics import bootstrap

SIDE = 192  # pixels of a scene
LOOKS = {"before": 0, "one_look": 1, "after": 2}


def affine_metrics(
    aligner: Aligner | None = None, count: int = 200, seed: int = HELD_OUT_SEED, size: int = 128
) -> dict[str, Metric]:
    """Return mean errors of the box of held-out portraits in scenes, before the aligner and after.

    "before" is the whole picture, which is what is embedded if nobody aligns. Places in shares of the true box's side,
    scales as |log ratio|, angles in degrees. "within" is the share of the boxes off by less than 0.1, 10 % and 6
    degrees. Raises `ModelError` where the weights are missing.
    """
    aligner = aligner or read_aligner(DEMO)
    tiles, labels, _ = held_out(0, count, size, seed)
    made = scenes(tiles, labels, FAR, torch.Generator().manual_seed(seed), SIDE, SIDE)
    truth = [Box(*row) for row in _rows(made.x * SIDE, made.y * SIDE, made.side * SIDE, made.angle.rad2deg())]
    sources = [to_pixels(picture) for picture in made.pictures]
    metrics: dict[str, Metric] = {}
    for name, looks in LOOKS.items():
        found = [aligner.find(source, looks) if looks else Box.whole(source.shape) for source in sources]
        errors = torch.tensor([_errors(box, true) for box, true in zip(found, truth, strict=True)])
        near = (errors < torch.tensor([0.1, math.log(1.1), 6.0])).all(1, keepdim=True).float()
        for what, column in zip(("place", "scale", "angle", "within"), torch.cat([errors, near], 1).t(), strict=True):
            metrics[f"alignment/{what}_{name}"] = bootstrap(lambda rows: float(rows.mean()), column)
    return metrics


def _errors(box: Box, true: Box) -> tuple[float, float, float]:
    place = math.hypot(box.x - true.x, box.y - true.y) / true.side
    return place, abs(math.log(box.side / true.side)), abs(turned(box.angle - true.angle))


def _rows(*columns: Tensor) -> list[list[float]]:
    return torch.stack(columns, 1).tolist()
