"""How well a picture was embedded: is it alike, does the model know such latents, and will it follow edits?

Everything is judged by the model's own samples, so that the same words mean the same for every model:

* likeness: the perceptual distance to the picture, over the usual one between two samples of the model, or the same
  ratio of the pixels' errors (root mean square), if that is larger. Up to 0.35 is close, up to 0.6 fair, more is poor.
  (0: the same; 1: as far as strangers.)
* the worst place: the same ratio of errors in a window of an eighth of the side, where it is largest. From 0.7 on it
  is named: a mouth that stays closed hardly counts in the whole, and yet it is what one sees.
* distance: D of `Embed`, in standard deviations of W. Up to the 99th percentile of samples is inside, up to 1.3 times
  that at the rim, more is outside.
* editability: how much the picture changes along the model's first principal components at strengths ±1.5, over how
  much samples do. 0.6 to 1.6 is as usual, less is stiff, more is jumpy.
"""

from __future__ import annotations

from collections.abc import Generator as Walk
from dataclasses import dataclass, replace
from statistics import median
from typing import TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .edits.direction import MoveAlong
from .generators.base import Generator, require_own
from .image import Picture, Pixels, to_pixels, to_tensor
from .latent import Latent
from .masks import Mask, masked_target
from .perceptual import decibels, distance_to, pixel_error
from .probes.directions import Direction
from .probes.finders import pca
from .probes.whitening import Whitening
from .short import short

CLOSE, FAIR = 0.35, 0.6  # of the usual distance between two samples
APART, WINDOW = 0.7, 8  # a place as unlike as that is named; how many windows make a side
INSIDE, RIM = 0.99, 1.3  # quantile of the samples' D; how many times that is still the rim
STIFF, JUMPY = 0.6, 1.6  # of the samples' usual change
SAMPLES, DIRECTIONS, STRENGTH = 6, 4, 1.5  # of the probe
SMALL = 64  # pixels: side of the pictures whose change is measured

Result = TypeVar("Result")


@dataclass(frozen=True, eq=False)
class ReportCard:
    """What `report_card` found."""

    before: Pixels  # (H, W, 3): the picture that was embedded, at the model's size
    after: Pixels  # (H, W, 3): what the latent draws
    difference: Pixels  # (H, W, 3): how far they are apart, see `difference`
    psnr: float  # dB
    perceptual: float  # as `Embed` measures it
    likeness: float  # distance to the picture over that of two samples of the model, see above
    distance: float  # D, in standard deviations of W
    usual_distance: float  # the samples' 99th percentile of it
    editability: float  # change under edits over that of samples
    worst: float = 0.0  # likeness where it is worst, by the pixels' errors
    where: tuple[float, float] = (0.5, 0.5)  # that place, (x, y) in shares of the picture
    verdict: str = ""  # one sentence
    advice: str = ""  # one sentence: what to try next

    __repr__ = short

    @property
    def words(self) -> dict[str, str]:
        """Name → each number in words: "close", "inside", "as usual", …."""
        return {"likeness": self._likeness, "distance": self._place, "editability": self._reaction}

    @property
    def _likeness(self) -> str:
        return _word(self.likeness, (CLOSE, "close"), (FAIR, "fair"), "poor")

    @property
    def _place(self) -> str:
        return _word(self.distance / self.usual_distance, (1.0, "inside"), (RIM, "at the rim"), "outside")

    @property
    def _reaction(self) -> str:
        return _word(self.editability, (STIFF, "stiff"), (JUMPY, "as usual"), "jumpy")


def report_card(
    generator: Generator, latent: Latent, picture: Picture | Pixels, where: Mask | None = None
) -> ReportCard:
    """Return how well `latent` stands for `picture`, (H, W, 3), which is cropped and scaled if it has another size.

    `where`, a mask (H, W) of any size: only what is inside is judged, and outside the difference is 0.
    Draws about sixty small pictures the first time, and nine from then on. Raises `LatentError` for a foreign latent.
    """
    return finish(card_steps(generator, latent, picture, where))


