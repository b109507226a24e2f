"""Measure EditGAN on the demo model: labels from few pictures, a smile painted once, and a library of vectors."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from ..core.errors import DirectionError, SegmentError
from ..core.generators import Generator
from ..core.generators.load import load_generator
from ..core.image import to_tensor
from ..core.perceptual import psnr
from ..core.segment import Labeled, Segmenter, load_segmenter
from ..core.sheet import tile
from ..core.vectors import EditVector, load_vectors
from .edit_vectors import starter_library
from .embedding_trials import average
from .figures import bars, trade_off
from .hand_labels import drawn_and_seen, hand_sheet, labeled_by_hand
from .inversion import inverted
from .oracle import Oracle, load_oracle
from .paint_trials import paint_metrics
from .results_file import Metric, Results, measurable
from .segment_figures import label_sheet
from .segment_trials import STANDARD, seen, segmentation_metrics
from .segment_trials import Extent as Labels
from .smile_trials import Extent as Smiles
from .smile_trials import drawn, neutral_portraits, picture, smile_metrics
from .vector_trials import out_of_domain, vector_metrics

SHOWN = 4  # pictures on the sheet of labels


@dataclass(frozen=True)
class Extent:
    """How much is measured."""

    labels: Labels
    smiles: Smiles
    pool: int  # samples that a vector may be learned on, where none ships
    learning: int  # steps of learning it
    edited: int  # people on whom every vector is tried
    painted: int  # people who are painted on
    painting: int  # steps of painting
    donors: int  # samples from which hair and glasses are taken
    outside: tuple[int, int]  # steps of embedding a photograph, and of refining


FULL = Extent(
    labels=Labels((1, 4, 16, 64, 1000), tested=64, renders=16, embedding=50, training=1500),
    smiles=Smiles(240, 400, 25, 600, 100, 20, (10, 30, 60), 20),
    pool=200,
    learning=100,
    edited=24,
    painted=8,
    painting=40,
    donors=200,
    outside=(100, 30),
)
QUICK = Extent(
    labels=Labels((1, 2), tested=2, renders=2, embedding=2, training=30),
    smiles=Smiles(12, 4, 2, 12, 3, 2, (1, 2, 3), 2),
    pool=6,
    learning=3,
    edited=3,
    painted=2,
    painting=2,
    donors=10,
    outside=(2, 2),
)


def evaluate(quick: bool = False, generator: Generator | None = None, oracle: Oracle | None = None) -> Results:
    """Train segmenters from few and many labels, run the smile benchmark, try every vector, and paint on people.

    A full run takes about fifty minutes of one core. `quick`: a few pictures and steps, under a minute;
    its numbers compare with nothing but themselves.
    """
    began = time.monotonic()
    generator, oracle = generator or load_generator("demo"), oracle or load_oracle()
    extent = QUICK if quick else FULL
    shipped = _segmenter(generator)
    metrics, segmenters, tested = segmentation_metrics(generator, oracle, extent.labels, shipped)
    segmenter = shipped or segmenters[min(STANDARD, max(segmenters))]
    figures: dict[str, np.ndarray | Figure] = {
        "miou": bars({k: m for k, m in metrics.items() if k.startswith("segmentation/miou")}, "mean IoU"),
        "parts": bars({k: m for k, m in metrics.items() if k.startswith("segmentation/iou")}, "IoU, 16 pictures"),
        "labels": _sheet(generator, segmenters, tested[:SHOWN]),
    }
    if painted := labeled_by_hand(generator):
        figures["hand_pictures"] = hand_sheet(painted, *drawn_and_seen(generator, oracle, painted))
    portraits = drawn(neutral_portraits(extent.smiles.neutral), generator.size[0])
    people = inverted(generator, portraits, extent.smiles.inverting, "embedding portraits")
    near = [psnr(picture(generator, x), to_tensor(y)) for x, y in zip(people, portraits, strict=True)]
    metrics["smile/embedding_psnr"] = average(near)
    vectors = _vectors(generator, segmenter, oracle, extent)
    if "smile" in vectors:
        found, shown = smile_metrics(generator, oracle, segmenter, vectors["smile"], people, extent.smiles)
        metrics |= found
        figures |= {"smile": trade_off(curves(found)), "smile_pictures": tile(shown, 5)}
        found, rows = out_of_domain(generator, segmenter, vectors["smile"], *extent.outside)
        metrics |= found
        figures["outside_pictures"] = _tiled(rows)
    found, rows = vector_metrics(generator, oracle, segmenter, vectors, people[: extent.edited])
    metrics |= found
    figures["vector_pictures"] = _tiled(rows)
    few = people[: extent.painted]
    found, rows = paint_metrics(generator, oracle, segmenter, few, extent.painting, extent.donors)
    metrics |= found
    if rows:
        figures["paint_pictures"] = _tiled(rows)
    command = "ganedit evaluate editgan" + " --quick" * quick
    return Results("editgan", measurable(metrics), command, time.monotonic() - began, quick, figures=figures)


def curves(metrics: Mapping[str, Metric]) -> dict[str, list[tuple[Metric, Metric]]]:
    """Return way → (identity, accuracy) at each of its strengths that is not negative, as they were measured."""
    found: dict[str, list[tuple[Metric, Metric]]] = {}
    for name, accuracy in metrics.items():
        way = name.removeprefix("smile/accuracy_")
        identity = metrics.get(f"smile/identity_{way}")
        if way != name and identity is not None and "_-" not in way:
            found.setdefault(way.split("_")[0], []).append((identity, accuracy))
    return found


def _tiled(rows: Sequence[Sequence[np.ndarray]]) -> np.ndarray:
    return tile([shown for row in rows for shown in row], len(rows[0]))


def _sheet(generator: Generator, segmenters: Mapping[int, Segmenter], pictures: Sequence[Labeled]) -> Figure:
    """Draw what segmenters of one, of the published number and of all pictures see, in this order."""
    wanted = sorted({min(segmenters), STANDARD if STANDARD in segmenters else min(segmenters), max(segmenters)})
    columns = {
        f"{count} picture{'' if count == 1 else 's'}": seen(generator, segmenters[count], pictures).readings
        for count in wanted
    }
    return label_sheet(columns, [x.labels for x in pictures])


def _vectors(generator: Generator, segmenter: Segmenter, oracle: Oracle, extent: Extent) -> dict[str, EditVector]:
    """Return the library that ships, if it is of this generator, or else one made now."""
    try:
        vectors = load_vectors("demo")
        if all(v.direction.fingerprint == generator.fingerprint for v in vectors.values()):
            return vectors
    except DirectionError:
        pass
    return {v.name: v for v in starter_library(generator, segmenter, oracle, extent.pool, extent.learning)}


def _segmenter(generator: Generator) -> Segmenter | None:
    try:
        return load_segmenter("demo", generator)
    except SegmentError:
        return None
