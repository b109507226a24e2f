"""Measure EditGAN on the demo model: labels from few pictures, and a smile painted once and made on many."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor
from tqdm import tqdm

from ..core.edits import Edit, MoveAlong, Refine, run
from ..core.errors import DirectionError, SegmentError
from ..core.generators import Generator
from ..core.generators.load import load_generator
from ..core.image import to_pixels
from ..core.latent import Latent
from ..core.probes import boundary
from ..core.segment import Labeled, Segmenter, SegmentPlan, load_segmenter
from ..core.sheet import tile
from ..core.vectors import EditVector, refined
from .edit_vectors import LESSONS, learn
from .embedding_trials import average
from .figures import bars
from .held_out import HELD_OUT_SEED
from .oracle import Look, Oracle, load_oracle
from .portraits import PARTS
from .results_file import Metric, Results
from .segmenter import labeled_renders, labeled_samples, telling, trained
from .statistics import bootstrap, confusions, frechet_distance, mean_iou

FIRST, TESTED = 300_000, 310_000  # seeds of the pictures that are labeled, and of those that are measured
HELD_RENDERS = 6000  # held-out portraits from this number on
SMILING = 0.7  # a smile is above that of so large a share of the model's own pictures
NEUTRAL = (0.1, 0.5)  # shares of the model's own pictures between whose smiles a neutral one lies
PSI = 1.0
SWEEP = (0.5, 1.0, 1.5, 2.0)
STRENGTHS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0)  # of the boundary, in deviations of W


@dataclass(frozen=True)
class Extent:
    """How much is measured."""

    labels: tuple[int, ...]  # pictures that segmenters are trained from; the last is called "full"
    tested: int
    renders: int  # embedded ones: to train from, and half as many to test with
    among: int  # portraits from which those are chosen
    embedding: int  # steps for each
    training: int  # steps
    pool: int  # samples among which neutral ones are sought
    neutral: int
    refined: int  # of the neutral ones
    painting: int  # steps
    refining: int
    times: int  # resamples of a distance between sets


FULL = Extent((1, 4, 16, 64, 500), 100, 16, 120, 150, 1500, 1500, 400, 50, 100, 30, 20)
QUICK = Extent((1, 2), 2, 2, 2, 2, 30, 24, 6, 2, 3, 2, 2)


def evaluate(quick: bool = False, generator: Generator | None = None, oracle: Oracle | None = None) -> Results:
    """Train segmenters from few and many labels, and run the smile benchmark; a full run takes hours of one core.

    Neutral pictures are samples of the model, not photographs: embedding hundreds would take a day. `quick`: a few
    pictures and steps, under a minute; its numbers compare with nothing but themselves.
    """
    began = time.monotonic()
    generator, oracle = generator or load_generator("demo"), oracle or load_oracle()
    extent = QUICK if quick else FULL
    metrics, segmenters = segmentation_metrics(generator, oracle, extent)
    segmenter = _shipped(generator) or segmenters[min(16, max(segmenters))]
    smile, shown = smile_metrics(generator, oracle, segmenter, extent)
    metrics |= smile
    figures: dict[str, np.ndarray | Figure] = {
        "miou": bars({k: m for k, m in metrics.items() if k.startswith("segmentation/miou")}, "mean IoU"),
        "smile": bars({k: m for k, m in metrics.items() if k.startswith("smile/accuracy")}, "smiling"),
    }
    if shown:
        figures["pictures"] = tile(shown, 5)
    command = "ganedit evaluate editgan" + " --quick" * quick
    return Results("editgan", metrics, command, time.monotonic() - began, quick, figures=figures)


# ---- labels


def segmentation_metrics(
    generator: Generator, oracle: Oracle, extent: Extent
) -> tuple[dict[str, Metric], dict[int, Segmenter]]:
    """Measure segmenters of 1, 4, … labeled samples, and one of embedded renders, on pictures they have not seen."""
    pool = labeled_samples(generator, oracle, range(FIRST, FIRST + max(extent.labels)))
    tested = labeled_samples(generator, oracle, range(TESTED, TESTED + extent.tested))
    order = telling([x.labels for x in pool], max(16, *extent.labels[:-1]))
    metrics: dict[str, Metric] = {}
    found: dict[int, Segmenter] = {}
    for count in extent.labels:
        chosen = pool if count == max(extent.labels) else [pool[i] for i in order[:count]]
        began = time.monotonic()
        found[count] = trained(generator, chosen, SegmentPlan(steps=extent.training))
        if count == 16 or len(extent.labels) < 3:
            metrics["time/train"] = _once(time.monotonic() - began)
            metrics["memory/train_gib"] = _once(_peak_gib())
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
    found = np.stack([segmenter.labels(generator, x.latent) for x in pictures])
    true = np.stack([x.labels for x in pictures])
    pixels = confusions(torch.from_numpy(found), torch.from_numpy(true), len(PARTS))
    return bootstrap(mean_iou, pixels)


# ---- the smile benchmark (Ling et al. 2021, section 4.2; of MaskGAN, Lee et al. 2020)


def smile_metrics(
    generator: Generator, oracle: Oracle, segmenter: Segmenter, extent: Extent
) -> tuple[dict[str, Metric], list[np.ndarray]]:
    """Paint a smile once, make it on neutral pictures with and without refining, and beside a linear boundary."""
    pool = [generator.sample(seed, PSI) for seed in range(TESTED, TESTED + extent.pool)]
    seen = look(generator, oracle, pool)
    smile = seen.attributes["smile"].float()
    least, low, high = smile.quantile(torch.tensor([SMILING, *NEUTRAL])).tolist()
    neutral = ((smile >= low) & (smile <= high)).nonzero().flatten()[: extent.neutral].tolist()
    latents, identity = [pool[i] for i in neutral], seen.identity[neutral]
    vector = _smile(generator, segmenter, pool, smile, extent.painting)
    if vector is None:
        return {}, []
    plane = boundary(generator, pool, (smile > smile.median()).tolist(), "smile")
    ways: dict[str, tuple[Sequence[Latent], Edit]] = {f"vector_{s:g}": (latents, vector.at(s)) for s in SWEEP if s != 1}
    ways["vector"] = latents, vector.at()
    ways["refined"] = latents[: extent.refined], refined([(vector, 1.0)], segmenter, extent.refining)
    ways |= {f"interfacegan_{s:g}": (latents, MoveAlong(plane, s)) for s in STRENGTHS}
    metrics: dict[str, Metric] = {}
    for name, (some, edit) in ways.items():
        began = time.monotonic()
        after = look(generator, oracle, [made(generator, x, edit) for x in tqdm(some, name, disable=None, leave=False)])
        metrics[f"time/{name}"] = _once((time.monotonic() - began) / len(some))
        metrics[f"smile/accuracy_{name}"] = average((after.attributes["smile"].float() > least).double())
        metrics[f"smile/identity_{name}"] = average((after.identity * identity[: len(some)]).sum(1).double())
        metrics[f"smile/frechet_{name}"] = _distance(after.features, seen.features, extent.times)
    metrics["smile/accuracy_interfacegan_equal_identity"] = at_equal_identity(metrics, "vector", len(latents))
    metrics["time/step"] = _once(metrics["time/refined"].value / extent.refining)
    shown = [_strip(generator, x, vector, segmenter, extent) for x in latents[:4]]
    return metrics, [picture for row in shown for picture in row]


def at_equal_identity(metrics: dict[str, Metric], name: str, n: int) -> Metric:
    """Return the boundary's accuracy at the strength that keeps the identity as well as the way `name` does."""
    wanted = metrics[f"smile/identity_{name}"].value
    rows = sorted(
        (metrics[f"smile/identity_interfacegan_{s:g}"].value, metrics[f"smile/accuracy_interfacegan_{s:g}"])
        for s in STRENGTHS
    )
    alike = [identity for identity, _ in rows]
    value, low, high = (
        float(np.interp(wanted, alike, [getattr(m, part) for _, m in rows])) for part in ("value", "low", "high")
    )
    return Metric(value, low, high, n)


