"""How well labels say what is true of portraits, and what resampling makes of them: numbers for the results file."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from ..core.conditioning import Labels
from ..core.conditioning.invert import BATCH
from ..core.conditioning.labeler import project
from ..core.conditioning.reading import read_labels
from ..core.conditioning.resampling import Balance
from ..core.conditioning.statistics import auc, pearson, spearman
from ..core.generators import Generator
from ..core.generators.class_head import SelfConditionedDiscriminator
from ..core.probes import Direction
from .held_out import held_out
from .portraits import Attributes
from .results_file import Metric, measurable
from .statistics import bootstrap

FIRST = 50_000  # held-out portraits from this number on are read


def agreement_metrics(columns: Mapping[str, Tensor], truth: Attributes, how: str = "") -> dict[str, Metric]:
    """Return labels/NAME_auc of a yes or no, NAME_r2 and NAME_spearman of a number; attribute → labels (N,).

    `how` is added to the names. An attribute that portraits do not have is left out.
    """
    metrics: dict[str, Metric] = {}
    for name, x in columns.items():
        if not hasattr(truth, name):
            continue
        known = getattr(truth, name).double()
        scores = {"auc": _auc} if name == "glasses" else {"r2": _r2, "spearman": _spearman}
        for score, measure in scores.items():
            metrics[f"labels/{name}_{score}{how}"] = bootstrap(measure, x.double(), known)
    return measurable(metrics)


def guessed_metrics(
    generator: Generator, conditioned: Generator, directions: Mapping[str, Direction], count: int
) -> dict[str, Metric]:
    """Measure labels of `count` held-out portraits, of which only the picture is known.

    NAME_SCORE_encoder: of the latents that the source's encoder guesses, if it has one; NAME_SCORE_read: as the class
    head of the self-conditioned model reads them, if it has one.
    """
    pictures, _, truth = held_out(FIRST, count, generator.size[0])
    x = pictures.float() / 127.5 - 1
    metrics: dict[str, Metric] = {}
    if generator.encoder is not None:
        with torch.no_grad():
            w = torch.cat([generator.encoder(chunk.to(generator.device)).cpu().float() for chunk in x.split(BATCH)])
        raw = project(generator, list(directions.values()), w)
        metrics |= agreement_metrics(dict(zip(directions, raw.unbind(1), strict=True)), truth, "_encoder")
    if isinstance(conditioned.discriminator, SelfConditionedDiscriminator) and conditioned.schema is not None:
        v = torch.cat([read_labels(conditioned, chunk).cpu() for chunk in x.split(BATCH)])
        metrics |= agreement_metrics(dict(zip(conditioned.schema.names, v.unbind(1), strict=True)), truth, "_read")
    return metrics


def columns_of(labels: Labels) -> dict[str, Tensor]:
    """Return attribute → raw labels (N,)."""
    return dict(zip(labels.schema.names, labels.raw.unbind(1), strict=True))


def resampling_metrics(balance: Balance) -> dict[str, Metric]:
    """Return resampling/unique, /effective and /most, in pictures, and /NAME_edges_before and _after.

    The latter is the share of pictures in the outermost two tenths of v, 0.2 if labels were even.
    """
    found = {"unique": balance.unique, "effective": balance.effective, "most": balance.most}
    rows = zip(balance.attributes, balance.deciles_before, balance.deciles_after, strict=True)
    for name, before, after in rows:
        found |= {f"{name}_edges_before": before[0] + before[-1], f"{name}_edges_after": after[0] + after[-1]}
    pairs = np.triu_indices(len(balance.attributes), 1)
    if len(pairs[0]):
        for when, matrix in (("before", balance.correlation_before), ("after", balance.correlation_after)):
            found[f"correlation_{when}"] = float(np.abs(np.array(matrix)[pairs]).max())
    return measurable({f"resampling/{k}": exactly(float(x), balance.draws) for k, x in found.items()})


def exactly(value: float, n: int = 1) -> Metric:
    """Return a number that no other sample would change."""
    return Metric(value, value, value, n)


def _auc(x: Tensor, known: Tensor) -> float:
    return auc(x.numpy(), (known > 0.5).numpy())


def _r2(x: Tensor, known: Tensor) -> float:
    return pearson(x.numpy(), known.numpy()) ** 2


def _spearman(x: Tensor, known: Tensor) -> float:
    return spearman(x.numpy(), known.numpy())


def peak_gib() -> float:
    """Return the most memory this process has held, with PyTorch, the model and the oracle, in GiB."""
    import resource  # not on Windows, where nobody measures

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
