"""Find the box of a picture for any model: where its pictures, and nothing else, would fit best."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ..descent import Judgement, descend, require_differentiable
from ..generators.base import Generator
from ..image import Pixels, to_tensor
from ..latent import Latent
from ..probes.whitening import Whitening
from ..short import short
from .box import Box, require_box, turned
from .sampling import Pyramid, box_at
from .typical import COARSE, Typical

SAMPLES, SAMPLES_SLOW, BATCH = 256, 96, 16  # pictures drawn first; StyleGAN3 cannot draw them small
SIDES = (1.0, 0.8, 0.64, 0.5, 0.4, 0.32, 0.25)  # of the picture's shorter side
ANGLES = (-30.0, -15.0, 0.0, 15.0, 30.0)  # degrees
STRIDE = 0.16  # sides from one place to the next
CHUNK, AROUND = 500, 800  # boxes at once; crops that say what the picture itself is like
PLAIN = 0.1  # added to the error of a plain color: where there is nothing, nothing is explained
STARTS, SIDE = 4, 32  # places that are refined, and how large the crops are then, in pixels
RATE, REACH, STAY = 0.1, 0.15, 0.05  # Adam's; how far the box goes for a standard deviation of W; the weight of D²
# Of a box that can be trusted. Of ten scenes with a portrait of the demo, six of the seven right boxes are within and
# none of the three wrong ones; of eight photographs one is, a cat's face. All boxes of the tests' model, none of noise.
FITS, ORDINARY = 0.35, 4.0


Answer = dict[str, Any]  # fields of `Found`


@dataclass(frozen=True, eq=False)
class Found:
    """The best box so far, and the latent whose picture is nearest to its crop, once one has been sought."""

    box: Box
    latent: Latent | None
    step: int  # of `total`
    total: int
    fit: float = math.inf  # error of the latent's picture, over that of a plain color
    oddity: float = math.inf  # of the crop among the model's pictures, about 1.5 for those

    __repr__ = short

    @property
    def sure(self) -> bool:
        """Whether the crop is as the model's pictures are, and like the one that was found: else it may be anywhere."""
        return self.fit <= FITS and self.oddity <= ORDINARY


def find_box(generator: Generator, source: Pixels, iterations: int = 30, samples: int | None = None) -> Iterator[Found]:
    """Yield better and better boxes of `source`, (H, W, 3) uint8, in which `generator` could have drawn what is there.

    Coarse to fine. First pictures of the model are drawn, and thousands of boxes are compared with what is typical of
    those, and of the picture itself. Then box and latent are moved together, `iterations` steps from each of the best
    places and as many from the very best: (b*, w*) = argmin E(G(w), crop(source, b)) / E(plain, crop) + stay·D²(w),
    where E counts a pixel's error against how well it can be foretold at all, and a plain color is what a box without
    a picture of the model holds. Whoever stops reading keeps the best so far. Angles up to about 45 degrees are found.
    `Found.sure` says whether to trust it: some box is the best also where there is nothing of the model's kind.
    Deterministic. Raises `ModelError` if the model cannot be differentiated, `ImageError` for a picture without area.
    """
    whole = Box.whole(source.shape, generator.size)
    require_box(whole, source.shape, generator.size)
    require_differentiable(generator)
    samples = samples or _samples(generator)
    total = find_steps(generator, iterations, samples)
    now = Found(whole, None, 0, total)
    for step, found in enumerate(_search(generator, source, iterations, samples), 1):
        now = replace(now, step=step, **(found or {}))
        yield now


def find_steps(generator: Generator, iterations: int = 30, samples: int | None = None) -> int:
    """Return how many boxes `find_box` yields at most, for a progress bar."""
    return math.ceil((samples or _samples(generator)) / BATCH) + len(SIDES) + (STARTS + 1) * iterations


def _samples(generator: Generator) -> int:
    return SAMPLES if generator.family == "stylegan2" else SAMPLES_SLOW


