"""From a picture to the crop of a box, and from an edited crop back into the picture."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..errors import ImageError
from ..image import Picture, Pixels
from .box import Box, Size, require_box

LANCZOS, BICUBIC, AFFINE = Image.Resampling.LANCZOS, Image.Resampling.BICUBIC, Image.Transform.AFFINE
FINE = 4  # of a larger reduction, all but this much is done by averages of whole pixels before the box is turned
MARGIN = 3  # pixels around a region that is turned: bicubic weights reach two
TILE = 256  # pixels: side of what is put back at once, so that large pictures need little memory

Place = tuple[int, int, int, int]  # left, top, right, bottom


def crop(source: Pixels, box: Box, size: Size, fill: int | None = None) -> Pixels:
    """Return what `box` holds of `source`, (H, W, 3) uint8, upright and scaled to `size` = (height, width).

    Antialiased whatever the reduction (Lanczos; of an upright box inside the picture exactly as `read_image` scales).
    Where the box leaves the picture, the picture is continued by reflection, or by the gray `fill` in 0 … 255.
    Raises `ImageError` for a box without area, wholly outside, or more than 8 times as large as the picture.
    """
    require_box(box, source.shape, size)
    height, width = source.shape[:2]
    corners = box.corners(size)
    within = corners.min() >= 0 and corners[:, 0].max() <= width and corners[:, 1].max() <= height
    if box.angle == 0 and within:
        (x0, y0), _, (x1, y1), _ = corners.tolist()
        return np.array(Image.fromarray(source).resize((size[1], size[0]), LANCZOS, box=(x0, y0, x1, y1)))
    coarse = math.floor(box.side / size[0] / FINE)
    if coarse > 1:
        source, box = np.array(Image.fromarray(source).reduce(coarse)), box.scaled(1 / coarse)
    left, top, region = _region(source, box, size, fill)
    native = tuple(max(n, math.ceil(n * box.side / size[0])) for n in size)  # as many pixels as the source has there
    (a, d), (b, e) = 2 * box.axes(size) / np.array([[native[1]], [native[0]]])
    x, y = box.corners(size)[0] - [left, top]
    turned = region.transform((native[1], native[0]), AFFINE, (a, b, x, d, e, y), BICUBIC)
    return np.array(turned.resize((size[1], size[0]), LANCZOS) if native != size else turned)


def aligned(picture: Picture, box: Box, size: Size) -> Picture:
    """Return what `box` holds of a picture, as `crop` does, as a Picture that remembers where it came from.

    It can be given to `Embed`; the code that is shown crops again what the file holds.
    """
    box = box.rounded()
    named = picture.source is not None
    return Picture(crop(picture.pixels, box, size), picture.source, size if named else None, box)


def paste_back(source: Pixels, edited: Pixels, box: Box, feather: float = 0.08, since: Pixels | None = None) -> Pixels:
    """Return `source`, (H, W, 3) uint8, with the edited crop (h, w, 3) of `box` put back where it came from.

    Pixels outside the box are those of `source`, bit for bit. Inside, a seam as wide as `feather` times the side (0 to
    0.5) leads smoothly from the source to the edited crop. If `since`, the crop as the model drew it *before* the edit,
    is given, only the change from there is added: the source's own fine detail stays, and so does what the model could
    not reproduce. Beside the result little memory is needed, however large the picture: 256 × 256 pixels are worked on
    at a time. Raises `ImageError` for a box that does not fit, or pictures that do not fit each other.
    """
    size = (edited.shape[0], edited.shape[1])
    require_box(box, source.shape, size)
    if not 0 <= feather <= 0.5:
        raise ImageError(f"A feather of {feather:g} was given: it is a share of the box's side, 0 to 0.5.")
    if since is not None and since.shape != edited.shape:
        raise ImageError(f"The crop before the edit is {_wh(since)}, the edited one {_wh(edited)}: give the same size.")
    corners = box.corners(size)
    left, top = (max(0, math.floor(v)) for v in corners.min(0))
    right, bottom = (min(n, math.ceil(v)) for n, v in zip(source.shape[1::-1], corners.max(0), strict=True))
    crops = [Image.fromarray(picture) for picture in (edited, since) if picture is not None]
    result = source.copy()
    for place in _tiles((left, top, right, bottom)):
        share, covered = _blend(box, size, place, feather)
        if not covered.any():
            continue
        part = result[place[1] : place[3], place[0] : place[2]]
        under = part.astype(np.float32)
        over, *before = (_turned_back(picture, box, size, place) for picture in crops)
        for drawn in before:
            over = under + over - drawn
        mixed = (under + share[..., None] * (over - under)).round().clip(0, 255).astype(np.uint8)
        part[covered] = mixed[covered]
    return result


def _region(source: Pixels, box: Box, size: Size, fill: int | None) -> tuple[int, int, Image.Image]:
    """Return (left, top, picture) of the upright rectangle around `box`, continued where it leaves the source."""
    corners = box.corners(size)
    left, top = (math.floor(v) - MARGIN for v in corners.min(0))
    right, bottom = (math.ceil(v) + MARGIN for v in corners.max(0))
    columns, rows = np.arange(left, right), np.arange(top, bottom)
    height, width = source.shape[:2]
    region = source[np.ix_(_reflected(rows, height), _reflected(columns, width))]
    if fill is not None:
        known = ((rows >= 0) & (rows < height))[:, None] & ((columns >= 0) & (columns < width))
        region[~known] = fill
    return left, top, Image.fromarray(region)


def _reflected(index: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Return indices within 0 … count - 1, going to and fro."""
    index = index % (2 * count)
    return np.minimum(index, 2 * count - 1 - index)


