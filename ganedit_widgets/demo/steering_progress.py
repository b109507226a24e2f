"""What labels do while they are being learned, measured in seconds: a few people, both ends of each attribute."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch

from ..core.conditioning import Schema
from ..core.conditioning.model import self_conditioned
from ..core.generators import Generator
from ..core.training.conditional_loop import CHECKPOINT, read_checkpoint
from .oracle import Oracle
from .steering_trials import SCALES

FIRST, PEOPLE = 500_000, 16  # seeds of those who are looked at
VALUES = (0.0, 0.25, 0.5, 0.75, 1.0)
FILE = "effects.jsonl"


def effects(generator: Generator, oracle: Oracle, people: int = PEOPLE) -> dict[str, list[float]]:
    """Return attribute → the oracle's mean reading at the labels `VALUES`, others as is typical; w and noise stay.

    Yaw in degrees, age in hundredths, other attributes as the oracle says them. identity_ATTRIBUTE: the mean likeness
    with the picture of 0.5. Raises `LabelError` for a generator without labels.
    """
    schema = generator.schema or Schema(())
    found: dict[str, list[float]] = {}
    starts = [generator.sample(FIRST + i) for i in range(people)]
    for name in schema.names:
        looks = []
        for value in VALUES:
            label = schema.values({name: value})
            with torch.no_grad():
                looks.append(oracle.look(generator.draw_many([replace(s, label=label) for s in starts]).clamp(-1, 1)))
        scale = SCALES[name].factor if name in SCALES else 1.0
        found[name] = [round(scale * float(look.attributes[name].mean()), 3) for look in looks]
        middle = looks[VALUES.index(0.5)].identity
        found[f"identity_{name}"] = [round(float((look.identity * middle).sum(1).mean()), 3) for look in looks]
    return found


def reached(source: Generator, schema: Schema, folder: Path) -> tuple[Generator, int]:
    """Return the moving average in a run's checkpoint as a generator, and how many pictures it has seen.

    Raises `TrainingError` if the checkpoint is damaged.
    """
    state = read_checkpoint(folder / CHECKPOINT)
    network = self_conditioned(source, schema).eval()
    network.load_state_dict(state["average"])
    return Generator(network, name="in training"), int(state["counts"][0])


def write_effects(folder: Path, pictures: int, found: Mapping[str, list[float]]) -> None:
    """Add a line to ``effects.jsonl``."""
    with (folder / FILE).open("a", encoding="utf-8") as file:
        file.write(json.dumps({"pictures": pictures, **found}) + "\n")
