"""Embedding portraits that were moved, scaled, turned, or lack a part of the face."""

from __future__ import annotations

import math

import numpy as np
import torch

from ..core.align import Box, crop
from ..core.align.aligner import Aligner
from ..core.edits import inpaint
from ..core.generators import Generator
from ..core.image import Pixels
from .embedding_trials import Recipe, Trial, average, embed_each, searching
from .results_file import Metric

TURNS = {
    "shift_20": (0.2, 1.0, 0.0),
    "zoom_out": (0.0, 1.6, 0.0),
    "zoom_in": (0.0, 0.6, 0.0),
    "rotate_20": (0.0, 1.0, 20.0),
}
FEATURES = {"eyes": (0.42, 0.56, 0.30, 0.70), "nose": (0.50, 0.62, 0.42, 0.58), "mouth": (0.60, 0.74, 0.36, 0.64)}
Rows = list[list[Pixels]]


def affine_trials(
    generator: Generator, portraits: list[Pixels], steps: int, aligner: Aligner | None
) -> tuple[dict[str, Metric], Rows]:
    """Return affine/TURN, the PSNR of portraits that were moved, and affine/TURN_aligned; and the pictures in rows."""
    metrics: dict[str, Metric] = {"affine/none": average(_psnr_of(generator, portraits, steps, "as they are"))}
    rows: Rows = []
    for name, turn in TURNS.items():
        scenes = [turned(picture, *turn) for picture in portraits]
        whole = [crop(s, Box.whole(s.shape), generator.size) for s in scenes]
        plain = embed_each(generator, whole, searching(steps), name)
        metrics[f"affine/{name}"] = average(plain.psnr)
        rows += [whole, plain.drawn(generator)]
        if aligner is not None:
            found = [crop(s, aligner.find(s), generator.size) for s in scenes]
            metrics[f"affine/{name}_aligned"] = average(_psnr_of(generator, found, steps, f"{name}, aligned"))
    return metrics, rows


def defect_trials(generator: Generator, portraits: list[Pixels], steps: int) -> tuple[dict[str, Metric], Rows]:
    """Return defect/FEATURE_HOW_WHERE: PSNR with the whole portrait, of what lies beside a gray patch and beneath it.

    HOW: "embedded" as it is, or "inpainted"; WHERE: "outside" or "hole". And the pictures, in rows.
    """
    metrics: dict[str, Metric] = {}
    rows: Rows = []
    for feature, place in FEATURES.items():
        mask = patch(portraits[0].shape[0], *place)
        spoiled = [np.where(mask[..., None], np.uint8(128), picture) for picture in portraits]
        ways: dict[str, Trial] = {
            "embedded": embed_each(generator, spoiled, searching(steps), f"without {feature}"),
            "inpainted": embed_each(generator, spoiled, filling(mask, steps), f"{feature}, inpainted"),
        }
        rows.append(spoiled)
        for way, trial in ways.items():
            drawn = trial.drawn(generator)
            for where, inside in (("outside", ~mask), ("hole", mask)):
                near = [_psnr(a[inside], b[inside]) for a, b in zip(drawn, portraits, strict=True)]
                metrics[f"defect/{feature}_{way}_{where}"] = average(near)
            rows.append(drawn)
    return metrics, rows


def filling(mask: np.ndarray, steps: int) -> Recipe:
    """Return the recipe of inpainting what lies under the mask."""
    return lambda picture: [inpaint(picture, mask, iterations=steps)]


def turned(picture: Pixels, shift: float, zoom: float, angle: float) -> Pixels:
    """Return the portrait seen through another box: `shift` and `zoom` in shares of its side, `angle` in degrees."""
    side = picture.shape[0]
    return crop(picture, Box(side * (0.5 - shift), side / 2, side * zoom, angle), (2 * side, 2 * side))


def patch(side: int, top: float, bottom: float, left: float, right: float) -> np.ndarray:
    """Return a mask (side, side) of a rectangle given in shares of the side."""
    mask = np.zeros((side, side), bool)
    mask[int(top * side) : int(bottom * side), int(left * side) : int(right * side)] = True
    return mask


def _psnr_of(generator: Generator, pictures: list[Pixels], steps: int, what: str) -> torch.Tensor:
    return embed_each(generator, pictures, searching(steps), what).psnr


def _psnr(a: np.ndarray, b: np.ndarray) -> float:
    error = float(np.square(a.astype(np.float64) - b).mean())
    return 10 * math.log10(255**2 / max(error, 1e-6))
