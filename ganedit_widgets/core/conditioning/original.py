"""What a self-conditioned generator is compared with: the one it was made of, moved along its own directions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..edits.base import run
from ..edits.direction import MoveAlong
from ..errors import DirectionError, LabelError, ModelError
from ..generators.base import Generator, require_own
from ..generators.class_head import SelfConditionedDiscriminator
from ..latent import Latent
from ..perceptual import distance_to
from ..probes.directions import Direction, require_fit
from ..short import short
from .labeler import direction_id, project
from .reading import read_labels
from .schema import MIDDLE, Attribute, Schema

SAME = 1e-6  # labels that differ less are the same


@dataclass(frozen=True, eq=False)
class Original:
    """The generator that a self-conditioned one was made of, and the direction of each attribute that has one there."""

    generator: Generator
    schema: Schema
    directions: Mapping[str, Direction]  # attribute → direction of `generator`

    __repr__ = short

    @classmethod
    def of(cls, steered: Generator, generator: Generator, directions: Iterable[Direction] = ()) -> Original:
        """Return the original of `steered`; of `directions` those are taken that its attributes were measured with.

        They are known by their numbers, else by the name that the schema gives them, else by the attribute's own.
        Raises `LabelError` if `steered` takes no labels, `ModelError` if it was made of another model than `generator`.
        """
        if steered.schema is None:
            raise LabelError(f"{steered.name} takes no labels: open a model of `ganedit train self-conditioned`.")
        wanted = steered.schema.fingerprint or generator.fingerprint
        if wanted != generator.fingerprint or steered.latent_shape != generator.latent_shape:
            raise ModelError(
                f"{steered.name} was made of checkpoint {wanted}, {generator.name} is {generator.fingerprint}: open "
                "the model that was fine-tuned."
            )
        fitting = [d for d in directions if d.fingerprint == generator.fingerprint]
        found = {attribute.name: _direction_of(attribute, fitting) for attribute in steered.schema.attributes}
        return cls(generator, steered.schema, {name: d for name, d in found.items() if d is not None})

    def latent(self, latent: Latent) -> Latent:
        """Return the original's latent for one of the self-conditioned generator: the same w, offsets and noise.

        What the labels say is carried out along the directions, v − 0.5 of each attribute's range; attributes without
        a direction stay as they are. Raises `LatentError` or `DirectionError` for what does not fit.
        """
        reached = replace(latent.detached(), fingerprint=self.generator.fingerprint, label=None)
        for name, strength in self.strengths(latent).items():
            reached = run(self.generator, reached, MoveAlong(self.directions[name], strength))
        return reached

    def strengths(self, latent: Latent) -> dict[str, float]:
        """Return how far it moves for a latent's labels: attribute → strength, in standard deviations of its W.

        A strength changes the raw label by as much as v changes it: (v − 0.5)·(high − low).
        """
        if latent.label is None:
            return {}
        moved = {}
        for attribute, v in zip(self.schema.attributes, latent.label.tolist(), strict=True):
            direction = self.directions.get(attribute.name)
            if direction is not None and abs(v - MIDDLE) > SAME:
                raw = (min(max(v, 0.0), 1.0) - MIDDLE) * (attribute.high - attribute.low)
                moved[attribute.name] = raw / label_of_one(self.generator, direction)
        return moved


def label_of_one(generator: Generator, direction: Direction) -> float:
    """Return by how much a move of strength 1 along `direction` changes the raw label that `project` measures.

    Raises `DirectionError` for a direction of another model, or one along which its label does not grow.
    """
    require_fit(generator, direction)
    change = direction.unit  # the vector is of length 1: in S that is all
    if direction.space != "s":
        start = generator.average()
        moved = run(generator, start, MoveAlong(direction, 1.0))
        change = float((project(generator, [direction], moved.w[None] - start.w[None])).squeeze())
    if not change > 0:
        raise DirectionError(
            f"The label of {direction.name!r} does not grow along it: measure its layer weights again."
        )
    return change


@dataclass(frozen=True)
class Change:
    """How far one picture is from another: labels that a class head reads, and how different they look."""

    before: Mapping[str, float]  # attribute → v in [0, 1]; empty without a class head
    after: Mapping[str, float]
    look: float  # 0: the same picture


def change_between(judge: Generator, before: Tensor, after: Tensor) -> Change:
    """Return how far `after` is from `before`, both (1, 3, H, W) in [-1, 1], whichever generator drew them.

    `judge`: the self-conditioned generator, whose class head, if it has one, and critic look at both pictures. The look
    is that of `distance_to`: it sees every change, and stands in for identity, which needs a network that knows faces.
    """
    read: list[dict[str, float]] = [{}, {}]
    if judge.schema is not None and isinstance(judge.discriminator, SelfConditionedDiscriminator):
        v = read_labels(judge, torch.cat([before, after])).tolist()
        read = [dict(zip(judge.schema.names, row, strict=True)) for row in v]
    with torch.no_grad():
        look = float(distance_to(judge, before)(after).squeeze())
    return Change(read[0], read[1], look)


def neutral(latent: Latent) -> Latent:
    """Return the latent with all labels in the middle."""
    return replace(latent, label=None)


def labels_of(generator: Generator, latent: Latent) -> dict[str, float]:
    """Return attribute → v of a latent, 0.5 where none is set; {} for a generator without labels.

    Raises `LatentError` for a latent of another model.
    """
    require_own(generator, latent)
    if generator.schema is None:
        return {}
    v = [MIDDLE] * len(generator.schema) if latent.label is None else latent.label.tolist()
    return dict(zip(generator.schema.names, v, strict=True))


def _direction_of(attribute: Attribute, directions: Iterable[Direction]) -> Direction | None:
    for fits in (
        lambda d: direction_id(d) == attribute.direction_id,
        lambda d: d.name == attribute.direction,
        lambda d: d.name == attribute.name,
    ):
        for direction in directions:
            if fits(direction):
                return direction
    return None
