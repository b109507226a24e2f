"""Make a catalog of parts from a model's own samples: draw, cluster, count."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import LatentError
from ..generators.base import Generator
from ..latent import Latent
from .catalog import PartCatalog, single_parts
from .contributions import contributions, normalized
from .entering import entering, putting_out
from .kmeans import MOST, Clusters, spherical_kmeans

PLACES = 400_000  # rows clustered at most; of more samples a random share of the places is taken
AT = 32  # resolution of the layer clustered by default: coarse enough for parts, fine enough for eyes


@dataclass(frozen=True)
class BuildProgress:
    """Where the making of a catalog has come to; `catalog` at the end."""

    doing: str
    step: int
    total: int
    catalog: PartCatalog | None = None


def clusterable(generator: Generator) -> dict[str, int]:
    """Return style layer → resolution of its output, for the layers that can be clustered, coarse to fine."""
    average = generator.average()
    layers = [name for name in generator.style_layers if name != "input" and not name.endswith("torgb")]
    if generator.family.startswith("stylegan3"):
        layers = layers[:-1]  # the last one puts out colors
    found = putting_out(generator, average, layers)
    return {name: found[name].shape[-1] for name in layers}


def default_layer(generator: Generator) -> str:
    """Return the last layer of resolution 32, or of half the picture's if that is less."""
    sizes = clusterable(generator)
    wanted = min(AT, generator.size[0] // 2)
    best = min(abs(size - wanted) for size in sizes.values())
    return [name for name, size in sizes.items() if abs(size - wanted) == best][-1]


def build_catalog(
    generator: Generator,
    layer: str | None = None,
    k: int = 12,
    seeds: Sequence[int] = range(100),
    psi: float = 0.7,
    restarts: int = 3,
    seed: int = 0,
) -> Iterator[BuildProgress]:
    """Cluster what `layer` puts out for samples of `seeds` into k parts, and count contributions at every layer.

    Each step draws one sample or improves the clusters once. Raises `LatentError` for a layer that is not there, too
    few places for k clusters, or activations that are not finite.
    """
    layer = layer or default_layer(generator)
    require_layer(clusterable(generator), layer, k, len(seeds))
    latents = [generator.sample(s, psi) for s in seeds]
    walk = restarts * 60
    total = 2 * len(latents) + walk
    rng = torch.Generator().manual_seed(seed)
    rows: list[Tensor] = []
    for i, latent in enumerate(latents, 1):
        rows.append(rows_of(generator, latent, layer, PLACES // len(latents), rng))
        yield BuildProgress("drawing samples", i, total)
    clusters: Clusters | None = None
    for progress in spherical_kmeans(torch.cat(rows), k, restarts, walk // restarts, seed):
        clusters = progress.best
        yield BuildProgress("clustering", len(latents) + progress.step, total)
    assert clusters is not None
    catalog = PartCatalog(generator.fingerprint, layer, clusters, {}, single_parts(k))
    sums: dict[str, Tensor] = {}
    for i, latent in enumerate(latents, 1):
        for name, m in count(generator, catalog, [latent]).items():
            sums[name] = sums.get(name, torch.zeros(())) + m / len(latents)
        done = len(latents) + walk + i
        yield BuildProgress("counting contributions", done, total, _finish(catalog, sums) if done == total else None)


def count(generator: Generator, catalog: PartCatalog, latents: Sequence[Latent]) -> dict[str, Tensor]:
    """Return style layer → M (K, C) of the catalog's clusters, averaged over the pictures of `latents` alone."""
    k = len(catalog.clusters.centers)
    members = F.one_hot(catalog.cluster_map(generator, latents), k).permute(0, 3, 1, 2).float()
    tensors = entering(generator, latents)
    return {name: contributions(x, members).cpu() for name, x in tensors.items()}


def rows_of(generator: Generator, latent: Latent, layer: str, most: int, rng: torch.Generator) -> Tensor:
    """Return normalized activations (N, C) of the places of a layer, a random share of them if there are too many."""
    return rows_in(putting_out(generator, latent, [layer])[layer], most, rng)


def rows_in(activations: Tensor, most: int, rng: torch.Generator) -> Tensor:
    """Return the places of activations (1, C, H, W), normalized, as rows (N, C); a random share if there are more."""
    x = normalized(activations)
    rows = x.permute(0, 2, 3, 1).reshape(-1, x.shape[1])
    return rows if len(rows) <= most else rows[torch.randperm(len(rows), generator=rng)[:most].to(rows.device)]


def require_layer(sizes: Mapping[str, int], layer: str, k: int, samples: int) -> None:
    """Raise `LatentError` if `layer` is not among `sizes`, or has too few places in so many samples for k clusters."""
    if layer not in sizes:
        raise LatentError(f"There is no layer {layer!r} to cluster; there are {', '.join(sizes)}.")
    if not 2 <= k <= MOST:
        raise LatentError(f"{k} clusters were asked for: choose 2 to {MOST}.")
    if samples * sizes[layer] ** 2 < k:
        raise LatentError(
            f"{k} clusters were asked for, and {samples} samples have {samples * sizes[layer] ** 2} places at {layer}: "
            "draw more samples, or choose fewer clusters or a finer layer."
        )


def _finish(catalog: PartCatalog, sums: dict[str, Tensor]) -> PartCatalog:
    return PartCatalog(catalog.fingerprint, catalog.layer, catalog.clusters, sums, catalog.parts)
