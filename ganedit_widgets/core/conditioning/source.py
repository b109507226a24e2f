"""A data set to be labeled: image files below a folder, or .npy arrays in it; each picture has a name and a place."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..errors import ImageError
from ..image import read_image, to_tensor
from ..training.pictures import CACHE, SUFFIXES, PictureArrays, image_files


class PictureSource:
    """Pictures by number, in the order of their names, as a generator of `size` (H, W) has them.

    An image file is called by its path below the folder, a row of an array ``file.npy#row``.
    Raises `ImageError` if there is no such folder, or it holds neither, or an array that holds no pictures.
    """

    def __init__(self, folder: Path | str, size: tuple[int, int]) -> None:
        self.folder, self.size = Path(folder), size
        self._arrays: PictureArrays | None = None
        if not self.folder.is_dir():
            raise ImageError(f"There is no folder {folder}: check the path.")
        files = sorted(p for p in self.folder.glob("*.npy") if not p.name.startswith(CACHE))
        if files:
            arrays = {path.name: self._opened(path) for path in files}
            self._arrays = PictureArrays(list(arrays.values()), mirror=False)
            self.names = tuple(f"{name}#{row}" for name, array in arrays.items() for row in range(len(array)))
        else:
            files = image_files(self.folder)
            self.names = tuple(path.relative_to(self.folder).as_posix() for path in files)
        if not self.names:
            raise ImageError(
                f"{folder} holds neither pictures ({', '.join(sorted(SUFFIXES))}) nor .npy arrays: name a folder that "
                "does."
            )
        states = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in files]
        text = json.dumps([self.names, states])
        self.digest = hashlib.sha256(text.encode()).hexdigest()[:16]  # changes when a picture does

    def __len__(self) -> int:
        return len(self.names)

    def picture(self, index: int) -> Tensor:
        """Return a picture (3, H, W) in [-1, 1]. Raises `ImageError` if its file cannot be read."""
        if self._arrays is not None:
            return self._arrays.rows([index], self.size[0], torch.device("cpu"))[0]
        return to_tensor(read_image(self.folder / self.names[index], self.size))[0]

    def some(self, count: int) -> Sequence[int]:
        """Return `count` numbers spread evenly over all pictures, or all of them if there are no more."""
        if count >= len(self):
            return range(len(self))
        return [i * len(self) // count for i in range(count)]

    def _opened(self, path: Path) -> np.ndarray:  # type: ignore[type-arg]
        try:
            array = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise ImageError(f"{path} is damaged or no array ({error}): make it again.") from None
        side = self.size[0]
        fits = array.ndim == 4 and array.shape[1] >= 3 and array.shape[2] == array.shape[3]
        if array.dtype != np.uint8 or not fits or array.shape[2] % side:
            raise ImageError(
                f"{path.name} is an array {array.shape} of {array.dtype}: pictures for this model are (N, 3, {side}, "
                f"{side}) uint8, or a multiple of that size."
            )
        return array
