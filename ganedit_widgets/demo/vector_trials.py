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
from ..core.perceptual import psnr
from ..core.segment import Segmenter
from ..core.vectors import EditVector, refined
from .edit_vectors import LESSONS
from .embedding_trials import average
from .oracle import Oracle
from .outside import face
from .results_file import Metric
from .smile_trials import inverted, look, made

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
    before = look(generator, oracle, latents)
    metrics: dict[str, Metric] = {}
    rows = [_drawn(generator, latents[:SHOWN])]
    for lesson in LESSONS:
        vector = vectors.get(lesson.name)
        if vector is None:
            continue
        after = [run(generator, latent, vector.at()) for latent in latents]
        seen = look(generator, oracle, after)
        way = (seen.attributes[lesson.attribute] - before.attributes[lesson.attribute]).float() * lesson.sign
        spread = before.attributes[lesson.attribute].float().std().clamp(min=1e-3)
        name = lesson.name.replace(" ", "_")
        metrics[f"edit/{name}_moved"] = average((way / spread).double())
        metrics[f"edit/{name}_identity"] = average((seen.identity * before.identity).sum(1).double())
        outside = [_outside(generator, segmenter, lesson.classes, a, b) for a, b in zip(latents, after, strict=True)]
        metrics[f"edit/{name}_outside"] = average(outside)
        rows.append(_drawn(generator, after[:SHOWN]))
    return metrics, rows


def out_of_domain(
    generator: Generator, segmenter: Segmenter, vector: EditVector, steps: int = EMBEDDING, refining: int = REFINING
) -> tuple[dict[str, Metric], list[list[Pixels]]]:
    """Embed photographs of people, and make them smile; return pictures: given, embedded, smiling, refined.

    The model knows drawn heads alone: outside/psnr says how near it comes.
    """
    photographs = portraits(generator.size)
    latents = inverted(generator, photographs, steps)
    near, rows = [], []
    for picture, latent in zip(photographs, latents, strict=True):
        ways = [
            latent,
            *(made(generator, latent, e) for e in (vector.at(), refined([(vector, 1.0)], segmenter, refining))),
        ]
        near.append(psnr(generator.draw(latent).detach(), to_tensor(picture, generator.device)))
        rows.append([picture, *_drawn(generator, ways)])
    return {"outside/psnr": average(near)}, rows


def portraits(size: tuple[int, int]) -> list[Pixels]:
    """Return photographs of people: one that comes with Matplotlib, and one with scikit-image where that is there."""
    found = [face(size)]
    try:
        from skimage import data
    except ImportError:
        return found
    return [*found, crop(np.ascontiguousarray(data.astronaut()), Box(222, 130, 260), size)]


def _outside(
    generator: Generator, segmenter: Segmenter, classes: Sequence[str], before: Latent, after: Latent
) -> float:
    """Return RMS ΔE where neither picture shows one of the classes, with a margin."""
    numbers = [segmenter.classes.index(name) for name in classes if name in segmenter.classes]
    about = [np.isin(segmenter.labels(generator, latent), numbers) for latent in (before, after)]
    with torch.no_grad():
        delta: Tensor = difference(generator.draw(before).clamp(-1, 1), generator.draw(after).clamp(-1, 1)).cpu()
    place = torch.from_numpy(about[0] | about[1])
    inside = widened(place, round(MARGIN * len(place)))
    return float(delta[0][~inside].square().mean().sqrt()) if (~inside).any() else 0.0


def _drawn(generator: Generator, latents: Sequence[Latent]) -> list[Pixels]:
    with torch.no_grad():
        return [to_pixels(generator.draw(latent)) for latent in latents]