def card_steps(
    generator: Generator, latent: Latent, picture: Picture | Pixels, where: Mask | None = None
) -> Walk[None, None, ReportCard]:
    """Do what `report_card` does, with a `yield` after each drawing; the card is what the generator returns."""
    require_own(generator, latent)
    given = picture if isinstance(picture, Picture) else Picture(picture)
    before = given.fitted(generator.size)
    usual = yield from _usual(generator)
    with torch.no_grad():
        target = to_tensor(before, generator.device)
        drawn = generator.draw(latent)
        target, share = _judged(target, drawn, given, where)
        perceptual = float(distance_to(generator, target)(drawn)) / share
        error = float(_error(drawn, target)) / share**0.5
        worst, place = _worst(_map(drawn, target) / usual.map)
        distance = float(Whitening.of(generator).distance(latent.w))
    yield
    change = yield from _change(generator, latent, usual.directions)
    after = to_pixels(drawn)
    likeness = max(perceptual / max(usual.apart, 1e-9), error / max(usual.error, 1e-9))
    editability = change / max(usual.change, 1e-9)
    numbers = (decibels(error**2), perceptual, likeness, distance, usual.distance, editability, worst, place)
    apart = difference(before if where is None else to_pixels(target), after)
    card = ReportCard(before, after, apart, *numbers)
    verdict, advice = _verdict(card)
    return replace(card, verdict=verdict, advice=advice)


def _judged(target: Tensor, drawn: Tensor, picture: Picture, where: Mask | None) -> tuple[Tensor, float]:
    """Return the target, which outside the mask is what was drawn, and the share that is inside."""
    if where is None:
        return target, 1.0
    mask = masked_target(picture, where, (drawn.shape[2], drawn.shape[3]))[1]
    assert mask is not None  # one was given
    mask = mask.to(drawn)
    return torch.where(mask > 0, target, drawn), float(mask.mean())


def difference(one: Pixels, other: Pixels) -> Pixels:
    """Return |one − other| of two pictures (H, W, 3), as a gray picture (H, W, 3); 128 levels or more are white."""
    apart = np.abs(one.astype(np.int16) - other).max(2)
    gray = (apart * 2).clip(0, 255).astype(np.uint8)
    return np.repeat(gray[..., None], 3, 2)


def finish(steps: Walk[None, None, Result]) -> Result:
    """Run a generator to its end and return what it returns."""
    found: list[Result] = []

    def keep() -> Walk[None, None, None]:
        found.append((yield from steps))

    for _ in keep():
        pass
    return found[0]


def _word(value: float, low: tuple[float, str], middle: tuple[float, str], else_: str) -> str:
    return next((word for most, word in (low, middle) if value <= most), else_)


# ---- what is usual for a model


@dataclass(frozen=True, eq=False)
class _Usual:
    """What the model's own samples are like; measured once."""

    apart: float  # perceptual distance between two of them
    error: float  # root mean square of the difference of two of their pixels
    distance: float  # 99th percentile of D
    map: Tensor  # (1, 1, H, W): of `_map` between two of them
    change: float  # under the edits of the probe
    directions: list[Direction]


def _usual(generator: Generator) -> Walk[None, None, _Usual]:
    kept = generator.__dict__
    if "_usual" not in kept:
        white = Whitening.of(generator)
        distances = white.to_u(generator.w_samples).square().mean(1).sqrt()
        far = float(torch.quantile(distances.float(), INSIDE))
        count = min(DIRECTIONS, generator.latent_shape[1])
        directions = pca(generator, count, 2000)
        apart, errors, maps, changes = [], [], [], []
        for i in range(SAMPLES):
            pair = [generator.latent(w) for w in generator.w_samples[2 * i : 2 * i + 2].clone()]
            with torch.no_grad():
                one, other = (generator.draw(latent) for latent in pair)
                apart.append(float(distance_to(generator, one)(other)))
                errors.append(float(_error(one, other)))
                maps.append(_map(one, other))
            yield
            changes.append((yield from _change(generator, pair[0], directions)))
        places = torch.stack(maps).median(0).values
        places = places.clamp(min=max(float(places.mean()) / 2, 1e-9))  # plain grounds are alike in all of them
        kept["_usual"] = _Usual(median(apart), median(errors), far, places, median(changes), directions)
    return kept["_usual"]


