"""Measure self-conditioning on the demo model: labels beside the truth, and edits by labels beside directions."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from ..core.conditioning import Labels, Schema
from ..core.conditioning.model import self_conditioned
from ..core.conditioning.original import Original
from ..core.conditioning.resampling import balance, resample
from ..core.conditioning.statistics import spearman
from ..core.edits import SetLabels
from ..core.edits.base import Report, ignore
from ..core.errors import DirectionError, ModelError
from ..core.generators import Generator
from ..core.generators.load import has_shipped, load_generator
from ..core.image import to_pixels
from ..core.latent import Latent
from ..core.probes import Direction, boundary
from ..core.progress import Bar
from .evaluate_demo import Seen, look_at_generated, tails
from .held_out import HELD_OUT_SEED, TRAINING_SEED
from .label_figures import linearity_figure, resampling_figure
from .label_metrics import agreement_metrics, columns_of, exactly, guessed_metrics, peak_gib, resampling_metrics
from .oracle import Look, Oracle, load_oracle
from .portraits import sample_attributes
from .reference import join, look_at, read_reference
from .results_file import Metric, Results
from .self_conditioned import CAP, DIRECTIONS, NAME, exact_labels, measures
from .statistics import bootstrap, frechet_distance
from .steering_baselines import BATCH, Search, pool_of, rivals
from .steering_figures import furthest, identity_curves, sweep_sheet
from .steering_trials import OURS, SCALES, Sweep, Way, doubt, steering_metrics, strengths, sweep

FIRST, POOL = 400_000, 300_000  # seeds of the people who are edited, and of those that directions are learned from
FACE = 2  # who is shown, of those: somebody with hair, which tells of age
STARTS = 8  # pictures of an untrained model
Own = Callable[[int], Tensor]  # seed → labels v (A,)


@dataclass(frozen=True)
class Extent:
    """How much is measured."""

    search: Search  # for the rivals' directions
    people: int  # who are edited
    portraits: int  # that are labeled
    guessed: int  # portraits whose labels the encoder and the class head guess
    verified: int  # persons by whom the line is drawn below which somebody is another
    pictures: int  # for tails and distances
    times: int  # resamples of a distance


FULL = Extent(Search(1200, 20, (1, 4, 16, 64), 10, 6, (1.5, 3.0, 6.0), 6), 64, 8000, 300, 100, 1000, 50)
QUICK = Extent(Search(20, 4, (1, 8), 2, 1, (2.0, 6.0), 2), 2, 400, 4, 6, 12, 4)


def evaluate(
    quick: bool = False,
    generator: Generator | None = None,
    oracle: Oracle | None = None,
    model: Generator | Path | str | None = None,
) -> Results:
    """Measure labels, resampling, and edits of yaw and age by labels and by directions of the unconditioned model.

    `model`: the self-conditioned one or its file; None: the one that ships. A full run takes a quarter of an hour of
    one core, some minutes on a GPU; `quick`: a few pictures, under a minute, its numbers compare with nothing but
    themselves. Raises `ModelError` if the model is missing, takes no labels of yaw or age, or was made of another one.
    """
    began = time.monotonic()
    conditioned = model if isinstance(model, Generator) else steered(model)
    generator = generator or load_generator("demo", conditioned.device)
    attributes = require_pair(generator, conditioned)
    oracle, extent = oracle or load_oracle(device=generator.device), QUICK if quick else FULL
    directions = measures_of(generator, oracle, extent.search.pool)
    metrics, labels, figures = label_trials(generator, conditioned, directions, extent)
    line = doubt(oracle, extent.verified, generator.size[0])
    metrics["reach/identity_line"] = line
    ways = rivals(generator, oracle, attributes, line.value, extent.search, POOL)
    people_labels = own_labels(generator, conditioned, directions)
    ways = {name: [ours(conditioned, name, extent.search.steps, people_labels), *those] for name, those in ways.items()}
    people = range(FIRST, FIRST + extent.people)
    sweeps = {name: {way.name: sweep(way, oracle, people) for way in those} for name, those in ways.items()}
    for name, found in sweeps.items():
        metrics |= steering_metrics(found, name, line.value) | control_metrics(found[OURS], name)
    seconds = {way: found.seconds for each in sweeps.values() for way, found in each.items()}
    metrics |= {f"time/picture_{way}": exactly(spent) for way, spent in seconds.items()}
    metrics |= set_metrics(generator, conditioned, oracle, labels, extent) | {"memory/peak_gib": exactly(peak_gib())}
    shown = {name: furthest(those, sweeps[name], name, line.value) for name, those in ways.items()}
    figures |= {"identity": identity_curves(sweeps, line.value), "pictures": sweep_sheet(shown, FIRST + FACE)}
    command = "ganedit evaluate self_conditioned" + " --model MODEL" * (model is not None) + " --quick" * quick
    return Results("self_conditioned", metrics, command, time.monotonic() - began, quick, figures=figures)


def steered(path: Path | str | None = None) -> Generator:
    """Open a self-conditioned model, by default the one that ships. Raises `ModelError` if there is none."""
    if path is None and not has_shipped(NAME):
        raise ModelError(
            "This copy has no self-conditioned demo model: make one with `python -m "
            "ganedit_widgets.demo.self_conditioned runs/steered`, and give it with `--model "
            "runs/steered/model.safetensors --out results`."
        )
    return load_generator(NAME if path is None else path)


def require_pair(generator: Generator, conditioned: Generator) -> list[str]:
    """Return which attributes can be measured; raises `ModelError` if none, or if the two are of different origin."""
    schema = conditioned.schema
    if schema is None:
        raise ModelError(f"{conditioned.name} takes no labels: give a model of `ganedit train self-conditioned`.")
    if schema.fingerprint != generator.fingerprint:
        raise ModelError(
            f"{conditioned.name} was made of checkpoint {schema.fingerprint or 'unknown'}, the demo model is "
            f"{generator.fingerprint}: fine-tune this one, python -m ganedit_widgets.demo.self_conditioned."
        )
    found = [name for name in SCALES if name in schema.names]
    if not found:
        raise ModelError(
            f"{conditioned.name} takes labels of {', '.join(schema.names)}: give a model with {' or '.join(SCALES)}."
        )
    return found


def measures_of(generator: Generator, oracle: Oracle, samples: int) -> dict[str, Direction]:
    """Return the directions that portraits are labeled by: those of the demo, or for another model such as fit it."""
    try:
        return measures(generator)
    except DirectionError:
        latents, seen = pool_of(generator, oracle, range(POOL, POOL + samples))
        return {name: boundary(generator, latents, seen[name].tolist(), name) for name in DIRECTIONS}


def label_trials(
    generator: Generator, conditioned: Generator, directions: Mapping[str, Direction], extent: Extent
) -> tuple[dict[str, Metric], Labels, dict[str, np.ndarray | Figure]]:
    """Label portraits and resample them, as the demo's fine-tuning does more of them; return labels and figures too."""
    began = time.monotonic()
    labels = exact_labels(generator, [str(i) for i in range(extent.portraits)], directions)
    between = time.monotonic()
    found = balance(labels, resample(labels, cap=CAP))
    metrics = {"time/label": exactly(between - began), "time/resample": exactly(time.monotonic() - between)}
    truth = sample_attributes(range(extent.portraits), TRAINING_SEED)
    metrics |= agreement_metrics(columns_of(labels), truth) | resampling_metrics(found)
    metrics |= guessed_metrics(generator, conditioned, directions, extent.guessed)
    metrics |= start_metrics(generator, conditioned)
    known = {name: getattr(truth, name).tolist() for name in labels.schema.names}
    return metrics, labels, {"resampling": resampling_figure(found), "labels": linearity_figure(labels, known)}


