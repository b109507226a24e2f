"""Which layer and how many clusters: how well each choice parts the samples, as points of a plot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ..generators.base import Generator
from .build import clusterable, require_layer, rows_in
from .entering import putting_out
from .kmeans import spherical_kmeans

PLACES = 10_000  # rows a choice is judged by
ITERATIONS = 30
SAMPLES = 24  # drawn by default
LEAST, KS = 8, (4, 6, 8, 12, 16, 20, 24)  # resolution of the coarsest layer, and numbers of clusters, tried by default


@dataclass(frozen=True)
class SurveyPoint:
    """How well K clusters part what a layer puts out."""

    layer: str
    resolution: int
    k: int
    objective: float  # mean cosine with the center; rises with K, so that only its bend says something
    silhouette: float  # in [-1, 1]; the higher, the better clusters are apart, whatever K


@dataclass(frozen=True)
class SurveyProgress:
    """The points found so far; none while samples are drawn."""

    points: tuple[SurveyPoint, ...]
    step: int  # samples drawn and points found
    total: int


def survey(
    generator: Generator,
    layers: Sequence[str] | None = None,
    ks: Sequence[int] = KS,
    seeds: Sequence[int] = range(SAMPLES),
    psi: float = 0.7,
    seed: int = 0,
) -> Iterator[SurveyProgress]:
    """Draw samples, cluster them at every layer for every K, once each; yield after each sample and each point.

    `layers`: those of 8 pixels to half the picture if not given. Raises `LatentError` for an unknown layer or a bad K.
    """
    sizes = clusterable(generator)
    if layers is None:
        layers = [name for name, size in sizes.items() if min(LEAST, max(sizes.values())) <= size]
        layers = [name for name in layers if sizes[name] <= max(LEAST, generator.size[0] // 2)]
    layers = list(dict.fromkeys(layers))
    for layer in layers:
        require_layer(sizes, layer, max(ks), len(seeds))
    total = len(seeds) + len(layers) * len(ks)
    points: list[SurveyPoint] = []
    drawn: dict[str, list[Tensor]] = {layer: [] for layer in layers}
    rngs = {layer: torch.Generator().manual_seed(seed) for layer in layers}
    for i, s in enumerate(seeds, 1):
        for layer, x in putting_out(generator, generator.sample(s, psi), layers).items():
            drawn[layer].append(rows_in(x, PLACES // len(seeds), rngs[layer]))
        yield SurveyProgress((), i, total)
    for layer in layers:
        rows = torch.cat(drawn.pop(layer))
        for k in ks:
            *_, last = spherical_kmeans(rows, k, 1, ITERATIONS, seed)
            apart = silhouette(rows, last.best.assign(rows))
            points.append(SurveyPoint(layer, sizes[layer], k, last.best.objective, apart))
            yield SurveyProgress(tuple(points), len(seeds) + len(points), total)


def silhouette(rows: Tensor, labels: Tensor) -> float:
    """Return the mean silhouette of rows (N, C) under 1 − cos, for the number of the cluster (N,) of each.

    (b − a) / max(a, b), with a the mean distance to the others of a row's own cluster and b that to the nearest other
    one; 0 for a row alone (Rousseeuw 1987). Exact for all rows: a mean cosine is the cosine with a mean. 0 if there is
    a single cluster.
    """
    x = F.normalize(rows.float(), dim=1)
    used, labels = labels.unique(return_inverse=True)
    if len(used) < 2:
        return 0.0
    sums = torch.zeros(len(used), x.shape[1], device=x.device).index_add_(0, labels, x)
    counts = torch.bincount(labels).to(x)
    cosines = x @ sums.t()  # (N, K): summed over each cluster
    own, n = cosines.gather(1, labels[:, None])[:, 0], counts[labels]
    a = 1 - (own - 1) / (n - 1).clamp(min=1)
    others = (1 - cosines / counts).scatter(1, labels[:, None], torch.inf)
    b = others.min(1).values
    s = torch.where(n > 1, (b - a) / torch.maximum(a, b).clamp(min=1e-9), torch.zeros_like(a))
    return float(s.mean())
