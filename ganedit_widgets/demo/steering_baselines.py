"""The rivals of labels: directions of the unconditioned model, each family's best one for every attribute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import torch
from torch import Tensor

from ..core.edits import MoveAlong
from ..core.errors import DirectionError
from ..core.generators import Generator
from ..core.latent import Latent
from ..core.probes import Direction, condition, interfacegan, pca, sefa, style_direction, trends
from ..core.progress import Bar
from .oracle import Oracle
from .steering_trials import SCALES, Sweep, Way, reaches, strengths, sweep

SHARE = 0.2  # of the pool on each side of InterFaceGAN's boundary
BATCH = 16
SUPERVISED, UNSUPERVISED = ("interfacegan", "sspace", "trend"), ("sefa", "ganspace")


@dataclass(frozen=True)
class Search:
    """How much is tried for each family."""

    pool: int  # pictures that the oracle says all about
    exemplars: int  # with, and as many without an attribute, for S space
    channels: tuple[int, ...]  # of S space that move together
    components: int  # of SeFa and of GANSpace
    people: int  # that the candidates are tried on
    ladder: tuple[float, ...]  # strengths that they are tried at, up and down
    steps: int  # even strengths on each side that the chosen one is measured at


def pool_of(generator: Generator, oracle: Oracle, seeds: Sequence[int]) -> tuple[list[Latent], dict[str, Tensor]]:
    """Return latents of seeds, and what the oracle says of their pictures: attribute → (N,), those of numbers."""
    latents = [generator.sample(seed) for seed in seeds]
    seen: list[dict[str, Tensor]] = []
    for start in Bar(range(0, len(latents), BATCH), "samples to learn from", leave=False):
        with torch.no_grad():
            seen.append(oracle.attributes(generator.draw_many(latents[start : start + BATCH]).clamp(-1, 1)))
    names = [name for name, x in seen[0].items() if x.ndim == 1]
    return latents, {name: torch.cat([row[name] for row in seen]).float() for name in names}


def candidates(
    generator: Generator,
    latents: Sequence[Latent],
    labels: Mapping[str, Tensor],
    attribute: str,
    others: Sequence[str],
    search: Search,
) -> dict[str, list[Direction]]:
    """Return supervised family → the directions of `attribute` to choose among.

    InterFaceGAN's boundary, plain and with `others` held; S-space channels from a few pictures that have most and
    least; the trend, which the demo's own directions are.
    """
    scores = labels[attribute].tolist()
    planes = {name: interfacegan(generator, latents, labels[name].tolist(), name, SHARE) for name in labels
              if name in (attribute, *others)}  # fmt: skip
    found = {"interfacegan": [planes[attribute]], "sspace": [], "trend": []}
    with suppress(DirectionError):  # nothing may be left
        found["interfacegan"].append(condition(planes[attribute], *(planes[name] for name in others)))
    order = sorted(range(len(scores)), key=lambda i: scores[i])
    low, high = ([latents[i] for i in part] for part in (order[: search.exemplars], order[-search.exemplars :]))
    found["sspace"] = [style_direction(generator, high, low, attribute, count) for count in search.channels]
    with suppress(DirectionError):  # labels that explain one another
        together = {name: labels[name].tolist() for name in (attribute, *others)}
        found["trend"] = [trends(generator, latents, together)[attribute]]
    return {family: directions for family, directions in found.items() if directions}


def rivals(
    generator: Generator, oracle: Oracle, attributes: Sequence[str], line: float, search: Search, first: int
) -> dict[str, list[Way]]:
    """Return attribute → the best way of each family, chosen by its reach on people of their own.

    Generous to them: the pool's labels are the oracle's, who judges afterwards. Seeds are counted from `first` on.
    """
    latents, labels = pool_of(generator, oracle, range(first, first + search.pool))
    people = range(first + search.pool, first + search.pool + search.people)
    plain = {"sefa": sefa(generator, count=search.components), "ganspace": pca(generator, search.components)}
    tried = {family: [_tried(generator, oracle, d, search, people) for d in found] for family, found in plain.items()}
    ways: dict[str, list[Way]] = {}
    for attribute in attributes:
        own = candidates(generator, latents, labels, attribute, _others(attributes, attribute), search)
        known = {family: [_tried(generator, oracle, d, search, people) for d in found] for family, found in own.items()}
        ways[attribute] = [
            _best(generator, family, {**plain, **own}[family], sweeps, attribute, line, search)
            for family, sweeps in {**known, **tried}.items()
        ]
    return ways


def moving(generator: Generator, name: str, direction: Direction, at: tuple[float, ...]) -> Way:
    """Return the way that moves along a direction, people being the model's own samples."""
    return Way(name, generator, generator.sample, lambda strength: MoveAlong(direction, strength), at)


def _others(attributes: Sequence[str], attribute: str) -> tuple[str, ...]:
    return tuple(name for name in (*attributes, "glasses") if name != attribute)


def _tried(generator: Generator, oracle: Oracle, direction: Direction, search: Search, people: Sequence[int]) -> Sweep:
    at = (*(-s for s in reversed(search.ladder)), 0.0, *search.ladder)
    return sweep(moving(generator, f"trying {direction.name}", direction, at), oracle, people)


def _best(
    generator: Generator,
    family: str,
    directions: Sequence[Direction],
    sweeps: Sequence[Sweep],
    attribute: str,
    line: float,
    search: Search,
) -> Way:
    """Return the way along the direction that reaches furthest, at strengths that go as far as is asked for."""
    far = [float(reaches(found, attribute, line).mean()) for found in sweeps]
    i = max(range(len(far)), key=lambda n: far[n])
    return moving(generator, family, directions[i], strengths(most_needed(sweeps[i], attribute), search.steps))


def most_needed(found: Sweep, attribute: str) -> float:
    """Return the least strength tried whose mean change reaches the last bin's end, or the largest that was tried."""
    change = found.change(attribute).mean(0)
    both = [
        (s, float((change[i] + change[found.strengths.index(-s)]) / 2)) for i, s in enumerate(found.strengths) if s > 0
    ]
    enough = [s for s, far in both if far >= SCALES[attribute].goal]
    return enough[0] if enough else both[-1][0]
