"""A Direction changes one thing in every picture of one generator; here it is made, checked and disentangled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import torch
from torch import Tensor

from ..errors import DirectionError
from ..generators.base import Generator
from ..short import short

Vector: TypeAlias = "Tensor | Mapping[str, Tensor]"
Layers: TypeAlias = "range | None"  # `range` is also the name of a field below
LEAST_LEFT = 0.01  # of a direction's squared length, after others were projected out; less would need tenfold steps


@dataclass(frozen=True, eq=False)
class Direction:
    """A unit vector n, how far one step along it goes, and the checkpoint it was found in.

    `unit` is what strength 1 means: the latent moves by unit·n. Finders set it to the standard deviation along n of
    the model's own latents, ⟨w, n⟩ over 2000 seeds (⟨s, n⟩ in S space), so that ±3 spans what the model draws by
    itself; `condition` sets it so that the attribute changes as much as before. `sign` says which way is positive.
    """

    name: str
    vector: Vector  # "w": (D,); "w+": (L, D); "s": style layer → (C,)
    space: str = "w"
    layers: Layers = None  # indices into W+; None: all; unused in S space
    unit: float = 1.0
    fingerprint: str = field(default="", repr=False)
    code: str = field(default="", repr=False)  # the Python expression that finds it again; "": only a file has it
    kind: str = ""  # "sefa", "pca", "boundary", "channel", … : how it was found
    range: tuple[float, float] = field(default=(-3.0, 3.0), repr=False)  # sensible strengths
    sign: str = field(default="", repr=False)  # what a positive strength means
    weights: tuple[float, ...] = field(default=(), repr=False)  # of W+'s layers in a label: `layer_strengths`
    about: Mapping[str, str | float] = field(default_factory=dict, repr=False)  # settings and scores of its finder

    __repr__ = short


def new_direction(
    generator: Generator,
    vector: Vector,
    name: str,
    layers: range | None = None,
    kind: str = "vector",
    code: str = "",
    sign: str = "as given",
) -> Direction:
    """Make a direction of `generator` from a vector of any length: (D,) for W, (L, D) for W+, layer → (C,) for S.

    It is scaled to length 1 and its `unit` is measured.
    Raises `DirectionError` if the shape does not fit the generator, or if the vector is zero or not finite.
    """
    v = {k: x.detach().cpu().float() for k, x in parts(vector).items()}
    space = "s" if isinstance(vector, Mapping) else "w" if vector.ndim == 1 else "w+"
    _require_shapes(generator, name, v, space)
    length = torch.cat([x.flatten() for x in v.values()]).norm()
    if not length.isfinite():
        raise DirectionError(f"Direction {name!r} holds numbers that are not finite: find or load it again.")
    if not length > 0:
        raise DirectionError(f"Direction {name!r} is all zeros, it leads nowhere: give another vector.")
    n = whole({k: x / length for k, x in v.items()}, space)
    unit = unit_of(generator, n)
    return Direction(name, n, space, layers, unit, generator.fingerprint, code, kind, sign=sign)


def require_fit(generator: Generator, direction: Direction) -> None:
    """Raise `DirectionError` if `direction` is not of this generator."""
    if direction.fingerprint != generator.fingerprint:
        raise DirectionError(
            f"Direction {direction.name!r} belongs to checkpoint {direction.fingerprint or 'unknown'}, the generator "
            f"is {generator.fingerprint}: find it again with this generator."
        )
    _require_shapes(generator, direction.name, parts(direction.vector), direction.space)


def condition(direction: Direction, *others: Direction) -> Direction:
    """Return `direction` with all `others` projected out, so that moving along it leaves their scores unchanged.

    n' = n − Q·Qᵀ·n, where Q is an orthonormal basis of the others (Shen et al. 2020, section 3.3, for any number of
    conditions). Strength 1 changes the linear score ⟨w, n⟩ as much as it did before.
    Raises `DirectionError` if a space or checkpoint differs, or if (almost) nothing is left.
    """
    if not others:
        return direction
    for other in others:
        _require_same(direction, other)
    shapes = {k: x.shape for d in (direction, *others) for k, x in parts(d.vector).items()}
    n, *rows = (_flat(d.vector, shapes) for d in (direction, *others))
    basis = _basis(torch.stack(rows))
    rest = n - basis.t() @ (basis @ n)
    if rest.square().sum() < LEAST_LEFT * n.square().sum():
        raise DirectionError(
            f"{direction.name!r} is explained by {', '.join(repr(o.name) for o in others)}: nothing is left of it "
            "when they are held; choose other conditions."
        )
    split = (rest / rest.norm()).float().split([shape.numel() for shape in shapes.values()])
    pieces = {k: x.reshape(shape) for (k, shape), x in zip(shapes.items(), split, strict=True)}
    known = all(d.code for d in (direction, *others))
    return replace(
        direction,
        name=f"{direction.name} | {', '.join(o.name for o in others)}",
        vector=whole(pieces, direction.space),
        unit=direction.unit * float(n.norm() / rest.norm()),
        code=f"condition({', '.join(d.code for d in (direction, *others))})" if known else "",
        kind=f"{direction.kind}, conditioned".lstrip(", "),
    )


def unit_of(generator: Generator, vector: Vector) -> float:
    """Return the standard deviation of ⟨w, v⟩/‖v‖² over the model's own latents; of ⟨s, v⟩/‖v‖² for styles."""
    v = {k: x.to(generator.device).float() for k, x in parts(vector).items()}
    w = generator.w_samples
    if isinstance(vector, Mapping):
        samples = sample_styles(generator)
        score = sum((samples[k] @ x for k, x in v.items()), torch.zeros((), device=w.device))
    else:
        x = v[""]
        score = w @ (x if x.ndim == 1 else x.sum(0))
    energy = sum(float(x.square().sum()) for x in v.values())
    return float(score.std()) / energy


