"""Measure Editing in Style on the demo model: whether parts are found, and whether borrowing one leaves the rest."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from ..core.errors import LatentError
from ..core.generators import Generator
from ..core.generators.load import load_generator
from ..core.image import to_pixels
from ..core.parts import PartCatalog, clusterable, default_layer, difference, heat, load_catalog
from ..core.sheet import tile
from .evaluate_demo import look_at_generated
from .oracle import Look, Oracle, load_oracle
from .part_figures import choice_curves, labeled_sheet, locality_curves
from .part_metrics import choice_metrics, choices, labels_of, oracle_metrics, part_metrics, render_metrics
from .part_scale import scale_metrics
from .part_trials import EDITED, METHODS, Trial, common_level, outside_at, try_all
from .parts import Labeled, demo_catalog, labeled, mixed
from .results_file import Metric, Results
from .statistics import bootstrap, frechet_distance

FIRST = 200_000  # seed of the first sample that is measured: catalogs are made of others
FIRST_RENDER = 5000
MOVED = {
    "hair": ("hair_reach", "hair_color"),
    "eyes": ("eye_size", "iris"),
    "mouth": ("smile", "mouth_open"),
    "nose": ("nose_length", "nose_width"),
    "glasses": ("glasses",),
    "background": ("background",),
}
TIMES, FEW = 20, 3  # resamples of a distance between sets, which takes a tenth of a second


@dataclass(frozen=True)
class Extent:
    """How much is measured."""

    samples: int  # from which pairs are drawn
    pairs: int  # for each part
    catalog: tuple[int, int, int, int]  # clusters, samples, searched, restarts of a catalog, if none ships
    around: int  # layers on each side of the default one that are clustered
    choosing: tuple[int, int]  # samples to name clusters by, and to measure them by
    ks: tuple[int, ...]
    fewer: tuple[int, ...]  # numbers of samples that clusters are made of
    renders: int
    steps: int
    judged: int  # renders for the oracle's own score
    scale: bool = False  # whether large networks are measured too


FULL = Extent(300, 500, (64, 120, 600, 3), 3, (60, 60), (16, 32, 64), (5, 10, 20, 40), 12, 120, 60, True)
QUICK = Extent(12, 2, (16, 6, 12, 1), 0, (4, 4), (16,), (3,), 1, 3, 4)


def evaluate(quick: bool = False, generator: Generator | None = None, oracle: Oracle | None = None) -> Results:
    """Match clusters with parts, and borrow each part on many pairs by every method.

    A full run takes about an hour of one core; `quick`: a few pairs, under a minute, its numbers compare with
    nothing but themselves.
    """
    began = time.monotonic()
    generator, oracle = generator or load_generator("demo"), oracle or load_oracle()
    extent = QUICK if quick else FULL
    catalog = catalog_of(generator, oracle, extent)
    samples = labeled(generator, oracle, range(FIRST, FIRST + extent.samples))
    metrics, curves = _parts(generator, oracle, catalog, samples, extent)
    trials = {part: try_all(generator, oracle, catalog, samples, part, extent.pairs) for part in EDITED}
    found = {part: trial for part, trial in trials.items() if trial is not None}
    look = oracle.look(samples.pictures)
    metrics |= locality_metrics(found) | oracle_verdicts(found, look)
    other = look_at_generated(generator, oracle, len(samples))  # ψ = 1, other seeds
    metrics |= distances(found, look.features, other.features, FEW if quick else TIMES)
    metrics |= scale_metrics() if extent.scale else {}
    figures: dict[str, np.ndarray | Figure] = {"choices": curves}
    if found:
        figures |= {"locality": locality_curves(found), "pictures": pictures(found, samples)}
    command = "ganedit evaluate editing_in_style" + " --quick" * quick
    return Results("editing_in_style", metrics, command, time.monotonic() - began, quick, figures=figures)


def catalog_of(generator: Generator, oracle: Oracle, extent: Extent) -> PartCatalog:
    """Return the catalog that ships, if it is of this generator, or else one made now."""
    try:
        catalog = load_catalog("demo")
        catalog.require_own(generator)
        return catalog
    except LatentError:
        return demo_catalog(generator, oracle, *extent.catalog)


def _parts(
    generator: Generator, oracle: Oracle, catalog: PartCatalog, samples: Labeled, extent: Extent
) -> tuple[dict[str, Metric], Figure]:
    """Measure how well clusters are parts, and draw it over layers and numbers of clusters."""
    metrics = part_metrics(labels_of(catalog, generator, samples), samples.labels)
    train, test = extent.choosing
    pool = labeled(generator, oracle, range(FIRST - 4 * train, FIRST))
    known, new = pool.those(mixed(pool, train)), samples.those(mixed(samples, test))
    middle = default_layer(generator)
    names = list(clusterable(generator))
    around = names[max(0, names.index(middle) - extent.around) : names.index(middle) + extent.around + 1]
    tried = choices(generator, known, new, around, extent.ks)
    metrics |= choice_metrics(tried, len(new))
    for n in extent.fewer:
        (choice,) = choices(generator, known.those(range(n)), new, [middle], [max(extent.ks)])
        metrics[f"parts/miou_from_{n}"] = Metric(choice.miou, choice.miou, choice.miou, len(new))
    metrics |= oracle_metrics(oracle, FIRST_RENDER, extent.judged, generator.size[0])
    metrics |= render_metrics(generator, catalog, FIRST_RENDER, extent.renders, extent.steps)
    return metrics, choice_curves(tried)


def locality_metrics(trials: Mapping[str, Trial]) -> dict[str, Metric]:
    """Return locality/out_greedy_over_METHOD: change outside at equal change inside, over all pairs and by part.

    Also locality/reached_METHOD: the largest change inside, as a share of the difference to the reference.
    """
    metrics: dict[str, Metric] = {}
    outs: dict[str, list[tuple[Tensor, Tensor]]] = {name: [] for name in METHODS if name != "greedy"}
    for part, trial in trials.items():
        for name, rows in outs.items():
            level = common_level(trial, ["greedy", name])
            rows.append((outside_at(trial.tried["greedy"], level), outside_at(trial.tried[name], level)))
            metrics[f"locality/{part}_out_greedy_over_{name}"] = bootstrap(_ratio, *rows[-1])
    for name, rows in outs.items():
        if rows:
            both = [torch.cat(column) for column in zip(*rows, strict=True)]
            metrics[f"locality/out_greedy_over_{name}"] = bootstrap(_ratio, *both)
    for name in METHODS if trials else ():
        most = [t.tried[name].inside.max(1).values / t.wanted.clamp(min=1e-6) for t in trials.values()]
        metrics[f"locality/reached_{name}"] = bootstrap(_mean, torch.cat(most).sqrt())
    return metrics


def oracle_verdicts(trials: Mapping[str, Trial], look: Look) -> dict[str, Metric]:
    """Return locality/identity_METHOD, the likeness with the source, and moved/ATTRIBUTE_METHOD.

    The latter is the share of the way to the reference that an attribute of the part has gone. All are of the pictures
    that come nearest to half the reference's change inside.
    """
    metrics: dict[str, Metric] = {}
    for name in METHODS if trials else ():
        alike = [(t.tried[name].look.identity * look.identity[t.sources]).sum(1) for t in trials.values()]
        metrics[f"locality/identity_{name}"] = bootstrap(_mean, torch.cat(alike))
        for part, trial in trials.items():
            for attribute in MOVED[part]:
                seen = look.attributes[attribute]
                way = seen[trial.references] - seen[trial.sources]
                gone = trial.tried[name].look.attributes[attribute] - seen[trial.sources]
                metrics[f"moved/{attribute}_{name}"] = bootstrap(_slope, way, gone)
    return metrics


def distances(trials: Mapping[str, Trial], own: Tensor, other: Tensor, times: int) -> dict[str, Metric]:
    """Return frechet/METHOD, of edited pictures to other samples, and frechet/unedited; of equally many pictures."""
    sets = {"unedited": own}
    for name in METHODS if trials else ():
        features = torch.cat([trial.tried[name].look.features for trial in trials.values()])
        sets[name] = features[:: max(1, len(features) // len(own))][: len(own)]
    options = {"paired": False, "recentered": True, "times": times}
    return {f"frechet/{name}": bootstrap(frechet_distance, x, other, **options) for name, x in sets.items()}  # type: ignore[arg-type]


def pictures(trials: Mapping[str, Trial], samples: Labeled, rows: int = 2) -> Figure:
    """Draw a sheet: source, reference, each method's picture, and where the greedy one changed; `rows` of each part."""
    shown: list[np.ndarray] = []
    named: list[str] = []
    for part, trial in trials.items():
        for i in range(min(rows, len(trial.sources))):
            source, reference = (samples.pictures[[j]] for j in (trial.sources[i], trial.references[i]))
            edited = [trial.tried[name].pictures[i] for name in METHODS]
            after = torch.from_numpy(edited[0]).permute(2, 0, 1)[None] / 127.5 - 1
            shown += [to_pixels(source), to_pixels(reference), *edited, heat(difference(source, after)[0])]
            named.append(part)
    return labeled_sheet(tile(shown, 3 + len(METHODS)), ["source", "reference", *METHODS, "greedy: ΔE"], named)


def _ratio(a: Tensor, b: Tensor) -> float:
    return float(a.mean() / b.mean().clamp(min=1e-9))


def _mean(values: Tensor) -> float:
    return float(values.mean())


def _slope(way: Tensor, gone: Tensor) -> float:
    return float((way * gone).sum() / way.square().sum().clamp(min=1e-9))
