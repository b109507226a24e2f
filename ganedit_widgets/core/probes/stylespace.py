"""Find the style channels of an attribute from a few pictures that have it (StyleSpace)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..errors import DirectionError
from ..generators.base import Generator
from ..latent import Latent
from .directions import Direction, new_direction, sample_styles

FEWEST = 2  # pictures on a side, to know a spread
STILL = 1e-6  # deviation of a channel that does not vary, as a share of the largest
FLOOR = 0.05  # of a standard deviation: the least spread; a few exemplars may agree in a channel by chance


@dataclass(frozen=True)
class Channel:
    """How a style channel differs between pictures with and without an attribute, in its standard deviations."""

    layer: str
    index: int
    difference: float  # how much higher it is where the attribute is, in deviations of the model's own samples
    certainty: float  # |difference| / spread among the exemplars: θ of the paper; channels are sorted by it


@torch.no_grad()
def rank_channels(
    generator: Generator, positive: Sequence[Latent], negative: Sequence[Latent] = (), colors: bool = False
) -> list[Channel]:
    """Return all style channels, those first that tell most surely whether a picture has the attribute.

    Wu et al., "StyleSpace Analysis", CVPR 2021, section 4.2: with δ = (s − μ)/σ, where μ and σ are a channel's mean
    and deviation over the model's own samples, θ = |mean δ|/(deviation δ + 0.05) over the exemplars; the 0.05 is
    ours, for few pictures may agree by chance. `negative` pictures, where there are any, take the place of μ: the
    difference is then that of the two means. `colors`: with the channels of the toRGB layers.
    Raises `DirectionError` for fewer than two pictures on a side that has any.
    """
    for side, given in (("with", positive), ("without", negative)):
        if len(given) < FEWEST and (given or side == "with"):
            raise DirectionError(f"{len(given)} pictures {side} the attribute were given: give {FEWEST} at least.")
    population = sample_styles(generator)
    largest = max(float(x.std(0).max()) for x in population.values())
    found: list[Channel] = []
    have, lack = _styles(generator, positive), _styles(generator, negative)
    for layer, samples in population.items():
        if layer.endswith("torgb") and not colors:
            continue
        mean, deviation = samples.mean(0), samples.std(0)
        with_it = (have[layer] - mean) / deviation.clamp(min=STILL * largest)
        difference, spread = with_it.mean(0), with_it.std(0)
        if negative:
            without = (lack[layer] - mean) / deviation.clamp(min=STILL * largest)
            difference = difference - without.mean(0)
            spread = ((spread.square() + without.std(0).square()) / 2).sqrt()
        theta = torch.where(deviation > STILL * largest, difference.abs() / (spread + FLOOR), 0.0)
        rows = zip(difference.tolist(), theta.tolist(), strict=True)
        found += [Channel(layer, i, d, t) for i, (d, t) in enumerate(rows)]
    return sorted(found, key=lambda channel: -channel.certainty)


def style_direction(
    generator: Generator,
    positive: Sequence[Latent],
    negative: Sequence[Latent] = (),
    name: str = "attribute",
    count: int = 1,
    colors: bool = False,
) -> Direction:
    """Return the direction of the `count` channels that `rank_channels` has first, in S space.

    Each moves as the pictures differ in it: by difference·σ of its own. Positive: towards the attribute.
    Raises `DirectionError` as `rank_channels` does, and for no channel.
    """
    ranked = rank_channels(generator, positive, negative, colors)
    if not 1 <= count <= len(ranked):
        raise DirectionError(f"{count} channels were asked for: this generator has 1 to {len(ranked)} to choose from.")
    population = sample_styles(generator)
    vector: dict[str, Tensor] = {}
    for channel in ranked[:count]:
        deviation = float(population[channel.layer][:, channel.index].std())
        where = vector.setdefault(channel.layer, torch.zeros(population[channel.layer].shape[1]))
        where[channel.index] = channel.difference * deviation
    sign = "towards the pictures that have it"
    found = new_direction(generator, vector, name, kind="stylespace", sign=sign)
    channels = ", ".join(f"{c.layer}[{c.index}]" for c in ranked[:count])
    about: dict[str, str | float] = {"channels": channels, "pictures": float(len(positive) + len(negative))}
    return replace(found, about=about)


def _styles(generator: Generator, latents: Sequence[Latent]) -> dict[str, Tensor]:
    """Return style layer → (N, C); nothing for no latents."""
    rows = [generator.styles(latent) for latent in latents]
    return {layer: torch.stack([row[layer] for row in rows]) for layer in rows[0]} if rows else {}
