"""The smile benchmark: one smile painted once and made on hundreds, beside a linear boundary and borrowed mouths.

Ling et al., "EditGAN", NeurIPS 2021, section 4.2, after Lee et al., "MaskGAN", CVPR 2020.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..core.edits import Borrow, Edit, MoveAlong, Refine, run
from ..core.errors import LatentError, SegmentError
from ..core.generators import Generator
from ..core.image import Pixels, to_pixels
from ..core.latent import Latent
from ..core.parts import load_catalog
from ..core.probes import boundary
from ..core.progress import Bar
from ..core.segment import Segmenter
from ..core.vectors import EditVector, refined
from .embedding_trials import average
from .held_out import HELD_OUT_SEED
from .label_metrics import exactly
from .oracle import Look, Oracle
from .portraits import Attributes, render, sample_attributes
from .reference import join, look_at, read_reference
from .results_file import Metric
from .statistics import bootstrap, frechet_distance, kernel_distance

FIRST, AMONG = 20_000, 8000  # held-out portraits among which neutral ones are sought
JUDGED = 30_000  # held-out portraits from this number on say where the oracle begins to see a smile
NEUTRAL, SMILING, CLOSED = 0.2, 0.6, 0.1  # a smile at most, a smile at least, and a mouth open at most
SWEEP = (-1.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0)
STRENGTHS = (1.0, 2.0, 4.0, 8.0, 12.0, 18.0)  # of the boundary, in deviations of W
BUDGETS = (0.005, 0.02, 0.1, 0.4)  # of a borrowed mouth
PROTECT = 0.02  # low: else the channels that are a mouth's are used up before the smallest of the budgets
RIVALS = ("interfacegan", "borrowed")
POOL_SEED = 500_000
SHOWN = 4  # people on the sheet


@dataclass(frozen=True)
class Extent:
    """How much is measured."""

    judged: int  # portraits by which the oracle is judged
    neutral: int  # portraits that are to smile
    inverting: int  # steps of embedding
    pool: int  # samples that the boundary is learned from
    swept: int  # of the neutral ones: those on whom strengths other than the main one are tried
    refined: int  # of the neutral ones
    refining: tuple[int, ...]  # steps; the middle one is "refined"
    times: int  # resamples of a distance between sets

    @property
    def steps(self) -> int:
        """The number of steps that is called "refined"."""
        return self.refining[len(self.refining) // 2]


@dataclass(frozen=True, eq=False)
class Way:
    """One way of making pictures smile."""

    name: str
    edit: Edit
    count: int  # of the neutral pictures


@dataclass(frozen=True, eq=False)
class Judge:
    """What the oracle's word is compared with: people before, people who are not edited, and where a smile begins."""

    before: Look
    reference: Tensor  # features (M, F)
    line: float
    times: int

    def metrics(self, name: str, now: Look) -> dict[str, Metric]:
        """Return smile/accuracy_NAME, /identity_NAME, /frechet_NAME and /kernel_NAME of the first of the people."""
        alike = (now.identity * self.before.identity[: len(now.identity)]).sum(1)
        return {
            f"smile/accuracy_{name}": average((now.attributes["smile"] >= self.line).double()),
            f"smile/identity_{name}": average(alike.double()),
            f"smile/frechet_{name}": self._apart(frechet_distance, now),
            f"smile/kernel_{name}": self._apart(kernel_distance, now),
        }

    def _apart(self, distance: Callable[[Tensor, Tensor], float], now: Look) -> Metric:
        sets = now.features.float(), self.reference.float()
        return bootstrap(distance, *sets, paired=False, recentered=True, times=self.times)


def neutral_portraits(count: int) -> Attributes:
    """Return held-out people who do not smile, their mouths closed."""
    people = sample_attributes(range(FIRST, FIRST + AMONG), HELD_OUT_SEED)
    fit = ((people.smile <= NEUTRAL) & (people.mouth_open <= CLOSED)).nonzero().flatten()
    return people[fit[:count]]


