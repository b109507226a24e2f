"""Measure embedding on the demo model: spaces, starts, encoder, turned pictures, defects, untrained weights."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import numpy as np
import torch
from matplotlib import get_data_path
from matplotlib.figure import Figure

from ..core.align import Box, crop
from ..core.align.aligner import DEMO as ALIGNER
from ..core.align.aligner import read_aligner
from ..core.edits import Embed, FitNoise, inpaint
from ..core.edits.noise import heard_noise
from ..core.errors import ModelError
from ..core.generators import Generator
from ..core.generators.load import load_generator
from ..core.image import Pixels, read_image, to_pixels
from ..core.sheet import tile
from .align_metrics import affine_metrics
from .embedding_trials import Recipe, Trial, average, embed_each, searching, with_random_weights
from .figures import bars
from .held_out import held_out
from .oracle import Oracle, load_oracle
from .results_file import Metric, Results
from .transfer_trials import transfer_metrics

FIRST = 3000  # held-out portraits from this number on: others were used to choose defaults
TURNS = {
    "shift_20": (0.2, 1.0, 0.0),
    "zoom_out": (0.0, 1.6, 0.0),
    "zoom_in": (0.0, 0.6, 0.0),
    "rotate_20": (0, 1, 20.0),
}


@dataclass(frozen=True)
class Extent:
    """How many pictures are measured, and how long each is searched for."""

    portraits: int
    turned: int
    steps: int
    noise_steps: int


FULL, QUICK = Extent(16, 8, 150, 150), Extent(1, 1, 5, 3)


def evaluate(quick: bool = False, generator: Generator | None = None, oracle: Oracle | None = None) -> Results:
    """Embed held-out portraits and other pictures in every way; a full run takes an hour of one core.

    `quick`: one portrait and few steps, under a minute; its numbers compare with nothing but themselves.
    """
    began = time.monotonic()
    generator, oracle = generator or load_generator("demo"), oracle or load_oracle()
    extent = QUICK if quick else FULL
    metrics: dict[str, Metric] = {}
    shown: list[Pixels] = []
    portraits = portraits_of(extent.portraits, generator)
    for found, row in (
        _spaces(generator, portraits, extent),
        _other_pictures(generator, extent),
        _affine(generator, portraits[: extent.turned], extent),
        _defects(generator, portraits[: extent.turned], extent),
        _weights(generator, portraits[: extent.turned], extent),
    ):
        metrics |= found
        shown += row
    metrics |= transfer_metrics(generator, oracle, *((2, 5, 1) if quick else (100,)))
    if ALIGNER.exists():
        metrics |= affine_metrics(count=4 if quick else 200)
    figures: dict[str, np.ndarray | Figure] = {
        "psnr": bars({k: m for k, m in metrics.items() if k.startswith("psnr/")}, "PSNR in dB"),
        "affine": bars({k: m for k, m in metrics.items() if k.startswith("affine/")}, "PSNR in dB"),
        "pictures": tile(shown, 8),
    }
    command = "ganedit evaluate image2stylegan" + " --quick" * quick
    return Results("image2stylegan", metrics, command, time.monotonic() - began, quick, figures=figures)


def portraits_of(count: int, generator: Generator) -> list[Pixels]:
    """Return held-out portraits (H, W, 3) uint8."""
    pictures = held_out(FIRST, count, generator.size[0])[0]
    return [np.ascontiguousarray(p) for p in pictures.permute(0, 2, 3, 1).numpy()]


Found = tuple[dict[str, Metric], list[Pixels]]


def _spaces(generator: Generator, portraits: list[Pixels], extent: Extent) -> Found:
    """Measure Z, W, W+ and noise, the starts, and the encoder where there is one."""
    steps = extent.steps
    recipes: dict[str, Recipe] = {
        "z": searching(steps, space="z"),
        "w": searching(steps, space="w"),
        "w_plus": searching(steps),
        "w_then_w_plus": searching(steps, first_w=max(1, steps // 3)),
        "random_start": searching(steps, start="random"),
    }
    if _hears_noise(generator):
        recipes["w_plus_noise"] = lambda picture: [Embed(picture, steps), FitNoise(picture, extent.noise_steps)]
    if getattr(generator, "encoder", None) is not None:
        recipes |= {
            "encoder": searching(1, start="encoder"),
            "encoder_50": searching(min(50, steps), start="encoder"),
            "encoder_200": searching(200 if steps > 50 else steps, start="encoder"),
        }
    metrics: dict[str, Metric] = {}
    trials: dict[str, Trial] = {}
    for name, recipe in recipes.items():
        trials[name] = embed_each(generator, portraits, recipe, name)
        metrics |= trials[name].metrics(name)
    rows = [portraits[:8], *(_drawn(generator, trial)[:8] for trial in trials.values())]
    return metrics, [picture for row in rows for picture in _filled(row)]


def _other_pictures(generator: Generator, extent: Extent) -> Found:
    """Measure what the model has never seen the like of: photographs, and plain noise."""
    rng = np.random.default_rng(0)
    grain = rng.integers(0, 256, (*generator.size, 3), dtype=np.uint8)
    metrics: dict[str, Metric] = {}
    shown: list[Pixels] = []
    for kind, pictures in (("photo", photographs(generator.size)[: extent.portraits]), ("noise", [grain])):
        for space, name in (("w", "w"), ("w+", "w_plus")):
            trial = embed_each(generator, pictures, searching(extent.steps, space=space), kind)
            metrics |= trial.metrics(f"{kind}_{name}")
        shown += [*_filled(pictures), *_filled(_drawn(generator, trial))]
    return metrics, shown


def photographs(size: tuple[int, int]) -> list[Pixels]:
    """Return photographs that come with packages: one with Matplotlib, two more where scikit-learn is installed."""
    whole = read_image(f"{get_data_path()}/sample_data/grace_hopper.jpg")
    found = [crop(whole, Box(256, 180, 330), size)]
    try:
        from sklearn.datasets import load_sample_images
    except ImportError:
        return found
    return [*found, *(read_image(picture, size) for picture in load_sample_images().images)]


def _affine(generator: Generator, portraits: list[Pixels], extent: Extent) -> Found:
    """Measure portraits that were shifted, scaled and turned, before and after alignment."""
    metrics: dict[str, Metric] = {}
    shown: list[Pixels] = []
    aligner = read_aligner(ALIGNER) if ALIGNER.exists() else None
    recipe = searching(extent.steps)
    for name, turn in TURNS.items():
        scenes = [_turned(picture, *turn) for picture in portraits]
        whole = [crop(s, Box.whole(s.shape), generator.size) for s in scenes]
        plain = embed_each(generator, whole, recipe, name)
        metrics[f"affine/{name}"] = average(plain.psnr)
        if aligner is not None:
            found = [crop(s, aligner.find(s), generator.size) for s in scenes]
            metrics[f"affine/{name}_aligned"] = average(embed_each(generator, found, recipe, f"{name}, aligned").psnr)
        shown += [*_filled(whole), *_filled(_drawn(generator, plain))]
    return metrics, shown


def _turned(picture: Pixels, shift: float, zoom: float, angle: float) -> Pixels:
    """Return the portrait seen through another box: `shift` and `zoom` in shares of its side, `angle` in degrees."""
    side = picture.shape[0]
    return crop(picture, Box(side * (0.5 - shift), side / 2, side * zoom, angle), (2 * side, 2 * side))


def _defects(generator: Generator, portraits: list[Pixels], extent: Extent) -> Found:
    """Measure portraits with a gray patch over the mouth: what is rebuilt beside it, and inside it by inpainting."""
    side = portraits[0].shape[0]
    mask = np.zeros((side, side), bool)
    mask[int(0.52 * side) : int(0.72 * side), int(0.36 * side) : int(0.64 * side)] = True
    spoiled = [np.where(mask[..., None], np.uint8(128), picture) for picture in portraits]
    plain = embed_each(generator, spoiled, searching(extent.steps), "defect")
    mended = embed_each(generator, spoiled, lambda p: [inpaint(p, mask, iterations=extent.steps)], "inpainting")
    metrics = {}
    for name, trial in (("embedded", plain), ("inpainted", mended)):
        for where, inside in (("outside", ~mask), ("hole", mask)):
            pairs = zip(_drawn(generator, trial), portraits, strict=True)
            metrics[f"defect/{name}_{where}"] = average(torch.tensor([_psnr(a[inside], b[inside]) for a, b in pairs]))
    rows = (spoiled, _drawn(generator, plain), _drawn(generator, mended))
    return metrics, [picture for row in rows for picture in _filled(list(row))]


def _weights(generator: Generator, portraits: list[Pixels], extent: Extent) -> Found:
    """Measure the same search with weights that were never trained: does the search do it, or what was learned?"""
    blank = with_random_weights(generator)
    trial = embed_each(blank, portraits, searching(extent.steps), "random weights")
    return {"random_weights/psnr": average(trial.psnr)}, _filled(_drawn(blank, trial))


def _hears_noise(generator: Generator) -> bool:
    try:
        return bool(heard_noise(generator))
    except ModelError:
        return False


def _drawn(generator: Generator, trial: Trial) -> list[Pixels]:
    return [to_pixels(generator.draw(latent)) for latent in trial.latents]


def _filled(row: list[Pixels], columns: int = 8) -> list[Pixels]:
    """Return the first pictures of a row, and white ones up to its end."""
    row = row[:columns]
    return row + [np.full_like(row[0], 255)] * (columns - len(row))


def _psnr(a: np.ndarray, b: np.ndarray) -> float:
    error = float(np.square(a.astype(np.float64) - b).mean())
    return 10 * math.log10(255**2 / max(error, 1e-6))