def start_metrics(generator: Generator, conditioned: Generator) -> dict[str, Metric]:
    """Return the share of pictures that are the same to the last bit, which has to be 1.

    start/zero: drawn by a model of zero constants, and by the one it was made of. start/permuted: with attributes and
    labels in another order.
    """
    schema = conditioned.schema
    assert schema is not None  # `require_pair` has looked
    turned = Schema(tuple(reversed(schema.attributes)), schema.fingerprint)
    fresh, other = (Generator(self_conditioned(generator, each)) for each in (schema, turned))
    same, equal = [], []
    for seed in range(STARTS):
        values = dict(zip(reversed(schema.names), np.random.RandomState(seed).rand(len(schema)), strict=True))
        with torch.no_grad():
            source = generator.draw(generator.sample(seed))
            drawn, again = (m.draw(next(SetLabels(values).steps(m, m.sample(seed)))) for m in (fresh, other))
        same.append(float(torch.equal(drawn, source)))
        equal.append(float(torch.equal(drawn, again)))
    return {"start/zero": exactly(sum(same) / STARTS, STARTS), "start/permuted": exactly(sum(equal) / STARTS, STARTS)}


def own_labels(generator: Generator, conditioned: Generator, directions: Mapping[str, Direction]) -> Own:
    """Return seed → labels v (A,) of the person whom the unconditioned model draws: of its latent, as pictures' are.

    Attributes without a direction are as is typical.
    """
    schema = conditioned.schema
    assert schema is not None  # `require_pair` has looked
    original = Original.of(conditioned, generator, directions.values())
    return lambda seed: schema.values(original.own(generator.sample(seed)))


