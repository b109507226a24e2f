"""The demo's starter library of edit vectors, each made by painting one mask by rule.

python -m ganedit_widgets.demo.edit_vectors [--missing]
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..core.edits import Paint, run
from ..core.errors import DirectionError, SegmentError
from ..core.generators import Generator
from ..core.generators.load import load_generator
from ..core.latent import Latent
from ..core.probes.whitening import Whitening
from ..core.progress import Bar
from ..core.segment import LabelMap, Segmenter, load_segmenter
from ..core.vectors import Calibration, EditVector, calibrate, combine, extract, illustrated, load_vectors, save_vectors
from ..core.vectors.files import SHIPPED
from .mask_recipes import as_donor, center, cut, moved, scaled, shown, transplanted
from .oracle import Oracle, load_oracle
from .portraits import PART

PSI, POOL, STEPS = 0.7, 200, 100
ATTEMPTS, TRIED, CALIBRATED = 2, 12, 2  # pictures to paint at most; those to see a change in, and the range of scales
ENOUGH = 0.3  # deviations that a vector should move its attribute by
Labeling = Callable[[Latent], LabelMap]
MOUTH = ("mouth", "teeth")
EYES = ("eye", "iris")


@dataclass(frozen=True)
class Lesson:
    """How a vector is learned: on a picture with little of an attribute, from one with much of it, or by rule."""

    name: str
    classes: tuple[str, ...]
    attribute: str = "smile"
    sign: float = 1.0  # −1: on the picture that has most
    paint: Callable[[LabelMap, LabelMap], LabelMap] | None = None  # (own, donor's) → painted; None: transplant classes
    opposite: str = ""  # whose vector, taken backwards, serves if painting does not

    def painted(self, own: LabelMap, donor: LabelMap) -> LabelMap:
        """Return the mask that somebody would paint."""
        if self.paint is not None:
            return self.paint(own, donor)
        return transplanted(own, donor, numbers(self.classes), PART["skin"])


def numbers(classes: Sequence[str]) -> tuple[int, ...]:
    """Return the numbers of parts by name."""
    return tuple(PART[name] for name in classes)


def _hair(own: LabelMap, donor: LabelMap) -> LabelMap:
    return as_donor(own, donor, numbers(("hair",)))


def _opened(own: LabelMap, donor: LabelMap) -> LabelMap:
    """Paint a larger mouth, and teeth across its middle."""
    larger = scaled(own, numbers(MOUTH), PART["skin"], 1.4)
    place = shown(larger, numbers(MOUTH))
    rows = np.flatnonzero(place.any(1))
    away = np.abs(np.arange(len(place)) - center(place)[0])[:, None]
    return np.where(place & (away <= np.ptp(rows) / 5 if len(rows) else False), np.uint8(PART["teeth"]), larger)


def _rule(change: Callable[..., LabelMap], classes: Sequence[str], fill: str, *how: float) -> Callable[..., LabelMap]:
    return lambda own, donor: change(own, numbers(classes), PART[fill], *how)


LESSONS = (
    Lesson("smile", MOUTH, "smile"),
    Lesson("open mouth", MOUTH, "mouth_open", 1.0, _opened),
    Lesson("gaze", EYES, "gaze"),
    Lesson("glasses off", ("glasses",), "glasses", -1.0, _rule(cut, ("glasses",), "skin")),
    Lesson("glasses on", ("glasses",), "glasses", opposite="glasses off"),
    Lesson("raised brows", ("brow",), "brow_height", 1.0, _rule(moved, ("brow",), "skin", -0.03, 0.0)),
    Lesson("bigger nose", ("nose",), "nose_width", 1.0, _rule(scaled, ("nose",), "skin", 1.35)),
    Lesson("bigger eyes", EYES, "eye_size", 1.0, _rule(scaled, EYES, "skin", 1.2)),
    Lesson("bigger ears", ("ear",), "ears", 1.0, _rule(scaled, ("ear",), "background", 1.3)),
    Lesson("long hair", ("hair",), "hair_reach", 1.0, _hair),
    Lesson("no hair", ("hair",), "hair_reach", -1.0, _hair),
    Lesson("no beard", ("beard",), "beard", -1.0, _rule(cut, ("beard",), "skin")),
)


def learn(
    generator: Generator,
    segmenter: Segmenter,
    lesson: Lesson,
    pool: Sequence[Latent],
    score: Tensor,
    steps: int = STEPS,
    attempt: int = 0,
    labels: Labeling | None = None,
) -> EditVector:
    """Learn one vector: paint a picture of `pool` with little `score` (N,), the donor being one with much of it.

    Painted is the most typical among the tenth with the least, or the next one for each `attempt`; the donor is the one
    among the highest tenth whose labels are most alike elsewhere, so that the pose fits. `labels` says what the
    segmenter sees.
    Raises `SegmentError` if the painted mask is what the picture shows already, `DirectionError` if no step helped.
    """
    seen = labels or partial(segmenter.labels, generator)
    order = (lesson.sign * score).argsort().tolist()
    tenth = max(1, len(order) // 10)
    starts = sorted(order[:tenth], key=lambda i: _typical(generator, pool[i]))
    start = pool[starts[attempt % tenth]]
    own = seen(start)
    donor = best_donor(own, [seen(pool[i]) for i in order[-tenth:]], lesson)
    after = run(generator, start, Paint(lesson.painted(own, donor), segmenter, steps, lesson.classes))
    about = {
        "method": "painted by rule",
        "author": "the authors of ganedit_widgets",
        "source": "a sample of the demo model",
        "licence": "BSD-3-Clause",
    }
    return illustrated(generator, start, extract(generator, start, after, lesson.name, lesson.classes, about))


def best_donor(own: LabelMap, donors: Sequence[LabelMap], lesson: Lesson) -> LabelMap:
    """Return the one of label maps that is most like `own`, of those that show the lesson's classes if it adds them."""
    showing = [labels for labels in donors if shown(labels, numbers(lesson.classes)).any()] if lesson.sign > 0 else []
    return max(showing or donors, key=lambda labels: float((labels == own).mean()))


