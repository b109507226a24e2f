"""Pictures with labels, as batches: all of them alike, or a list of rows that was sampled for even labels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from ..conditioning.labels import Labels
from ..conditioning.schema import Schema
from ..errors import LabelError
from .pictures import PictureArrays, open_pictures

if TYPE_CHECKING:
    from ..conditioning.resampling import Resampling


@dataclass(frozen=True, eq=False)
class LabeledPictures:
    """Pictures, and labels v (N, A) in [0, 1] of those at `places`; `rows` (M,) of the labels are drawn from."""

    pictures: PictureArrays
    v: Tensor
    schema: Schema
    places: np.ndarray
    rows: np.ndarray

    @classmethod
    def of(cls, pictures: PictureArrays, labels: Labels, resampling: Resampling | None = None) -> LabeledPictures:
        """Find each labeled picture by its name; without a `resampling` each is drawn as often as any other.

        Raises `LabelError` for a label of a picture that is not there, or a resampling of other labels.
        """
        place = {name: i for i, name in enumerate(pictures.names)}
        missing = [name for name in labels.names if name not in place]
        if missing:
            raise LabelError(
                f"There are labels of {missing[0]!r}, but no such picture ({len(missing)} of {len(labels)} are "
                "missing): give the folder that was labeled."
            )
        if resampling is not None:
            from ..conditioning.resampling import require_of  # needs scipy, which others do not

            require_of(labels, resampling)
        rows = np.arange(len(labels)) if resampling is None else resampling.rows.numpy()
        return cls(pictures, labels.v, labels.schema, np.array([place[name] for name in labels.names]), rows)

    def batch(
        self, n: int, resolution: int, rng: np.random.Generator, device: torch.device, mirror: bool = False
    ) -> tuple[Tensor, Tensor]:
        """Return n random pictures (n, 3, resolution, resolution) in [-1, 1] and their labels v (n, A).

        `mirror`: half of them are mirrored, with the labels of a mirrored picture.
        """
        rows = self.rows[rng.integers(len(self.rows), size=n)]
        x = self.pictures.rows(self.places[rows], resolution, device)
        v = self.v[torch.from_numpy(rows)].to(device)
        return mirrored(x, v, self.schema, torch.from_numpy(rng.random(n) < 0.5).to(device)) if mirror else (x, v)


def mirrored(x: Tensor, v: Tensor, schema: Schema, which: Tensor) -> tuple[Tensor, Tensor]:
    """Return pictures (N, 3, R, R) and labels (N, A), those of which `which` (N,) is true mirrored.

    A label that turns with the picture, such as yaw's, becomes 1 − v; the schema says which. Raises `LabelError` if it
    does not say.
    """
    return torch.where(which[:, None, None, None], x.flip(3), x), torch.where(which[:, None], schema.mirrored(v), v)


def can_mirror(schema: Schema) -> bool:
    """Return whether the schema says of all attributes what mirroring does to them."""
    return all(attribute.mirror != "unknown" for attribute in schema.attributes)


def open_labeled(
    folder: str | Path, labels: Labels, resolution: int, resampling: Resampling | None = None
) -> LabeledPictures:
    """Open the folder of pictures that `labels` are of. Raises `TrainingError` or `LabelError` if they do not fit."""
    return LabeledPictures.of(open_pictures(folder, resolution, mirror=False), labels, resampling)
