"""Measure the demo's generator against the portraits it was trained on: how near, how varied, how rare its tails."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from ..core.generators import Generator
from ..core.generators.load import load_generator
from ..core.image import to_pixels
from ..core.progress import Bar
from ..core.sheet import sample_pictures, tile
from .evaluate_oracle import FULL, QUICK, oracle_metrics
from .figures import side_by_side, tail_histograms, truncation_curve
from .held_out import FLOOR_SEED, TRAINING_SEED, held_out
from .oracle import Look, Oracle, load_oracle
from .portraits import sample_attributes
from .reference import CHUNK, join, look_at, read_reference
from .results_file import Metric, Results, measurable
from .statistics import bootstrap, bootstrap_all, frechet_distance, kernel_distance

PSIS = (0.5, 0.6, 0.7, 0.8, 0.9)
PICTURES, QUICK_PICTURES = 1000, 100
QUICK_PSIS = (0.7,)
TIMES, QUICK_TIMES = 50, 20  # resamples of a distance between sets, which takes a tenth of a second


@dataclass(frozen=True)
class Seen:
    """What the oracle saw in as many held-out, other and generated portraits, the last also by truncation."""

    data: Look
    floor: Look
    generated: Look
    truncated: dict[float, Look]


def evaluate(quick: bool = False, generator: Generator | None = None, oracle: Oracle | None = None) -> Results:
    """Measure the demo's generator, and the oracle it is measured with.

    `quick`: a sample, against what is kept of held-out portraits, under a minute on a CPU. Fréchet distances grow the
    fewer pictures there are, so compare those with quick runs only; all else compares with a full run.
    Raises `ModelError` where the weights are missing.
    """
    began = time.monotonic()
    generator, oracle = generator or load_generator("demo"), oracle or load_oracle()
    size = generator.size[0]
    accuracies, data = oracle_metrics(oracle, QUICK if quick else FULL, size)
    seen = _look(generator, oracle, quick, data)
    times = QUICK_TIMES if quick else TIMES
    curve, distances = _distances(seen, times)
    metrics = {**distances, **tails(seen), **accuracies}
    figures: dict[str, np.ndarray | Figure] = {
        "samples": tile(sample_pictures(generator, range(32), psi=1.0), 8),
        "side_by_side": _sixteen(generator, size),
        "truncation": truncation_curve(curve, distances["frechet/floor"]),
        "tails": tail_histograms(seen.generated.attributes, seen.data.attributes, yaw_sigma()),
    }
    command = "ganedit evaluate demo" + " --quick" * quick
    return Results("demo", metrics, command, time.monotonic() - began, quick, figures=figures)


def _look(generator: Generator, oracle: Oracle, quick: bool, data: Look) -> Seen:
    n, psis, size = (QUICK_PICTURES, QUICK_PSIS, generator.size[0]) if quick else (PICTURES, PSIS, generator.size[0])
    kept = read_reference(oracle, size) if quick else None
    if kept is not None:
        data, floor = kept["held_out"], kept["floor"]
    else:
        n = min(n, len(data.features))
        chunks = Bar(look_at(oracle, n, size, FLOOR_SEED), "other portraits", -(-n // CHUNK), leave=False)
        floor = join(list(chunks))
    looks = {psi: look_at_generated(generator, oracle, n, psi) for psi in (1.0, *psis)}
    return Seen(data, _first(floor, n), looks.pop(1.0), looks)


def look_at_generated(generator: Generator, oracle: Oracle, count: int, psi: float = 1.0, batch: int = 16) -> Look:
    """Return what the oracle sees in the generator's pictures of seeds 0 … count − 1."""
    looks = []
    for start in Bar(range(0, count, batch), f"generated, ψ = {psi}", leave=False):
        latents = [generator.sample(seed, psi) for seed in range(start, min(start + batch, count))]
        with torch.no_grad():
            looks.append(oracle.look([to_pixels(picture) for picture in generator.draw_many(latents)]))
    return join(looks)


def _first(look: Look, n: int) -> Look:
    return Look({k: v[:n] for k, v in look.attributes.items()}, look.features[:n], look.identity[:n])


def _distances(seen: Seen, times: int) -> tuple[dict[float, Metric], dict[str, Metric]]:
    """Return the truncation curve, and all distances between sets by name."""
    data = seen.data.features

    def measure(generated: Tensor, floor: Tensor, held: Tensor) -> Tensor:
        a, b = frechet_distance(generated, held), frechet_distance(floor, held)
        return torch.tensor([a, b, a / b, kernel_distance(generated, held), kernel_distance(floor, held)])

    options = {"paired": False, "recentered": True, "times": times}
    found = bootstrap_all(measure, seen.generated.features, seen.floor.features, data, **options)  # type: ignore[arg-type]
    names = ("frechet/generated", "frechet/floor", "frechet/ratio_to_floor", "kernel/generated", "kernel/floor")
    metrics = dict(zip(names, found, strict=True))
    curve = {1.0: metrics["frechet/generated"]}
    for psi, look in seen.truncated.items():
        curve[psi] = bootstrap(frechet_distance, look.features, data, **options)  # type: ignore[arg-type]
        metrics[f"frechet/psi_{psi}"] = curve[psi]
    return curve, metrics


def yaw_sigma() -> float:
    """Return the standard deviation of yaw over training portraits, in radians."""
    return float(sample_attributes(range(20_000), TRAINING_SEED).yaw.std())


def tails(seen: Seen) -> dict[str, Metric]:
    """Return how often generated portraits are rare ones, the data's share, and the ratio of both, as the oracle sees.

    Rare: turned by more than 2σ of the data's yaw; older than nine tenths of the data; with glasses.
    """
    oldest = float(seen.data.attributes["age"].quantile(0.9))

    def rare(attributes: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {
            "yaw": attributes["yaw"].abs() > 2 * yaw_sigma(),
            "age": attributes["age"] > oldest,
            "glasses": attributes["glasses"] > 0.5,
        }

    def shares(generated: Tensor, data: Tensor) -> Tensor:
        a, b = generated.double().mean(), data.double().mean()
        return torch.stack([a / b, a, b])

    metrics: dict[str, Metric] = {}
    data = rare(seen.data.attributes)
    for name, generated in rare(seen.generated.attributes).items():
        found = bootstrap_all(shares, generated, data[name], paired=False)
        names = (f"tails/{name}", f"tails/{name}_generated", f"tails/{name}_data")
        metrics |= zip(names, found, strict=True)
    return measurable(metrics)


def _sixteen(generator: Generator, size: int) -> np.ndarray:
    rendered = held_out(0, 16, size)[0].permute(0, 2, 3, 1).contiguous().numpy()
    return side_by_side(sample_pictures(generator, range(100, 116), psi=1.0), list(rendered))
