"""True change against likeness: the same people edited in several ways, and what the oracle says became of them.

Liu et al., "Self-Conditioned GANs for Image Editing", SIGGRAPH 2022, section on evaluation: pictures are compared at
equal *true* change of the attribute, whatever strength of the method that takes.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from ..core.edits import Edit, run
from ..core.generators import Generator
from ..core.latent import Latent
from ..core.progress import Bar
from .embedding_trials import average
from .label_metrics import exactly
from .oracle import Oracle
from .oracle.people import HELD_OUT_PEOPLE, VIEWS, portraits_of
from .portraits import render
from .results_file import Metric

OURS, BEST = "ours", "best_baseline"
SEEN = 0.1  # of the people: a way that brings fewer into a bin is not the best one there, if another brings more
Bins = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Scale:
    """How change of an attribute is counted: in units of the oracle's reading, and in which bins."""

    factor: float
    unit: str
    bins: Bins

    @property
    def goal(self) -> float:
        """The largest change that is asked for."""
        return float(self.bins[-1][1])


SCALES = {
    "yaw": Scale(180 / math.pi, "degrees", ((20, 30), (30, 40), (40, 60), (60, 75))),
    "age": Scale(100, "hundredths from youngest to oldest", ((20, 30), (30, 40), (40, 60), (60, 80))),
}


@dataclass(frozen=True, eq=False)
class Way:
    """One way of changing an attribute: people before it by seed, and its edit by strength, of which 0 is none."""

    name: str
    generator: Generator
    start: Callable[[int], Latent]
    edit: Callable[[float], Edit]
    strengths: tuple[float, ...]  # rising


@dataclass(frozen=True, eq=False)
class Sweep:
    """What the oracle sees of S people at K strengths: attribute → (S, K), and the likeness with each one unedited."""

    strengths: tuple[float, ...]
    seen: dict[str, Tensor]
    identity: Tensor  # (S, K) cosine
    seconds: float  # for a picture

    @property
    def middle(self) -> int:
        """The column of the unedited pictures."""
        return self.strengths.index(0.0)

    def change(self, attribute: str) -> Tensor:
        """Return how far the attribute went (S, K), in the unit of its scale and without a sign."""
        seen = self.seen[attribute].double() * SCALES[attribute].factor
        return (seen - seen[:, [self.middle]]).abs()


def strengths(most: float, steps: int) -> tuple[float, ...]:
    """Return 2·steps + 1 even strengths from −most to most."""
    return tuple(most * i / steps for i in range(-steps, steps + 1))


@torch.no_grad()
def sweep(way: Way, oracle: Oracle, seeds: Sequence[int]) -> Sweep:
    """Edit the people of `seeds` at every strength, with one noise for all, and look at them."""
    seen: list[dict[str, Tensor]] = []
    identity, spent = [], 0.0
    middle = way.strengths.index(0.0)
    for seed in Bar(seeds, way.name, leave=False):
        began, start = time.monotonic(), way.start(seed)
        latents = [run(way.generator, start, way.edit(s)) if s else start for s in way.strengths]
        pictures = way.generator.draw_many(latents).clamp(-1, 1)
        spent += time.monotonic() - began
        look = oracle.look(pictures)
        seen.append({name: look.attributes[name] for name in SCALES})
        identity.append(look.identity @ look.identity[middle])
    each = {name: torch.stack([row[name] for row in seen]) for name in SCALES}
    return Sweep(way.strengths, each, torch.stack(identity).double(), spent / identity[0].numel() / len(seeds))


def doubt(oracle: Oracle, people: int, size: int) -> Metric:
    """Return the likeness below which a picture is no longer taken for the same person.

    Where both errors are equal: two portraits of one held-out person below it, and those of two persons above it.
    """
    first = torch.arange(people) * VIEWS
    a, b = (oracle.identity(render(portraits_of(first + i, HELD_OUT_PEOPLE), size).image) for i in range(2))
    likeness = (a @ b.T).double()
    same = likeness.diagonal().sort().values
    others = likeness[~torch.eye(people, dtype=torch.bool)]
    missed = torch.arange(people) / people
    fooled = torch.stack([(others >= line).double().mean() for line in same])
    return exactly(float(same[(missed - fooled).abs().argmin()]), people)


