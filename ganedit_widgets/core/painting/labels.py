"""What the numbers of an index map mean: names, colors, and patterns for those who cannot tell the colors apart."""

from __future__ import annotations

import colorsys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from ..errors import ImageError

Color: TypeAlias = "tuple[int, int, int]"  # red, green, blue in 0 ... 255
Given: TypeAlias = "Mapping[str, str | Sequence[int] | None] | Sequence[str | Label] | int | None"

MOST = 256  # what a byte can tell apart
PATTERNS = ("solid", "rising", "dots", "falling", "lines", "checks", "columns", "grid")
# light enough to be seen on shadows, dark enough on skin, no two alike; red and green differ in lightness
COLORS = (
    "#4f8fea #f2a33a #35b779 #d94f70 #9467d4 #e8d64a #3fc1c9 #b0683b #8fce4e #f28cc0 #2f5f9e #6b8f71 #c44e2b #7b7fd6"
).split()


@dataclass(frozen=True)
class Label:
    """One value of an index map. Without a color it is not drawn, as befits what lies outside.

    Raises `ImageError` for what `color_of` does not know, and for a pattern that is none of `PATTERNS`.
    """

    name: str
    color: Color | None = None
    pattern: str = "solid"

    def __post_init__(self) -> None:
        object.__setattr__(self, "color", color_of(self.color))
        if self.pattern not in PATTERNS:
            raise ImageError(f"There is no pattern {self.pattern!r}: choose one of {', '.join(PATTERNS)}.")

    @property
    def hex(self) -> str:
        """The color as #rrggbb; empty without one."""
        return "" if self.color is None else "#{:02x}{:02x}{:02x}".format(*self.color)


def labels_of(given: Given = None) -> tuple[Label, ...]:
    """Return labels 0, 1, 2, ...: from names, from {name: color}, from `Label`s, or from how many there are.

    None: what is "outside" and what is "inside". The first label has no color unless one is given; the others get one
    each, and a pattern. Colors: "#rrggbb", (red, green, blue) in 0 ... 255, or None. Raises `ImageError` for fewer
    than 2 or more than 256 labels, names that occur twice, and what is no color, or no labels at all.
    """
    if given is None:
        given = ("outside", "inside")
    if isinstance(given, int):
        given = [f"label {i}" for i in range(given)]
    if isinstance(given, str | bytes) or not isinstance(given, Iterable):  # a word would be a label for each letter
        raise ImageError(
            f"{given!r} are no labels: give a list of names, a color for each name, or how many there are."
        )
    if isinstance(given, Mapping):
        labels = [Label(str(name), color_of(color), _pattern(i)) for i, (name, color) in enumerate(given.items())]
    else:
        labels = [x if isinstance(x, Label) else Label(str(x), _color(i), _pattern(i)) for i, x in enumerate(given)]
    names = [label.name for label in labels]
    if not 2 <= len(labels) <= MOST:
        raise ImageError(f"{len(labels)} labels were given: a mask needs 2 to {MOST}, the first being the background.")
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ImageError(f"The label “{twice[0]}” was given more than once: give every label a name of its own.")
    return tuple(labels)


def color_of(given: str | Sequence[int] | None) -> Color | None:
    """Return "#rrggbb" or three numbers in 0 ... 255 as a color. Raises `ImageError` for anything else."""
    if given is None:
        return None
    try:
        values = bytes.fromhex(given.removeprefix("#")) if isinstance(given, str) else bytes(int(v) for v in given)
        red, green, blue = values
    except (ValueError, TypeError):
        raise ImageError(f"{given!r} is no color: give “#rrggbb”, or (red, green, blue) in 0 to 255.") from None
    return red, green, blue


def _color(index: int) -> Color | None:
    """A color for label `index`; beyond the list, hues a golden ratio apart, in three lightnesses."""
    if index == 0:
        return None
    if index <= len(COLORS):
        return color_of(COLORS[index - 1])
    hue, light = index * 0.6180339887 % 1, (0.42, 0.58, 0.72)[index % 3]
    red, green, blue = (round(255 * part) for part in colorsys.hls_to_rgb(hue, light, 0.62))
    return red, green, blue


def _pattern(index: int) -> str:
    return PATTERNS[(index - 1) % len(PATTERNS)] if index else "solid"
