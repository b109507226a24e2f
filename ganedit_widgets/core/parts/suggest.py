"""Name clusters after parts that are known: from pictures that somebody, or some network, has labeled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import LatentError
from ..generators.base import Generator
from ..latent import Latent
from .catalog import COLORS, CatalogPart, PartCatalog


def suggest(
    catalog: PartCatalog,
    generator: Generator,
    latents: Sequence[Latent],
    labels: Tensor,
    names: Sequence[str],
    colors: Sequence[tuple[int, int, int]] = COLORS,
) -> PartCatalog:
    """Return the catalog with its clusters merged and named so that they match labeled pictures best.

    `labels` (N, H, W) count in `names`, for the pictures of `latents`; -1 where nobody knows. The mean intersection
    over union of all parts that occur is raised until no cluster does better elsewhere. A part that no cluster
    matches best is left out. Raises `LatentError` if nothing is labeled, or labels do not fit.
    """
    k = len(catalog.clusters.centers)
    overlap = overlaps(catalog.cluster_map(generator, latents), labels, k, len(names))
    if not overlap.any():
        raise LatentError("None of these pictures is labeled: give labels from 0 up.")
    owner = assign(overlap)
    found = [(i, tuple((owner == i).nonzero().flatten().tolist())) for i in range(len(names))]
    parts = tuple(CatalogPart(names[i], clusters, colors[i % len(colors)]) for i, clusters in found if clusters)
    return replace(catalog, parts=parts, code="")


def overlaps(clusters: Tensor, labels: Tensor, k: int, parts: int) -> Tensor:
    """Return how many pixels each of k clusters shares with each part: (K, P).

    `clusters` (N, h, w) are brought to the size of `labels` (N, H, W), of which negative ones do not count. Raises
    `LatentError` if they are not of the same pictures, or a label is too large.
    """
    if len(clusters) != len(labels) or int(labels.max()) >= parts:
        raise LatentError(
            f"{len(clusters)} pictures and labels {tuple(labels.shape)} up to {int(labels.max())} were given for "
            f"{parts} parts: give labels (N, H, W) of as many pictures, that count in the parts' names."
        )
    large = F.interpolate(clusters[:, None].float().cpu(), size=tuple(labels.shape[-2:]), mode="nearest-exact")
    labels = labels.cpu().long()
    known = labels >= 0
    pairs = large[:, 0].long()[known] * parts + labels[known]
    return torch.bincount(pairs, minlength=k * parts).reshape(k, parts).double()


def assign(overlap: Tensor) -> Tensor:
    """Return the part (K,) of every cluster from pixels shared (K, P), so that the mean IoU can rise no further.

    Each cluster begins with the part it alone matches best; then clusters move, one at a time, wherever the mean rises.
    """
    k, parts = overlap.shape
    alone = overlap / (overlap.sum(1, keepdim=True) + overlap.sum(0) - overlap).clamp(min=1)
    owner = alone.argmax(1)
    best, rises = mean_iou(overlap, owner), True
    while rises:
        rises = False
        for cluster in range(k):
            for part in range(parts):
                tried = owner.clone()
                tried[cluster] = part
                if (score := mean_iou(overlap, tried)) > best + 1e-9:
                    best, owner, rises = score, tried, True
    return owner


def mean_iou(overlap: Tensor, owner: Tensor) -> float:
    """Return the intersection over union of merged clusters with parts, averaged over the parts that occur."""
    whole = overlap.sum(0)
    return float(iou(overlap, owner)[whole > 0].mean())


def iou(overlap: Tensor, owner: Tensor) -> Tensor:
    """Return the intersection over union (P,) of merged clusters with parts, if cluster i belongs to owner[i]."""
    merged = torch.zeros(overlap.shape[1], overlap.shape[1], dtype=overlap.dtype).index_add_(0, owner, overlap)
    shared = merged.diagonal()
    return shared / (merged.sum(1) + overlap.sum(0) - shared).clamp(min=1)
