"""An edit vector: an edit that was made once, on one picture, kept so that it can be made on others.

Ling et al., "EditGAN", NeurIPS 2021, sections 3.3 and 3.4.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher

import torch
from torch import Tensor

from ..edits.direction import MoveAlong
from ..edits.paint import Refine
from ..errors import DirectionError
from ..generators.base import Generator, require_own
from ..image import Pixels
from ..latent import Latent
from ..probes.directions import Direction, condition, new_direction
from ..segment.segmenter import Segmenter
from ..short import short

KIND = "painted"
LIKE = 0.6  # of two words, in 0 … 1: as `difflib` counts what they share
RANGE = (-2.0, 2.0)  # of scales, as long as nobody has measured better


@dataclass(frozen=True, eq=False)
class EditVector:
    """δ in W+ as a `Direction`, of which strength 1 is the edit as it was learned, and what is known about it."""

    direction: Direction  # its `range` are the scales at which it looks right
    classes: tuple[str, ...] = ()  # Q_edit: the parts it is about, for refining it on other pictures
    pictures: int = 1  # how many it was learned from
    about: Mapping[str, str] = field(default_factory=dict)  # where it comes from: method, author, rights, …
    thumbnail: Pixels | None = None  # (H, 2·W, 3): before and after

    __repr__ = short

    @property
    def name(self) -> str:
        """What it is called."""
        return self.direction.name

    @property
    def delta(self) -> Tensor:
        """δ (L, D): what scale 1 adds to w."""
        vector = self.direction.vector
        assert isinstance(vector, Tensor)  # in W+, as every constructor makes it
        return self.direction.unit * vector

    def at(self, scale: float = 1.0) -> MoveAlong:
        """Return the edit w' = w + scale·δ: above 1 more than learned, below 0 the opposite."""
        return MoveAlong(self.direction, scale)

    def renamed(self, name: str) -> EditVector:
        """Return it under another name. Raises `DirectionError` for an empty one."""
        return replace(self, direction=replace(self.direction, name=_sound(name), code=""))


def extract(
    generator: Generator,
    before: Latent,
    after: Latent,
    name: str,
    classes: Sequence[str] = (),
    about: Mapping[str, str] | None = None,
    thumbnail: Pixels | None = None,
) -> EditVector:
    """Return δ = after − before as an edit vector. `classes`: those that the edit was about (`Paint.classes`).

    Raises `DirectionError` if the two do not differ in w, or in more than w; `LatentError` for another model's latent.
    """
    for latent in (before, after):
        require_own(generator, latent)
    if _rest(before) != _rest(after):
        raise DirectionError("This edit changed style offsets or noise, not only w: an edit vector cannot hold that.")
    return vector_of(generator, after.w - before.w, name, classes, about, thumbnail)


def vector_of(
    generator: Generator,
    delta: Tensor,
    name: str,
    classes: Sequence[str] = (),
    about: Mapping[str, str] | None = None,
    thumbnail: Pixels | None = None,
) -> EditVector:
    """Return δ (L, D), or (D,) for all layers alike, as an edit vector.

    Raises `DirectionError` if the shape does not fit the generator, or if δ is zero or not finite.
    """
    delta = delta.expand(generator.latent_shape[0], -1) if delta.ndim == 1 else delta
    direction = new_direction(generator, delta.contiguous(), _sound(name), kind=KIND, sign="as painted")
    direction = replace(direction, unit=float(delta.float().norm()), range=RANGE)
    return EditVector(direction, tuple(classes), about=dict(about or {}), thumbnail=thumbnail)


def refined(scaled: Iterable[tuple[EditVector, float]], segmenter: Segmenter, iterations: int = 10) -> Refine:
    """Return the edit that makes several vectors, each at its scale, and mends them together.

    The region is carried over by the vectors' classes; if one of them has none, by the labels that change.
    """
    pairs = list(scaled)
    known = [set(vector.classes) for vector, _ in pairs]
    classes = tuple(sorted(set().union(*known))) if known and all(known) else None
    return Refine(tuple(vector.at(scale) for vector, scale in pairs), segmenter, iterations, classes)


# ---- vectors from vectors


