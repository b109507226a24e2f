"""Which part of a picture is meant: a painted mask, fitted to the model's size as the picture is."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps
from torch import Tensor

from .errors import ImageError
from .image import Picture, Pixels, to_tensor

Mask: TypeAlias = "NDArray[np.bool_] | NDArray[np.uint8]"  # (H, W) of any size; what is not 0 is inside
WHOLLY = 254  # of 255: a pixel of the model's size counts as inside if all it was made of is


def fit_mask(mask: Mask, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Return a mask (H, W) of bool or uint8, cropped and scaled to `size` = (height, width) as a picture would be.

    A mask of the picture's proportions is cropped with it; one of the model's proportions fits as it is. Pixels that
    are only partly inside become outside. Raises `ImageError` if it is no mask, or if nothing of it is left.
    """
    if not isinstance(mask, np.ndarray) or mask.ndim != 2 or mask.dtype not in (np.bool_, np.uint8) or not mask.size:
        given = f"{mask.dtype} {mask.shape}" if isinstance(mask, np.ndarray) else type(mask).__name__
        raise ImageError(f"A mask of {given} was given: give an array (height, width) of bool or uint8.")
    fitted = _resized(mask, size)
    if not fitted.any():
        raise ImageError("Nothing is inside the mask at the model's size: paint a larger part.")
    return fitted


def masked_target(picture: Picture | Pixels, mask: Mask | None, size: tuple[int, int]) -> tuple[Tensor, Tensor | None]:
    """Return a picture as a tensor (1, 3, H, W) of `size`, and its mask (1, 1, H, W) of zeros and ones.

    What lies outside the mask is painted over *before* the picture is scaled, so that it has no influence whatever.
    Raises `ImageError` for what is no picture.
    """
    if not isinstance(picture, Picture | np.ndarray):
        raise ImageError(f"{type(picture).__name__} was given where a picture is needed: read it by read_image(…).")
    given = picture if isinstance(picture, Picture) else Picture(picture)
    if mask is None:
        return to_tensor(given.fitted(size)), None
    inside = fit_mask(mask, size)
    pixels = given.pixels
    if _proportions(mask.shape) != _proportions(pixels.shape[:2]):  # it was painted on the cropped picture
        pixels = given.fitted(size)
    kept = _nearest(mask, (pixels.shape[0], pixels.shape[1]))[:, :, None]
    color = (pixels * kept).sum((0, 1)) // max(1, int(kept.sum()))
    painted = Picture(np.where(kept, pixels, color).astype(np.uint8))
    return to_tensor(painted.fitted(size)), torch.from_numpy(inside).float()[None, None]


def _proportions(shape: tuple[int, ...]) -> float:
    return round(shape[1] / shape[0], 1)


def _resized(mask: Mask, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Crop centrally to the proportions of `size`, scale, and keep what is wholly inside."""
    gray = Image.fromarray((mask != 0).astype(np.uint8) * np.uint8(255))
    found = ImageOps.fit(gray, (size[1], size[0]), Image.Resampling.BOX)
    return np.asarray(found) >= WHOLLY


def _nearest(mask: Mask, size: tuple[int, int]) -> NDArray[np.bool_]:
    gray = Image.fromarray((mask != 0).astype(np.uint8))
    return np.asarray(gray.resize((size[1], size[0]), Image.Resampling.NEAREST)) != 0
