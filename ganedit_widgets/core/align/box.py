"""A Box is the square of a picture that a model shall see: where it lies, how large it is, how far it is turned."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import ImageError

Size = tuple[int, int]  # (height, width), in pixels
LARGEST = 8  # times the picture's longer side: the rest would be reflections of reflections


@dataclass(frozen=True)
class Box:
    """A square of a picture: center, side and angle, in pixels and degrees of the picture it lies in.

    Coordinates run from the picture's left top corner (0, 0) to its right bottom corner (width, height); the middle of
    the first pixel is (0.5, 0.5). The box is upright at 0 degrees and turned clockwise by positive ones: what leans to
    the right by 10 degrees stands upright in a box of angle 10. It may leave the picture.

    For a model whose pictures are not square, `side` is the height, and the width follows from the model's.
    """

    x: float  # of the center, to the right
    y: float  # of the center, downwards
    side: float
    angle: float = 0.0  # degrees, clockwise

    @classmethod
    def whole(cls, shape: tuple[int, ...], size: Size = (1, 1)) -> Box:
        """Return the largest upright box inside a picture (H, W, …), in its middle; `size` gives the proportions."""
        height, width = shape[:2]
        return cls(width / 2, height / 2, float(min(height, width * size[0] / size[1])))

    def axes(self, size: Size = (1, 1)) -> NDArray[np.float64]:
        """Return the vectors (2, 2) from the center to the middle of the right and of the lower edge, as (x, y)."""
        turn = math.radians(self.angle)
        across, down = self.side * size[1] / size[0] / 2, self.side / 2
        cos, sin = math.cos(turn), math.sin(turn)
        return np.array([[across * cos, across * sin], [-down * sin, down * cos]])

    def corners(self, size: Size = (1, 1)) -> NDArray[np.float64]:
        """Return the corners (4, 2) as (x, y): left top, right top, right bottom, left bottom, as the box sees them."""
        right, down = self.axes(size)
        center = np.array([self.x, self.y])
        return np.stack([center - right - down, center + right - down, center + right + down, center - right + down])

    def inside(self, other: Box) -> Box:
        """Return this box, given in the coordinates of a crop of side 1 of `other`, in those of the picture."""
        right, down = 2 * other.axes()
        x, y = np.array([other.x, other.y]) + (self.x - 0.5) * right + (self.y - 0.5) * down
        return Box(float(x), float(y), self.side * other.side, turned(self.angle + other.angle))

    def scaled(self, factor: float) -> Box:
        """Return the box in the same picture, made `factor` times as large."""
        return Box(self.x * factor, self.y * factor, self.side * factor, self.angle)

    def rounded(self) -> Box:
        """Return the box to a hundredth of a pixel and degree, as it is shown in code."""
        return Box(*(round(float(value), 2) + 0.0 for value in (self.x, self.y, self.side, self.angle)))


def turned(degrees: float) -> float:
    """Return an angle as one within [-180, 180)."""
    return (degrees + 180) % 360 - 180


def require_box(box: Box, shape: tuple[int, ...], size: Size = (1, 1)) -> None:
    """Raise `ImageError` unless `box` has an area, is not absurdly large, and meets a picture (H, W, …)."""
    height, width = shape[:2]
    if not all(map(math.isfinite, (box.x, box.y, box.side, box.angle))):
        raise ImageError(f"{box} is no box: give four finite numbers.")
    if box.side <= 0:
        raise ImageError(f"A box of side {box.side:g} has no area: give a side of at least one pixel.")
    if box.side > LARGEST * max(height, width):
        raise ImageError(
            f"A box of side {box.side:g} is more than {LARGEST} times as large as the picture of {width}×{height} "
            "pixels: make it smaller."
        )
    if _apart(box, width, height, size):
        raise ImageError(
            f"The box around ({box.x:g}, {box.y:g}) lies wholly outside the picture of {width}×{height} pixels: "
            "move it onto the picture."
        )


def _apart(box: Box, width: int, height: int, size: Size) -> bool:
    """Return whether box and picture share no area: a line along one of their edges then parts them."""
    corners = box.corners(size)
    low, high = corners.min(0), corners.max(0)
    if (high <= 0).any() or low[0] >= width or low[1] >= height:
        return True
    picture = np.array([[0, 0], [width, 0], [width, height], [0, height]], float) - [box.x, box.y]
    for axis in box.axes(size):
        along = picture @ axis / (axis @ axis)  # of the picture's corners, in halves of the box
        if along.min() >= 1 or along.max() <= -1:
            return True
    return False
