"""Find the latent whose picture looks like a given one.

Abdal et al., "Image2StyleGAN", ICCV 2019; in the whitened W of Zhu et al., "Improved StyleGAN Embedding", 2020.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from ..descent import descend, gradients, require_differentiable
from ..errors import LatentError
from ..generators.base import Generator, require_own
from ..image import Picture, Pixels
from ..latent import Latent
from ..short import short
from .base import Report, ignore
from .objective import Objective, Part, require_walk
from .starts import SPACES, STARTS, Coordinates, starting_points


@dataclass(frozen=True, eq=False)
class Embed:
    """w* = argmin perceptual(G(w), x) + pixel·MSE(G(w), x) + stay·D²(w), by Adam in whitened coordinates of W.

    D(w) says how far w lies from the model's own latents: the root mean square of w's whitened coordinates, about 1
    for a sampled latent. A good likeness far outside can hardly be edited; `stay` holds it near. Every latent yielded
    is the best so far. Z has no average, and a latent no known z: there the start is always "random".
    """

    picture: Picture | Pixels  # cropped and scaled to the generator's size if it has another
    iterations: int = 150
    space: str = "w+"  # "w+": a style for each layer, the best likeness; "w" and "z": only what the model could sample
    start: str = "average"  # or "current", "random" (the nearest of 16 pictures), "encoder" (if the model has one)
    rate: float = 0.15  # Adam's, in standard deviations of W
    pixel: float = 2.0  # weight of the pixels' squared error
    stay: float = 0.03  # weight of D²
    perceptual: str = "auto"  # see `core.perceptual.distance_to`
    stop_after: int | None = None  # end early, after so many steps
    first_w: int = 0  # of the iterations, how many search in W before W+ is opened: easier to edit (Zhu et al. 2020)
    restarts: int = 1  # random starts that are searched from side by side; the best is kept

    __repr__ = short
    keeps_label = True  # of a conditional model: that of the latent before

    @property
    def anew(self) -> bool:
        """Whether what was before has no part in the result, but for the label."""
        return self.start != "current"

    @property
    def total(self) -> int:
        """The number of steps."""
        return self.iterations if self.stop_after is None else min(self.stop_after, self.iterations)

    def stopped(self, done: int) -> Embed:
        """Return the search that ends after `done` steps."""
        return replace(self, stop_after=done)

    def steps(self, generator: Generator, latent: Latent, report: Report = ignore) -> Iterator[Latent]:
        """Yield the best latent so far; report "psnr" (dB), "perceptual", and "distance" (D) with each."""
        first, points, judge = self.begin(generator, latent)
        reached = latent
        for reached in self._walk(first, points, judge, 0, report):
            yield reached
        if self.first_w and self.total > self.first_w:
            second = replace(first, space="w+")
            yield from self._walk(second, second.point(reached.w), judge, self.first_w, report)

    def judge(self, generator: Generator, pictures: Sequence[Picture | Pixels]) -> Objective:
        """Return what this search judges latents by, of one picture, or of as many as there will be latents."""
        return Objective(generator, [Part(pictures, pixel=self.pixel)], self.stay, self.perceptual)

    def begin(self, generator: Generator, latent: Latent) -> tuple[Coordinates, Tensor, Objective]:
        """Return the coordinates of the first stage, the points (restarts, rows, D) where it begins, and the judge.

        Raises `LatentError` for settings that mean nothing, `ModelError` for a model that no gradient can pass.
        """
        require_own(generator, latent)
        require_differentiable(generator)
        self._check()
        base = latent if self.start == "current" else Latent(latent.w, latent.fingerprint, label=latent.label)
        first = Coordinates(generator, base, "w" if self.first_w else self.space)
        with gradients():
            judge = self.judge(generator, [self.picture])
            points = starting_points(first, self.start, latent, judge.target, judge, self.restarts)
        return first, points, judge

    def _walk(self, way: Coordinates, points: Tensor, judge: Objective, done: int, report: Report) -> Iterator[Latent]:
        """Take the steps after `done`: those in W if there are such and none is done yet, else the rest."""

        def counted(numbers: dict[str, float]) -> None:
            report({**numbers, "step": numbers["step"] + done})

        return descend([points], way.latents, judge, self.walk(done), self.rate, counted, self.total - done)

    def walk(self, done: int) -> int:
        """Return how many steps the walk has that begins after `done`: those in W, or what is left for W+."""
        return self.first_w if self.first_w and not done else self.iterations - done

    def _check(self) -> None:
        for value, known in ((self.space, SPACES), (self.start, STARTS)):
            if value not in known:
                raise LatentError(f"{value!r} was given: choose one of {', '.join(map(repr, known))}.")
        require_walk(self.total, self.rate)
        if self.first_w and not (self.space == "w+" and 0 < self.first_w < self.iterations):
            raise LatentError(
                f"{self.first_w} of {self.iterations} steps in {self.space.upper()} were asked to be in W: search in "
                "W+, and leave steps for it."
            )
        if self.restarts < 1 or (self.restarts > 1 and self.space != "z" and self.start != "random"):
            raise LatentError(f"{self.restarts} walks from {self.start!r} were asked for: choose the start 'random'.")
