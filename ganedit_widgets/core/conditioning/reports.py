"""What is to be known of labels before anything is trained with them: spread, entanglement, truth, mirrors."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from ..errors import LabelError
from .labels import Labels
from .schema import Schema
from .statistics import auc, correlations, pearson, spearman

BINS = 20
ENTANGLED = 0.8  # |r| from which on two attributes are hardly two
SURE = 0.5  # |r| from which on it is clear what a mirror does
FEWEST = 10  # pictures whose truth is known, to say anything of it


@dataclass(frozen=True)
class Spread:
    """How the labels of one attribute are spread; all but `mean` and `deviation`, which are raw, in v."""

    low: float  # raw
    high: float
    mean: float
    deviation: float
    median: float
    below: float  # share of pictures below v = 0.1
    above: float  # and above 0.9
    histogram: tuple[float, ...]  # shares of `BINS` equal parts of v


@dataclass(frozen=True)
class Agreement:
    """How well labels agree with what is known: "auc" of a yes or no, "spearman" and "r2" of a number."""

    pictures: int
    auc: float | None = None
    spearman: float | None = None
    r2: float | None = None  # of a straight line


@dataclass(frozen=True)
class MirrorCheck:
    """What labels do when the picture is mirrored."""

    correlation: float
    verdict: str  # "same", "opposite" or "unknown"
    error: float  # root mean square of what the verdict gets wrong, in v; nan for "unknown"


@dataclass(frozen=True)
class LabelReport:
    """Everything the report says, by the attributes' names."""

    pictures: int
    spread: dict[str, Spread]
    correlation: tuple[tuple[float, ...], ...]  # of raw labels, in the order of `spread`
    entangled: tuple[tuple[str, str, float], ...]  # pairs above `ENTANGLED`, with their correlation
    agreement: dict[str, Agreement] = field(default_factory=dict)
    mirrors: dict[str, MirrorCheck] = field(default_factory=dict)

    @property
    def warnings(self) -> list[str]:
        """One sentence for each thing to think about before training."""
        found = [
            f"{one} and {other} are practically one (r = {r:+.2f}): leave one out, or condition their directions."
            for one, other, r in self.entangled
        ]
        for name, check in self.mirrors.items():
            if check.verdict == "unknown":
                found.append(
                    f"Mirrored pictures get unlike labels of {name} (r = {check.correlation:+.2f}): its labels are "
                    "noisy, and pictures cannot be mirrored in training."
                )
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data, for JSON."""
        return {**asdict(self), "warnings": self.warnings}


def report(
    labels: Labels,
    truth: Mapping[str, Sequence[float]] | None = None,
    mirrored: tuple[Tensor, Tensor] | None = None,
) -> LabelReport:
    """Return what is to be said of labels.

    `truth`: attribute → what is known of each picture, nan where nothing is; two different values are a yes or no.
    `mirrored`: raw labels (n, A) of some pictures, and of the same seen in a mirror.
    Raises `LabelError` where the counts differ, or truth is about an unknown attribute.
    """
    raw, v = labels.raw.double().numpy(), labels.v.double().numpy()
    names = labels.schema.names
    matrix = correlations(raw)
    pairs = [(i, j) for i in range(len(names)) for j in range(i) if abs(matrix[i, j]) > ENTANGLED]
    return LabelReport(
        len(labels),
        {name: _spread(labels.schema, name, raw[:, i], v[:, i]) for i, name in enumerate(names)},
        tuple(tuple(row) for row in matrix.tolist()),
        tuple((names[j], names[i], float(matrix[i, j])) for i, j in pairs),
        {name: agreement(labels, name, known) for name, known in (truth or {}).items()},
        mirror_checks(labels.schema, *mirrored) if mirrored is not None else {},
    )


def agreement(labels: Labels, attribute: str, truth: Sequence[float]) -> Agreement:
    """Return how well an attribute's labels agree with the truth about each picture, nan where it is not known.

    Raises `LabelError` if the counts differ, or the truth of fewer than ten pictures is known.
    """
    known = np.asarray([float(x) for x in truth], np.float64)
    if len(known) != len(labels):
        raise LabelError(f"{len(labels)} labeled pictures came with the truth about {len(known)}: give one for each.")
    chosen = np.isfinite(known)
    count = int(chosen.sum())
    if count < FEWEST:
        raise LabelError(f"The true {attribute} of {count} pictures is known: give that of {FEWEST} at least.")
    x, y = labels.of(attribute).double().numpy()[chosen], known[chosen]
    values = np.unique(y)
    if len(values) == 2:
        return Agreement(count, auc=auc(x, y == values[1]))
    return Agreement(count, spearman=spearman(x, y), r2=pearson(x, y) ** 2)


def mirror_checks(schema: Schema, raw: Tensor, mirrored: Tensor) -> dict[str, MirrorCheck]:
    """Return attribute → what a mirror does to raw labels (n, A). Raises `LabelError` for unlike shapes."""
    if raw.shape != mirrored.shape or len(raw) < FEWEST:
        raise LabelError(
            f"Labels of {len(raw)} pictures and {len(mirrored)} mirrored ones were given: give the same, and {FEWEST} "
            "at least."
        )
    found = {}
    for i, name in enumerate(schema.names):
        r = pearson(raw[:, i].numpy(), mirrored[:, i].numpy())
        before, after = schema.scale(raw)[:, i], schema.scale(mirrored)[:, i]
        verdict = "unknown" if not abs(r) > SURE else "same" if r > 0 else "opposite"
        expected = 1 - before if verdict == "opposite" else before
        error = float("nan") if verdict == "unknown" else float((after - expected).square().mean().sqrt())
        found[name] = MirrorCheck(r, verdict, error)
    return found


def read_truth(path: Path | str, labels: Labels) -> dict[str, list[float]]:
    """Return attribute → its truth for each labeled picture, from a CSV file: ``picture,age,…`` and a row for each.

    Columns that are no attribute are left out; so are pictures without labels. Raises `LabelError` if the file cannot
    be read, names no labeled picture or no attribute, or has something that is no number.
    """
    try:
        with Path(path).open(newline="", encoding="utf-8-sig") as file:
            head, *rows = [row for row in csv.reader(file) if row]
    except (OSError, ValueError, csv.Error) as error:
        raise LabelError(f"{path} cannot be read as CSV ({error}): its first line is picture,{'…'}.") from None
    known = {row[0]: row[1:] for row in rows}
    columns = [(i, name.strip()) for i, name in enumerate(head[1:]) if name.strip() in labels.schema.names]
    if not columns or not known.keys() & set(labels.names):
        raise LabelError(
            f"{path} says nothing of these labels: its first line is picture,{','.join(labels.schema.names)}, and its "
            f"pictures are called as {labels.names[0]!r} is."
        )
    try:
        return {
            attribute: [float(known[name][i] or "nan") if name in known else float("nan") for name in labels.names]
            for i, attribute in columns
        }
    except (ValueError, IndexError) as error:
        raise LabelError(f"{path} has a row that is not full of numbers ({error}): leave unknown ones empty.") from None


def _spread(schema: Schema, name: str, raw: Any, v: Any) -> Spread:
    shares = np.histogram(v, BINS, (0, 1))[0] / len(v)
    return Spread(
        schema[name].low,
        schema[name].high,
        float(raw.mean()),
        float(raw.std()),
        float(np.median(v)),
        float((v < 0.1).mean()),
        float((v > 0.9).mean()),
        tuple(shares.tolist()),
    )
