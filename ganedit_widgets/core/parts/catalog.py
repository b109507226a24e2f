"""A catalog of a model's parts: the clusters of one layer, their names, and what each channel contributes to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import LatentError
from ..generators.base import Generator
from ..latent import Latent
from ..short import short
from .contributions import normalized
from .entering import putting_out
from .kmeans import Clusters

COLORS = (
    *((31, 119, 180), (255, 127, 14), (44, 160, 44), (214, 39, 40), (148, 103, 189), (140, 86, 75), (227, 119, 194)),
    *((127, 127, 127), (188, 189, 34), (23, 190, 207), (174, 199, 232), (255, 187, 120), (152, 223, 138)),
    *((255, 152, 150), (197, 176, 213), (196, 156, 148), (247, 182, 210), (199, 199, 199), (219, 219, 141)),
)  # told apart at a glance; used again from the start where there are more parts


@dataclass(frozen=True)
class CatalogPart:
    """One or several clusters under a name."""

    name: str
    clusters: tuple[int, ...]
    color: tuple[int, int, int]


@dataclass(frozen=True, eq=False)
class PartCatalog:
    """The parts of one checkpoint. Frozen: merging, splitting and naming return another catalog, so undo is easy."""

    fingerprint: str
    layer: str  # whose output was clustered
    clusters: Clusters = field(repr=False)
    contributions: Mapping[str, Tensor] = field(repr=False)  # style layer → M (K, C) of the clusters
    parts: tuple[CatalogPart, ...] = field(default=(), repr=False)
    code: str = field(default="", repr=False)  # the Python expression that finds it again

    __repr__ = short

    def part(self, name: str) -> CatalogPart:
        """Return a part by its name. Raises `LatentError` if there is none."""
        for part in self.parts:
            if part.name == name:
                return part
        raise LatentError(f"There is no part {name!r}; there are {', '.join(p.name for p in self.parts)}.")

    def m(self, name: str) -> dict[str, Tensor]:
        """Return style layer → M (C,) of a part: the sum of its clusters'."""
        rows = list(self.part(name).clusters)
        return {layer: m[rows].sum(0) for layer, m in self.contributions.items()}

    def m_of_parts(self, layer: str) -> Tensor:
        """Return M (P, C) of all parts at a style layer."""
        return torch.stack([self.contributions[layer][list(part.clusters)].sum(0) for part in self.parts])

    # ---- where the parts are

    def cluster_map(self, generator: Generator, latents: Sequence[Latent]) -> Tensor:
        """Return the cluster (N, h, w) of every place of the clustered layer, while `latents` are drawn."""
        self.require_own(generator)
        rows = []
        for latent in latents:
            x = normalized(putting_out(generator, latent, [self.layer])[self.layer])
            n, c, h, w = x.shape
            rows.append(self.clusters.assign(x.permute(0, 2, 3, 1).reshape(-1, c)).reshape(n, h, w))
        return torch.cat(rows)

    def part_map(self, generator: Generator, latents: Sequence[Latent], size: tuple[int, int] | None = None) -> Tensor:
        """Return the number of the part (N, H, W) at every pixel, by the nearest place; `size` as the pictures'."""
        lookup = torch.zeros(len(self.clusters.centers), dtype=torch.long)
        for i, part in enumerate(self.parts):
            lookup[list(part.clusters)] = i
        found = lookup[self.cluster_map(generator, latents).cpu()]
        large = F.interpolate(found[:, None].float(), size=size or generator.size, mode="nearest-exact")
        return large[:, 0].long()

    def require_own(self, generator: Generator) -> None:
        """Raise `LatentError` if the catalog is of another checkpoint."""
        if self.fingerprint != generator.fingerprint:
            raise LatentError(
                f"This catalog of parts belongs to checkpoint {self.fingerprint}, the generator is "
                f"{generator.fingerprint}: make a catalog of this generator."
            )

    # ---- another catalog

    def renamed(self, old: str, new: str) -> PartCatalog:
        """Return the catalog with a part called otherwise. Raises `LatentError` if the name is taken or empty."""
        if not new.strip() or (new != old and any(part.name == new for part in self.parts)):
            raise LatentError(f"A part cannot be called {new!r}: the name is empty or taken, choose another.")
        self.part(old)
        return self._with(tuple(replace(p, name=new) if p.name == old else p for p in self.parts))

    def merged(self, names: Sequence[str], into: str) -> PartCatalog:
        """Return the catalog with several parts as one, in the place and color of the first."""
        chosen = [self.part(name) for name in dict.fromkeys(names)]
        if len(chosen) < 2:
            raise LatentError("Merging needs two parts or more: choose another beside it.")
        one = replace(chosen[0], clusters=tuple(sorted(c for part in chosen for c in part.clusters)))
        rest = tuple(one if p is chosen[0] else p for p in self.parts if p is chosen[0] or p not in chosen)
        return self._with(rest).renamed(one.name, into)

    def split(self, name: str) -> PartCatalog:
        """Return the catalog with each cluster of a part on its own again."""
        part = self.part(name)
        if len(part.clusters) < 2:
            raise LatentError(f"{name!r} is a single cluster: it cannot be split, make a catalog of more clusters.")
        pieces = [CatalogPart(f"{name} {i}", (c,), COLORS[c % len(COLORS)]) for i, c in enumerate(part.clusters, 1)]
        return self._with(tuple(x for p in self.parts for x in (pieces if p is part else [p])))

    def _with(self, parts: tuple[CatalogPart, ...]) -> PartCatalog:
        return replace(self, parts=parts, code="")


def single_parts(k: int) -> tuple[CatalogPart, ...]:
    """Return a part for each of k clusters, named by its number."""
    return tuple(CatalogPart(f"part {i + 1}", (i,), COLORS[i % len(COLORS)]) for i in range(k))
