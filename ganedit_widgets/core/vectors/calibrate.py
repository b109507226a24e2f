"""How far an edit vector may be taken, measured on several pictures, and what it looks like on the way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch

from ..edits.paint_region import edit_region, much_changed
from ..errors import DirectionError
from ..generators.base import Generator
from ..image import Pixels, read_image, to_pixels
from ..latent import Latent
from ..perceptual import decibels
from ..segment.labels import LabelMap
from ..segment.segmenter import Segmenter
from ..short import short
from .vector import EditVector

SCALES = (-2.0, -1.5, -1.0, -0.5, 0.5, 1.0, 1.5, 2.0)
LEAST = 24.0  # dB outside the region, below which the rest of a picture is no longer the same


@dataclass(frozen=True, eq=False)
class Calibration:
    """What a vector does at each scale, mean over the pictures; `vector` has the range that was found."""

    scales: tuple[float, ...]
    changed: tuple[float, ...]  # share of the pixels whose label is another one
    psnr: tuple[float, ...]  # dB, between the pictures before and after, outside the region of the vector's classes
    vector: EditVector = field(repr=False)

    __repr__ = short


@dataclass(frozen=True)
class CalibrateProgress:
    """Where the measurement stands; `calibration` at the end."""

    step: int
    total: int
    calibration: Calibration | None = None


def calibrate(
    generator: Generator,
    vector: EditVector,
    segmenter: Segmenter,
    latents: Sequence[Latent],
    scales: Sequence[float] = SCALES,
    least: float = LEAST,
) -> Iterator[CalibrateProgress]:
    """Measure what `vector` changes in the pictures of `latents`, and find the range of scales that leave the rest be.

    The range goes from 0 both ways as long as the rest is drawn with `least` dB or more. Each step looks at one
    picture at one scale. Raises `DirectionError` without latents or scales, or if the vector is of another model.
    """
    if not latents or not scales:
        raise DirectionError("Calibrating needs a picture and a scale at least: give latents, such as of a few seeds.")
    rows: list[tuple[list[float], list[float]]] = [([], []) for _ in scales]
    about = tuple(segmenter.number(name) for name in vector.classes)
    total, step = len(latents) * len(scales), 0
    for latent in latents:
        before = segmenter.read(generator, latent)
        for scale, (changed, errors) in zip(scales, rows, strict=True):
            (moved,) = vector.at(scale).steps(generator, latent)
            after = segmenter.read(generator, moved)
            region = _region(before.labels, after.labels, about)
            changed.append(float((before.labels != after.labels).mean()))
            outside = torch.nn.functional.interpolate(region, size=generator.size, mode="nearest-exact") == 0
            error = ((after.picture - before.picture).clamp(-2, 2).square() * outside.to(before.picture.device)).sum()
            errors.append(float(error) / (3 * max(1, int(outside.sum()))))
            step += 1
            if step < total:
                yield CalibrateProgress(step, total)
    psnr = [decibels(sum(errors) / len(errors)) for _, errors in rows]
    direction = replace(vector.direction, range=_range(scales, psnr, least))
    shares = tuple(sum(changed) / len(changed) for changed, _ in rows)
    found = Calibration(tuple(scales), shares, tuple(psnr), replace(vector, direction=direction))
    yield CalibrateProgress(total, total, found)


def preview_strip(
    generator: Generator, latent: Latent, vector: EditVector, scales: Sequence[float] = (-2, -1, 0, 1, 2)
) -> list[Pixels]:
    """Return the pictures of `latent` along the vector, one for each scale."""
    with torch.no_grad():
        moved = [next(iter(vector.at(scale).steps(generator, latent))) for scale in scales]
        return [to_pixels(generator.draw(x)) for x in moved]


def illustrated(generator: Generator, latent: Latent, vector: EditVector, height: int = 96) -> EditVector:
    """Return `vector` with a thumbnail: the picture of `latent` and, beside it, at scale 1; `height` pixels at most."""
    pictures = preview_strip(generator, latent, vector, (0, 1))
    rows, columns = pictures[0].shape[:2]
    if rows > height:
        pictures = [read_image(x, (height, max(8, round(columns * height / rows)))) for x in pictures]
    return replace(vector, thumbnail=np.hstack(pictures))


def _region(before: LabelMap, after: LabelMap, about: tuple[int, ...]) -> torch.Tensor:
    region = edit_region(before, after, about or much_changed(before, after))
    return torch.from_numpy(region)[None, None].float()


def _range(scales: Sequence[float], psnr: Sequence[float], least: float) -> tuple[float, float]:
    """Return how far down and up the scales go before one falls below `least`."""
    ends = []
    for sign in (-1, 1):
        end = 0.0
        for scale, found in sorted((abs(s), p) for s, p in zip(scales, psnr, strict=True) if s * sign > 0):
            if found < least:
                break
            end = sign * scale
        ends.append(end)
    return ends[0], ends[1]
