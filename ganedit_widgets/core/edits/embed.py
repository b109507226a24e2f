"""Find the latent whose picture looks like a given one; copy this file for a method whose answer is searched for.

Abdal et al., "Image2StyleGAN", ICCV 2019; in the whitened W of Zhu et al., "Improved StyleGAN Embedding", 2020.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..descent import Judgement, descend, gradients, require_differentiable
from ..errors import LatentError
from ..generators.base import Generator, require_own
from ..image import Picture, Pixels, to_tensor
from ..latent import Latent
from ..perceptual import distance_to, pixel_error, psnr
from ..probes.whitening import Whitening
from ..short import short
from .base import Report, ignore

SPACES, STARTS = ("w+", "w", "z"), ("average", "current", "random")
TRIED = 16  # random pictures among which the start "random" chooses the nearest

LatentOf = Callable[[Tensor], Latent]
Judge = Callable[[Latent], Judgement]


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
    start: str = "average"  # or "current", or "random": the nearest of 16 random pictures
    rate: float = 0.15  # Adam's, in standard deviations of W
    pixel: float = 2.0  # weight of the pixels' squared error
    stay: float = 0.03  # weight of D²
    perceptual: str = "auto"  # see `core.perceptual.distance_to`
    stop_after: int | None = None  # end early, after so many steps

    __repr__ = short

    @property
    def total(self) -> int:
        """The number of steps."""
        return self.iterations if self.stop_after is None else min(self.stop_after, self.iterations)

    def stopped(self, done: int) -> Embed:
        """Return the search that ends after `done` steps."""
        return replace(self, stop_after=done)

    def steps(self, generator: Generator, latent: Latent, report: Report = ignore) -> Iterator[Latent]:
        """Yield the best latent so far; report "psnr" (dB), "perceptual", and "distance" (D) with each."""
        require_own(generator, latent)
        require_differentiable(generator)
        self._check()
        given = self.picture if isinstance(self.picture, Picture) else Picture(self.picture)
        with gradients():
            target = to_tensor(given.fitted(generator.size), generator.device)
            judge = self._judge(generator, target)
            start, latent_of = self._start(generator, latent, judge)
        yield from descend([start], latent_of, judge, self.iterations, self.rate, report, self.stop_after)

    def _check(self) -> None:
        for value, known in ((self.space, SPACES), (self.start, STARTS)):
            if value not in known:
                raise LatentError(f"{value!r} was given: choose one of {', '.join(map(repr, known))}.")
        if not (0 < self.rate < float("inf")) or not (0 <= self.pixel + self.stay < float("inf")):
            raise LatentError("The rate and the weights of a search must be positive numbers: use the defaults.")
        if self.total < 1:
            raise LatentError(f"{self.total} steps were asked for: at least one is needed.")

    def _judge(self, generator: Generator, target: Tensor) -> Judge:
        looks = distance_to(generator, target, self.perceptual)
        white = Whitening.of(generator)

        def judge(latent: Latent) -> Judgement:
            picture = generator.draw(latent)
            seen, far = looks(picture), white.to_u(latent.w).square().mean()
            loss = seen + self.pixel * pixel_error(picture, target) + self.stay * far
            numbers = {"perceptual": float(seen.detach()), "distance": float(far.detach()) ** 0.5}
            return Judgement(loss, picture, {"psnr": psnr(picture, target), **numbers})

        return judge

    def _start(self, generator: Generator, latent: Latent, judge: Judge) -> tuple[Tensor, LatentOf]:
        """Return the first point of the search and the map from such points to latents."""
        white, rows = Whitening.of(generator), generator.latent_shape[0]
        base = latent if self.start == "current" else Latent(latent.w, latent.fingerprint, label=latent.label)

        def from_u(u: Tensor) -> Latent:
            return replace(base, w=white.to_w(u).expand(rows, -1))

        def from_z(z: Tensor) -> Latent:
            return replace(base, w=generator.map(z, base.label).expand(rows, -1))

        if self.space == "z":
            return _nearest([generator.z(seed) for seed in range(TRIED)], from_z, judge), from_z
        count = rows if self.space == "w+" else 1
        if self.start == "random":
            found = _nearest([white.to_u(w)[None] for w in generator.w_samples[:TRIED].clone()], from_u, judge)
        else:
            w = latent.w.to(white.average) if self.start == "current" else white.average[None]
            found = white.to_u(w if len(w) == count else w.mean(0, keepdim=True))
        return found.expand(count, -1).clone(), from_u


def _nearest(points: list[Tensor], latent_of: LatentOf, judge: Judge) -> Tensor:
    """Return the point whose latent is judged best."""
    with torch.no_grad():
        return min(points, key=lambda point: float(judge(latent_of(point)).loss))
