"""Editing in Style beside its rivals: what else changes when a part changes as much, judged by the oracle."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..core.edits import Borrow, run
from ..core.generators import Generator
from ..core.image import to_pixels
from ..core.latent import Latent
from ..core.parts import PartCatalog, clusterable, difference
from ..core.parts.meters import MARGIN, widened
from ..core.progress import Bar
from .oracle import Look, Oracle
from .parts import NAMES, Labeled

EDITED = ("hair", "eyes", "mouth", "nose", "glasses", "background")
HALF = 0.5  # of the difference between reference and source inside the part: the change asked of every method
LEAST, MOST = 8, 32  # resolutions at which features are blended: coarser ones are too coarse, finer ones paste pixels


@dataclass(frozen=True)
class Case:
    """One picture that borrows a part of another one."""

    generator: Generator = field(repr=False)
    catalog: PartCatalog = field(repr=False)
    part: str
    source: Latent
    reference: Latent
    place: Tensor = field(repr=False)  # (H, W) bool: where either shows the part, as the oracle sees it
    layers: list[str] = field(default_factory=list)  # whose features are blended


Method = Callable[[Case], Tensor]  # case → pictures (S, 3, H, W), of rising strength


def borrowing(rule: str, *budgets: float, protect: float = 0.1) -> Method:
    """Return the method that borrows by a rule with each of these budgets."""

    def draw(case: Case) -> Tensor:
        edits = [Borrow(case.reference, case.part, case.catalog, b, protect, rule) for b in budgets]
        with torch.no_grad():
            return case.generator.draw_many([run(case.generator, case.source, edit) for edit in edits])

    return draw


def blending(*strengths: float) -> Method:
    """Return the method that moves features towards the reference's where the part is (Suzuki et al. 2018)."""

    def draw(case: Case) -> Tensor:
        generator, layers = case.generator, case.layers
        with torch.no_grad():
            wanted = generator.features(case.reference, layers)
            shares = torch.tensor(strengths, device=generator.device).reshape(-1, 1, 1, 1)

            def towards(x: Tensor, other: Tensor) -> Tensor:
                mask = F.interpolate(case.place[None, None].to(x), size=x.shape[-2:], mode="area")
                return x + shares * mask * (other - x)

            taps = {name: lambda x, name=name: towards(x, wanted[name]) for name in layers}
            return generator.draw_many([case.source] * len(strengths), taps=taps)

    return draw


def blended(generator: Generator) -> list[str]:
    """Return the layers whose features are blended."""
    sizes = clusterable(generator)
    return [name for name, size in sizes.items() if min(LEAST, max(sizes.values())) <= size <= MOST]


METHODS: dict[str, Method] = {
    "greedy": borrowing("greedy", 0.01, 0.03, 0.1, 0.3, 1.0),
    "simple": borrowing("simple", 0.3, 0.8, 2.0, 5.0, 12.0, protect=0.0),
    "global": borrowing("global", 0.1, 0.25, 0.5, 0.75, 1.0),
    "soft": borrowing("soft", 0.5, 1.0),
    "blend": blending(0.5, 1.0),
}


@dataclass(frozen=True)
class Tried:
    """What a method did in N cases at S strengths."""

    inside: Tensor  # (N, S) mean squared ΔE
    outside: Tensor
    look: Look  # at the picture of each case whose change inside is nearest to `HALF` of the reference's
    pictures: list[np.ndarray]  # those pictures, (H, W, 3) uint8


@dataclass(frozen=True)
class Trial:
    """All methods on the same cases of one part."""

    sources: list[int]
    references: list[int]
    wanted: Tensor  # (N,) mean squared ΔE between reference and source inside the part
    tried: Mapping[str, Tried]


def pairs(samples: Labeled, part: str, count: int, seed: int = 0) -> tuple[list[int], list[int]]:
    """Return numbers of sources and of references that show a part; nothing if no sample shows it."""
    rng = np.random.default_rng([seed, NAMES.index(part)])
    shown = samples.showing(part)
    if not shown or len(samples) < 2:
        return [], []
    references = [shown[i % len(shown)] for i in rng.permutation(count)]
    sources = [(r + 1 + int(rng.integers(len(samples) - 1))) % len(samples) for r in references]
    return sources, references


def try_all(
    generator: Generator, oracle: Oracle, catalog: PartCatalog, samples: Labeled, part: str, count: int
) -> Trial | None:
    """Run every method on `count` pairs; None if no sample shows the part, or the catalog has none of that name."""
    sources, references = pairs(samples, part, count)
    if not sources or part not in {p.name for p in catalog.parts}:
        return None
    wanted, layers = [], blended(generator)
    found: dict[str, list[tuple[Tensor, Tensor]]] = {name: [] for name in METHODS}
    chosen: dict[str, list[np.ndarray]] = {name: [] for name in METHODS}
    for s, r in Bar(list(zip(sources, references, strict=True)), part, leave=False):
        place = (samples.labels[[s, r]] == NAMES.index(part)).any(0)
        inside = widened(place, round(MARGIN * len(place)))
        wanted.append(float(_errors(samples.pictures[[s]], samples.pictures[[r]], inside)[0]))
        case = Case(generator, catalog, part, samples.latents[s], samples.latents[r], place, layers)
        for name, method in METHODS.items():
            drawn = method(case)
            errors = _errors(samples.pictures[[s]], drawn, inside), _errors(samples.pictures[[s]], drawn, ~inside)
            found[name].append(errors)
            nearest = int((errors[0].sqrt() - HALF * wanted[-1] ** 0.5).abs().argmin())
            chosen[name].append(to_pixels(drawn[[nearest]]))
    tried = {}
    for name, rows in found.items():
        inside, outside = (torch.stack(column) for column in zip(*rows, strict=True))
        tried[name] = Tried(inside, outside, oracle.look(chosen[name]), chosen[name])
    return Trial(sources, references, torch.tensor(wanted), tried)


def outside_at(tried: Tried, level: Tensor) -> Tensor:
    """Return the change outside (N,) where the one inside is `level` (N,): both root mean square, read between points.

    At strength 0 both are 0; a level beyond the largest change gives the change outside at that.
    """
    inside, outside = tried.inside.sqrt(), tried.outside.sqrt()
    values: list[float] = []
    for i, o, x in zip(inside, outside, level, strict=True):
        rising = np.maximum.accumulate(np.concatenate([[0.0], i.numpy()]))
        values.append(float(np.interp(float(x), rising, np.concatenate([[0.0], o.numpy()]))))
    return torch.tensor(values)


def common_level(trial: Trial, names: Sequence[str]) -> Tensor:
    """Return the change inside (N,), RMS ΔE, that all of these methods reach: half of the reference's at most."""
    reached = [trial.tried[name].inside.sqrt().max(1).values for name in names]
    return torch.stack([HALF * trial.wanted.sqrt(), *reached]).min(0).values


def _errors(before: Tensor, after: Tensor, where: Tensor) -> Tensor:
    """Return the mean squared ΔE (N,) over a mask (H, W); 0 if it is empty."""
    delta = difference(before, after.cpu()).square()
    return delta[:, where].mean(1) if where.any() else delta.new_zeros(len(delta))