def _change(generator: Generator, latent: Latent, directions: list[Direction]) -> Walk[None, None, float]:
    """Return the root mean square change of the picture under the edits of the probe."""
    still = _small(generator, latent)
    total = 0.0
    for direction in directions:
        for strength in (-STRENGTH, STRENGTH):
            moved = next(iter(MoveAlong(direction, strength).steps(generator, latent)))
            total += float((_small(generator, moved) - still).square().mean())
            yield
    return (total / (2 * len(directions))) ** 0.5


def _error(one: Tensor, other: Tensor) -> Tensor:
    return pixel_error(one.clamp(-1, 1), other.clamp(-1, 1)).sqrt()


def _map(one: Tensor, other: Tensor) -> Tensor:
    """Return the root mean square difference of pixels in a window around each, (1, 1, H, W)."""
    error = (one.clamp(-1, 1) - other.clamp(-1, 1)).square().mean(1, keepdim=True)
    window = max(1, error.shape[-1] // WINDOW) | 1
    return F.avg_pool2d(error, window, 1, window // 2, count_include_pad=False).sqrt()


def _worst(ratio: Tensor) -> tuple[float, tuple[float, float]]:
    height, width = ratio.shape[-2:]
    y, x = divmod(int(ratio.argmax()), width)
    return float(ratio.max()), ((x + 0.5) / width, (y + 0.5) / height)


@torch.no_grad()
def _small(generator: Generator, latent: Latent) -> Tensor:
    picture = generator.draw(latent, until=SMALL).clamp(-1, 1)
    return picture if picture.shape[-1] <= SMALL else F.interpolate(picture, (SMALL, SMALL), mode="area")


# ---- the verdict


def _verdict(card: ReportCard) -> tuple[str, str]:
    """Return (verdict, advice); the likeness is judged first, then the place, then the reaction to edits."""
    likeness, place, reaction = card._likeness, card._place, card._reaction
    alike = {"close": "A close likeness", "fair": "A fair likeness", "poor": "A poor likeness"}[likeness]
    joined = {"inside": "where the model draws by itself", "at the rim": "at the rim of what the model draws"}
    where = joined.get(place, "far outside what the model draws")
    moves = {
        "as usual": "it follows edits as usual",
        "stiff": "edits hardly move it",
        "jumpy": "edits move it far",
    }
    if likeness == "poor":  # what else is true of the latent is true of another picture
        return f"{alike}{', far outside what the model draws' if place == 'outside' else ''}.", _poor(place)
    spot = f" but for the {_spot(card.where)}" if card.worst > APART else ""
    verdict = f"{alike}{spot}, {where}; {moves[reaction]}."
    if place == "outside":
        return verdict, "Edits may break it: search in W, or stay nearer to the average (`stay`), or take fewer steps."
    if reaction != "as usual":
        return verdict, f"Edit it with {'larger' if reaction == 'stiff' else 'smaller'} strengths, or search in W."
    if likeness == "fair" or spot:
        return verdict, "More steps, or a box that fits better, bring it nearer; then edit it."
    return verdict, "It is ready to be edited."


def _spot(where: tuple[float, float]) -> str:
    """Return "upper left", "middle", "lower right", …."""
    x, y = (min(int(3 * share), 2) for share in where)
    words = [("upper", "", "lower")[y], ("left", "middle", "right")[x]]
    return " ".join(word for word in words if word)


def _poor(place: str) -> str:
    if place == "outside":
        return "The model hardly knows such pictures: check that the box shows what it draws, upright and as large."
    return "Check that the box shows what the model draws, upright and as large; then take more steps, in W+."