def _tiles(place: Place) -> Iterator[Place]:
    """Yield the parts of a rectangle that are worked on one after the other."""
    left, top, right, bottom = place
    for y in range(top, bottom, TILE):
        for x in range(left, right, TILE):
            yield x, y, min(x + TILE, right), min(y + TILE, bottom)


def _turned_back(crop: Image.Image, box: Box, size: Size, place: Place) -> NDArray[np.float32]:
    """Return (h, w, 3): the crop as seen in the rectangle `place` of the source."""
    left, top, right, bottom = place
    native = (max(1, round(box.side * crop.width / crop.height)), max(1, round(box.side)))
    (a, d), (b, e) = np.linalg.inv(2 * box.axes(size)) * native
    start = box.corners(size)[0]
    x, y = a * (left - start[0]) + b * (top - start[1]), d * (left - start[0]) + e * (top - start[1])
    wide, high = right - left, bottom - top
    across, down = (0.0, a * wide, b * high, a * wide + b * high), (0.0, d * wide, e * high, d * wide + e * high)
    needed = (x + min(across), y + min(down), x + max(across), y + max(down))
    x0, y0, region = _enlarged(crop, native, needed)
    turned = region.transform((wide, high), AFFINE, (a, b, x - x0, d, e, y - y0), BICUBIC)
    return np.asarray(turned, np.float32)


def _enlarged(crop: Image.Image, native: Size, needed: tuple[float, ...]) -> tuple[int, int, Image.Image]:
    """Return (left, top, picture): a part of the crop scaled to `native` = (width, height), with a margin around it.

    The scaled crop is continued by its outermost pixels. `needed`: left, top, right, bottom, in its pixels.
    """
    low = [min(max(math.floor(v) - MARGIN, -MARGIN), n - 1) for v, n in zip(needed[:2], native, strict=True)]
    high = [max(min(math.ceil(v) + MARGIN, n + MARGIN), 1) for v, n in zip(needed[2:], native, strict=True)]
    (x0, x1), (y0, y1) = ((max(lo, 0), min(hi, n)) for lo, hi, n in zip(low, high, native, strict=True))
    fx, fy = crop.width / native[0], crop.height / native[1]
    inside = (x0 * fx, y0 * fy, min(x1 * fx, crop.width), min(y1 * fy, crop.height))
    scaled = np.array(crop.resize((x1 - x0, y1 - y0), LANCZOS, box=inside))
    around = ((y0 - low[1], high[1] - y1), (x0 - low[0], high[0] - x1), (0, 0))
    return low[0], low[1], Image.fromarray(np.pad(scaled, around, mode="edge"))


def _blend(box: Box, size: Size, place: Place, feather: float) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return the edited picture's share of each pixel of `place`, and which pixels have their middle inside the box."""
    left, top, right, bottom = place
    x = np.arange(left, right, dtype=np.float32) + (0.5 - box.x)
    y = np.arange(top, bottom, dtype=np.float32)[:, None] + (0.5 - box.y)
    depth = np.full((bottom - top, right - left), np.inf, np.float32)  # pixels from the nearest edge of the box
    for axis in box.axes(size):
        reach = float(np.hypot(*axis))
        np.minimum(depth, reach - np.abs(x * (axis[0] / reach) + y * (axis[1] / reach)), out=depth)
    ramp = (depth / max(feather * box.side, 1e-9)).clip(0, 1)
    return ramp * ramp * (3 - 2 * ramp), depth > 0


def _wh(pixels: Pixels) -> str:
    return f"{pixels.shape[1]}×{pixels.shape[0]}"
