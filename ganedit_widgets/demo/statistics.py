"""Distances between sets of features, accuracies, and bootstrap intervals for all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from .results_file import Metric


def frechet_distance(a: Tensor, b: Tensor) -> float:
    """Fréchet distance of normals fitted to features (N, D) and (M, D) (Heusel et al. 2017, equation 6).

    ‖μa − μb‖² + tr(Ca + Cb − 2 (Ca^½ Cb Ca^½)^½), in float64. The trace of the root is a sum of singular values:
    with Ca = XᵀX and Cb = YᵀY it is the nuclear norm of X Yᵀ, which needs no root of a nearly singular matrix.
    """
    a, b = a.double(), b.double()
    x, y = _root(a), _root(b)
    shared = torch.linalg.svdvals(x @ y.T).sum()
    distance = (a.mean(0) - b.mean(0)).square().sum() + x.square().sum() + y.square().sum() - 2 * shared
    return max(0.0, float(distance))


def _root(features: Tensor) -> Tensor:
    """Return X (D, D) with XᵀX the covariance of features (N, D)."""
    centered = features - features.mean(0)
    values, vectors = torch.linalg.eigh(centered.T @ centered / max(1, len(features) - 1))
    return values.clamp(min=0).sqrt().unsqueeze(1) * vectors.T


def kernel_distance(a: Tensor, b: Tensor) -> float:
    """Squared maximum mean discrepancy with kernel (x·y/D + 1)³, unbiased (Bińkowski et al. 2018); may be below 0."""
    a, b = a.double(), b.double()

    def kernel(x: Tensor, y: Tensor) -> Tensor:
        return (x @ y.T / x.shape[1] + 1) ** 3

    def within(x: Tensor) -> Tensor:
        k = kernel(x, x)
        return (k.sum() - k.diagonal().sum()) / (len(x) * (len(x) - 1))

    return float(within(a) + within(b) - 2 * kernel(a, b).mean())


def r_squared(predicted: Tensor, true: Tensor) -> float:
    """Return the share of the variance of true (N,) that predicted (N,) explains: at most 1, below 0 if misleading."""
    error = (predicted.double() - true.double()).square().sum()
    return float(1 - error / (true.double() - true.double().mean()).square().sum())


def accuracy(predicted: Tensor, true: Tensor) -> float:
    """Return the share of equal entries."""
    return float((predicted == true).double().mean())


def auc(positive: Tensor, negative: Tensor) -> float:
    """Area under the ROC curve: the chance that a positive score (N,) exceeds a negative one (M,), ties count half."""
    ordered = negative.double().flatten().sort().values
    scores = positive.double().flatten()
    below, upto = (torch.searchsorted(ordered, scores, right=right).double() for right in (False, True))
    return float((below + upto).mean() / (2 * len(ordered)))


def confusions(predicted: Tensor, true: Tensor, classes: int) -> Tensor:
    """Return for labels (N, H, W) how often true class i was called j in each picture: (N, classes, classes)."""
    pairs = true.flatten(1).long() * classes + predicted.flatten(1).long()
    counts = torch.zeros(len(pairs), classes * classes, dtype=torch.float64)
    return counts.scatter_add_(1, pairs, torch.ones_like(pairs, dtype=torch.float64)).view(-1, classes, classes)


def intersection_over_union(confusion: Tensor) -> Tensor:
    """Return IoU (classes,) from confusions (N, classes, classes), over all pictures; NaN for an absent class."""
    total = confusion.sum(0)
    union = total.sum(0) + total.sum(1) - total.diagonal()
    return total.diagonal() / union.where(union > 0, torch.nan)


def mean_iou(confusion: Tensor) -> float:
    """Return the mean over the classes that occur."""
    return float(intersection_over_union(confusion).nanmean())


def bootstrap(
    statistic: Callable[..., float],
    *samples: Tensor,
    paired: bool = True,
    recentered: bool = False,
    times: int = 200,
    seed: int = 0,
) -> Metric:
    """Measure ``statistic(*samples)`` and its 95 % interval by resampling (Efron 1979, percentile interval).

    Samples are rows (N, …). `paired`: row i of each belongs to row i of the others, so that they are drawn together.
    `recentered`: the interval keeps its width and is laid around the value; for distances between sets, which
    resampling alone makes larger. n is the size of the smallest sample. Resamples without a finite value are left out.
    """

    def one(*rows: Tensor) -> Tensor:
        return torch.tensor([statistic(*rows)])

    return bootstrap_all(one, *samples, paired=paired, recentered=recentered, times=times, seed=seed)[0]


def bootstrap_all(
    statistic: Callable[..., Tensor],
    *samples: Tensor,
    paired: bool = True,
    recentered: bool = False,
    times: int = 200,
    seed: int = 0,
) -> list[Metric]:
    """Like `bootstrap`, for a statistic of K numbers (K,), from the same resamples."""
    rng = torch.Generator().manual_seed(seed)
    values = statistic(*samples).double()
    drawn = torch.stack([statistic(*_resample(samples, paired, rng)).double() for _ in range(times)], 1)
    n = min(len(sample) for sample in samples)
    return [_metric(float(v), row, recentered, n) for v, row in zip(values, drawn, strict=True)]


def _metric(value: float, drawn: Tensor, recentered: bool, n: int) -> Metric:
    drawn = drawn[drawn.isfinite()]
    if not len(drawn):
        return Metric(value, value, value, n)
    if recentered:
        drawn = drawn - drawn.mean() + value
    low, high = drawn.quantile(drawn.new_tensor([0.025, 0.975])).tolist()
    return Metric(value, low, high, n)


def _resample(samples: Sequence[Tensor], paired: bool, rng: torch.Generator) -> list[Tensor]:
    rows = torch.randint(len(samples[0]), (len(samples[0]),), generator=rng)
    if paired:
        return [sample[rows] for sample in samples]
    return [sample[torch.randint(len(sample), (len(sample),), generator=rng)] for sample in samples]
