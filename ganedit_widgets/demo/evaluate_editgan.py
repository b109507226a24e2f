"""Measure EditGAN on the demo model: labels from few pictures, a smile painted once, and a library of vectors."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from ..core.errors import DirectionError, LatentError, SegmentError
from ..core.generators import Generator
from ..core.generators.load import load_generator
from ..core.segment import Segmenter, load_segmenter
from ..core.sheet import tile
from ..core.vectors import EditVector, load_vectors
from .edit_vectors import starter_library
from .figures import bars, trade_off
from .oracle import Oracle, load_oracle
from .results_file import Metric, Results
from .segment_trials import STANDARD, segmentation_metrics
from .segment_trials import Extent as Labels
from .smile_trials import Extent as Smiles
from .smile_trials import drawn, inverted, neutral_portraits, smile_metrics
from .vector_trials import out_of_domain, vector_metrics


@dataclass(frozen=True)
class Extent:
    """How much is measured."""

    labels: Labels
    smiles: Smiles
    pool: int  # samples that a vector may be learned on, where none ships
    painting: int  # steps of learning it
    edited: int  # people on whom every vector is tried
    outside: tuple[int, int]  # steps of embedding a photograph, and of refining


FULL = Extent(
    Labels((1, 4, 16, 64, 500), 100, 16, 120, 150, 1500),
    Smiles(400, 400, 30, 1000, 50, (10, 30, 60), 20),
    200,
    100,
    60,
    (100, 30),
)
QUICK = Extent(Labels((1, 2), 2, 2, 2, 2, 30), Smiles(8, 4, 2, 12, 2, (1, 2, 3), 2), 6, 3, 3, (2, 2))


def evaluate(quick: bool = False, generator: Generator | None = None, oracle: Oracle | None = None) -> Results:
    """Train segmenters from few and many labels, run the smile benchmark, and try every vector.

    A full run takes about an hour and a half of one core. `quick`: a few pictures and steps, under a minute; its
    numbers compare with nothing but themselves.
    """
    began = time.monotonic()
    generator, oracle = generator or load_generator("demo"), oracle or load_oracle()
    extent = QUICK if quick else FULL
    metrics, segmenters = segmentation_metrics(generator, oracle, extent.labels)
    segmenter = _segmenter(generator) or segmenters[min(STANDARD, max(segmenters))]
    figures: dict[str, np.ndarray | Figure] = {
        "miou": bars({k: m for k, m in metrics.items() if k.startswith("segmentation/miou")}, "mean IoU"),
    }
    vectors = _vectors(generator, segmenter, oracle, extent)
    if "smile" in vectors:
        found, shown = smile_metrics(generator, oracle, segmenter, vectors["smile"], extent.smiles)
        metrics |= found
        figures |= {"smile": trade_off(curves(found)), "smile_pictures": tile(shown, 5)}
        found, rows = out_of_domain(generator, segmenter, vectors["smile"], *extent.outside)
        metrics |= found
        figures["outside_pictures"] = tile([picture for row in rows for picture in row], len(rows[0]))
    if vectors:
        pictures = drawn(neutral_portraits(extent.edited), generator.size[0])
        people = inverted(generator, pictures, extent.smiles.inverting)
        found, rows = vector_metrics(generator, oracle, segmenter, vectors, people)
        metrics |= found
        figures["vector_pictures"] = tile([picture for row in rows for picture in row], len(rows[0]))
    command = "ganedit evaluate editgan" + " --quick" * quick
    return Results("editgan", metrics, command, time.monotonic() - began, quick, figures=figures)


def curves(metrics: Mapping[str, Metric]) -> dict[str, list[tuple[Metric, Metric]]]:
    """Return way → (identity, accuracy) at each of its strengths, in the order they were measured."""
    found: dict[str, list[tuple[Metric, Metric]]] = {}
    for name, accuracy in metrics.items():
        way = name.removeprefix("smile/accuracy_")
        identity = metrics.get(f"smile/identity_{way}")
        if way != name and identity is not None:
            found.setdefault(way.split("_")[0], []).append((identity, accuracy))
    return found


def _vectors(generator: Generator, segmenter: Segmenter, oracle: Oracle, extent: Extent) -> dict[str, EditVector]:
    """Return the library that ships, if it is of this generator, or else one made now."""
    try:
        vectors = load_vectors("demo")
        if all(v.direction.fingerprint == generator.fingerprint for v in vectors.values()):
            return vectors
    except (DirectionError, LatentError):
        pass
    return {v.name: v for v in starter_library(generator, segmenter, oracle, extent.pool, extent.painting)}


def _segmenter(generator: Generator) -> Segmenter | None:
    try:
        return load_segmenter("demo", generator)
    except SegmentError:
        return None
