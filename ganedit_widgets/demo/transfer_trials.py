"""Crossover and expression transfer, judged by the oracle: what was meant to change, and what else changed."""

from __future__ import annotations

import torch
from torch import Tensor

from ..core.edits import Crossover, Embed, TransferExpression, paper_split, run
from ..core.generators import Generator
from ..core.image import to_pixels
from ..core.latent import Latent
from .held_out import HELD_OUT_SEED
from .oracle import Look, Oracle
from .portraits import render, sample_attributes
from .results_file import Metric
from .statistics import bootstrap

SHAPE, COLOR = ("yaw", "pitch", "smile", "mouth_open", "hair_length", "age"), ("skin", "light")
SMILES = (-0.3, 0.9)  # of a driver, neutral and smiling
DRIVERS_FROM = 4000  # held-out portraits from this number on


def transfer_metrics(
    generator: Generator, oracle: Oracle, count: int, steps: int = 150, drivers: int = 4
) -> dict[str, Metric]:
    """Measure crossovers of `count` pairs of samples, and smiles of rendered people on `count` samples."""
    smiles = expression_metrics(generator, oracle, count, steps, drivers)
    return {**crossover_metrics(generator, oracle, count), **smiles}


def crossover_metrics(generator: Generator, oracle: Oracle, count: int) -> dict[str, Metric]:
    """Return crossover/ATTRIBUTE: the share of the way from A to B that the child has gone, by the paper's split."""
    ours = [generator.sample(seed) for seed in range(count)]
    theirs = [generator.sample(5000 + seed) for seed in range(count)]
    blend = paper_split(generator)
    children = [run(generator, a, Crossover(b, blend)) for a, b in zip(ours, theirs, strict=True)]
    a, b, child = (see(generator, oracle, latents) for latents in (ours, theirs, children))
    metrics = {}
    for name in (*SHAPE, *COLOR):
        whole = b.attributes[name] - a.attributes[name]
        gone = child.attributes[name] - a.attributes[name]
        metrics[f"crossover/{name}_from_b"] = bootstrap(_slope, whole, gone)
    metrics["crossover/identity_with_a"] = bootstrap(_mean, _alike(a, child))
    metrics["crossover/identity_with_b"] = bootstrap(_mean, _alike(b, child))
    return metrics


def expression_metrics(generator: Generator, oracle: Oracle, count: int, steps: int, drivers: int) -> dict[str, Metric]:
    """Return what a smile, taken from embedded renders of somebody else, does to samples.

    expression/smile is the change of the smile as a share of the drivers' own, the others are mean absolute changes in
    standard deviations of the samples; expression/identity is the likeness of a person with and without it. A row is
    one sample, the mean over the drivers: intervals tell what other samples would change, not what other drivers would.
    """
    targets = [generator.sample(seed) for seed in range(count)]
    before = see(generator, oracle, targets)
    found: dict[str, list[Tensor]] = {name: [] for name in (*SHAPE, *COLOR, "identity")}
    for number in range(drivers):
        neutral, smiling = (_embedded(generator, DRIVERS_FROM + number, smile, steps) for smile in SMILES)
        driver = see(generator, oracle, [neutral, smiling]).attributes["smile"]
        moved = [run(generator, latent, TransferExpression(neutral, smiling)) for latent in targets]
        after = see(generator, oracle, moved)
        for name in (*SHAPE, *COLOR):
            change = after.attributes[name] - before.attributes[name]
            unit = driver[1] - driver[0] if name == "smile" else before.attributes[name].std().clamp(min=1e-3)
            found[name].append(change / unit if name == "smile" else change.abs() / unit)
        found["identity"].append(_alike(before, after))
    return {f"expression/{name}": bootstrap(_mean, torch.stack(values).mean(0)) for name, values in found.items()}


def see(generator: Generator, oracle: Oracle, latents: list[Latent]) -> Look:
    """Return what the oracle sees in the pictures of latents."""
    with torch.no_grad():
        return oracle.look([to_pixels(generator.draw(latent)) for latent in latents])


def _embedded(generator: Generator, number: int, smile: float, steps: int) -> Latent:
    """Return the latent of a held-out person, turned to the viewer, with such a smile."""
    person = sample_attributes([number], HELD_OUT_SEED)
    person = person.replace(smile=smile, mouth_open=0.1, yaw=0.0, pitch=0.0, glasses=0.0)
    picture = to_pixels(render(person, generator.size[0]).image)
    return run(generator, generator.average(), Embed(picture, iterations=steps, first_w=max(1, steps // 2)))


def _slope(whole: Tensor, part: Tensor) -> float:
    return float((whole * part).sum() / whole.square().sum().clamp(min=1e-9))


def _alike(a: Look, b: Look) -> Tensor:
    return (a.identity * b.identity).sum(1)


def _mean(values: Tensor) -> float:
    return float(values.mean())
