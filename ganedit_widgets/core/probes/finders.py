"""Find directions without labels: SeFa, principal components, single channels."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import DirectionError
from ..generators.base import Generator
from .directions import Direction, new_direction

LARGEST = "its entry of largest size is positive"  # the sign of an eigenvector is arbitrary: this fixes it
POOLED = 8  # pixels: activations are averaged down to this before their principal components are taken
PICTURES = 300  # drawn to see activations


@torch.no_grad()
def sefa(generator: Generator, layers: range | None = None, count: int = 20) -> list[Direction]:
    """Return the directions of W that change the styles of `layers` most, strongest first.

    The eigenvectors of AᵀA, A being the affine maps of the convolutions there, one above the other (Shen and Zhou,
    "Closed-Form Factorization of Latent Semantics in GANs", CVPR 2021, equation 8). `layers` None means all of them.
    """
    rows, columns = generator.latent_shape
    chosen = _within(generator, range(rows) if layers is None else layers)
    zero = torch.zeros(1, rows, columns, device=generator.device)
    unit_vectors = torch.eye(columns, device=generator.device)[:, None].expand(-1, rows, -1)
    styles, bias = (generator.network.synthesis.styles(w, {}) for w in (unit_vectors, zero))  # type: ignore[union-attr, operator]
    a = [styles[k] - bias[k] for k, i in generator.style_layers.items() if i in chosen and not k.endswith("torgb")]
    if not a:
        raise DirectionError(f"There is no convolution in layers {_text(chosen)}: choose more layers.")
    _, vectors = torch.linalg.eigh(torch.stack([x @ x.t() for x in (part.cpu().double() for part in a)]).sum(0))
    given = {"layers": layers, "count": count if count > 20 else None}
    found = _signed(vectors.t().flip(0)[:count])
    return [new_direction(generator, v, f"SeFa {i + 1}", layers, "sefa", _code("sefa", given, i), LARGEST)
            for i, v in enumerate(found)]  # fmt: skip


@torch.no_grad()
def pca(generator: Generator, count: int = 20, samples: int = 10_000, layer: str | None = None) -> list[Direction]:
    """Return the principal components of W, largest first; or of the activations of `layer`, carried back to W.

    For a layer, the components are found in its activations of 300 pictures (averaged to 8×8) and w is regressed on
    their coordinates: U = argmin Σ‖U·x − (w − w̄)‖² (Härkönen et al., "GANSpace", NeurIPS 2020, sections 2.1 and 2.2).
    """
    if samples <= count:
        raise DirectionError(f"{samples} samples are too few for {count} components: ask for more samples.")
    z = np.random.RandomState(1).randn(samples if layer is None else PICTURES, generator.z_dim)
    w = generator.map(torch.from_numpy(z).float().to(generator.device))
    centered = (w - w.mean(0)).cpu().double()  # not every device has float64
    if layer is None:
        vectors = torch.linalg.eigh(centered.t() @ centered)[1].t().flip(0)
    else:
        seen = _activations(generator, w, layer).cpu().double()
        u, s, _ = torch.linalg.svd(seen - seen.mean(0), full_matrices=False)
        vectors = torch.linalg.lstsq((u * s)[:, :count], centered).solution
    given = {"layer": layer, "samples": samples if samples != 10_000 else None, "count": count if count > 20 else None}
    where = "" if layer is None else f" of {layer}"
    found = _signed(vectors[:count])
    return [new_direction(generator, v, f"PCA {i + 1}{where}", None, "pca", _code("pca", given, i), LARGEST)
            for i, v in enumerate(found)]  # fmt: skip


def channel(generator: Generator, layer: str, index: int) -> Direction:
    """Return the direction of one style channel (Wu et al., "StyleSpace Analysis", CVPR 2021).

    Positive strength raises the channel.
    """
    styles = generator.styles(generator.average())
    if layer not in styles:
        raise DirectionError(f"There is no style layer {layer!r}; there are {', '.join(styles)}.")
    if not 0 <= index < len(styles[layer]):
        raise DirectionError(f"Style layer {layer!r} has channels 0 to {len(styles[layer]) - 1}: {index} is not one.")
    vector = {layer: F.one_hot(torch.tensor(index), len(styles[layer])).float()}
    code = f"channel(generator, {layer!r}, {index})"
    return new_direction(generator, vector, f"{layer}[{index}]", None, "channel", code, "the channel rises")


def _activations(generator: Generator, w: Tensor, layer: str) -> Tensor:
    """Return (N, C·h·w) of the pictures of w (N, D)."""
    kept = []
    for row in w:
        seen = generator.features(generator.latent(row), [layer])[layer].float()
        kept.append(F.adaptive_avg_pool2d(seen, min(POOLED, seen.shape[-1])).flatten())
    return torch.stack(kept)


def _signed(vectors: Tensor) -> Tensor:
    """Return rows (N, D) turned so that the entry of largest size is positive."""
    largest = vectors.gather(1, vectors.abs().argmax(1, keepdim=True))
    return vectors * largest.sign()


def _within(generator: Generator, layers: range) -> range:
    last = generator.latent_shape[0] - 1
    if len(layers) and not (0 <= min(layers) and max(layers) <= last):
        raise DirectionError(f"Layers {_text(layers)} were asked for, this generator has layers 0 to {last}.")
    return layers


def _text(layers: range) -> str:
    return f"{min(layers)} to {max(layers)}" if len(layers) else "(none)"


def _code(finder: str, given: Mapping[str, object], index: int) -> str:
    arguments = "".join(f", {k}={v!r}" for k, v in given.items() if v is not None)
    return f"{finder}(generator{arguments})[{index}]"
