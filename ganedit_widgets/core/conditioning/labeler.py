"""Label pictures by how far their latents lie along directions: a generator labels its own training data."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from ..embed_folder import Embeddings
from ..errors import DirectionError, LabelError, LatentError
from ..generators.base import Generator
from ..probes.directions import Direction, parts, require_fit
from .labels import Labels
from .schema import Attribute, Schema

CHUNK = 256  # latents whose styles are computed at a time


def project(generator: Generator, directions: Sequence[Direction], w: Tensor) -> Tensor:
    """Return raw labels (N, K), float32: how far latents w (N, L, D) lie along each of K unit directions.

    A direction of W: Σ_l ω_l·⟨w_l, n⟩, with its `weights` ω, or 1 on its layers; of W+: Σ_l ⟨w_l, n_l⟩; of S: ⟨s, n⟩
    over the styles after the affine maps. No intercept: labels are scaled afterwards.
    Liu et al., "Self-Conditioned GANs", SIGGRAPH 2022; Nitzan et al., "LARGE", CVPR 2022.
    Raises `DirectionError` for a direction of another model, `LatentError` for latents of another shape.
    """
    if w.ndim != 3 or tuple(w.shape[1:]) != generator.latent_shape:
        raise LatentError(
            f"Latents of shape {tuple(w.shape)} were given, this generator needs (N, {generator.latent_shape[0]}, "
            f"{generator.latent_shape[1]}): invert the pictures with this generator."
        )
    for direction in directions:
        require_fit(generator, direction)
    rows = generator.latent_shape[0]
    plain = {i: _in_w(direction, rows) for i, direction in enumerate(directions) if direction.space != "s"}
    found = torch.zeros(len(w), len(directions))
    for start in range(0, len(w), CHUNK):
        chunk = w[start : start + CHUNK].to(generator.device).float()
        for i, n in plain.items():
            found[start : start + CHUNK, i] = torch.einsum("nld,ld->n", chunk, n.to(chunk)).cpu()
        if len(plain) < len(directions):
            with torch.no_grad():
                styles = generator.network.synthesis.styles(chunk, {})  # type: ignore[union-attr, operator]
            for i, direction in enumerate(directions):
                if direction.space == "s":
                    dots = [styles[k] @ x.to(chunk) for k, x in parts(direction.vector).items()]
                    found[start : start + CHUNK, i] = torch.stack(dots).sum(0).cpu()
    return found


def label(generator: Generator, embeddings: Embeddings, directions: Mapping[str, Direction]) -> Labels:
    """Return the labels of embedded pictures: attribute → the direction that measures it, scaled to p0.5 … p99.5.

    Raises `DirectionError` for a direction of another model; `LatentError` for latents of another model; `LabelError`
    for no direction, or an attribute that is the same in all pictures.
    """
    if embeddings.fingerprint != generator.fingerprint:
        raise LatentError(
            f"These latents belong to checkpoint {embeddings.fingerprint}, the generator is {generator.fingerprint}: "
            "invert the pictures again with this generator."
        )
    if not len(embeddings.names):
        raise LabelError("None of the pictures could be read: there is nothing to label.")
    attributes = tuple(attribute_of(name, direction) for name, direction in directions.items())
    schema = Schema(attributes, generator.fingerprint)
    raw = project(generator, [directions[name] for name in schema.names], embeddings.w)
    about = {"inversion": dict(embeddings.settings), "failed": len(embeddings.failed)}
    return Labels(raw, embeddings.names, schema.fitted(raw), about)


def attribute_of(name: str, direction: Direction) -> Attribute:
    """Return the attribute that `direction` measures; its range is not known yet."""
    return Attribute(
        name.strip(),
        sign=direction.sign,
        direction=direction.name,
        direction_id=direction_id(direction),
        space=direction.space,
        weights=direction.weights,
        kind=direction.kind,
    )


def direction_id(direction: Direction) -> str:
    """Return 12 hexadecimal digits of a direction's numbers, layers, layer weights and checkpoint; not of its name."""
    digest = hashlib.sha256(repr((direction.fingerprint, direction.layers, direction.weights)).encode())
    for layer, x in sorted(parts(direction.vector).items()):
        digest.update(layer.encode() + x.detach().cpu().float().contiguous().numpy().tobytes())
    return digest.hexdigest()[:12]


def with_mirrors(labels: Labels, mirrors: Mapping[str, str]) -> Labels:
    """Return labels whose attributes know what a mirror does: attribute → "same", "opposite" or "unknown".

    Raises `LabelError` for an unknown attribute or word.
    """
    changed = {name: replace(labels.schema[name], mirror=mirror) for name, mirror in mirrors.items()}
    attributes = tuple(changed.get(a.name, a) for a in labels.schema.attributes)
    return replace(labels, schema=replace(labels.schema, attributes=attributes))


def symmetric(labels: Labels, raw: Tensor, mirrored: Tensor) -> Labels:
    """Return labels with ranges of which a mirror makes 1 − v out of v, for each attribute that it turns around.

    A mirror makes 2c − x out of a raw label x; c is measured, as the mean of pictures' labels `raw` (n, A) and those of
    the same mirrored. The percentiles are then taken of x and 2c − x together: of the pictures that are trained on
    when they are mirrored. Raises `LabelError` for unlike shapes.
    """
    labels.schema.scale(torch.cat([raw, mirrored]))  # says what does not fit
    changed = []
    for i, attribute in enumerate(labels.schema.attributes):
        if attribute.mirror == "opposite":
            twice = float((raw[:, i] + mirrored[:, i]).double().mean())
            both = torch.cat([labels.raw[:, i], twice - labels.raw[:, i]])[:, None]
            fitted = replace(labels.schema, attributes=(attribute,)).fitted(both)
            changed.append(fitted.attributes[0])
        else:
            changed.append(attribute)
    return replace(labels, schema=replace(labels.schema, attributes=tuple(changed)))


def _in_w(direction: Direction, rows: int) -> Tensor:
    """Return what w (L, D) is to be multiplied with."""
    vector = direction.vector
    assert isinstance(vector, Tensor)  # `require_fit` has looked
    if vector.ndim == 2:
        return vector
    if direction.weights and len(direction.weights) != rows:
        raise DirectionError(
            f"{direction.name!r} has weights for {len(direction.weights)} layers, this generator has {rows}: measure "
            "them again."
        )
    used = range(rows) if direction.layers is None else direction.layers
    weights = direction.weights or tuple(float(i in used) for i in range(rows))
    return torch.tensor(weights)[:, None] * vector
