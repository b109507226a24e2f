"""Masks in files: PNG with a palette, written and read exactly; what does not fit is refused with a sentence."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin, UnidentifiedImageError

from ..errors import ImageError
from ..image import BROKEN
from .labels import Label
from .regions import IndexPixels

NAMES = "labels"  # the text in the file that holds the labels' names, as JSON


def mask_png(mask: IndexPixels, labels: Sequence[Label]) -> bytes:
    """Return an index map (H, W) as a PNG file with the labels' colors as its palette, and their names as its text."""
    picture = Image.fromarray(mask).convert("L")
    picture.putpalette([part for label in labels for part in label.color or (0, 0, 0)])
    about = PngImagePlugin.PngInfo()
    about.add_itxt(NAMES, json.dumps([label.name for label in labels], ensure_ascii=False))
    file = io.BytesIO()
    picture.save(file, "PNG", pnginfo=about)
    return file.getvalue()


def read_mask(source: Any, labels: Sequence[Label], shape: tuple[int, int]) -> IndexPixels:
    """Return an index map of `shape` = (height, width) as a new array (H, W) uint8.

    `source`: the path or the bytes of a PNG file, or an array (H, W) of whole numbers or of bool. In a file with a
    palette, or in a gray one, the values are the labels (255 beside 0 is label 1 where there are two); in a colored
    one, each color must be that of a label, black being label 0 if that has none. Names in a file written by
    `mask_png` are looked up, so that labels may stand in another order.
    Raises `ImageError` for another size, for what is no label, for a color of two labels, and for what is no PNG file.
    """
    if isinstance(source, str | Path | bytes | bytearray | memoryview):
        mask = _from_file(source, labels, shape)
    else:
        mask = _from_array(np.asarray(source), shape)
    most = int(mask.max(initial=0))
    if mask.min(initial=0) < 0 or most >= len(labels):
        wrong = most if most >= len(labels) else int(mask.min())
        where = int(np.count_nonzero(mask == wrong))
        raise ImageError(
            f"The mask holds the value {wrong} ({where} pixels), but there are only the labels 0 to {len(labels) - 1}: "
            "paint it with these labels, or give the painter all of its own."
        )
    return mask.astype(np.uint8)


def _from_array(array: NDArray[Any], shape: tuple[int, int]) -> NDArray[Any]:
    if array.ndim != 2 or not (array.dtype == np.bool_ or np.issubdtype(array.dtype, np.integer)):
        raise ImageError(f"A mask of {array.dtype} {array.shape} was given: give whole numbers (height, width).")
    _check_size((array.shape[1], array.shape[0]), shape)
    return array


def _from_file(source: Any, labels: Sequence[Label], shape: tuple[int, int]) -> NDArray[Any]:
    named = isinstance(source, str | Path)
    name = Path(source).name if named else "This file"
    try:
        contents = Path(source).read_bytes() if named else bytes(source)
    except OSError as error:
        raise ImageError(f"{name} cannot be read ({error.strerror}): check the path.") from None
    try:
        picture = Image.open(io.BytesIO(contents), formats=["PNG"])
        _check_size(picture.size, shape)
        picture.load()
    except UnidentifiedImageError:
        raise ImageError(f"{name} is not a PNG file: a mask is read from a PNG with a palette.") from None
    except (*BROKEN, Image.DecompressionBombError) as error:
        raise ImageError(f"{name} is damaged or cut off ({error}): export it again.") from None
    if picture.mode in ("P", "L", "1"):
        return _renamed(np.asarray(picture), picture, labels)
    if picture.mode in ("RGB", "RGBA", "LA"):
        return _by_color(np.asarray(picture.convert("RGB")), labels)
    raise ImageError(f"{name} has values of more than 8 bits ({picture.mode}): save it with a palette.")


def _renamed(values: NDArray[Any], picture: Image.Image, labels: Sequence[Label]) -> NDArray[Any]:
    """The values of a file as numbers of our labels."""
    if len(labels) == 2 and set(np.unique(values).tolist()) <= {0, 255}:
        return values > 0
    theirs = _names_in(picture)
    ours = [label.name for label in labels]
    used = np.unique(values).tolist()
    if theirs == ours or not theirs or used[-1] >= len(theirs):
        return values
    if unknown := [theirs[i] for i in used if theirs[i] not in ours]:
        raise ImageError(f"The mask has the label “{unknown[0]}”, which is none of {', '.join(ours)}.")
    table = np.zeros(256, np.uint8)
    for i in used:
        table[i] = ours.index(theirs[i])
    return table[values]


def _names_in(picture: Image.Image) -> list[str]:
    try:
        names = json.loads(picture.info.get(NAMES, "[]"))
    except (ValueError, TypeError):
        return []
    return names if isinstance(names, list) and all(isinstance(name, str) for name in names) else []


def _by_color(pixels: NDArray[np.uint8], labels: Sequence[Label]) -> NDArray[Any]:
    codes = pixels.astype(np.int64) @ [65536, 256, 1]
    mask = np.full(codes.shape, -1, np.int64)
    for index, label in enumerate(labels):
        red, green, blue = label.color or (0, 0, 0)
        here = codes == red * 65536 + green * 256 + blue
        if (taken := mask[here].max(initial=-1)) >= 0:
            raise ImageError(
                f"The labels “{labels[taken].name}” and “{label.name}” have the same color in the mask, "
                f"#{red:02x}{green:02x}{blue:02x}: give each a color of its own, or use a PNG with a palette."
            )
        mask[here] = index
    if (mask < 0).any():
        found, many = np.unique(codes[mask < 0], return_counts=True)
        raise ImageError(
            f"The mask has the color #{found[many.argmax()]:06x} ({many.max()} pixels), which is no label's: "
            "use the palette's colors, without smooth edges, or a PNG with a palette."
        )
    return mask


def _check_size(size: tuple[int, int], shape: tuple[int, int]) -> None:
    if size != (shape[1], shape[0]):
        raise ImageError(
            f"The mask is {size[0]}×{size[1]} pixels, the picture {shape[1]}×{shape[0]}: give a mask of the same size."
        )
