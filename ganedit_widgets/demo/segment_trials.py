"""Segmenters of few and many labeled pictures, measured on pictures they have not seen."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ..core.generators import Generator
from ..core.segment import Labeled, Segmenter, SegmentPlan
from .held_out import HELD_OUT_SEED
from .oracle import Oracle
from .portraits import PARTS
from .results_file import Metric
from .segmenter import labeled_renders, labeled_samples, telling, trained
from .statistics import bootstrap, bootstrap_all, confusions, intersection_over_union, mean_iou

FIRST, TESTED = 300_000, 310_000  # seeds of the samples that are labeled, and of those that are measured
HELD_RENDERS = 6000  # held-out portraits from this number on
STANDARD = 16  # labeled pictures, as published


@dataclass(frozen=True)
class Extent:
    """How much is measured."""

    labels: tuple[int, ...]  # pictures that segmenters are trained from; the last is called "full"
    tested: int
    renders: int  # embedded ones: to train from, and half as many to test with
    among: int  # portraits from which those are chosen
    embedding: int  # steps for each
    training: int  # steps


def segmentation_metrics(
    generator: Generator, oracle: Oracle, extent: Extent
) -> tuple[dict[str, Metric], dict[int, Segmenter]]:
    """Measure segmenters of 1, 4, … labeled samples, and one of embedded renders, on pictures they have not seen."""
    pool = labeled_samples(generator, oracle, range(FIRST, FIRST + max(extent.labels)))
    tested = labeled_samples(generator, oracle, range(TESTED, TESTED + extent.tested))
    order = telling([x.labels for x in pool], max(STANDARD, *extent.labels[:-1]))
    metrics: dict[str, Metric] = {}
    found: dict[int, Segmenter] = {}
    for count in extent.labels:
        chosen = pool if count == max(extent.labels) else [pool[i] for i in order[:count]]
        began = time.monotonic()
        found[count] = trained(generator, chosen, SegmentPlan(steps=extent.training))
        if count == STANDARD or len(extent.labels) < 3:
            metrics["time/train"] = _once(time.monotonic() - began)
            metrics["memory/train_gib"] = _once(_peak_gib())
            for part, metric in part_ious(generator, found[count], tested).items():
                metrics[f"segmentation/iou_{part}"] = metric
        name = "full" if count == max(extent.labels) else str(count)
        metrics[f"segmentation/miou_{name}"] = miou(generator, found[count], tested)
    some = labeled_renders(generator, extent.renders, extent.embedding, among=extent.among)
    other = labeled_renders(generator, max(1, extent.renders // 2), extent.embedding, HELD_RENDERS, HELD_OUT_SEED, 1)
    rendered = trained(generator, some, SegmentPlan(steps=extent.training))
    metrics["segmentation/miou_renders"] = miou(generator, rendered, other)
    metrics["segmentation/miou_renders_on_samples"] = miou(generator, rendered, tested)
    return metrics, found


def miou(generator: Generator, segmenter: Segmenter, pictures: Sequence[Labeled]) -> Metric:
    """Return the mean IoU over the parts that occur in `pictures`."""
    return bootstrap(mean_iou, _confusions(generator, segmenter, pictures))


def part_ious(generator: Generator, segmenter: Segmenter, pictures: Sequence[Labeled]) -> dict[str, Metric]:
    """Return the IoU of each part that occurs in `pictures`."""
    found = bootstrap_all(intersection_over_union, _confusions(generator, segmenter, pictures))
    return {name: metric for name, metric in zip(PARTS, found, strict=True) if math.isfinite(metric.value)}


def _confusions(generator: Generator, segmenter: Segmenter, pictures: Sequence[Labeled]) -> torch.Tensor:
    found = np.stack([segmenter.labels(generator, x.latent) for x in pictures])
    true = np.stack([x.labels for x in pictures])
    return confusions(torch.from_numpy(found), torch.from_numpy(true), len(PARTS))


def _once(value: float) -> Metric:
    return Metric(value, value, value, 1)


def _peak_gib() -> float:
    """Return the most memory this process has held, in GiB."""
    import resource  # not on Windows, where nobody measures

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
