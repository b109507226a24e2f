"""Directions of words: where styles or W+ must go for a picture to become what a text says (StyleCLIP, LARGE)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import DirectionError
from ..generators.base import Generator
from ..groups import layer_sizes
from ..latent import Latent
from ..short import short
from .directions import Direction, new_direction, sample_styles

TEMPLATES = (
    "a picture of {}.", "a photo of {}.", "a close picture of {}.", "a drawing of {}.", "a small picture of {}.",
    "a bright picture of {}.", "a dark picture of {}.", "a blurred picture of {}.", "one picture of {}.", "{}.",
)  # fmt: skip
PICTURES, BATCH = 100, 16
PSI, TRUNCATED = 0.7, 8  # of W, in the first so many layers
FINEST = 128  # pixels: channels that work at a finer size are left out
DEVIATIONS = 5.0  # how far a channel is moved to either side, in its own deviations
STEP = 3.0  # the same for a number of w, whose effect is smaller
KEPT = 0.2  # of the numbers of W+, those with the strongest effect
Move = Callable[[Latent, float], Latent]


class TextModel(Protocol):
    """What tells how near a picture is to a text: both become vectors of the same F numbers."""

    name: str  # kept with what is found

    def pictures(self, pictures: Tensor) -> Tensor:
        """Return (N, F) for pictures (N, 3, H, W) in [-1, 1], of any size."""

    def texts(self, texts: Sequence[str]) -> Tensor:
        """Return (N, F) for N texts."""


@dataclass(frozen=True, eq=False)
class ChannelSurvey:
    """What each style channel does to pictures, as a text model sees it: style layer → unit vectors (C, F)."""

    effects: Mapping[str, Tensor]
    model: str  # the text model's name
    fingerprint: str

    __repr__ = short


@dataclass(frozen=True)
class SurveyProgress:
    """How many of the channels were moved; with the last one, the survey."""

    done: int
    total: int
    survey: ChannelSurvey | None = None


def text_difference(model: TextModel, target: str, neutral: str, templates: Sequence[str] = TEMPLATES) -> Tensor:
    """Return Δt (F,) of length 1: from what `neutral` means to what `target` means, averaged over phrasings.

    Patashnik et al., "StyleCLIP", ICCV 2021, section 6.1. Raises `DirectionError` if the two mean the same.
    """
    ends = []
    for text in (target, neutral):
        with torch.no_grad():
            features = F.normalize(model.texts([template.format(text) for template in templates]).float(), dim=1)
        ends.append(F.normalize(features.mean(0), dim=0))
    difference = (ends[0] - ends[1]).cpu()
    if not difference.norm() > 1e-6:
        raise DirectionError(f"{target!r} and {neutral!r} mean the same to {model.name}: say what is to change.")
    return F.normalize(difference, dim=0)


def survey_channels(
    generator: Generator,
    model: TextModel,
    pictures: int = PICTURES,
    deviations: float = DEVIATIONS,
    finest: int = FINEST,
) -> Iterator[SurveyProgress]:
    """Move each style channel up and down in some pictures, and see what it does; the last thing yielded has it all.

    StyleCLIP, section 6.2: the channel is set to μ ± 5σ, both pictures' features are made unit vectors, and so are
    their differences and the mean of these. It takes 2·`pictures` drawings per channel, and is done once for a model:
    every text is then answered at once. ToRGB channels, and those at sizes above `finest`, are left out.
    """
    sizes = layer_sizes(generator)
    chosen = [
        name
        for name, row in generator.style_layers.items()
        if not name.endswith("torgb") and sizes[row] <= max(finest, min(sizes))
    ]
    latents = samples(generator, pictures)
    population = sample_styles(generator)
    total, done = sum(population[name].shape[1] for name in chosen), 0
    effects = {}
    for name in chosen:
        mean, deviation = population[name].mean(0), population[name].std(0)
        own = torch.stack([generator.styles(latent)[name] for latent in latents])
        rows = []
        for c in range(len(mean)):
            ends = [mean[c] + sign * deviations * deviation[c] - own[:, c] for sign in (1, -1)]
            up, down = ([_raised(la, name, own.shape[1], c, x) for la, x in zip(latents, end, strict=True)]
                        for end in ends)  # fmt: skip
            rows.append(_effect(generator, model, up, down, unit=True))
            done += 1
            yield SurveyProgress(done, total)
        effects[name] = torch.stack(rows)
    yield SurveyProgress(done, total, ChannelSurvey(effects, model.name, generator.fingerprint))


def text_direction(
    generator: Generator,
    survey: ChannelSurvey,
    model: TextModel,
    target: str,
    neutral: str,
    threshold: float = 0.1,
    name: str = "",
) -> Direction:
    """Return the direction of S from `neutral` to `target`, such as "a face with glasses" and "a face".

    StyleCLIP, section 6.2: r_c = Δi_c·Δt, 0 where |r_c| < `threshold` (β), over the largest, times σ_c. More channels
    follow from a lower threshold. A strength α of the paper is α·length/unit here ("length" is in `about`).
    Raises `DirectionError` if the survey is of another model, or no channel reaches the threshold.
    """
    if survey.fingerprint != generator.fingerprint or survey.model != model.name:
        raise DirectionError(
            f"This survey is of checkpoint {survey.fingerprint} seen by {survey.model}, not of {generator.fingerprint} "
            f"seen by {model.name}: make one of these."
        )
    difference = text_difference(model, target, neutral)
    relevance = {layer: effects @ difference for layer, effects in survey.effects.items()}
    largest = max(float(r.abs().max()) for r in relevance.values())
    if largest < threshold or not largest > 0:
        raise DirectionError(
            f"No channel does what {target!r} says, the best one by {largest:.3f}: choose a threshold below that, or "
            "other words."
        )
    population = sample_styles(generator)
    vector, channels = {}, 0
    for layer, r in relevance.items():
        kept = torch.where(r.abs() < threshold, 0.0, r / largest) * population[layer].std(0).cpu()
        channels += int((kept != 0).sum())
        if kept.any():
            vector[layer] = kept
    if not vector:
        raise DirectionError(f"The channels that do what {target!r} says never vary in this model: choose other words.")
    about = {"threshold": threshold, "channels": float(channels)}
    return _told(generator, vector, model, (target, neutral), name, about)


@torch.no_grad()
def text_direction_wplus(
    generator: Generator,
    model: TextModel,
    target: str,
    neutral: str,
    pictures: int = PICTURES,
    step: float = STEP,
    kept: float = KEPT,
    name: str = "",
) -> Direction:
    """Return the direction of W+ from `neutral` to `target`: of the L·D numbers, the share `kept` that does most.

    As in LARGE (Nitzan et al., CVPR 2022): each number of w is moved by ± `step` of its deviations (theirs is not
    known), the differences of features are averaged over pictures as they are, multiplied with Δt, and those of less
    effect than the quantile 1 − `kept` are 0. It takes 2·L·D·`pictures` drawings.
    Raises `DirectionError` if `kept` is no share, or nothing has an effect.
    """
    if not 0 < kept <= 1:
        raise DirectionError(f"A share of {kept:g} was to be kept: give more than 0, and 1 at most.")
    difference = text_difference(model, target, neutral)
    rows, columns = generator.latent_shape
    latents = samples(generator, pictures)
    deviation = generator.w_samples.std(0)
    found = torch.zeros(rows, columns)
    for layer in range(rows):
        for d in range(columns):
            move = F.one_hot(torch.tensor(d), columns).to(deviation) * step * deviation[d]
            up, down = ([la.moved(sign * move, range(layer, layer + 1)) for la in latents] for sign in (1, -1))
            found[layer, d] = _effect(generator, model, up, down, unit=False) @ difference
    cut = found.abs().flatten().sort().values[round((1 - kept) * found.numel()) :][0]
    vector = torch.where(found.abs() < cut, 0.0, found)
    return _told(generator, vector, model, (target, neutral), name, {"kept": kept, "step": step})


def samples(generator: Generator, count: int) -> list[Latent]:
    """Return the latents of seeds 0 … count − 1, truncated to ψ = 0.7 in their first eight layers."""
    return [
        generator.average().moved((la.w - generator.w_avg) * PSI, _coarse(la)).moved(la.w - generator.w_avg, _fine(la))
        for la in (generator.sample(seed) for seed in range(count))
    ]


def _coarse(latent: Latent) -> range:
    return range(min(TRUNCATED, len(latent.w)))


def _fine(latent: Latent) -> range:
    return range(min(TRUNCATED, len(latent.w)), len(latent.w))


def _told(
    generator: Generator,
    vector: Tensor | Mapping[str, Tensor],
    model: TextModel,
    texts: tuple[str, str],
    name: str,
    about: Mapping[str, float],
) -> Direction:
    """Return the direction, with the words and the model it was found with."""
    pieces = vector.values() if isinstance(vector, Mapping) else [vector]
    length = float(torch.cat([x.flatten() for x in pieces]).norm())
    words = {"target": texts[0], "neutral": texts[1], "model": model.name}
    found = new_direction(generator, vector, name or texts[0], kind="text", sign=f"towards “{texts[0]}”")
    return replace(found, about={**words, **about, "length": length})


def _raised(latent: Latent, layer: str, width: int, channel: int, amount: Tensor) -> Latent:
    return latent.shifted({layer: F.one_hot(torch.tensor(channel), width).to(amount) * amount})


@torch.no_grad()
def _effect(generator: Generator, model: TextModel, up: Sequence[Latent], down: Sequence[Latent], unit: bool) -> Tensor:
    """Return (F,): the mean difference of what the model sees in pairs of pictures; `unit`: all of length 1."""
    found = []
    for start in range(0, len(up), BATCH):
        ends = [
            F.normalize(model.pictures(generator.draw_many(side[start : start + BATCH])).float(), dim=1).cpu()
            for side in (up, down)
        ]
        found.append(F.normalize(ends[0] - ends[1], dim=1) if unit else ends[0] - ends[1])
    mean = torch.cat(found).mean(0)
    return F.normalize(mean, dim=0) if unit else mean
