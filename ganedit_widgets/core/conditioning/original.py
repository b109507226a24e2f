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
from ..probes.trends import readout
from ..short import short
from .labeler import direction_id, project
from .reading import read_labels
from .schema import Attribute, Schema

SAME = 1e-6  # labels that differ less are the same


@dataclass(frozen=True, eq=False)
class Original:
    """The generator that a self-conditioned one was made of, and the direction of each attribute that has one there."""

    generator: Generator
    schema: Schema
    directions: Mapping[str, Direction]  # attribute → direction of `generator` that changes it
    measures: Mapping[str, Direction]  # attribute → the one along which its label is measured: the same, or its readout

    __repr__ = short

    @classmethod
    def of(cls, steered: Generator, generator: Generator, directions: Iterable[Direction] = ()) -> Original:
        """Return the original of `steered`; of `directions` those are taken that its attributes were measured with.

        They are known by their numbers, else by the name that the schema gives them, else by the attribute's own. If an
        attribute was measured along its direction's readout, so it is here.
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
        found = {attribute: _direction_of(attribute, fitting) for attribute in steered.schema.attributes}
        known = {attribute: d for attribute, d in found.items() if d is not None}
        measures = {attribute.name: _measure_of(attribute, d, generator) for attribute, d in known.items()}
        return cls(generator, steered.schema, {attribute.name: d for attribute, d in known.items()}, measures)

    def latent(self, latent: Latent) -> Latent:
        """Return the original's latent for one of the self-conditioned generator: the same w, offsets and noise.

        Each attribute is moved along its direction until the latent's own label is what the labels say; attributes
        without a direction stay as they are. Raises `LatentError` or `DirectionError` for what does not fit.
        """
        reached = replace(latent.detached(), fingerprint=self.generator.fingerprint, label=None)
        for name, strength in self.strengths(latent).items():
            reached = run(self.generator, reached, MoveAlong(self.directions[name], strength))
        return reached

    def own(self, latent: Latent) -> dict[str, float]:
        """Return attribute → v that a latent's w has by itself, as the pictures' labels were measured.

        Attributes without a direction are as is typical.
        """
        raw = self._raw(latent)
        values = {a.name: (raw[a.name] - a.low) / (a.high - a.low) for a in self.schema.attributes if a.name in raw}
        found = self.schema.values({name: min(max(v, 0.0), 1.0) for name, v in values.items()})
        return dict(zip(self.schema.names, found.tolist(), strict=True))

    def strengths(self, latent: Latent) -> dict[str, float]:
        """Return how far it moves for a latent's labels: attribute → strength, in standard deviations of its W.

        From the label that its w has by itself to the one that is set. Whoever lies beyond an end of the range stays
        there if that end is set.
        """
        own, raw = self.own(latent), self._raw(latent)
        moved = {}
        for attribute, v in zip(self.schema.attributes, self._labels(latent).tolist(), strict=True):
            name = attribute.name
            if name in raw and abs(v - own[name]) > SAME:
                change = attribute.low + v * (attribute.high - attribute.low) - raw[name]
                moved[name] = change / label_of_one(self.generator, self.directions[name], self.measures[name])
        return moved

    def _labels(self, latent: Latent) -> Tensor:
        return self.schema.typical if latent.label is None else latent.label.detach().cpu().clamp(0, 1)

    def _raw(self, latent: Latent) -> dict[str, float]:
        """Return attribute → the label of w, in the latent space's own units."""
        if not self.measures:
            return {}
        found = project(self.generator, list(self.measures.values()), latent.w.detach()[None])[0]
        return dict(zip(self.measures, found.tolist(), strict=True))


def label_of_one(generator: Generator, direction: Direction, measure: Direction | None = None) -> float:
    """Return by how much a move of strength 1 along `direction` changes the raw label that `project` measures.

    `measure`: the direction along which it is measured; None: the same.
    Raises `DirectionError` for a direction of another model, or one along which its label does not grow.
    """
    require_fit(generator, direction)
    change = direction.unit  # the vector is of length 1: in S that is all
    if direction.space != "s":
        start = generator.average()
        moved = run(generator, start, MoveAlong(direction, 1.0))
        change = float((project(generator, [measure or direction], moved.w[None] - start.w[None])).squeeze())
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
    """Return the latent with the typical labels."""
    return replace(latent, label=None)


def labels_of(generator: Generator, latent: Latent) -> dict[str, float]:
    """Return attribute → v of a latent, the typical ones where none is set; {} for a generator without labels.

    Raises `LatentError` for a latent of another model.
    """
    require_own(generator, latent)
    if generator.schema is None:
        return {}
    v = generator.schema.typical if latent.label is None else latent.label
    return dict(zip(generator.schema.names, v.tolist(), strict=True))


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


def _measure_of(attribute: Attribute, direction: Direction, generator: Generator) -> Direction:
    """Return the readout of `direction` if that is what the attribute's labels were measured along, else itself."""
    if direction.space == "w" and direction_id(direction) != attribute.direction_id:
        read = readout(generator, direction)
        if direction_id(read) == attribute.direction_id:
            return read
    return direction