def starter_library(
    generator: Generator,
    segmenter: Segmenter,
    oracle: Oracle,
    pool: int = POOL,
    steps: int = STEPS,
    known: Sequence[EditVector] = (),
) -> list[EditVector]:
    """Learn every vector of `LESSONS` but the `known`, each with the range of scales that leaves the rest alone.

    Each is tried on other pictures. What hardly changes its attribute there is painted once more, on another picture;
    what cannot be painted on any picture at hand, or changes it the wrong way, is left out. Returns the known ones too,
    all in the order of the lessons.
    """
    latents = [generator.sample(seed, PSI) for seed in range(pool)]
    attributes = _read(generator, oracle, latents)
    labels = cache(partial(segmenter.labels, generator))
    found = {vector.name: vector for vector in known}
    for lesson in Bar(LESSONS, "edit vectors", leave=False):
        if lesson.name in found:
            continue
        score, best, most = attributes[lesson.attribute].float(), None, 0.0
        for attempt in range(ATTEMPTS):
            with suppress(SegmentError, DirectionError):
                vector = learn(generator, segmenter, lesson, latents, score, steps, attempt, labels)
                moved = _moved(generator, oracle, vector, lesson, latents[:TRIED], score)
                if moved > most:
                    best, most = vector, moved
            if most >= ENOUGH:
                break
        if most < ENOUGH and lesson.opposite in found:
            best = backwards(generator, found[lesson.opposite], lesson.name)
        if best is not None:
            *_, last = calibrate(generator, best, segmenter, latents[:CALIBRATED])
            found[lesson.name] = _ranged(best, last.calibration)
    order = [lesson.name for lesson in LESSONS]
    return sorted(found.values(), key=lambda v: order.index(v.name) if v.name in order else len(order))


def backwards(generator: Generator, vector: EditVector, name: str) -> EditVector:
    """Return −δ as a vector of its own, with both pictures in the other order."""
    turned = combine(generator, [(vector, -1.0)], name)
    picture = vector.thumbnail
    halves = None if picture is None else np.hstack(np.hsplit(picture, 2)[::-1])
    return replace(turned, about={**vector.about, "of": f"{vector.name}, backwards"}, thumbnail=halves)


def _typical(generator: Generator, latent: Latent) -> float:
    """Return how far a latent lies from the average."""
    return float(Whitening.of(generator).distance(latent.w))


def _read(generator: Generator, oracle: Oracle, latents: Sequence[Latent]) -> dict[str, Tensor]:
    """Return the attributes that the oracle sees in the pictures of latents."""
    with torch.no_grad():
        return oracle.attributes(torch.cat([generator.draw(latent).clamp(-1, 1) for latent in latents]))


def _moved(
    generator: Generator, oracle: Oracle, vector: EditVector, lesson: Lesson, latents: Sequence[Latent], score: Tensor
) -> float:
    """Return how far a vector moves its attribute in the pictures of latents, in deviations of `score` (N,).

    The first scores are those of `latents`.
    """
    after = _read(generator, oracle, [run(generator, latent, vector.at()) for latent in latents])
    way = after[lesson.attribute].float() - score[: len(latents)]
    return float(lesson.sign * way.mean() / score.std().clamp(min=1e-6))


def _ranged(vector: EditVector, found: Calibration | None) -> EditVector:
    """Return the vector with the range that was found, which holds −1 and 1 in any case: as learned, and undone."""
    assert found is not None  # the last step has it
    low, high = found.vector.direction.range
    return replace(vector, direction=replace(vector.direction, range=(min(low, -1.0), max(high, 1.0))))


def make(path: Path = SHIPPED, pool: int = POOL, steps: int = STEPS, missing: bool = False) -> None:
    """Learn and write the library that ships with the demo model, with the segmenter that ships with it.

    `missing`: what the file has of this model stays as it is, and only the rest is learned.
    """
    generator = load_generator("demo")
    there = load_vectors(path).values() if missing and path.exists() else ()
    known = [vector for vector in there if vector.direction.fingerprint == generator.fingerprint]
    segmenter = load_segmenter("demo", generator)
    save_vectors(path, starter_library(generator, segmenter, load_oracle(), pool, steps, known))


if __name__ == "__main__":
    import sys

    make(missing="--missing" in sys.argv)
