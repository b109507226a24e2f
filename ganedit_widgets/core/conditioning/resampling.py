"""Choose pictures so that their labels are spread evenly: what is rare in the data is seen as often as the rest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError, safe_open
from scipy.spatial import KDTree
from torch import Tensor

from ..errors import LabelError
from ..readers.own import write_tensors
from ..short import short
from .labels import Labels
from .statistics import Numbers, correlations, decile_shares

Rows = npt.NDArray[np.int64]
KEY, VERSION = "ganedit.resampling", 1
NEIGHBORS = 10
TOP = 0.01  # of the pictures: those that are drawn most


@dataclass(frozen=True, eq=False)
class Resampling:
    """A list of pictures to train on, most of them several times, some never."""

    rows: Tensor  # (Q,) int64: into the labels it was made of, in the order of the queries, which is random
    pictures: int  # how many there are to choose from
    settings: Mapping[str, Any] = field(default_factory=dict)

    __repr__ = short


@dataclass(frozen=True)
class Balance:
    """What resampling did to a data set, by attribute."""

    draws: int
    unique: int  # pictures that are drawn at all
    most: int  # how often the one is that is drawn most
    effective: float  # 1/Σp²: as many pictures, drawn equally often, would vary as much
    top_share: float  # of the draws, that go to the 1 % of pictures drawn most
    attributes: tuple[str, ...]
    deciles_before: tuple[tuple[float, ...], ...]  # for each attribute the shares of the ten tenths of v
    deciles_after: tuple[tuple[float, ...], ...]
    correlation_before: tuple[tuple[float, ...], ...]
    correlation_after: tuple[tuple[float, ...], ...]

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data, for JSON."""
        return asdict(self)


def resample(labels: Labels, count: int | None = None, k: int = NEIGHBORS, seed: int = 0, cap: int = 0) -> Resampling:
    """Return `count` pictures: for each of as many points, uniform in [0, 1]^A, one of the k pictures with nearest v.

    Liu et al., "Self-Conditioned GANs for Image Editing", SIGGRAPH 2022 (k = 10, Euclidean). `count` None: as many as
    there are pictures. `cap`: the most that a picture may be drawn, 0 for no limit; one that has been drawn so often
    is no longer there, so that the nearest of those left are drawn instead. The same seed gives the same list.
    Raises `LabelError` for fewer pictures than k, or a cap that cannot be kept.
    """
    n, total = len(labels), len(labels) if count is None else count
    if not 1 <= k <= n:
        raise LabelError(
            f"The {k} nearest of {n} pictures were asked for: choose k from 1 to {n} (`ganedit resample --nearest`), "
            "or label more."
        )
    if total < 1 or cap < 0 or (cap and cap * n < total):
        raise LabelError(
            f"{total} draws from {n} pictures, each at most {cap} times, were asked for: draw 1 to "
            f"{cap * n if cap > 0 else 'any number'}, or raise the cap."
        )
    v = labels.v.double().numpy()
    rng = np.random.default_rng(seed)
    rows = _drawn(v, rng.random((total, v.shape[1])), rng.random(total), k, cap)
    settings = {"count": total, "k": k, "seed": seed, "cap": cap, "attributes": list(labels.schema.names)}
    return Resampling(torch.from_numpy(rows), n, {**settings, "names": digest_of(labels.names)})


def digest_of(names: Sequence[str]) -> str:
    """Return 12 hexadecimal digits of pictures' names and their order."""
    return hashlib.sha256(json.dumps(list(names)).encode()).hexdigest()[:12]


def require_of(labels: Labels, resampling: Resampling) -> None:
    """Raise `LabelError` if a resampling is of other pictures than `labels` are."""
    if resampling.pictures != len(labels):
        raise LabelError(
            f"This resampling is of {resampling.pictures} pictures, there are labels of {len(labels)}: resample these."
        )
    if resampling.settings.get("names", found := digest_of(labels.names)) != found:
        raise LabelError("This resampling is of pictures of other names than those that are labeled: resample these.")


def balance(labels: Labels, resampling: Resampling) -> Balance:
    """Return what a resampling of these labels did. Raises `LabelError` if it is of other labels."""
    require_of(labels, resampling)
    counts = torch.bincount(resampling.rows, minlength=len(labels)).double()
    share = counts / counts.sum()
    top = share.sort(descending=True).values[: max(1, round(TOP * len(labels)))]
    before = labels.v.double().numpy()
    after = before[resampling.rows.numpy()]
    return Balance(
        int(counts.sum()),
        int((counts > 0).sum()),
        int(counts.max()),
        float(1 / share.square().sum()),
        float(top.sum()),
        labels.schema.names,
        *(tuple(map(tuple, decile_shares(x).tolist())) for x in (before, after)),
        *(tuple(map(tuple, correlations(x).tolist())) for x in (before, after)),
    )


def save_resampling(path: Path | str, resampling: Resampling) -> None:
    """Write a resampling to a .safetensors file, whole or not at all: ``rows`` (Q,), the rest in its header.

    Raises `LabelError` if the place cannot be written to.
    """
    header = {"version": VERSION, "pictures": resampling.pictures, "settings": dict(resampling.settings)}
    try:
        write_tensors(Path(path), {"rows": resampling.rows.contiguous()}, {KEY: json.dumps(header)})
    except (OSError, SafetensorError) as error:
        raise LabelError(f"A resampling cannot be written to {path} ({error}): choose another place.") from None


def load_resampling(path: Path | str) -> Resampling:
    """Return what `save_resampling` wrote. Raises `LabelError` if it is missing, damaged, or something else."""
    try:
        with safe_open(Path(path), framework="pt") as file:
            header = json.loads((file.metadata() or {})[KEY])
            rows = file.get_tensor("rows")
        if int(header["version"]) > VERSION:
            raise LabelError(f"{path} was written by a newer version of this library: upgrade it.")
        pictures = int(header["pictures"])
        if (
            rows.dtype != torch.int64
            or rows.ndim != 1
            or not len(rows)
            or not 0 <= int(rows.min()) <= int(rows.max()) < pictures
        ):
            raise ValueError("its rows are not those of pictures")
        return Resampling(rows, pictures, dict(header["settings"]))
    except FileNotFoundError:
        raise LabelError(f"There is no file {path}: check the name.") from None
    except (OSError, SafetensorError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise LabelError(f"{path} is damaged or no resampling ({error}): make it with `ganedit resample`.") from None


def _drawn(v: Numbers, queries: Numbers, picks: Numbers, k: int, cap: int) -> Rows:
    """Return the row (Q,) that answers each query: the one that `picks`, in [0, 1), has among its nearest."""
    rows = np.full(len(queries), -1, np.int64)
    used = np.zeros(len(v), np.int64)
    asking = np.arange(len(queries))
    while len(asking):
        left = np.flatnonzero(used < cap) if cap else np.arange(len(v))
        found = KDTree(v[left]).query(queries[asking], range(1, min(k, len(left)) + 1))[1]
        place = (picks[asking] * found.shape[1]).astype(np.int64)
        chosen = left[found[np.arange(len(asking)), place]]
        taken = _earlier(chosen) + used[chosen] < cap if cap else np.ones(len(asking), bool)
        rows[asking[taken]] = chosen[taken]
        used += np.bincount(chosen[taken], minlength=len(v))
        asking = asking[~taken]
    return rows


def _earlier(values: Rows) -> Rows:
    """Return for each entry (N,) how many before it are the same."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    earlier = np.empty_like(values)
    earlier[order] = np.arange(len(values)) - np.searchsorted(ordered, ordered)
    return earlier