def within(found: Sweep, attribute: str, low: float, high: float) -> Tensor:
    """Return the mean likeness (S,) of each person's pictures that are changed by more than low and less than high.

    NaN for a person of whom there is none.
    """
    change = found.change(attribute)
    inside = (change > low) & (change < high)
    inside[:, found.middle] = False
    return (found.identity * inside).sum(1) / inside.sum(1)


def reaches(found: Sweep, attribute: str, line: float) -> Tensor:
    """Return how far each person (S,) gets before its likeness falls below `line`: the mean of both ways.

    Between two strengths both are taken to be straight.
    """
    change, middle = found.change(attribute), found.middle
    sides = (range(middle, -1, -1), range(middle, len(found.strengths)))
    return torch.stack([_one_side(change[:, list(side)], found.identity[:, list(side)], line) for side in sides]).mean(
        0
    )


def _one_side(change: Tensor, identity: Tensor, line: float) -> Tensor:
    """Return the largest change (S,) along columns (S, n), from the unedited picture on, until `line` is crossed."""
    best = torch.zeros(len(change), dtype=torch.float64)
    left = torch.ones(len(change), dtype=torch.bool)
    for a, b in pairwise(range(change.shape[1])):
        stays = identity[:, b] >= line
        way = ((identity[:, a] - line) / (identity[:, a] - identity[:, b]).clamp(min=1e-9)).clamp(0, 1)
        end = torch.where(stays, change[:, b], torch.lerp(change[:, a], change[:, b], way))
        best = torch.where(left, torch.maximum(best, end), best)
        left &= stays
    return best


def steering_metrics(sweeps: Mapping[str, Sweep], attribute: str, line: float) -> dict[str, Metric]:
    """Return the numbers of one attribute for every way (name → its sweep), and for the best of those not ours.

    identity/ATTRIBUTE_LOW_HIGH/WAY: mean likeness of people within the bin, each counted once; a bin without any is
    left out. coverage/…: the share of people that have a picture there. reach/ATTRIBUTE/WAY: see `reaches`. The best
    one is chosen for each of these anew, with hindsight. paired/…: by how much ours is more alike than the best one, of
    the same people, those whom both bring there.
    """
    metrics: dict[str, Metric] = {}
    for low, high in SCALES[attribute].bins:
        rows = {way: within(found, attribute, low, high) for way, found in sweeps.items()}
        name = f"{attribute}_{low}_{high}"
        metrics |= {f"coverage/{name}/{way}": average(row.isfinite().double()) for way, row in rows.items()}
        known = {way: row for way, row in rows.items() if row.isfinite().any()}
        metrics |= {f"identity/{name}/{way}": average(row) for way, row in known.items()}
        best = best_of({way: row for way, row in known.items() if way != OURS})
        if best is not None:
            metrics[f"identity/{name}/{BEST}"] = metrics[f"identity/{name}/{best}"]
            metrics[f"coverage/{name}/{BEST}"] = metrics[f"coverage/{name}/{best}"]
            if OURS in known and bool((rows[OURS] - rows[best]).isfinite().any()):
                metrics[f"paired/{name}"] = average(rows[OURS] - rows[best])
    far = {way: average(reaches(found, attribute, line)) for way, found in sweeps.items()}
    metrics |= {f"reach/{attribute}/{way}": metric for way, metric in far.items()}
    rivals = {way: metric.value for way, metric in far.items() if way != OURS}
    if rivals:
        metrics[f"reach/{attribute}/{BEST}"] = far[max(rivals, key=lambda way: rivals[way])]
    return metrics


def best_of(rows: Mapping[str, Tensor]) -> str | None:
    """Return the way of the highest mean, among those that bring enough people there; None without any."""
    enough = {way: row for way, row in rows.items() if float(row.isfinite().double().mean()) >= SEEN}
    tried = enough or rows
    return max(tried, key=lambda way: float(tried[way].nanmean()), default=None)
