"""The demo's starter library of edit vectors, each made by painting one mask by rule.

python -m ganedit_widgets.demo.edit_vectors
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from ..core.edits import Paint, run
from ..core.errors import DirectionError, SegmentError
from ..core.generators import Generator
from ..core.generators.load import load_generator
from ..core.image import to_pixels
from ..core.latent import Latent
from ..core.segment import LabelMap, Segmenter, load_segmenter
from ..core.vectors import EditVector, extract, save_vectors
from ..core.vectors.files import SHIPPED
from .mask_recipes import as_donor, cut, moved, scaled, transplanted
from .oracle import Oracle, load_oracle
from .portraits import PART

PSI, POOL, STEPS = 0.7, 200, 100
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


def _rule(change: Callable[..., LabelMap], classes: Sequence[str], fill: str, *how: float) -> Callable[..., LabelMap]:
    return lambda own, donor: change(own, numbers(classes), PART[fill], *how)


LESSONS = (
    Lesson("smile", MOUTH, "smile"),
    Lesson("open mouth", MOUTH, "mouth_open"),
    Lesson("gaze", EYES, "gaze"),
    Lesson("glasses on", ("glasses",), "glasses"),
    Lesson("glasses off", ("glasses",), "glasses", -1.0, _rule(cut, ("glasses",), "skin")),
    Lesson("raised brows", ("brow",), "brow_height", 1.0, _rule(moved, ("brow",), "skin", -0.03, 0.0)),
    Lesson("bigger nose", ("nose",), "nose_width", 1.0, _rule(scaled, ("nose",), "skin", 1.35)),
    Lesson("bigger eyes", EYES, "eye_size", 1.0, _rule(scaled, EYES, "skin", 1.2)),
    Lesson("bigger ears", ("ear",), "ears", 1.0, _rule(scaled, ("ear",), "background", 1.1)),
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
) -> EditVector:
    """Learn one vector: paint the picture of `pool` with the least `score` (N,), the donor being one with the most.

    The donor is the one among the highest tenth whose labels are most alike elsewhere, so that the pose fits.
    Raises `SegmentError` if the painted mask is what the picture shows already, `DirectionError` if no step helped.
    """
    order = (lesson.sign * score).argsort().tolist()
    start, donors = pool[order[0]], [pool[i] for i in order[-max(1, len(order) // 10) :]]
    own = segmenter.labels(generator, start)
    others = [segmenter.labels(generator, latent) for latent in donors]
    donor = max(others, key=lambda labels: float((labels == own).mean()))
    edit = Paint(lesson.painted(own, donor), segmenter, steps, lesson.classes)
    after = run(generator, start, edit)
    with torch.no_grad():
        pictures = np.hstack([to_pixels(generator.draw(latent)) for latent in (start, after)])
    about = {"method": "painted by rule", "source": "a sample of the demo model", "licence": "BSD-3-Clause"}
    return extract(generator, start, after, lesson.name, lesson.classes, about, pictures)


def starter_library(
    generator: Generator, segmenter: Segmenter, oracle: Oracle, pool: int = POOL, steps: int = STEPS
) -> list[EditVector]:
    """Learn every vector of `LESSONS`; those that cannot be painted on any picture at hand are left out."""
    latents = [generator.sample(seed, PSI) for seed in range(pool)]
    with torch.no_grad():
        pictures = torch.cat([generator.draw_many([latent]).clamp(-1, 1) for latent in latents])
    attributes = oracle.attributes(pictures)
    found = []
    for lesson in tqdm(LESSONS, "edit vectors", disable=None, leave=False):
        with suppress(SegmentError, DirectionError):
            found.append(learn(generator, segmenter, lesson, latents, attributes[lesson.attribute].float(), steps))
    return found


def make(path: Path = SHIPPED) -> None:
    """Learn and write the library that ships with the demo model, with the segmenter that ships with it."""
    generator = load_generator("demo")
    save_vectors(path, starter_library(generator, load_segmenter("demo", generator), load_oracle()))


if __name__ == "__main__":
    make()
