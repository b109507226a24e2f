"""The parts as a figure for a paper: pictures, the same with their parts in colors, and a legend."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ganedit_widgets.core.parts import CatalogPart

from .part_view import Tile

SIDE, GAP, LINE, SIZE = 256, 8, 26, 15  # pixels: of a picture, between them, of a line of the legend, of its letters


def figure_of(tiles: Sequence[Tile], parts: Sequence[CatalogPart], opacity: float) -> bytes:
    """Return a PNG file: a row of pictures, below it the same with an overlay, below that names beside their colors."""
    aspect = tiles[0].pixels.shape[1] / tiles[0].pixels.shape[0]
    size = (round(SIDE * aspect), SIDE)
    wide = len(tiles) * (size[0] + GAP) + GAP
    legend = _legend(parts, wide)
    figure = Image.new("RGB", (wide, 2 * (SIDE + GAP) + GAP + legend.height), "white")
    for i, tile in enumerate(tiles):
        picture = Image.fromarray(tile.pixels).resize(size, Image.Resampling.BICUBIC)
        x = GAP + i * (size[0] + GAP)
        figure.paste(picture, (x, GAP))
        if tile.clusters is not None:
            figure.paste(Image.blend(picture, _overlay(tile, parts, size), opacity), (x, SIDE + 2 * GAP))
    figure.paste(legend, (0, 2 * (SIDE + GAP) + GAP))
    file = io.BytesIO()
    figure.save(file, "PNG")
    return file.getvalue()


def _overlay(tile: Tile, parts: Sequence[CatalogPart], size: tuple[int, int]) -> Image.Image:
    colors = np.zeros((256, 3), np.uint8)
    for part in parts:
        colors[list(part.clusters)] = part.color
    assert tile.clusters is not None  # who calls has looked
    return Image.fromarray(colors[tile.clusters]).resize(size, Image.Resampling.NEAREST)


def _legend(parts: Sequence[CatalogPart], wide: int) -> Image.Image:
    """Return names beside their colors, in as many lines as they need."""
    font, places, x, y = ImageFont.load_default(SIZE), [], GAP, 0
    for part in parts:
        needed = LINE + round(font.getlength(part.name)) + 2 * GAP
        if x > GAP and x + needed > wide:
            x, y = GAP, y + LINE
        places.append((x, y, part))
        x += needed
    legend = Image.new("RGB", (wide, y + LINE + GAP), "white")
    pen = ImageDraw.Draw(legend)
    for x, y, part in places:
        pen.rectangle((x, y + 4, x + 15, y + 19), fill=part.color)
        pen.text((x + LINE - 4, y + 3), part.name, fill="black", font=font)
    return legend
