"""Where real pictures come from: arrays on disk or folders of image files, as batches for training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import TrainingError

CACHE = "pictures_at_"  # + resolution: the array made of a folder of image files
SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".bmp"}


class PictureArrays:
    """Pictures in uint8 arrays (N, 3 or more, S, S), memory-mapped; batches come at any power-of-two size up to S.

    Channels after the third, such as part labels, are left out. `names`, if given, has one for each picture.
    """

    def __init__(self, arrays: Sequence[np.ndarray], mirror: bool = True, names: Sequence[str] = ()) -> None:
        if not arrays or not sum(len(a) for a in arrays):
            raise TrainingError("There are no pictures to train on: give a folder of pictures or .npy arrays.")
        self.arrays, self.mirror, self.names = list(arrays), mirror, tuple(names)
        self._ends = np.cumsum([len(a) for a in arrays])

    def __len__(self) -> int:
        return int(self._ends[-1])

    @property
    def size(self) -> int:
        """The side of the stored pictures, in pixels."""
        return int(self.arrays[0].shape[-1])

    def batch(self, n: int, resolution: int, rng: np.random.Generator, device: torch.device) -> Tensor:
        """Return n random pictures (n, 3, resolution, resolution) in [-1, 1], half of them mirrored."""
        x = self.rows(rng.integers(len(self), size=n), resolution, device)
        if self.mirror:
            flip = torch.from_numpy(rng.random(n) < 0.5).to(device)
            x = torch.where(flip[:, None, None, None], x.flip(3), x)
        return x

    def rows(self, numbers: Sequence[int] | np.ndarray, resolution: int, device: torch.device) -> Tensor:
        """Return the pictures (N, 3, resolution, resolution) in [-1, 1] of these numbers, as they are stored."""
        rows = np.stack([self._picture(i) for i in numbers])
        x = torch.from_numpy(rows).to(device).float() / 127.5 - 1
        if x.shape[-1] < resolution:
            raise TrainingError(f"The pictures are {x.shape[-1]} pixels wide, training needs {resolution}.")
        return F.avg_pool2d(x, x.shape[-1] // resolution) if x.shape[-1] > resolution else x

    def _picture(self, index: int) -> np.ndarray:
        which = int(np.searchsorted(self._ends, index, side="right"))
        return np.asarray(self.arrays[which][index - (self._ends[which - 1] if which else 0), :3])


def open_pictures(folder: str | Path, resolution: int, mirror: bool = True) -> PictureArrays:
    """Open a folder of .npy arrays (N, 3, S, S) or of image files, which are cropped and cached at `resolution`.

    An image file is called by its path below the folder, a row of an array ``file.npy#row``.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise TrainingError(f"There is no folder {folder}: check the path.")
    paths = sorted(path for path in folder.glob("*.npy") if not path.name.startswith(CACHE))
    if paths:
        arrays = [np.load(path, mmap_mode="r") for path in paths]
        names = [f"{path.name}#{row}" for path, array in zip(paths, arrays, strict=True) for row in range(len(array))]
        return PictureArrays(arrays, mirror, names)
    cache = folder / f"{CACHE}{resolution}.npy"
    array = np.load(cache if cache.exists() else _cache_images(folder, resolution, cache), mmap_mode="r")
    names = [path.relative_to(folder).as_posix() for path in image_files(folder)]
    if len(names) != len(array):
        raise TrainingError(f"{cache} was made of {len(array)} pictures, now there are {len(names)}: delete it.")
    return PictureArrays([array], mirror, names)


def image_files(folder: Path) -> list[Path]:
    """Return the image files in and below a folder, in the order of their names."""
    return sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES)


def _cache_images(folder: Path, resolution: int, target: Path) -> Path:
    from ..image import read_image

    files = image_files(folder)
    if not files:
        raise TrainingError(f"{folder} holds neither pictures ({', '.join(sorted(SUFFIXES))}) nor .npy arrays.")
    partial = target.with_suffix(".partial")
    cache = np.lib.format.open_memmap(partial, "w+", np.uint8, (len(files), 3, resolution, resolution))
    for i, path in enumerate(files):
        cache[i] = read_image(path, (resolution, resolution)).transpose(2, 0, 1)
    cache.flush()
    partial.replace(target)
    return target
