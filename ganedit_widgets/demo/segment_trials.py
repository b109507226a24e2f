"""Segmenters of few and many labeled pictures, measured on pictures they have not seen."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..core.generators import Generator
from ..core.progress import Bar
from ..core.segment import Labeled, Reading, Segmenter, SegmentPlan, leave_one_out
from .embedding_trials import average
from .hand_labels import agreement, drawn_and_seen, labeled_by_hand
from .held_out import HELD_OUT_SEED
from .label_metrics import exactly, peak_gib
from .oracle import Oracle
from .portraits import PARTS
from .results_file import Metric
from .segmenter import labeled_renders, labeled_samples, telling, trained
from .statistics import auc, bootstrap, bootstrap_all, confusions, intersection_over_union, mean_iou

FIRST, TESTED = 300_000, 310_000  # seeds of the samples that are labeled, and of those that are measured
HELD_RENDERS = 6000  # held-out portraits from this number on
STANDARD = 16  # labeled pictures, as published
AMONG = 120  # portraits from which those that teach are chosen


@dataclass(frozen=True)
class Extent:
    """How much is measured."""

    labels: tuple[int, ...]  # pictures that segmenters are trained from; the last is called "full"
    tested: int
    renders: int  # embedded ones to test with; and STANDARD to train from, where no segmenter ships
    embedding: int  # steps for each
    training: int  # steps


@dataclass(frozen=True, eq=False)
class Seen:
    """What a segmenter sees in N pictures, beside the truth."""

    readings: list[Reading]
    true: list[np.ndarray]  # (H, W) each
    confusions: Tensor  # (N, classes, classes)

    @property
    def miou(self) -> Metric:
        """The mean IoU over the parts that occur."""
        return bootstrap(mean_iou, self.confusions)

    @property
    def ious(self) -> dict[str, Metric]:
        """The IoU of each part that occurs."""
        found = bootstrap_all(intersection_over_union, self.confusions)
        return {name: metric for name, metric in zip(PARTS, found, strict=True) if math.isfinite(metric.value)}

    @property
    def doubt(self) -> Metric:
        """How well the uncertainty map tells wrong pixels from right ones: the AUC, mean over the pictures.

        Its value is NaN if no picture has both.
        """
        ranked = [_ranked(reading, true) for reading, true in zip(self.readings, self.true, strict=True)]
        known = [value for value in ranked if math.isfinite(value)]
        return average(known) if known else Metric(math.nan, math.nan, math.nan, 0)


def seen(generator: Generator, segmenter: Segmenter, pictures: Sequence[Labeled], what: str = "labels") -> Seen:
    """Let a segmenter look at pictures."""
    readings = [segmenter.read(generator, x.latent) for x in Bar(pictures, what, leave=False)]
    true = [x.labels for x in pictures]
    found = torch.from_numpy(np.stack([reading.labels for reading in readings]))
    return Seen(readings, true, confusions(found, torch.from_numpy(np.stack(true)), len(PARTS)))


def segmentation_metrics(
    generator: Generator, oracle: Oracle, extent: Extent, shipped: Segmenter | None = None
) -> tuple[dict[str, Metric], dict[int, Segmenter], list[Labeled]]:
    """Measure segmenters of 1, 4, … labeled samples, and one of embedded renders, on pictures they have not seen.

    Samples are labeled by the oracle, renders exactly. `shipped` is the segmenter of renders, if there is one. Returns
    the segmenters by their number of pictures, and the samples that were measured, too.
    """
    pool = labeled_samples(generator, oracle, range(FIRST, FIRST + max(extent.labels)))
    tested = labeled_samples(generator, oracle, range(TESTED, TESTED + extent.tested))
    order = telling([x.labels for x in pool], max(STANDARD, *extent.labels[:-1]))
    plan = SegmentPlan(steps=extent.training)
    standard = STANDARD if STANDARD in extent.labels else min(extent.labels)
    metrics: dict[str, Metric] = {}
    found: dict[int, Segmenter] = {}
    for count in extent.labels:
        chosen = pool if count == max(extent.labels) else [pool[i] for i in order[:count]]
        began = time.monotonic()
        found[count] = trained(generator, chosen, plan)
        if count == standard:
            metrics["time/train"] = exactly(time.monotonic() - began)
            metrics["memory/train_gib"] = exactly(peak_gib())
            metrics["segmentation/leave_one_out"] = _left_out(generator, [pool[i] for i in order[:STANDARD]], plan)
        now = seen(generator, found[count], tested, f"labels, {count} pictures")
        metrics[f"segmentation/miou_{'full' if count == max(extent.labels) else count}"] = now.miou
        if count == standard:
            metrics |= {f"segmentation/iou_{part}": metric for part, metric in now.ious.items()}
            metrics["segmentation/doubt_auc"] = now.doubt
    held = labeled_renders(generator, extent.renders, extent.embedding, HELD_RENDERS, HELD_OUT_SEED, 1)
    metrics |= _rendered(generator, extent, found[standard], shipped, tested, held)
    return metrics | _by_hand(generator, oracle, plan, tested, held), found, tested


def _rendered(
    generator: Generator,
    extent: Extent,
    sampled: Segmenter,
    shipped: Segmenter | None,
    tested: Sequence[Labeled],
    held: Sequence[Labeled],
) -> dict[str, Metric]:
    """Measure the segmenter of embedded renders, and that of samples, on embedded renders nobody has trained with."""
    if shipped is None:
        count, among = min(STANDARD, extent.renders), AMONG if extent.renders >= STANDARD else extent.renders
        some = labeled_renders(generator, count, extent.embedding, among=among)
        shipped = trained(generator, some, SegmentPlan(steps=extent.training))
    began = time.monotonic()
    on_renders = seen(generator, shipped, held, "labels of renders")
    return {
        "time/read": exactly((time.monotonic() - began) / len(held)),
        "segmentation/miou_renders": on_renders.miou,
        "segmentation/miou_renders_on_samples": seen(generator, shipped, tested, "labels of samples").miou,
        "segmentation/miou_samples_on_renders": seen(generator, sampled, held, "labels of renders").miou,
    }


def _by_hand(
    generator: Generator, oracle: Oracle, plan: SegmentPlan, tested: Sequence[Labeled], held: Sequence[Labeled]
) -> dict[str, Metric]:
    """Measure a segmenter of samples painted by eye, as those of the oracle's labels are; {} for another model.

    segmentation/by_hand_agreement: the mean IoU of what was painted with what the oracle sees there.
    """
    painted = labeled_by_hand(generator)
    if not painted:
        return {}
    segmenter = trained(generator, painted, plan)
    agreed = agreement(painted, drawn_and_seen(generator, oracle, painted)[1])
    return {
        "segmentation/by_hand_agreement": bootstrap(mean_iou, agreed),
        "segmentation/miou_by_hand": seen(generator, segmenter, tested, "labels by hand").miou,
        "segmentation/miou_by_hand_on_renders": seen(generator, segmenter, held, "labels by hand, renders").miou,
    }


def _left_out(generator: Generator, labeled: Sequence[Labeled], plan: SegmentPlan) -> Metric:
    """Return the mean IoU that the user would be told, each picture labeled by a network that has not seen it.

    Its interval is that of drawing the pictures anew.
    """
    *_, last = leave_one_out(generator, labeled, PARTS, plan)
    shared = torch.from_numpy(np.stack([x.shared for x in last.overlaps])).double()
    either = torch.from_numpy(np.stack([x.either for x in last.overlaps])).double()

    def miou(shared: Tensor, either: Tensor) -> float:
        total = either.sum(0)
        return float((shared.sum(0) / total.where(total > 0, torch.nan)).nanmean())

    return bootstrap(miou, shared, either)


def _ranked(reading: Reading, true: np.ndarray) -> float:
    """Return the AUC of the uncertainty for being wrong; NaN where all is right, or all is wrong."""
    doubt, wrong = torch.from_numpy(reading.uncertainty), torch.from_numpy(reading.labels != true)
    return auc(doubt[wrong], doubt[~wrong]) if 0 < int(wrong.sum()) < wrong.numel() else math.nan
