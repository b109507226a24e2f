"""Borrow one part of the picture from another: hair, eyes, mouth (Collins et al., "Editing in Style", CVPR 2020)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from weakref import ReferenceType, WeakKeyDictionary, ref

import torch
from torch import Tensor

from ..errors import LatentError
from ..generators.base import Generator, require_own
from ..latent import Latent
from ..parts.build import count
from ..parts.catalog import PartCatalog
from ..parts.kmeans import Clusters
from ..parts.queries import greedy_query, simple_query, soft_query
from ..short import short
from .base import Report, ignore

RULES = ("greedy", "simple", "soft", "global")
_counted: WeakKeyDictionary[Latent, tuple[ReferenceType[Clusters], dict[str, Tensor]]] = WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class Borrow:
    """σ' = σ + q·(σ_R − σ) at every style layer: the channels q that matter to `part` come from the reference.

    `rule`: "greedy" takes whole channels by falling M while what leaks outside the part stays within `budget`
    (section 3.3.2; as a share of the layer's channels, so that one number suits layers of any width: ε = budget·C);
    "simple" takes q = min(1, budget·M); "soft" takes q = budget of the channels that in these two pictures belong to
    this part and to no other (Chong et al., "Retrieve in Style", ICCV 2021); "global", for comparison, takes q = budget
    of every channel, whatever the part. `protect` is ρ: channels with less of their energy in the part are not taken
    by the first two. Steps are *added* to the styles, so that later moves in W+ still count.
    """

    reference: Latent
    part: str
    catalog: PartCatalog
    budget: float = 0.05
    protect: float = 0.1
    rule: str = "greedy"
    colors: bool = False  # whether the styles of toRGB layers, which mix colors, are borrowed too
    fraction: bool = False  # whether "greedy" spends the rest of its budget on a share of the next channel
    keep_norm: bool = False  # scale what is taken to the length of what it replaces (Chong et al. 2021)
    layers: Mapping[str, float] = field(default_factory=dict)  # style layer → another budget there; 0 leaves it out
    note: str = ""  # what `reference` is, to be read aloud

    __repr__ = short
    total = 1

    def steps(self, generator: Generator, latent: Latent, report: Report = ignore) -> Iterator[Latent]:
        """Yield the latent with style offsets added."""
        require_own(generator, latent)
        require_own(generator, self.reference)
        self.catalog.require_own(generator)
        contributions = counted(generator, self.catalog, (latent, self.reference)) if self.rule == "soft" else None
        queries = self.queries(contributions)
        with torch.no_grad():
            own, other = generator.styles(latent), generator.styles(self.reference)
            steps = {name: self._step(own[name], other[name], q) for name, q in queries.items() if q.any()}
        yield latent.shifted(steps)

    def queries(self, contributions: Mapping[str, Tensor] | None = None) -> dict[str, Tensor]:
        """Return style layer → q (C,), by the catalog's contributions M (K, C) of its clusters, or by others.

        Raises `LatentError` for an unknown rule, part or layer, or a bad number.
        """
        self._check()
        catalog = self.catalog if contributions is None else replace(self.catalog, contributions=contributions)
        number = catalog.parts.index(catalog.part(self.part))
        layers = [name for name in catalog.contributions if self.colors or not name.endswith("torgb")]
        return {name: self._query(name, catalog.m_of_parts(name), number) for name in layers}

    def _query(self, name: str, m: Tensor, part: int) -> Tensor:
        """Return q (C,) of a layer from M (P, C) of all parts."""
        budget = self.layers.get(name, self.budget)
        if self.rule == "global":
            return torch.full_like(m[part], min(budget, 1.0))
        if self.rule == "soft":
            return soft_query(m, part) * min(budget, 1.0)
        if self.rule == "simple":
            return simple_query(m[part], budget) * (m[part] > self.protect)
        return greedy_query(m[part], budget * m.shape[1], self.protect, self.fraction)

    def _step(self, own: Tensor, other: Tensor, q: Tensor) -> Tensor:
        q = q.to(own)
        taken = other
        if self.keep_norm:
            taken = other * ((q * own).norm() / (q * other).norm().clamp(min=1e-12))
        return q * (taken - own)

    def _check(self) -> None:
        if self.rule not in RULES:
            raise LatentError(f"{self.rule!r} was given: choose one of {', '.join(map(repr, RULES))}.")
        budgets = [self.budget, *self.layers.values()]
        if not all(0 <= b < float("inf") for b in budgets) or not 0 <= self.protect <= 1:
            raise LatentError("A budget must be 0 or more, and what is protected a share from 0 to 1.")
        unknown = set(self.layers) - set(self.catalog.contributions)
        if unknown:
            raise LatentError(f"There is no style layer {sorted(unknown)[0]!r} in this catalog: leave it out.")


def counted(generator: Generator, catalog: PartCatalog, latents: Sequence[Latent]) -> dict[str, Tensor]:
    """Return style layer → M (K, C) averaged over the pictures of `latents` alone.

    What was counted is kept as long as its latent, so that a slider need not count again.
    """
    found = [_counted_in(generator, catalog, latent) for latent in latents]
    return {name: torch.stack([m[name] for m in found]).mean(0) for name in found[0]}


def _counted_in(generator: Generator, catalog: PartCatalog, latent: Latent) -> dict[str, Tensor]:
    known = _counted.get(latent)
    if known is not None and known[0]() is catalog.clusters:
        return known[1]
    found = count(generator, catalog, [latent])
    _counted[latent] = (ref(catalog.clusters), found)
    return found
