"""Correlation by value and by rank, and the area under the curve of a score that should tell two classes."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

Numbers = NDArray[np.float64]


def pearson(x: ArrayLike, y: ArrayLike) -> float:
    """Return the correlation of two lists of N numbers; nan where one of them does not vary."""
    a, b = (np.asarray(values, np.float64) for values in (x, y))
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum() / size) if size > 0 else float("nan")


def spearman(x: ArrayLike, y: ArrayLike) -> float:
    """Return the correlation of the ranks of two lists of N numbers; equal numbers share a rank."""
    return pearson(rankdata(x), rankdata(y))


def auc(score: ArrayLike, positive: ArrayLike) -> float:
    """Return how often a positive's score is the higher one of a positive's and a negative's; half for equal ones.

    Mann and Whitney's U over the number of pairs; nan if there are not both kinds.
    """
    chosen = np.asarray(positive, bool)
    n, others = int(chosen.sum()), int((~chosen).sum())
    if not n or not others:
        return float("nan")
    return float((rankdata(score)[chosen].sum() - n * (n + 1) / 2) / (n * others))


def correlations(columns: Numbers) -> Numbers:
    """Return the correlation matrix (A, A) of columns (N, A)."""
    names = range(columns.shape[1])
    return np.array([[1.0 if i == j else pearson(columns[:, i], columns[:, j]) for j in names] for i in names])


def decile_shares(v: Numbers) -> Numbers:
    """Return (A, 10): which share of v (N, A), from 0 to 1, lies in each tenth of the range."""
    tenths = np.clip((v * 10).astype(int), 0, 9)
    return np.stack([np.bincount(column, minlength=10) / len(v) for column in tenths.T])