def _search(generator: Generator, source: Pixels, iterations: int, samples: int) -> Iterator[Answer | None]:
    """Yield what is best so far, None while nothing is."""
    typical = yield from Typical.of_model(generator, samples, BATCH)
    with torch.inference_mode(False):
        pyramid = Pyramid(to_tensor(source, generator.device))
    side = Box.whole(source.shape, generator.size).side
    places, crops = [], []
    for share in SIDES:
        places.append(_places(source.shape, share * side, generator.size).to(generator.device))
        crops += [pyramid.crop(part, (COARSE, COARSE)) for part in places[-1].split(CHUNK)]
        yield None
    seen = torch.cat(crops)
    contrast = _Contrast(pyramid, typical, Typical.of(seen[:: max(1, len(seen) // AROUND)]))
    ranked = torch.cat(places)[contrast.of(seen).argsort()]
    yield from _refine(generator, contrast, _distinct(ranked, STARTS), iterations)


@dataclass(frozen=True, eq=False)
class _Contrast:
    """How typical of the model a crop is, and how untypical of the picture itself: less is better.

    Whatever is plain, as walls are, is near to the average of everything: what tells a picture of the model is how much
    better the model explains it than its surroundings do.
    """

    pyramid: Pyramid
    model: Typical
    around: Typical

    def of(self, crops: Tensor) -> Tensor:
        """Return it for crops (N, 3, 16, 16): (N,)."""
        return self.model.oddity(crops) - self.around.oddity(crops)

    def at(self, place: Tensor) -> float:
        """Return it for what lies at `place` (4,)."""
        with torch.no_grad():
            return float(self.of(self._crop(place))[0])

    def oddity(self, place: Tensor) -> float:
        """Return how untypical of the model what lies at `place` (4,) is."""
        with torch.no_grad():
            return float(self.model.oddity(self._crop(place))[0])

    def _crop(self, place: Tensor) -> Tensor:
        return self.pyramid.crop(place[None], (COARSE, COARSE))


def _places(shape: tuple[int, ...], side: float, size: tuple[int, int]) -> Tensor:
    """Return the boxes (N, 4) of one side that lie in a picture: a grid of centers, each with all angles."""
    height, width = shape[:2]
    across = side * size[1] / size[0]

    def centers(length: float, extent: float) -> Tensor:
        room = max(0.0, length - extent)
        count = 1 + math.ceil(room / (STRIDE * extent))
        return torch.linspace(length / 2 - room / 2, length / 2 + room / 2, count)

    angles = torch.tensor([math.radians(a) for a in ANGLES])
    grid = torch.meshgrid(centers(width, across), centers(height, side), angles, indexing="ij")
    x, y, angle = (axis.flatten() for axis in grid)
    return torch.stack([x, y, torch.full_like(x, math.log(side)), angle], 1)


def _distinct(places: Tensor, count: int) -> list[Tensor]:
    """Return the first of places (N, 4) of which none is near another."""
    chosen: list[Tensor] = []
    for place in places:
        apart = [(place[:2] - c[:2]).norm() / c[2].exp() + (place[2] - c[2]).abs() for c in chosen]
        if all(float(a) > 0.35 for a in apart):
            chosen.append(place)
        if len(chosen) == count:
            break
    return chosen


def _refine(generator: Generator, contrast: _Contrast, starts: list[Tensor], iterations: int) -> Iterator[Answer]:
    """Move box and latent together from each start, then once more from the best; yield the best of all so far."""
    found: list[tuple[float, _Joint, Latent]] = []
    rounds = [*starts, *[None] * (STARTS + 1 - len(starts))]  # the last one begins at the best
    for start in rounds:
        joint = _Joint(generator, contrast.pyramid, contrast.model)
        if start is None:
            _, nearest, latent = min(found, key=lambda f: f[0])
            joint.begin(nearest.best, latent)
        else:
            joint.begin(start)
        found.append((math.inf, joint, generator.average()))
        for latent in descend(joint.x, joint.latent_of, joint.judge, iterations, RATE, joint.report):
            found[-1] = (contrast.at(joint.best), joint, latent)
            _, nearest, best = min(found, key=lambda f: f[0])
            box = box_at(nearest.best)
            box = Box(box.x, box.y, box.side, turned(box.angle))
            yield {"box": box, "latent": best, "fit": nearest.fit, "oddity": contrast.oddity(nearest.best)}


class _Joint:
    """One search: its unknowns are u, (1, D) in whitened W, and four numbers that move the box."""

    def __init__(self, generator: Generator, pyramid: Pyramid, typical: Typical) -> None:
        self.generator, self.pyramid, self.typical = generator, pyramid, typical
        self.white = Whitening.of(generator)
        self.side = min(SIDE, *generator.size)

    def begin(self, place: Tensor, latent: Latent | None = None) -> None:
        """Set out from `place` (4,), and from a latent or the average."""
        with torch.inference_mode(False):
            self._begin(place, latent)

    def _begin(self, place: Tensor, latent: Latent | None) -> None:
        self.start = place.to(self.white.average).clone()
        u = torch.zeros_like(self.white.average)[None] if latent is None else self.white.to_u(latent.w[:1])
        self.x = [u, torch.zeros(4, device=u.device)]
        side, one = self.start[2].exp(), torch.ones_like(self.start[2])
        self.reach = REACH * torch.stack([side, side, one, one])

    def latent_of(self, u: Tensor, moved: Tensor) -> Latent:
        """Return the latent of u; remember the place."""
        self.place = self.start + self.reach * moved
        w = self.white.to_w(u).expand(self.generator.latent_shape[0], -1)
        return Latent(w, self.generator.fingerprint)

    def judge(self, latent: Latent) -> Judgement:
        """Compare the picture with the crop."""
        picture = shrunk(self.generator.draw(latent, until=self.side), self.side)
        seen = self.pyramid.crop(self.place[None], (picture.shape[-2], picture.shape[-1]))
        error, plain = (
            self.typical.weighed((seen - other).square().mean(1, keepdim=True))
            for other in (picture, seen.mean((2, 3), keepdim=True))
        )
        fit = error / (plain + PLAIN)
        loss = fit + STAY * self.white.to_u(latent.w[:1]).square().mean()
        return Judgement(loss, picture, {"place": self.place.detach().clone(), "fit": float(fit.detach())})  # type: ignore[dict-item]

    def report(self, numbers: dict[str, Any]) -> None:
        """Keep the best place, and how well it fits."""
        self.best: Tensor = numbers["place"]
        self.fit: float = numbers["fit"]


def shrunk(pictures: Tensor, side: int) -> Tensor:
    """Return pictures (N, 3, H, W) averaged down to `side` pixels; smaller ones as they are."""
    return pictures if pictures.shape[-1] <= side else F.interpolate(pictures, (side, side), mode="area")
