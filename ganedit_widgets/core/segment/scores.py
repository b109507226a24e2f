"""How good a segmenter is: intersection over union, and what it makes of a picture that it did not learn from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..errors import SegmentError
from ..generators.base import Generator
from ..short import short
from .ensemble import plain_logits
from .examples import Examples
from .labels import UNLABELED, Labeled, LabelMap
from .training import SegmentPlan, SegmentTraining, require_trainable

CHUNK = 4096  # pixels at a time
STANDARD = SegmentPlan()


@dataclass(frozen=True, eq=False)
class Overlap:
    """Pixels of each class that two label maps, or many pairs of them, share; `a + b` counts both."""

    shared: NDArray[np.int64]  # (C,): where both say so
    either: NDArray[np.int64]  # (C,): where at least one does

    __repr__ = short

    def __add__(self, other: Overlap) -> Overlap:
        return Overlap(self.shared + other.shared, self.either + other.either)

    @property
    def iou(self) -> NDArray[np.float64]:
        """Intersection over union of each class, (C,) in [0, 1]; nan where neither map has it."""
        with np.errstate(invalid="ignore"):
            return self.shared / np.where(self.either > 0, self.either, np.nan)

    @property
    def miou(self) -> float:
        """The mean over the classes that occur; nan if nothing is labeled."""
        known = self.iou[self.either > 0]
        return float(known.mean()) if known.size else float("nan")


def overlap(found: LabelMap, wanted: LabelMap, classes: int) -> Overlap:
    """Return how well two label maps (H, W) agree; what is 255 in `wanted` is left out."""
    known = wanted != UNLABELED
    pairs = np.bincount(found[known].astype(np.int64) * 256 + wanted[known], minlength=65536).reshape(256, 256)
    shared = pairs.diagonal()[:classes]
    return Overlap(shared.copy(), (pairs.sum(0)[:classes] + pairs.sum(1)[:classes]) - shared)


@dataclass(frozen=True, eq=False)
class LeaveOneOut:
    """Where the measurement stands; `overlaps`, one for each picture, come at the end."""

    step: int
    total: int
    seconds_left: float
    overlaps: tuple[Overlap, ...] = field(default=(), repr=False)

    __repr__ = short

    @property
    def miou(self) -> float:
        """Over all pictures together, each labeled by a network that has not seen it."""
        return sum(self.overlaps[1:], self.overlaps[0]).miou if self.overlaps else float("nan")


def leave_one_out(
    generator: Generator,
    labeled: Sequence[Labeled],
    classes: Sequence[str],
    plan: SegmentPlan = STANDARD,
    report_every: int = 25,
) -> Iterator[LeaveOneOut]:
    """Train one network for each picture on all the others, side by side, and let it label that one.

    What is measured is a single network, a little worse than the ensemble that is used in the end, and only on pictures
    that somebody chose to label. `plan.models` has no meaning here. Raises `SegmentError` for fewer than two pictures,
    and as `train_segmenter` does.
    """
    require_trainable(plan, classes)
    if len(labeled) < 2:
        raise SegmentError(f"{len(labeled)} labeled pictures were given: leaving one out needs two at least.")
    examples = Examples.of(generator, labeled, classes)
    pools = [examples.pool(without=i) for i in range(len(labeled))]
    if not all(len(pool) for pool in pools):
        raise SegmentError("Only one of the pictures is labeled: label another one.")
    training = SegmentTraining(examples, replace(plan, models=len(labeled)), pools)
    for step, _, _, left in training.walk(report_every):
        if step < plan.steps:
            yield LeaveOneOut(step, plan.steps, left)
    folded = training.folded()
    overlaps = tuple(_judged({k: w[i : i + 1] for k, w in folded.items()}, examples, i) for i in range(len(labeled)))
    yield LeaveOneOut(plan.steps, plan.steps, 0.0, overlaps)


def _judged(folded: dict[str, Tensor], examples: Examples, picture: int) -> Overlap:
    """Return how well one network labels one picture."""
    pixels = torch.arange(picture * examples.area, (picture + 1) * examples.area, device=examples.device)
    with torch.inference_mode(False), torch.no_grad():
        found = [plain_logits(folded, examples.features(some)[None])[0].argmax(-1) for some in pixels.split(CHUNK)]
    labels = [x.to(torch.uint8).cpu().numpy() for x in (torch.cat(found), examples.labels[pixels])]
    return overlap(labels[0], labels[1], len(examples.classes))
