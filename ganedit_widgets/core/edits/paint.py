"""Paint what the parts should be, and the picture follows.

Ling et al., "EditGAN: High-Precision Semantic Image Editing", NeurIPS 2021, sections 3.3 and 3.4.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..descent import gradients, require_differentiable
from ..errors import LatentError, SegmentError
from ..generators.base import Generator, require_own
from ..latent import Latent
from ..segment.labels import LabelMap, checked_labels
from ..segment.segmenter import Segmenter
from ..short import short
from .base import Report, ignore, run
from .direction import MoveAlong
from .objective import require_walk
from .paint_objective import Embedding, PaintObjective, Weights, walk
from .paint_region import edit_region, filled_in, much_changed, suggested_classes

ENOUGH = 0.8  # share of the region that follows: with less, one wonders where the painted part is
# weights of `Paint` for a part that was not there before
LARGE: Mapping[str, Any] = {"keep": 5.0, "paint": 3.0, "near": 0.1, "rate": 0.1}


@dataclass(frozen=True, eq=False)
class Paint:
    """δ* = argmin over W+ of keep·L_RGB(outside r) + paint·L_CE(inside r) + identity·L_ID + near·‖δ‖²/n.

    r is where the picture showed or shall show one of `classes`, and whatever else was painted over, with a margin.
    `iterations` steps are as many updates; every latent yielded is the best so far. The change can be kept as an edit
    vector (`core.vectors.extract`). Glasses, a beard or another part that was not there before need a larger step:
    ``Paint(..., **LARGE)``, at the price of more change outside.
    """

    painted: LabelMap  # (H, W) of class numbers, of the segmenter's size; 255: as it was
    segmenter: Segmenter
    iterations: int = 100
    classes: tuple[str, ...] | None = None  # Q_edit; None: those that the painting changes much of, else painted with
    rate: float = 0.05  # Adam's, in standard deviations of W
    keep: float = 15.0  # λ₁
    paint: float = 1.0  # λ₂
    identity: float = 10.0  # λ₃, if there is an embedding network
    near: float = 0.3  # holds the latent where it was; 0 as published: as good a likeness, but a larger step
    pixel: float = 2.0  # of the squared error within L_RGB
    margin: int | None = None  # pixels around r; None: a hundredth of the height, 2 at least
    perceptual: str = "auto"  # see `core.perceptual.distance_to`
    embedding: Embedding | None = None  # of whom a picture shows; recipes keep such an edit's result only
    stop_after: int | None = None  # end early, after so many steps

    __repr__ = short

    @property
    def total(self) -> int:
        """The number of steps."""
        return self.iterations if self.stop_after is None else min(self.stop_after, self.iterations)

    def stopped(self, done: int) -> Paint:
        """Return the search that ends after `done` steps."""
        return replace(self, stop_after=done)

    def steps(self, generator: Generator, latent: Latent, report: Report = ignore) -> Iterator[Latent]:
        """Yield the best latent so far; report "agreement", "cross_entropy" and "psnr" (outside) with each.

        Raises `SegmentError` if nothing was painted over, for a mask of another size, a number that no class has, and
        for a class that the segmenter never saw.
        """
        require_own(generator, latent)
        require_differentiable(generator)
        require_walk(self.total, self.rate)
        with gradients():
            before, wanted, concerned = self._masks(generator, latent)
            region = edit_region(before, wanted, concerned, self.margin)
            weights = Weights(self.keep, self.paint, self.identity, self.near, self.pixel)
            judge = PaintObjective(
                generator, self.segmenter, latent, wanted, region, weights, self.perceptual, self.embedding
            )
        yield from walk(judge, latent, self.iterations, self.rate, report, self.total)

    def about(self, generator: Generator, latent: Latent) -> tuple[str, ...]:
        """Return the classes of Q_edit, given or suggested, as an edit vector keeps them; raises as `steps` does."""
        return self.area(self._before(generator, latent))[1]

    def region(self, generator: Generator, latent: Latent) -> NDArray[np.bool_]:
        """Return r (H, W), where this edit of `latent` takes place, to be shown; raises as `steps` does."""
        return self.area(self._before(generator, latent))[0]

    def area(self, before: LabelMap) -> tuple[NDArray[np.bool_], tuple[str, ...]]:
        """Return r (H, W) and the classes of Q_edit for a picture whose labels are `before` (H, W); draws nothing.

        Raises as `steps` does.
        """
        wanted = self._wanted(before)
        concerned = self._concerned(before, wanted)
        classes = tuple(self.segmenter.classes[number] for number in concerned)
        return edit_region(before, wanted, concerned, self.margin), classes

    def _masks(self, generator: Generator, latent: Latent) -> tuple[LabelMap, LabelMap, tuple[int, ...]]:
        """Return the labels before and as they are wanted, and the numbers of Q_edit."""
        before = self._before(generator, latent)
        wanted = self._wanted(before)
        return before, wanted, self._concerned(before, wanted)

    def _before(self, generator: Generator, latent: Latent) -> LabelMap:
        self.segmenter.require_own(generator)
        self._painted()  # what cannot be right is refused before anything is drawn
        return self.segmenter.labels(generator, latent)

    def _wanted(self, before: LabelMap) -> LabelMap:
        return filled_in(self._painted(), before)

    def _painted(self) -> LabelMap:
        return checked_labels(self.painted, self.segmenter.classes, self.segmenter.size, "The painted mask")

    def _concerned(self, before: LabelMap, wanted: LabelMap) -> tuple[int, ...]:
        """Return the numbers of Q_edit."""
        changed = before != wanted
        if not changed.any():
            raise SegmentError("The painted mask is what the picture shows already: paint over something first.")
        for number in sorted(set(wanted[changed].tolist())):
            if not self.segmenter.counts[number]:
                raise SegmentError(
                    f"The segmenter never saw {self.segmenter.classes[number]!r}, it was in none of the labeled "
                    "pictures: label it in one of them and train again, or paint with another class."
                )
        if self.classes is None:
            return suggested_classes(before, wanted)
        return tuple(self.segmenter.number(name) for name in self.classes)


@dataclass(frozen=True, eq=False)
class Refine:
    """Make `moves`, then mend what they harmed: the new labels stay, and outside their region the old picture returns.

    EditGAN's self-supervised refinement of one vector or of several together. `iterations` 0 only moves.
    """

    moves: tuple[MoveAlong, ...]  # such as `EditVector.at` makes, one after the other
    segmenter: Segmenter
    iterations: int = 10
    classes: tuple[str, ...] | None = None  # Q_edit of the vectors; None: those that the moves change much of
    rate: float = 0.02  # Adam's, in standard deviations of W
    keep: float = 5.0  # λ₁
    paint: float = 1.0  # λ₂
    identity: float = 5.0  # λ₃, if there is an embedding network
    near: float = 0.0  # holds the latent near the one before the moves
    pixel: float = 2.0  # of the squared error within L_RGB
    margin: int | None = None  # pixels around r; None: a hundredth of the height, 2 at least
    perceptual: str = "auto"  # see `core.perceptual.distance_to`
    embedding: Embedding | None = None  # of whom a picture shows; recipes keep such an edit's result only
    stop_after: int | None = None  # end early, after so many steps

    __repr__ = short

    @property
    def total(self) -> int:
        """The number of steps; 1 if nothing is refined."""
        return max(1, self.iterations if self.stop_after is None else min(self.stop_after, self.iterations))

    def stopped(self, done: int) -> Refine:
        """Return the search that ends after `done` steps."""
        return replace(self, stop_after=done)

    def steps(self, generator: Generator, latent: Latent, report: Report = ignore) -> Iterator[Latent]:
        """Yield the best latent so far; report as `Paint` does.

        Where the moves change no label there is nothing to mend: they are made. Raises `SegmentError` for a class that
        is not there, `LatentError` for a negative number of steps.
        """
        if self.iterations < 0:
            raise LatentError(f"{self.iterations} steps were asked for: 0 only moves, and more mend what that harmed.")
        require_own(generator, latent)
        self.segmenter.require_own(generator)
        moved = run(generator, latent, *self.moves)
        if self.iterations == 0:
            yield moved
            return
        require_differentiable(generator)
        require_walk(self.total, self.rate)
        with gradients():
            before, after = (self.segmenter.labels(generator, x) for x in (latent, moved))
            named = self.classes
            about = much_changed(before, after) if named is None else [self.segmenter.number(n) for n in named]
            region = edit_region(before, after, about, self.margin)
        if not region.any():  # a small scale
            yield moved
            return
        with gradients():
            weights = Weights(self.keep, self.paint, self.identity, self.near, self.pixel)
            judge = PaintObjective(
                generator, self.segmenter, latent, after, region, weights, self.perceptual, self.embedding
            )
        yield from walk(judge, moved, self.iterations, self.rate, report, self.total)
