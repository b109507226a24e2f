"""The other pictures an edit takes part from: a kept latent or a seed's sample, and the mixture of two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeAlias

import torch
from torch import Tensor

from ..errors import LatentError
from ..generators.base import Generator, require_own
from ..latent import Latent
from .sample import Sample

Source: TypeAlias = "Latent | Sample"  # a Sample reads better in shown code, and its z is known


def latent_of(generator: Generator, source: Source) -> Latent:
    """Return the latent of `source`: itself, or that of the seed.

    Raises `LatentError` if it belongs to another checkpoint, has another shape, or is neither a latent nor a sample.
    """
    if isinstance(source, Sample):
        return next(source.steps(generator, generator.average()))
    if not isinstance(source, Latent):
        raise LatentError(f"A {type(source).__name__} was given as a picture: give a latent, or Sample(seed).")
    require_own(generator, source)
    generator.latent(source.w)  # refuses another shape
    return source


def mixed(generator: Generator, a: Latent, b: Latent, shares: Sequence[float] | Tensor) -> Latent:
    """Return a mixture of two latents; `shares` (L,), within [0, 1], say how much of `b` each layer of W+ has.

    A layer of share 0 is exactly that of `a`, one of share 1 exactly that of `b`, and the mixture of a latent with
    itself is that latent. Style offsets mix with their layer. Noise is taken from whoever has the larger share, for
    the mean of two noises is smoother than either; so is the label, by the mean share. The labels of a self-conditioned
    generator mix by the mean share.
    """
    part = torch.as_tensor(shares, dtype=torch.float32).to(a.w)
    rows, share = generator.style_layers, part.tolist()
    offsets: dict[str, Tensor] = {}
    for name in {**a.offsets, **b.offsets}:
        found = _offset(a.offsets.get(name), b.offsets.get(name), share[rows.get(name, 0)])
        if found is not None:
            offsets[name] = found
    noise = {n: x for la, of_b in ((a, False), (b, True)) for n, x in la.noise.items()
             if (share[rows.get(n, 0)] > 0.5) == of_b}  # fmt: skip
    if generator.schema is None:
        label = b.label if sum(share) > len(share) / 2 else a.label
    else:
        label = _mixed_label(a.label, b.label, float(part.mean()), generator.schema.typical)
    w = torch.lerp(a.w, b.w.to(a.w), part[:, None])
    return replace(a, w=w, offsets=offsets, noise=noise, label=label)


def _mixed_label(a: Tensor | None, b: Tensor | None, share: float, typical: Tensor) -> Tensor | None:
    """Return labels (A,) on the way from `a` to `b`; who has none has the typical ones."""
    if share in (0.0, 1.0) or (a is None and b is None):
        return b if share == 1 else a
    start = typical if a is None else a
    return torch.lerp(start, (typical if b is None else b).to(start), share)


def _offset(a: Tensor | None, b: Tensor | None, share: float) -> Tensor | None:
    """Return the offset of one style layer; who has none counts as zero."""
    if share in (0.0, 1.0):
        return b if share else a
    known = a if a is not None else b
    assert known is not None  # one of them has the layer
    zero = torch.zeros_like(known)
    return torch.lerp(zero if a is None else a, (zero if b is None else b).to(known), share)
