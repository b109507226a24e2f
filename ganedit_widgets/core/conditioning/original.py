"""What a self-conditioned generator is compared with: the one it was made of, moved along its own directions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from ..edits.base import run
from ..edits.direction import MoveAlong
from ..errors import DirectionError, LabelError, ModelError
from ..generators.base import Generator, require_own
from ..generators.class_head import SelfConditionedDiscriminator
from ..latent import Latent
from ..perceptual import distance_to
from ..probes.directions import Direction, parts, require_fit
from ..probes.trends import READOUT, readout
from ..short import short
from .labeler import direction_id, project
from .reading import read_labels
from .schema import Attribute, Schema

SAME = 1e-6  # labels that differ less are the same
ALIKE = 0.02  # what directions that are so alike would have to cancel of each other is left


@dataclass(frozen=True, eq=False)
class Original:
    """The generator that a self-conditioned one was made of, and the direction of each attribute that has one there."""

    generator: Generator
    schema: Schema
    directions: Mapping[str, Direction]  # attribute → direction of `generator` that changes it
    measures: Mapping[str, Direction]  # attribute → the one along which its label is measured: the same, or its readout

    __repr__ = short

    @classmethod
    def of(
        cls, steered: Generator, generator: Generator, directions: Iterable[Direction] | Mapping[str, Direction] = ()
    ) -> Original:
        """Return the original of `steered`; of `directions` those are taken that its attributes were measured with.

        They are known by their numbers, else by the name that the schema gives them, else by the attribute's own. An
        attribute that was measured along its direction's readout, or with weights of layers, is so here.
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
        given = directions.values() if isinstance(directions, Mapping) else directions
        fitting = [d for d in given if d.fingerprint == generator.fingerprint]
        found = {attribute: _direction_of(attribute, fitting) for attribute in steered.schema.attributes}
        known = {attribute: d for attribute, d in found.items() if d is not None}
        measures = {attribute.name: _measure_of(attribute, d, generator) for attribute, d in known.items()}
        return cls(generator, steered.schema, {attribute.name: d for attribute, d in known.items()}, measures)

    def latent(self, latent: Latent) -> Latent:
        """Return the original's latent for one of the self-conditioned generator: the same w, offsets and noise.

        It is moved along the directions until the latent's own labels are what the labels say; attributes without a
        direction are left out of that. Raises `LatentError` or `DirectionError` for what does not fit.
        """
        reached = replace(latent.detached(), fingerprint=self.generator.fingerprint, label=None)
        for name, strength in self.strengths(latent).items():
            reached = run(self.generator, reached, MoveAlong(self.directions[name], strength))
        return reached

    def own(self, latent: Latent) -> dict[str, float]:
        """Return attribute → v that a latent's w has by itself, as the pictures' labels were measured.

        Attributes without a direction are as is typical.
        """
        return self._own(self._raw(latent))

    def _own(self, raw: Mapping[str, Tensor]) -> dict[str, float]:
        found = self.schema.values({name: float(self.schema[name].scaled(x)) for name, x in raw.items()})
        return dict(zip(self.schema.names, found.tolist(), strict=True))

    def strengths(self, latent: Latent) -> dict[str, float]:
        """Return how far it moves for a latent's labels: attribute → strength, in standard deviations of its W.

        From the labels that its w has by itself to those that are set, for all attributes at once: each direction
        changes the others' labels a little too. Whoever lies beyond an end of the range stays there if that end is set.
        """
        raw = self._raw(latent)
        own = self._own(raw)
        wanted = dict(zip(self.schema.names, self._labels(latent).tolist(), strict=True))
        if all(abs(wanted[name] - own[name]) <= SAME for name in raw):
            return {}
        change = torch.zeros(len(raw), dtype=torch.float64)
        for i, name in enumerate(raw):
            if abs(wanted[name] - own[name]) > SAME:
                attribute = self.schema[name]
                change[i] = attribute.low + wanted[name] * (attribute.high - attribute.low) - float(raw[name])
        return dict(zip(raw, (self._inverse @ change).tolist(), strict=True))

    @cached_property
    def _inverse(self) -> Tensor:
        """What changes of raw labels (K,) are to be multiplied with to get strengths: (K, K)."""
        effects = torch.zeros(len(self.measures), len(self.measures), dtype=torch.float64)
        for j, (changed, direction) in enumerate(self.directions.items()):
            for i, (name, measure) in enumerate(self.measures.items()):
                of_one = label_of_one if name == changed else _effect  # its own label has to grow
                effects[i, j] = of_one(self.generator, direction, measure)
        scale = effects.diagonal()
        found: Tensor = torch.linalg.pinv(effects / scale[:, None], rtol=ALIKE) / scale
        return found

    def _labels(self, latent: Latent) -> Tensor:
        return self.schema.typical if latent.label is None else latent.label.detach().cpu().clamp(0, 1)

    def _raw(self, latent: Latent) -> dict[str, Tensor]:
        """Return attribute → the label of w, in the latent space's own units."""
        if not self.measures:
            return {}
        found = project(self.generator, list(self.measures.values()), latent.w.detach()[None])[0]
        return dict(zip(self.measures, found.double(), strict=True))


def label_of_one(generator: Generator, direction: Direction, measure: Direction | None = None) -> float:
    """Return by how much a move of strength 1 along `direction` changes the raw label that `project` measures.

    `measure`: the direction along which it is measured; None: the same.
    Raises `DirectionError` for a direction of another model, or one along which its label does not grow.
    """
    require_fit(generator, direction)
    change = _effect(generator, direction, measure or direction)
    if not change > 0:
        raise DirectionError(
            f"The label of {direction.name!r} does not grow along it: measure its layer weights again."
        )
    return change


def _effect(generator: Generator, direction: Direction, measure: Direction) -> float:
    """Return by how much a move of strength 1 along `direction` changes the raw label along `measure`."""
    if direction.space == "s":  # the vector is of length 1: that is all, and no label of W changes
        along = parts(measure.vector) if measure.space == "s" else {}
        return direction.unit * sum(float(x @ along[k]) for k, x in parts(direction.vector).items() if k in along)
    start = generator.average()
    moved = run(generator, start, MoveAlong(direction, 1.0))
    before, after = project(generator, [measure], torch.stack([start.w, moved.w]).cpu()).squeeze(1).tolist()
    return float(after - before)


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
    """Return the direction along which the attribute's labels were measured, if `direction` is what changes it."""
    if direction_id(direction) == attribute.direction_id:
        return direction
    if attribute.kind == READOUT and direction.kind != READOUT:
        direction = readout(generator, direction)
    return replace(direction, weights=attribute.weights) if attribute.weights else direction
