"""Measure the oracle against the truth about held-out portraits."""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch
from torch import Tensor

from ..core.progress import Bar
from .held_out import held_out
from .oracle import Look, Oracle, load_oracle
from .oracle.quality import attribute_quality, identity_quality, part_quality
from .portraits import Attributes, concatenate
from .reference import CHUNK, join
from .results_file import Metric, Results


@dataclass(frozen=True)
class Extent:
    """How many portraits and people are measured."""

    portraits: int
    people: int


FULL, QUICK = Extent(1000, 300), Extent(40, 12)


def evaluate(quick: bool = False, oracle: Oracle | None = None, size: int = 128) -> Results:
    """Measure the accuracy of the oracle; `quick`: on a few portraits, half a minute of one core."""
    began = time.monotonic()
    metrics, _ = oracle_metrics(oracle or load_oracle(), QUICK if quick else FULL, size)
    command = "ganedit evaluate oracle" + " --quick" * quick
    return Results("oracle", metrics, command, time.monotonic() - began, quick)


def oracle_metrics(oracle: Oracle, extent: Extent, size: int) -> tuple[dict[str, Metric], Look]:
    """Return the oracle's accuracies, and what it saw in the first held-out portraits of this size."""
    looks: list[Look] = []
    truths: list[Attributes] = []
    pictures: list[Tensor] = []
    labels: list[Tensor] = []
    starts = range(0, extent.portraits, CHUNK)
    for start in Bar(starts, "held-out portraits", leave=False):
        drawn, parts, attributes = held_out(start, min(CHUNK, extent.portraits - start), size)
        looks.append(oracle.look(drawn))
        truths.append(attributes)
        pictures.append(drawn)
        labels.append(parts)
    look = join(looks)
    metrics = {
        **attribute_quality(look, concatenate(truths)),
        **part_quality(oracle, torch.cat(pictures), torch.cat(labels)),
        **identity_quality(oracle, extent.people, size),
    }
    return metrics, look
