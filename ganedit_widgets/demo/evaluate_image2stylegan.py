"""Measure embedding on the demo model: spaces, starts, encoder, turned pictures, defects, untrained weights."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from ..core.align.aligner import DEMO as ALIGNER
from ..core.align.aligner import read_aligner
from ..core.edits import Embed, FitNoise
from ..core.edits.noise import heard_noise
from ..core.errors import ModelError
from ..core.generators import Generator
from ..core.generators.load import load_generator
from ..core.image import Pixels, to_pixels
from ..core.sheet import tile
from ..core.tuning import tune
from .align_metrics import affine_metrics
from .embedding_trials import Recipe, Trial, average, embed_each, searching, with_random_weights
from .figures import bars
from .held_out import held_out
from .oracle import Oracle, load_oracle
from .outside import outside
from .results_file import Metric, Results
from .spoiled_trials import Rows, affine_trials, defect_trials
from .transfer_trials import transfer_metrics

FIRST = 3000  # held-out portraits from this number on: others were used to choose defaults
COLUMNS = 8
CHARTS = {
    "psnr": "PSNR in dB",
    "affine": "PSNR in dB",
    "defect": "PSNR in dB",
    "crossover": "share of the way from A to B",
    "expression": "smile: share of the driver's; others: change in σ",
}
OUTSIDE = ("photo", "texture", "noise")
Found = tuple[dict[str, Metric], Rows]


@dataclass(frozen=True)
class Extent:
    """How many pictures are measured, and how long each is searched for."""

    portraits: int
    spoiled: int  # portraits that are moved, turned, or damaged
    outside: int  # of each kind of picture from outside the domain
    tuned: int
    pairs: int  # of samples, for crossover and expression
    steps: int


FULL, QUICK = Extent(16, 8, 5, 4, 100, 150), Extent(1, 1, 1, 1, 2, 5)


def evaluate(quick: bool = False, generator: Generator | None = None, oracle: Oracle | None = None) -> Results:
    """Embed held-out portraits and other pictures in every way; a full run takes an hour of one core.

    `quick`: one portrait and few steps, under a minute; its numbers compare with nothing but themselves.
    """
    began = time.monotonic()
    generator, oracle = generator or load_generator("demo"), oracle or load_oracle()
    extent = QUICK if quick else FULL
    aligner = read_aligner(ALIGNER) if ALIGNER.exists() else None
    portraits = portraits_of(extent.portraits, generator)
    some = portraits[: extent.spoiled]
    metrics: dict[str, Metric] = {}
    sheets: dict[str, Rows] = {}
    for name, (found, rows) in {
        "outside": _outside(generator, extent),
        "affine": affine_trials(generator, some, extent.steps, aligner),
        "defects": defect_trials(generator, some, extent.steps),
        "random_weights": _weights(generator, some, extent),
        "spaces": _spaces(generator, portraits, extent),
    }.items():
        metrics |= found
        sheets[name] = rows
    metrics |= transfer_metrics(generator, oracle, extent.pairs, extent.steps, 1 if quick else 4)
    if aligner is not None:
        metrics |= affine_metrics(count=4 if quick else 200)
    command = "ganedit evaluate image2stylegan" + " --quick" * quick
    figures = _figures(metrics, sheets)
    return Results("image2stylegan", metrics, command, time.monotonic() - began, quick, figures=figures)


def portraits_of(count: int, generator: Generator) -> list[Pixels]:
    """Return held-out portraits (H, W, 3) uint8."""
    pictures = held_out(FIRST, count, generator.size[0])[0]
    return [np.ascontiguousarray(p) for p in pictures.permute(0, 2, 3, 1).numpy()]


def _spaces(generator: Generator, portraits: list[Pixels], extent: Extent) -> Found:
    """Measure Z, W, W+ and noise, the starts, the encoder where there is one, and pivotal tuning."""
    steps = extent.steps
    recipes = {
        **spaces(generator, steps),
        "w_then_w_plus": searching(steps, first_w=max(1, steps // 3)),
        "random_start": searching(steps, start="random"),
    }
    if getattr(generator, "encoder", None) is not None:
        recipes |= {
            "encoder": searching(1, start="encoder"),
            "encoder_50": searching(min(50, steps), start="encoder"),
            "encoder_200": searching(200 if steps > 50 else steps, start="encoder"),
        }
    trials = {name: embed_each(generator, portraits, recipe, name) for name, recipe in recipes.items()}
    metrics = {key: metric for name, trial in trials.items() for key, metric in trial.metrics(name).items()}
    tuned, row = _tuned(generator, portraits, trials["w"], extent)
    return metrics | tuned, [portraits, *(trial.drawn(generator) for trial in trials.values()), row]


def spaces(generator: Generator, steps: int) -> dict[str, Recipe]:
    """Return the recipe for each space: Z, W, W+, and W+ with noise fitted afterwards where the model hears it."""
    found = {"z": searching(steps, space="z"), "w": searching(steps, space="w"), "w_plus": searching(steps)}
    if _hears_noise(generator):
        found["w_plus_noise"] = lambda picture: [Embed(picture, steps), FitNoise(picture, steps)]
    return found


def _tuned(
    generator: Generator, portraits: list[Pixels], pivots: Trial, extent: Extent
) -> tuple[dict[str, Metric], list[Pixels]]:
    """Measure pivotal tuning from what was found in W, and how far it moved a latent near by."""
    near, drift, row = [], [], []
    for picture, pivot in zip(portraits[: extent.tuned], pivots.latents, strict=False):
        *_, last = tune(generator, pivot, picture, min(100, extent.steps))
        near.append(last.psnr)
        drift.append(last.drift)
        row.append(to_pixels(last.picture))
    return {"psnr/tuned": average(near), "drift/tuned": average(drift)}, row


def _outside(generator: Generator, extent: Extent) -> Found:
    """Measure what the model has never seen the like of, in each space."""
    metrics: dict[str, Metric] = {}
    rows: Rows = []
    for kind, pictures in outside(generator.size).items():
        some = pictures[: extent.outside]
        rows.append(some)
        for space, recipe in spaces(generator, extent.steps).items():
            trial = embed_each(generator, some, recipe, f"{kind}, {space}")
            metrics |= trial.metrics(f"{kind}_{space}")
            rows.append(trial.drawn(generator))
    return metrics, rows


def _weights(generator: Generator, portraits: list[Pixels], extent: Extent) -> Found:
    """Measure the same search with weights that were never trained: does the search do it, or what was learned?"""
    blank = with_random_weights(generator)
    trial = embed_each(blank, portraits, searching(extent.steps), "random weights")
    return {"random_weights/psnr": average(trial.psnr)}, [portraits, trial.drawn(blank)]


def _figures(metrics: dict[str, Metric], sheets: dict[str, Rows]) -> dict[str, np.ndarray | Figure]:
    charts = {
        name: bars({k: m for k, m in metrics.items() if k.startswith(f"{name}/") and not _from_outside(k)}, label)
        for name, label in CHARTS.items()
    }
    outside_psnr = {k: m for k, m in metrics.items() if k.startswith("psnr/") and _from_outside(k)}
    charts["psnr_outside"] = bars(outside_psnr, CHARTS["psnr"])
    return {**charts, **{f"{name}_pictures": _sheet(rows) for name, rows in sheets.items()}}


def _from_outside(key: str) -> bool:
    return key.rpartition("/")[2].startswith(OUTSIDE)


def _sheet(rows: Rows) -> np.ndarray:
    """Return rows of pictures one below the other, each filled up with white."""
    columns = min(COLUMNS, max(len(row) for row in rows))
    white = np.full_like(rows[0][0], 255)
    return tile([picture for row in rows for picture in (row + [white] * columns)[:columns]], columns)


def _hears_noise(generator: Generator) -> bool:
    try:
        return bool(heard_noise(generator))
    except ModelError:
        return False