def combine(generator: Generator, scaled: Iterable[tuple[EditVector, float]], name: str) -> EditVector:
    """Return Σ scale·δ as one vector: the same as making them one after the other, in any order."""
    pairs = _require_some(generator, scaled)
    delta = torch.stack([scale * vector.delta for vector, scale in pairs]).sum(0)
    about = {"method": "combined", "of": ", ".join(f"{scale:g}·{vector.name}" for vector, scale in pairs)}
    return _joined(generator, [vector for vector, _ in pairs], delta, name, about)


def average(generator: Generator, vectors: Iterable[EditVector], name: str) -> EditVector:
    """Return the mean of one edit learned on several pictures: what they have in common stays, the rest shrinks."""
    pairs = _require_some(generator, ((vector, 1.0) for vector in vectors))
    delta = torch.stack([vector.delta for vector, _ in pairs]).mean(0)
    about = {"method": "averaged", "of": ", ".join(vector.name for vector, _ in pairs)}
    return _joined(generator, [vector for vector, _ in pairs], delta, name, about)


def project_out(vector: EditVector, *others: EditVector) -> EditVector:
    """Return `vector` without its shares along `others` (see `probes.condition`), so that they change less with it.

    Raises `DirectionError` if the checkpoints differ, or if (almost) nothing is left.
    """
    rest = condition(vector.direction, *(other.direction for other in others))
    # at scale 1 what is left of δ, and no longer: an edit is to be made purer, not stronger
    kept = float((rest.vector * vector.direction.vector).sum())  # type: ignore[operator]
    about = {**vector.about, "without": ", ".join(other.name for other in others)}
    pure = replace(rest, unit=kept * vector.direction.unit, code="")
    return replace(vector, direction=pure, about=about, thumbnail=None)  # the picture showed the one before


def search(vectors: Iterable[EditVector], text: str) -> list[EditVector]:
    """Return those in whose name, classes or provenance every word of `text` occurs, in any case."""
    words = text.casefold().split()

    def tells(vector: EditVector) -> str:
        return " ".join((vector.name, *vector.classes, *vector.about.values())).casefold()

    return [vector for vector in vectors if all(word in tells(vector) for word in words)]


def nearest(vectors: Iterable[EditVector], text: str, most: int = 3) -> list[EditVector]:
    """Return those, `most` at most and the likest first, in whose name and classes every word of `text` has its like.

    For what `search` does not find: words mistyped or half remembered.
    """
    words = text.casefold().split()

    def likeness(vector: EditVector) -> float:
        known = " ".join((vector.name, *vector.classes)).casefold().split()
        return min(max(SequenceMatcher(None, word, other).ratio() for other in known) for word in words)

    found = [(likeness(vector), vector) for vector in vectors] if words else []
    near = sorted((pair for pair in found if pair[0] >= LIKE), key=lambda pair: -pair[0])
    return [vector for _, vector in near[:most]]


def _joined(
    generator: Generator, vectors: Sequence[EditVector], delta: Tensor, name: str, about: dict[str, str]
) -> EditVector:
    classes = tuple(dict.fromkeys(c for vector in vectors for c in vector.classes))
    pictures = sum(vector.pictures for vector in vectors)
    return replace(vector_of(generator, delta, name, classes, about), pictures=pictures)


def _require_some(generator: Generator, scaled: Iterable[tuple[EditVector, float]]) -> list[tuple[EditVector, float]]:
    pairs = list(scaled)
    if not pairs:
        raise DirectionError("No edit vector was given: name one at least.")
    for vector, _ in pairs:
        if vector.direction.fingerprint != generator.fingerprint:
            raise DirectionError(
                f"The edit vector {vector.name!r} belongs to checkpoint {vector.direction.fingerprint}, the generator "
                f"is {generator.fingerprint}: learn it again with this generator."
            )
    return pairs


def _rest(latent: Latent) -> dict[str, bytes]:
    """Return all that a latent holds beside w, comparable."""
    return {name: x.detach().cpu().numpy().tobytes() for name, x in {**latent.offsets, **latent.noise}.items()}


def _sound(name: str) -> str:
    if not name.strip():
        raise DirectionError("An edit vector needs a name: say what it does, such as “smile”.")
    return name.strip()
