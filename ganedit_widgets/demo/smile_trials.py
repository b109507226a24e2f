"""The smile benchmark: one smile painted once and made on hundreds, beside a linear boundary and borrowed mouths.

Ling et al., "EditGAN", NeurIPS 2021, section 4.2, after Lee et al., "MaskGAN", CVPR 2020.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from ..core.edits import Borrow, Edit, Embed, MoveAlong, Refine, embed_many, run
from ..core.errors import LatentError, SegmentError
from ..core.generators import Generator
from ..core.image import Pixels, to_pixels
from ..core.latent import Latent
from ..core.parts import load_catalog
from ..core.probes import boundary
from ..core.segment import Segmenter
from ..core.vectors import EditVector, refined
from .embedding_trials import average
from .held_out import HELD_OUT_SEED
from .oracle import Look, Oracle
from .portraits import Attributes, render, sample_attributes
from .reference import look_at, read_reference
from .results_file import Metric
from .statistics import bootstrap, frechet_distance

FIRST, AMONG = 20_000, 8000  # held-out portraits among which neutral ones are sought
JUDGED = 30_000  # held-out portraits from this number on say where the oracle begins to see a smile
NEUTRAL, SMILING, CLOSED = 0.2, 0.6, 0.1  # a smile at most, a smile at least, and a mouth open at most
SWEEP = (-1.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0)
STRENGTHS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0)  # of the boundary, in deviations of W
BUDGETS = (0.05, 0.1, 0.3, 1.0)  # of a borrowed mouth
TOGETHER = 8  # pictures embedded at once


@dataclass(frozen=True)
class Extent:
    """How much is measured."""

    judged: int  # portraits by which the oracle is judged
    neutral: int  # portraits that are to smile
    inverting: int  # steps of embedding
    pool: int  # samples that the boundary is learned from
    refined: int  # of the neutral ones
    refining: tuple[int, ...]  # steps; the middle one is "refined"
    times: int  # resamples of a distance between sets


@dataclass(frozen=True, eq=False)
class Way:
    """One way of making pictures smile."""

    name: str
    edit: Edit
    count: int  # of the neutral pictures


def neutral_portraits(count: int) -> Attributes:
    """Return held-out people who do not smile, their mouths closed."""
    people = sample_attributes(range(FIRST, FIRST + AMONG), HELD_OUT_SEED)
    fit = ((people.smile <= NEUTRAL) & (people.mouth_open <= CLOSED)).nonzero().flatten()
    return people[fit[:count]]


def drawn(people: Attributes, side: int) -> list[Pixels]:
    """Return portraits (side, side, 3) uint8."""
    return [to_pixels(render(people[i], side).image) for i in range(len(people))]


def inverted(generator: Generator, pictures: Sequence[Pixels], steps: int) -> list[Latent]:
    """Return the latents of pictures, found from the encoder where there is one."""
    start = "average" if getattr(generator, "encoder", None) is None else "encoder"
    found: list[Latent] = []
    for i in tqdm(range(0, len(pictures), TOGETHER), "embedding portraits", disable=None, leave=False):
        searches = [Embed(picture, steps, start=start) for picture in pictures[i : i + TOGETHER]]
        *_, last = embed_many(generator, searches)
        found += last
    return found


def smile_line(oracle: Oracle, count: int, side: int) -> tuple[float, Metric]:
    """Return from which reading on the oracle is said to see a smile, and how often that is right, on true portraits.

    As the classifier of the paper, which is right 92.2 % of the time, it is no judge beyond doubt.
    """
    people = sample_attributes(range(JUDGED, JUDGED + count), HELD_OUT_SEED)
    people = people[((people.smile <= NEUTRAL) | (people.smile >= SMILING)).nonzero().flatten()]
    seen = oracle.look(drawn(people, side)).attributes["smile"].double()
    smiling = people.smile >= SMILING
    lines = seen.sort().values
    right = ((seen[None] >= lines[:, None]) == smiling[None]).double()
    best = int(right.mean(1).argmax())
    return float(lines[best]), average(right[best])


def smile_metrics(
    generator: Generator,
    oracle: Oracle,
    segmenter: Segmenter,
    vector: EditVector,
    extent: Extent,
) -> tuple[dict[str, Metric], list[Pixels]]:
    """Make the same held-out neutral people smile in every way, and measure smile, identity and Fréchet distance."""
    line, right = smile_line(oracle, extent.judged, generator.size[0])
    metrics = {"smile/judge_accuracy": right}
    latents = inverted(generator, drawn(neutral_portraits(extent.neutral), generator.size[0]), extent.inverting)
    before = look(generator, oracle, latents)
    reference = _reference(oracle, generator.size[0], len(latents))
    metrics["smile/accuracy_unedited"] = average((before.attributes["smile"] >= line).double())
    metrics["smile/frechet_unedited"] = _distance(before.features, reference, extent.times)
    ways = _ways(generator, oracle, segmenter, vector, extent, len(latents))
    for way in ways:
        some, began = latents[: way.count], time.monotonic()
        after = [made(generator, x, way.edit) for x in tqdm(some, way.name, disable=None, leave=False)]
        metrics[f"time/{way.name}"] = _once((time.monotonic() - began) / len(some))
        seen = look(generator, oracle, after)
        metrics[f"smile/accuracy_{way.name}"] = average((seen.attributes["smile"] >= line).double())
        metrics[f"smile/identity_{way.name}"] = average((seen.identity * before.identity[: len(some)]).sum(1).double())
        metrics[f"smile/frechet_{way.name}"] = _distance(seen.features, reference, extent.times)
    for name in ("vector", "refined"):
        at = at_equal_identity(metrics, name, len(latents))
        metrics[f"smile/accuracy_interfacegan_equal_identity{'' if name == 'vector' else '_refined'}"] = at
    steps = extent.refining[len(extent.refining) // 2]
    metrics["time/step"] = _once(metrics["time/refined"].value / steps)
    rows = [_strip(generator, x, vector, segmenter, steps) for x in latents[:4]]
    return metrics, [picture for row in rows for picture in row]


def _ways(
    generator: Generator, oracle: Oracle, segmenter: Segmenter, vector: EditVector, extent: Extent, count: int
) -> list[Way]:
    pool = [generator.sample(seed) for seed in range(500_000, 500_000 + extent.pool)]
    smile = look(generator, oracle, pool).attributes["smile"].float()
    plane = boundary(generator, pool, (smile > smile.median()).tolist(), "smile")
    few = min(extent.refined, count)
    middle = extent.refining[len(extent.refining) // 2]
    ways = [Way("vector" if s == 1 else f"vector_{s:g}", vector.at(s), count) for s in SWEEP]
    ways += [
        Way("refined" if n == middle else f"refined_{n}", refined([(vector, 1.0)], segmenter, n), few)
        for n in extent.refining
    ]
    ways += [Way(f"interfacegan_{s:g}", MoveAlong(plane, s), count) for s in STRENGTHS]
    try:
        catalog = load_catalog("demo")
        catalog.require_own(generator)
        catalog.part("mouth")
    except LatentError:  # another generator than the demo's, or a catalog without mouths
        return ways
    donor = pool[int(smile.argmax())]
    return [*ways, *(Way(f"borrowed_{b:g}", Borrow(donor, "mouth", catalog, b), count) for b in BUDGETS)]


def at_equal_identity(metrics: Mapping[str, Metric], name: str, n: int) -> Metric:
    """Return the boundary's accuracy at the strength that keeps the identity as well as the way `name` does."""
    wanted = metrics[f"smile/identity_{name}"].value
    rows = sorted(
        (metrics[f"smile/identity_interfacegan_{s:g}"].value, metrics[f"smile/accuracy_interfacegan_{s:g}"])
        for s in STRENGTHS
    )
    alike = [identity for identity, _ in rows]
    value, low, high = (
        float(np.interp(wanted, alike, [getattr(m, part) for _, m in rows])) for part in ("value", "low", "high")
    )
    return Metric(value, low, high, n)


