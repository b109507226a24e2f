"""Find the latents of several pictures in one search: faster than one after the other where there is a GPU."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields, replace

import torch
from torch import Tensor

from ..descent import descend_each, gradients
from ..errors import LatentError
from ..generators.base import Generator
from ..latent import Latent
from .base import Report, ignore
from .embed import Embed
from .objective import Objective
from .starts import Coordinates


def embed_many(generator: Generator, searches: Sequence[Embed], report: Report = ignore) -> Iterator[list[Latent]]:
    """Make searches of the same settings side by side; yield the best latent so far of each picture.

    Every picture is found as it would be by itself, but for rounding. Needs the memory of as many pictures at once.
    Report: "step", and "loss" and "best", means over the pictures. Raises `LatentError` if there is no search, or if
    two have different settings or more than one walk each.
    """
    _require_alike(searches)
    search, average = searches[0], generator.average()
    begun = [each.begin(generator, average) for each in searches]
    with gradients():
        judge = search.judge(generator, [each.picture for each in searches])
    way, points = begun[0][0], torch.cat([points for _, points, _ in begun])
    reached = [average] * len(searches)
    for reached in _walk(search, way, points, judge, 0, report):
        yield reached
    if search.first_w and search.total > search.first_w:
        way = replace(way, space="w+")
        points = torch.cat([way.point(latent.w) for latent in reached])
        yield from _walk(search, way, points, judge, search.first_w, report)


def _walk(
    search: Embed, way: Coordinates, points: Tensor, judge: Objective, done: int, report: Report
) -> Iterator[list[Latent]]:
    steps = search.walk(done)

    def counted(numbers: dict[str, float]) -> None:
        report({**numbers, "step": numbers["step"] + done})

    return descend_each([points], way.latents, judge, steps, search.rate, counted, search.total - done)


def _require_alike(searches: Sequence[Embed]) -> None:
    if not searches:
        raise LatentError("No picture was given: give one at least.")
    names = [field.name for field in fields(Embed) if field.name != "picture"]
    for name in names:
        if len({getattr(search, name) for search in searches}) > 1:
            raise LatentError(f"The searches differ in {name}: those made together need the same settings.")
    if searches[0].restarts > 1:
        raise LatentError("Several walks for each of several pictures were asked for: choose one restart.")
