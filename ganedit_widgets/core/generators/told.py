"""What several latents tell a synthesis network beside w, one row for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ..errors import LatentError
from ..latent import Latent

if TYPE_CHECKING:
    from ..conditioning.schema import Schema
    from .base import Generator


def told(generator: Generator, latents: Sequence[Latent], noise: str | int = "const") -> dict[str, Any]:
    """Return the arguments `noise`, `offsets` and, of a self-conditioned generator, `labels` of its synthesis.

    `noise`: "const", "none", or a seed. Raises `LatentError` for a latent that does not fit.
    """
    found = {"noise": _noise(generator, latents, noise), "offsets": offsets_of(generator, latents)}
    return found if generator.schema is None else {**found, "labels": _labels(generator, latents, generator.schema)}


def offsets_of(generator: Generator, latents: Sequence[Latent]) -> dict[str, Tensor]:
    """Return style layer → (N, C) of the layers that any of the latents shifts; raises `LatentError` for others."""
    names = {name for latent in latents for name in latent.offsets}
    foreign = names - set(generator.style_layers)
    if foreign:
        raise LatentError(
            f"This latent changes the style layer {sorted(foreign)[0]!r}, which this generator does not have: "
            "it was made for another model."
        )
    zero = torch.zeros(())
    return {
        n: torch.stack(torch.broadcast_tensors(*[la.offsets.get(n, zero).to(generator.device) for la in latents]))
        for n in names
    }


def _noise(generator: Generator, latents: Sequence[Latent], noise: str | int) -> str | Mapping[str, Tensor]:
    synthesis: Any = generator.network.synthesis
    if isinstance(noise, int):
        return synthesis.seeded_noise(noise)  # type: ignore[no-any-return]
    names = {name for latent in latents for name in latent.noise}
    if noise != "const" or not names:
        return noise
    own = synthesis.constant_noise()
    return {n: torch.stack([la.noise.get(n, own[n]).to(own[n]) for la in latents])[:, None] for n in names}


def _labels(generator: Generator, latents: Sequence[Latent], schema: Schema) -> Tensor:
    """Return the labels (N, A); the typical ones where none is set."""
    typical = schema.typical
    rows = [(typical if latent.label is None else latent.label).to(generator.device) for latent in latents]
    for row in rows:
        if row.shape != typical.shape or not bool(row.isfinite().all()):
            raise LatentError(
                f"This latent's label, of shape {tuple(row.shape)}, is not one finite number for each of "
                f"{', '.join(schema.names)}: set them by name."
            )
    return torch.stack(rows)