def made(generator: Generator, latent: Latent, edit: Edit) -> Latent:
    """Return the latent after `edit`; where there is nothing to refine, after the moves alone."""
    try:
        return run(generator, latent, edit)
    except SegmentError:
        return run(generator, latent, *edit.moves) if isinstance(edit, Refine) else latent


def look(generator: Generator, oracle: Oracle, latents: Sequence[Latent]) -> Look:
    """Return what the oracle sees in the pictures of `latents`."""
    with torch.no_grad():
        return oracle.look(torch.cat([generator.draw(x).clamp(-1, 1) for x in latents]))


def _strip(generator: Generator, latent: Latent, vector: EditVector, segmenter: Segmenter, steps: int) -> list[Pixels]:
    """Return before, −1, 1, 2, and 1 refined."""
    edits: list[Edit] = [vector.at(s) for s in (0.0, -1.0, 1.0, 2.0)]
    edits.append(refined([(vector, 1.0)], segmenter, steps))
    with torch.no_grad():
        return [to_pixels(generator.draw(made(generator, latent, edit))) for edit in edits]


def _reference(oracle: Oracle, side: int, count: int) -> Tensor:
    """Return features of held-out portraits, none of whom is edited: those that are kept, or as many as there are."""
    kept = read_reference(oracle, side)
    if kept is not None:
        return kept["held_out"].features
    return torch.cat([seen.features for seen in look_at(oracle, max(2, count), side, HELD_OUT_SEED)])


def _distance(a: Tensor, b: Tensor, times: int) -> Metric:
    return bootstrap(frechet_distance, a.float(), b.float(), paired=False, recentered=True, times=times)


def _once(value: float) -> Metric:
    return Metric(value, value, value, 1)