def drawn(people: Attributes, side: int) -> list[Pixels]:
    """Return portraits (side, side, 3) uint8."""
    return [to_pixels(render(people[i], side).image) for i in range(len(people))]


def smile_line(oracle: Oracle, count: int, side: int) -> tuple[float, Metric]:
    """Return from which reading on the oracle is said to see a smile, and how often that is right, on true portraits.

    The line is drawn by every other portrait, and judged by the rest. As the classifier of the paper, which is right
    92.2 % of the time, the oracle is no judge beyond doubt.
    """
    people = sample_attributes(range(JUDGED, JUDGED + count), HELD_OUT_SEED)
    people = people[((people.smile <= NEUTRAL) | (people.smile >= SMILING)).nonzero().flatten()]
    readings = oracle.look(drawn(people, side)).attributes["smile"].double()
    smiling = people.smile >= SMILING
    lines = readings[::2].sort().values
    right = ((readings[::2][None] >= lines[:, None]) == smiling[::2][None]).double().mean(1)
    line = float(lines[right.argmax()])
    return line, average(((readings[1::2] >= line) == smiling[1::2]).double())


def smile_metrics(
    generator: Generator,
    oracle: Oracle,
    segmenter: Segmenter,
    vector: EditVector,
    latents: Sequence[Latent],
    extent: Extent,
) -> tuple[dict[str, Metric], list[Pixels]]:
    """Make the same neutral people smile in every way, and measure smile, identity and distances between sets.

    Each way is measured on as many of the first people as its cost allows: Fréchet distances grow as there are fewer,
    so that "unrefined" says what the vector alone does for those that are refined; kernel distances do not.
    """
    line, right = smile_line(oracle, extent.judged, generator.size[0])
    before = look(oracle, [picture(generator, latent) for latent in latents])
    judge = Judge(before, _reference(oracle, generator.size[0], len(latents)), line, extent.times)
    metrics = {"smile/judge_accuracy": right, **judge.metrics("unedited", before)}
    metrics.pop("smile/identity_unedited")  # 1
    paces: list[float] = []
    for way in _ways(generator, oracle, segmenter, vector, extent, len(latents)):
        some, pictures, began = latents[: way.count], [], time.monotonic()
        for latent in Bar(some, way.name, leave=False):
            after, seconds = paced(generator, latent, way.edit)
            pictures.append(picture(generator, after))
            paces += seconds
        metrics[f"time/{way.name}"] = exactly((time.monotonic() - began) / len(some))
        metrics |= judge.metrics(way.name, look(oracle, pictures))
    for name in ("vector", "refined"):
        for rival in RIVALS:
            at = at_equal_identity(metrics, name, rival)
            if at is not None:
                metrics[f"smile/accuracy_{rival}_equal_identity{'' if name == 'vector' else '_refined'}"] = at
    each = metrics["time/refined"].value / extent.steps  # where nothing was refined, no step was timed
    metrics["time/step"] = average(paces) if paces else exactly(each)
    rows = [_strip(generator, x, vector, segmenter, extent.steps) for x in latents[:SHOWN]]
    return metrics, [shown for row in rows for shown in row]