def sample_styles(generator: Generator) -> dict[str, Tensor]:
    """Return style layer → (2000, C): the styles of the model's own latents."""
    ws = generator.w_samples[:, None].expand(-1, generator.latent_shape[0], -1)
    with torch.no_grad():
        return generator.network.synthesis.styles(ws, {})  # type: ignore[union-attr, operator, no-any-return]


def parts(vector: Vector) -> dict[str, Tensor]:
    """Return a vector as a mapping, whatever its space: one of W and W+ has the single key ""."""
    return dict(vector) if isinstance(vector, Mapping) else {"": vector}


def whole(pieces: Mapping[str, Tensor], space: str) -> Vector:
    """Undo `parts`."""
    return dict(pieces) if space == "s" else pieces[""]


def _flat(vector: Vector, shapes: Mapping[str, torch.Size]) -> Tensor:
    """Return a vector as one row of float64, zero on the layers that it lacks."""
    pieces = parts(vector)
    return torch.cat([pieces.get(k, torch.zeros(shape)).flatten().double() for k, shape in shapes.items()])


def _basis(rows: Tensor) -> Tensor:
    """Return orthonormal rows that span the given ones, (k, N) → (≤k, N)."""
    _, s, v = torch.linalg.svd(rows / rows.norm(dim=1, keepdim=True), full_matrices=False)
    return v[s > 1e-6]


def _require_same(direction: Direction, other: Direction) -> None:
    if other.fingerprint != direction.fingerprint:
        raise DirectionError(
            f"{direction.name!r} and {other.name!r} belong to different checkpoints: find both with one generator."
        )
    shapes = [{k: x.shape for k, x in parts(d.vector).items()} for d in (direction, other)]
    if other.space != direction.space or (direction.space != "s" and shapes[0] != shapes[1]):
        raise DirectionError(
            f"{direction.name!r} lies in {direction.space.upper()}, {other.name!r} in {other.space.upper()}: "
            "find both in the same space."
        )


def _require_shapes(generator: Generator, name: str, v: Mapping[str, Tensor], space: str) -> None:
    rows, columns = generator.latent_shape
    if space == "s":
        wanted = {k: tuple(x.shape) for k, x in generator.styles(generator.average()).items()}
        for layer, x in v.items():
            if wanted.get(layer) != tuple(x.shape):
                has = f"{wanted[layer][0]} channels there" if layer in wanted else "no such style layer"
                raise DirectionError(
                    f"Direction {name!r} changes {tuple(x.shape)} numbers of the style layer {layer!r}, this generator "
                    f"has {has}: it was made for another model."
                )
        return
    shape = tuple(v[""].shape)
    if shape != ((columns,) if space == "w" else (rows, columns)):
        raise DirectionError(
            f"Direction {name!r} has the shape {shape}, this generator needs ({columns},) for W or ({rows}, {columns}) "
            "for W+: it was made for another model or space."
        )