def ours(conditioned: Generator, attribute: str, steps: int, own: Own) -> Way:
    """Return the way of labels: strengths −1 … 0 … 1 are labels from 0 over the person's own one to 1.

    Liu et al. 2022: w, noise and the other labels stay. So that all ways begin with the same people, those before the
    edit have the labels that the unconditioned model gives them (the paper begins at 0.5).
    """
    assert conditioned.schema is not None  # `require_pair` has looked
    column = conditioned.schema.index(attribute)

    def start(seed: int) -> Latent:
        return replace(conditioned.sample(seed), label=own(seed))

    return Way(OURS, conditioned, start, partial(Towards, attribute, column), strengths(1.0, steps))


@dataclass(frozen=True)
class Towards:
    """Moves a label by a share of the way from where it is to 1, or, where it is negative, to 0."""

    attribute: str
    column: int
    share: float

    total = 1

    def steps(self, generator: Generator, latent: Latent, report: Report = ignore) -> Iterator[Latent]:
        """Yield the latent with its new label."""
        assert latent.label is not None  # `ours` gives one
        v = float(latent.label[self.column])
        moved = v + self.share * (1 - v if self.share > 0 else v)
        yield from SetLabels({self.attribute: moved}).steps(generator, latent, report)


def control_metrics(found: Sweep, attribute: str) -> dict[str, Metric]:
    """Return control/ATTRIBUTE, Spearman's ρ of strength and reading, and control/ATTRIBUTE_lowest and _highest.

    The latter are mean readings at v = 0 and 1, in the attribute's unit.
    """
    seen = found.seen[attribute].double() * SCALES[attribute].factor

    def rho(rows: Tensor) -> float:
        return spearman(found.strengths * len(rows), rows.flatten().numpy())

    ends = {"lowest": seen[:, 0], "highest": seen[:, -1]}
    metrics = {f"control/{attribute}_{end}": bootstrap(lambda x: float(x.mean()), x) for end, x in ends.items()}
    return {f"control/{attribute}": bootstrap(rho, seen), **metrics}


def set_metrics(
    generator: Generator, conditioned: Generator, oracle: Oracle, labels: Labels, extent: Extent
) -> dict[str, Metric]:
    """Return Fréchet distances to held-out portraits and shares of rare pictures, before and after.

    After: labels as portraits have them, whole rows; tails/ATTRIBUTE/uniform: labels from anywhere in [0, 1].
    """
    n, size = extent.pictures, generator.size[0]
    kept = read_reference(oracle, size)
    data = join(list(look_at(oracle, n, size, HELD_OUT_SEED))) if kept is None else _first(kept["held_out"], n)
    random = np.random.RandomState(0)
    uniform = torch.from_numpy(random.rand(n, conditioned.label_dim)).float()
    natural = uniform.clone()
    rows = labels.raw[torch.from_numpy(random.randint(len(labels), size=n))]
    schema = conditioned.schema
    assert schema is not None  # `require_pair` has looked
    for i, name in enumerate(schema.names):
        if name in labels.schema.names:
            natural[:, i] = schema[name].scaled(rows[:, labels.schema.index(name)])
    looks = {
        "before": look_at_generated(generator, oracle, n),
        "after": look_at_labeled(conditioned, oracle, natural),
        "uniform": look_at_labeled(conditioned, oracle, uniform),
    }
    metrics: dict[str, Metric] = {}
    for when, look in looks.items():
        for key, metric in tails(Seen(data, data, look, {})).items():
            name, _, whose = key.removeprefix("tails/").partition("_")
            if whose:
                metrics[f"tails/{name}/{when if whose == 'generated' else 'data'}"] = metric
        if when != "uniform":
            metrics[f"frechet/{when}"] = bootstrap(
                frechet_distance, look.features, data.features, paired=False, recentered=True, times=extent.times
            )
    return metrics


def look_at_labeled(conditioned: Generator, oracle: Oracle, v: Tensor) -> Look:
    """Return what the oracle sees in pictures of the seeds 0 … N − 1 with labels v (N, A)."""
    looks = []
    for seeds in Bar(torch.arange(len(v)).split(BATCH), "generated with labels", leave=False):
        latents = [replace(conditioned.sample(seed), label=v[seed]) for seed in seeds.tolist()]
        with torch.no_grad():
            looks.append(oracle.look([to_pixels(picture) for picture in conditioned.draw_many(latents)]))
    return join(looks)


def _first(look: Look, n: int) -> Look:
    return Look({k: v[:n] for k, v in look.attributes.items()}, look.features[:n], look.identity[:n])
