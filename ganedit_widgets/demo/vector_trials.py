"""Every vector of a library on held-out people, and a smile on photographs: what was meant to change, what else did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from ..core.align import Box, crop
from ..core.edits import run
from ..core.generators import Generator
from ..core.image import Pixels, to_pixels, to_tensor
from ..core.latent import Latent
from ..core.parts import difference
from ..core.parts.meters import MARGIN, widened
from ..core.perceptual import decibels, psnr
from ..core.progress import Bar
from ..core.segment import Reading, Segmenter
from ..core.vectors import EditVector, refined
from .edit_vectors import LESSONS, Lesson
from .embedding_trials import average
from .inversion import inverted
from .oracle import Look, Oracle
from .outside import face
from .results_file import Metric
from .smile_trials import look, made

SHOWN = 4  # people in a row of the sheet
EMBEDDING, REFINING = 100, 30  # steps for a picture from outside, as in the paper


def vector_metrics(
    generator: Generator,
    oracle: Oracle,
    segmenter: Segmenter,
    vectors: Mapping[str, EditVector],
    latents: Sequence[Latent],
) -> tuple[dict[str, Metric], list[list[Pixels]]]:
    """Measure each vector at scale 1 on the same people; return its pictures too, a row for each.

    edit/NAME_moved: how far its attribute went, the way it should, in standard deviations among these people;
    edit/NAME_identity: likeness with the person before; edit/NAME_outside: RMS ΔE away from the parts it is about.
    """
    old = [segmenter.read(generator, latent) for latent in latents]
    before = look(oracle, [_seen(reading) for reading in old])
    metrics: dict[str, Metric] = {}
    rows = [_pixels(old[:SHOWN])]
    for lesson in Bar(LESSONS, "vectors", leave=False):
        vector = vectors.get(lesson.name)
        if vector is None:
            continue
        new = [segmenter.read(generator, run(generator, latent, vector.at())) for latent in latents]
        after = look(oracle, [_seen(reading) for reading in new])
        name, classes = lesson.name.replace(" ", "_"), [segmenter.number(part) for part in lesson.classes]
        metrics[f"edit/{name}_moved"] = moved(before, after, lesson)
        metrics[f"edit/{name}_identity"] = average((after.identity * before.identity).sum(1).double())
        metrics[f"edit/{name}_outside"] = average([_outside(a, b, classes) for a, b in zip(old, new, strict=True)])
        rows.append(_pixels(new[:SHOWN]))
    return metrics, rows


def moved(before: Look, after: Look, lesson: Lesson) -> Metric:
    """Return how far the lesson's attribute went the way it should, in standard deviations among these people."""
    old, new = (x.attributes[lesson.attribute].double() for x in (before, after))
    return average(lesson.sign * (new - old) / old.std().clamp(min=1e-3))


def out_of_domain(
    generator: Generator, segmenter: Segmenter, vector: EditVector, steps: int = EMBEDDING, refining: int = REFINING
) -> tuple[dict[str, Metric], list[list[Pixels]]]:
    """Embed photographs of people, and make them smile; return pictures: given, embedded, smiling, refined.

    The model knows drawn heads alone: outside/psnr says how near it comes, outside/kept how alike the rest of the
    picture (away from the mouth) is after the vector, and outside/kept_refined after mending it, both in dB.
    """
    photographs = portraits(generator.size)
    latents = inverted(generator, photographs, steps, "photographs")
    found: dict[str, list[float]] = {"psnr": [], "kept": [], "kept_refined": []}
    rows = []
    classes = [segmenter.number(part) for part in vector.classes]
    for photograph, latent in zip(photographs, latents, strict=True):
        edits = vector.at(), refined([(vector, 1.0)], segmenter, refining)
        old, *new = (segmenter.read(generator, x) for x in (latent, *(made(generator, latent, e) for e in edits)))
        found["psnr"].append(psnr(old.picture, to_tensor(photograph, generator.device)))
        for name, reading in zip(("kept", "kept_refined"), new, strict=True):
            found[name].append(_kept(old, reading, classes))
        rows.append([photograph, *_pixels([old, *new])])
    return {f"outside/{name}": average(values) for name, values in found.items()}, rows


def portraits(size: tuple[int, int]) -> list[Pixels]:
    """Return photographs of people: one that comes with Matplotlib, and one with scikit-image where that is there."""
    found = [face(size)]
    try:
        from skimage import data
    except ImportError:
        return found
    return [*found, crop(np.ascontiguousarray(data.astronaut()), Box(222, 130, 260), size)]


def away(before: Reading, after: Reading, classes: Sequence[int]) -> Tensor:
    """Return where neither picture shows one of the classes, with a margin: (H, W) bool."""
    about = np.isin(before.labels, classes) | np.isin(after.labels, classes)
    return ~widened(torch.from_numpy(about), round(MARGIN * len(about)))


def _outside(before: Reading, after: Reading, classes: Sequence[int]) -> float:
    """Return RMS ΔE away from the classes; 0 if they fill the picture."""
    place = away(before, after, classes)
    delta = difference(_seen(before), _seen(after))[0].cpu()
    return float(delta[place].square().mean().sqrt()) if place.any() else 0.0


def _kept(before: Reading, after: Reading, classes: Sequence[int]) -> float:
    """Return the PSNR away from the classes, in dB; 106, as of equal pictures, if they fill the picture."""
    place = away(before, after, classes)
    a, b = (_seen(reading)[0, :, place] for reading in (before, after))
    return psnr(a, b) if place.any() else decibels(0.0)


def _seen(reading: Reading) -> Tensor:
    return reading.picture.clamp(-1, 1)


def _pixels(readings: Sequence[Reading]) -> list[Pixels]:
    return [to_pixels(reading.picture) for reading in readings]
