"""How well clusters match true parts: of a catalog, of every layer and number of clusters, of fewer samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..core.edits import Embed, run
from ..core.generators import Generator
from ..core.image import to_pixels
from ..core.parts import PartCatalog, silhouette, spherical_kmeans
from ..core.parts.build import rows_of
from ..core.parts.suggest import assign, iou, overlaps
from ..core.progress import Bar
from .held_out import held_out
from .oracle import Oracle
from .parts import NAMES, Labeled, grouped
from .results_file import Metric, measurable
from .statistics import bootstrap_all, confusions, intersection_over_union

ITERATIONS = 30


@dataclass(frozen=True)
class Choice:
    """A layer and a number of clusters, named on some samples and measured on others."""

    layer: str
    k: int
    miou: float
    each: tuple[float, ...]  # IoU by part, in `NAMES`
    silhouette: float


def part_metrics(found: Tensor, truth: Tensor, prefix: str = "parts") -> dict[str, Metric]:
    """Return the mean IoU and that of each part, for labels (N, H, W) in `NAMES`; parts that do not occur are left out.

    Names are PREFIX/miou and PREFIX/miou_PART.
    """

    def measure(pixels: Tensor) -> Tensor:
        each = intersection_over_union(pixels)
        present = pixels.sum((0, 2)) > 0
        return torch.cat([each[present].mean()[None], each.where(present, torch.nan)])

    names = [f"{prefix}/miou", *(f"{prefix}/miou_{name}" for name in NAMES)]
    rows = bootstrap_all(measure, confusions(found, truth, len(NAMES)))
    return measurable(dict(zip(names, rows, strict=True)))


def labels_of(catalog: PartCatalog, generator: Generator, samples: Labeled) -> Tensor:
    """Return where the catalog sees its parts in samples: labels (N, H, W) in `NAMES`."""
    table = torch.tensor([NAMES.index(part.name) for part in catalog.parts])
    return table[catalog.part_map(generator, samples.latents, (samples.labels.shape[-2], samples.labels.shape[-1]))]


def choices(
    generator: Generator, train: Labeled, test: Labeled, layers: Sequence[str], ks: Sequence[int], rows: int = 30_000
) -> list[Choice]:
    """Cluster every layer into every number of clusters, name them on `train`, and measure on `test`."""
    found = []
    for layer in Bar(layers, "layers", leave=False):
        known, new = (_each(generator, samples, layer) for samples in (train, test))
        flat = known.flatten(0, 2)
        some = flat[torch.randperm(len(flat), generator=torch.Generator().manual_seed(0))[:rows]]
        for k in ks:
            *_, last = spherical_kmeans(some, k, 1, ITERATIONS)
            maps = [last.best.assign(x.flatten(0, 2)).reshape(x.shape[:3]) for x in (known, new)]
            counts = [overlaps(m, s.labels, k, len(NAMES)) for m, s in zip(maps, (train, test), strict=True)]
            each, occurs = iou(counts[1], assign(counts[0])), counts[1].sum(0) > 0
            apart = silhouette(some, last.best.assign(some))
            found.append(Choice(layer, k, float(each[occurs].mean()), tuple(each.tolist()), apart))
    return found


def choice_metrics(found: Sequence[Choice], n: int) -> dict[str, Metric]:
    """Return parts/best and parts/best_PART: the best of all choices, without intervals."""
    best = {"parts/best": max(choice.miou for choice in found)}
    best |= {f"parts/best_{name}": max(choice.each[i] for choice in found) for i, name in enumerate(NAMES)}
    return {name: Metric(value, value, value, n) for name, value in best.items()}


def render_metrics(generator: Generator, catalog: PartCatalog, first: int, count: int, steps: int) -> dict[str, Metric]:
    """Measure the catalog on embedded renders, whose parts are known exactly: renders/miou."""
    pictures, labels, _ = held_out(first, count, generator.size[0])
    latents = [
        run(generator, generator.average(), Embed(to_pixels(p.float() / 127.5 - 1), steps, first_w=max(1, steps // 3)))
        for p in Bar(pictures, "embedded renders", leave=False)
    ]
    found = labels_of(catalog, generator, Labeled(latents, pictures, grouped(labels)))
    return part_metrics(found, grouped(labels), "renders")


def oracle_metrics(oracle: Oracle, first: int, count: int, size: int) -> dict[str, Metric]:
    """Measure the oracle's own parts on renders: oracle/miou, the most that a catalog's score can mean."""
    pictures, labels, _ = held_out(first, count, size)
    found = part_metrics(grouped(oracle.segment(pictures)), grouped(labels), "oracle")
    return {"oracle/miou": found["oracle/miou"]}


def _each(generator: Generator, samples: Labeled, layer: str) -> Tensor:
    """Return normalized activations (N, h, w, C) of samples."""
    rng = torch.Generator()
    rows = torch.stack([rows_of(generator, latent, layer, 1 << 30, rng) for latent in samples.latents])
    side = round(rows.shape[1] ** 0.5)
    return rows.reshape(len(samples), side, side, -1)