def _ways(
    generator: Generator, oracle: Oracle, segmenter: Segmenter, vector: EditVector, extent: Extent, count: int
) -> list[Way]:
    """Return every way that can be tried, on at most `count` people."""
    pool = [generator.sample(seed) for seed in range(POOL_SEED, POOL_SEED + extent.pool)]
    smile = look(oracle, [picture(generator, latent) for latent in pool]).attributes["smile"].float()
    plane = boundary(generator, pool, (smile > smile.median()).tolist(), "smile")
    few, some = min(extent.refined, count), min(extent.swept, count)
    ways = [Way("vector", vector.at(), count), Way("unrefined", vector.at(), few)]
    ways += [Way(f"vector_{s:g}", vector.at(s), some) for s in SWEEP if s != 1]
    ways += [
        Way("refined" if n == extent.steps else f"refined_{n}", refined([(vector, 1.0)], segmenter, n), few)
        for n in extent.refining
    ]
    ways += [Way(f"interfacegan_{s:g}", MoveAlong(plane, s), some) for s in STRENGTHS]
    try:
        catalog = load_catalog("demo")
        catalog.require_own(generator)
        catalog.part("mouth")
    except LatentError:  # another generator than the demo's, or a catalog without mouths
        return ways
    donor = pool[int(smile.argmax())]
    return [*ways, *(Way(f"borrowed_{b:g}", Borrow(donor, "mouth", catalog, b, PROTECT), some) for b in BUDGETS)]


def at_equal_identity(metrics: Mapping[str, Metric], name: str, rival: str = "interfacegan") -> Metric | None:
    """Return a rival's accuracy where it keeps the identity as well as the way `name` does, between its strengths.

    At identity 1 stand the people who are not edited. None if the rival was not tried.
    """
    wanted = metrics[f"smile/identity_{name}"].value
    start = f"smile/accuracy_{rival}_"
    tried = [key.removeprefix(start) for key in metrics if key.startswith(start) and "equal" not in key]
    if not tried:
        return None
    rows = [(metrics[f"smile/identity_{rival}_{s}"].value, metrics[f"{start}{s}"]) for s in tried]
    n = min(metric.n for _, metric in rows)
    rows = sorted([*rows, (1.0, metrics["smile/accuracy_unedited"])], key=lambda row: row[0])
    alike = [identity for identity, _ in rows]
    value, low, high = (
        float(np.interp(wanted, alike, [getattr(m, part) for _, m in rows])) for part in ("value", "low", "high")
    )
    return Metric(value, low, high, n)


def made(generator: Generator, latent: Latent, edit: Edit) -> Latent:
    """Return the latent after `edit`; where there is nothing to refine, after the moves alone."""
    return paced(generator, latent, edit)[0]


def paced(generator: Generator, latent: Latent, edit: Edit) -> tuple[Latent, list[float]]:
    """Return the latent after `edit`, and the seconds of each step but the first, which prepares the rest too."""
    reached, marks = latent, list[float]()
    try:
        for reached in edit.steps(generator, latent):  # noqa: B007 (the last one is the result)
            marks.append(time.monotonic())
    except SegmentError:
        return (run(generator, latent, *edit.moves) if isinstance(edit, Refine) else latent), []
    return reached, np.diff(marks).tolist()


def picture(generator: Generator, latent: Latent) -> Tensor:
    """Return the picture (1, 3, H, W) of a latent, within [-1, 1]."""
    with torch.no_grad():
        return generator.draw(latent).clamp(-1, 1)


def look(oracle: Oracle, pictures: Sequence[Tensor]) -> Look:
    """Return what the oracle sees in pictures (1, 3, H, W)."""
    return oracle.look(torch.cat(list(pictures)))


def _strip(generator: Generator, latent: Latent, vector: EditVector, segmenter: Segmenter, steps: int) -> list[Pixels]:
    """Return before, −1, 1, 2, and 1 refined."""
    edits: list[Edit] = [vector.at(s) for s in (0.0, -1.0, 1.0, 2.0)]
    edits.append(refined([(vector, 1.0)], segmenter, steps))
    return [to_pixels(picture(generator, made(generator, latent, edit))) for edit in edits]


def _reference(oracle: Oracle, side: int, count: int) -> Tensor:
    """Return features of held-out portraits, none of whom is edited: those that are kept, or as many as there are."""
    kept = read_reference(oracle, side)
    if kept is not None:
        return kept["held_out"].features
    return join(list(look_at(oracle, max(2, count), side, HELD_OUT_SEED))).features
