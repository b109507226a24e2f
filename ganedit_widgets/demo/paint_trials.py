"""Painting on people one by one: a change of few pixels, and changes of much of the picture, by optimisation alone."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, partial

import numpy as np
import torch

from ..core.edits import LARGE, Paint
from ..core.errors import SegmentError
from ..core.generators import Generator
from ..core.image import Pixels, to_pixels
from ..core.latent import Latent
from ..core.perceptual import decibels, psnr
from ..core.progress import Bar
from ..core.segment import LabelMap, Reading, Segmenter
from .edit_vectors import LESSONS, Labeling, Lesson, best_donor
from .embedding_trials import average
from .label_metrics import exactly
from .mask_recipes import moved as shifted
from .mask_recipes import scaled
from .oracle import Look, Oracle
from .portraits import PART
from .results_file import Metric
from .segment_figures import overlaid
from .smile_trials import POOL_SEED, look, paced, picture
from .vector_trials import moved

IRIS, EYE = PART["iris"], PART["eye"]


def _aside(own: LabelMap, donor: LabelMap) -> LabelMap:
    """Paint the irises a fiftieth of the width to the right."""
    return shifted(own, (IRIS,), EYE, 0.0, 0.02)


def _large(own: LabelMap, donor: LabelMap) -> LabelMap:
    """Paint the irises half as large again."""
    return scaled(own, (IRIS,), EYE, 1.5)


RULES = (_aside, _large)  # need no donor
BOLD = ("glasses on",)  # a part that is not there: other weights, and four times as many steps
PAINTED = (  # few pixels, then many
    Lesson("irises aside", ("eye", "iris"), "gaze", 1.0, _aside),
    Lesson("large irises", ("eye", "iris"), "", 1.0, _large),  # nothing the oracle reads
    *(lesson for lesson in LESSONS if lesson.name in ("no hair", "glasses on")),
)


@dataclass(frozen=True, eq=False)
class Painted:
    """One picture that was painted on, before and after, and the seconds of its steps."""

    before: Reading
    after: Reading
    wanted: LabelMap
    region: np.ndarray  # (H, W) bool
    paces: list[float]
    seconds: float

    def agreement(self, reading: Reading) -> float:
        """Return the share of the region that is labeled as wanted."""
        return float((reading.labels == self.wanted)[self.region].mean())

    @property
    def kept(self) -> float:
        """The PSNR outside the region, in dB; 106 if there is nothing outside."""
        outside = torch.from_numpy(~self.region)
        a, b = (reading.picture[0, :, outside] for reading in (self.before, self.after))
        return psnr(a, b) if outside.any() else decibels(0.0)


def paint_metrics(
    generator: Generator, oracle: Oracle, segmenter: Segmenter, latents: Sequence[Latent], steps: int, pool: int
) -> tuple[dict[str, Metric], list[list[Pixels]]]:
    """Paint on each of the people what `PAINTED` says; return pictures too: before, as painted, after, a row for each.

    paint/NAME_pixels: how many were painted over; paint/NAME_agreement: share of the region that is labeled as wanted,
    and _agreement_before; _moved, _identity as for vectors; _outside: PSNR of the rest, in dB. Donors come from `pool`
    samples. What cannot be painted on any of them, such as a part that nobody shows, is left out.
    """
    donors = [generator.sample(seed, 0.7) for seed in range(POOL_SEED, POOL_SEED + pool)]
    score = look(oracle, [picture(generator, latent) for latent in donors]).attributes
    labels: Labeling = cache(partial(segmenter.labels, generator))
    metrics: dict[str, Metric] = {}
    rows, paces = [], list[float]()
    for lesson in PAINTED:
        best = list[Latent]()
        if lesson.paint not in RULES:
            order = (lesson.sign * score[lesson.attribute].float()).argsort().tolist()
            best = [donors[i] for i in order[-max(1, pool // 10) :]]
        tried = Bar(latents, f"painting {lesson.name}", leave=False)
        each = [_painted(generator, segmenter, lesson, latent, best, labels, steps) for latent in tried]
        found = [done for done in each if done is not None]
        if found:
            metrics |= _measured(oracle, lesson, found)
            paces += [pace for done in found for pace in done.paces]
            rows += [_row(done) for done in found[:2]]
            metrics["time/painted"] = exactly(float(np.mean([done.seconds for done in found])))
    if paces:
        metrics["time/painted_step"] = average(paces)
    return metrics, rows


def _painted(
    generator: Generator,
    segmenter: Segmenter,
    lesson: Lesson,
    latent: Latent,
    donors: Sequence[Latent],
    labels: Labeling,
    steps: int,
) -> Painted | None:
    """Paint on one picture, and let it follow; None if there is nothing to paint."""
    before = segmenter.read(generator, latent)
    donor = best_donor(before.labels, [labels(x) for x in donors] or [before.labels], lesson)
    wanted = lesson.painted(before.labels, donor)
    edit = Paint(wanted, segmenter, steps, lesson.classes)
    if lesson.name in BOLD:
        edit = replace(edit, iterations=4 * steps, **LARGE)
    try:
        region, _ = edit.area(before.labels)
    except SegmentError:
        return None
    began = time.monotonic()
    after, paces = paced(generator, latent, edit)
    seconds = time.monotonic() - began
    return Painted(before, segmenter.read(generator, after), wanted, region, paces, seconds)


def _measured(oracle: Oracle, lesson: Lesson, found: Sequence[Painted]) -> dict[str, Metric]:
    looks: list[Look] = [
        look(oracle, [getattr(done, when).picture.clamp(-1, 1) for done in found]) for when in ("before", "after")
    ]
    before, after = looks
    measured = {
        "pixels": average([float((done.wanted != done.before.labels).sum()) for done in found]),
        "agreement_before": average([done.agreement(done.before) for done in found]),
        "agreement": average([done.agreement(done.after) for done in found]),
        "outside": average([done.kept for done in found]),
        "identity": average((after.identity * before.identity).sum(1).double()),
    }
    if lesson.attribute and len(found) > 1:  # else they have no deviation
        measured["moved"] = moved(before, after, lesson)
    return {f"paint/{lesson.name.replace(' ', '_')}_{what}": metric for what, metric in measured.items()}


def _row(done: Painted) -> list[Pixels]:
    old, new = (to_pixels(reading.picture) for reading in (done.before, done.after))
    return [old, overlaid(old, done.before.labels), overlaid(old, done.wanted), new, overlaid(new, done.after.labels)]