def made(generator: Generator, latent: Latent, edit: Edit) -> Latent:
    """Return the latent after `edit`; where there is nothing to refine, after the moves alone."""
    try:
        return run(generator, latent, edit)
    except SegmentError:
        return run(generator, latent, *edit.moves) if isinstance(edit, Refine) else latent


def look(generator: Generator, oracle: Oracle, latents: Sequence[Latent]) -> Look:
    """Return what the oracle sees in the pictures of `latents`."""
    with torch.no_grad():
        return oracle.look(torch.cat([generator.draw(x).clamp(-1, 1) for x in latents]))


def _smile(
    generator: Generator, segmenter: Segmenter, pool: Sequence[Latent], smile: Tensor, steps: int
) -> EditVector | None:
    """Learn the vector from one picture; None if no smile can be painted with this segmenter."""
    try:
        return learn(generator, segmenter, LESSONS[0], pool, smile, steps)
    except (SegmentError, DirectionError):
        return None


def _shipped(generator: Generator) -> Segmenter | None:
    try:
        return load_segmenter("demo", generator)
    except SegmentError:
        return None


def _strip(
    generator: Generator, latent: Latent, vector: EditVector, segmenter: Segmenter, extent: Extent
) -> list[np.ndarray]:
    """Return before, −1, 1, 2, and 1 refined."""
    edits: list[Edit] = [vector.at(s) for s in (0.0, -1.0, 1.0, 2.0)]
    edits.append(refined([(vector, 1.0)], segmenter, extent.refining))
    with torch.no_grad():
        return [to_pixels(generator.draw(made(generator, latent, edit))) for edit in edits]


def _distance(a: Tensor, b: Tensor, times: int) -> Metric:
    return bootstrap(frechet_distance, a.float(), b.float(), paired=False, recentered=True, times=times)


def _once(value: float) -> Metric:
    return Metric(value, value, value, 1)


def _peak_gib() -> float:
    """Return the most memory this process has held, in GiB."""
    import resource  # not on Windows, where nobody measures

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
