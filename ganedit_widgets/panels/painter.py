"""Latent → pixels, as quickly as the eye needs: a smaller picture while something moves, the full one at rest."""

from __future__ import annotations

import time
from collections import OrderedDict

from ganedit_widgets.core.generators import Generator
from ganedit_widgets.core.image import Pixels, read_image, to_pixels
from ganedit_widgets.core.latent import Latent

FLUENT = 0.12  # seconds a picture may take while something moves; slower feels like a slide show
SMALLEST = 32  # pixels; less cannot be recognised
KEPT = 8  # full pictures: the one on show, the one before, and some for going to and fro
GROWTH = 1.3  # a picture twice as wide is taken to need 2**1.3 times as long, until it has been drawn once


class Painter:
    """Draws for one session, in the worker's thread, and learns how long that takes."""

    def __init__(self, generator: Generator) -> None:
        self.generator = generator
        self.seconds: dict[int, float] = {}  # longer side of the picture -> running mean
        self._kept: OrderedDict[int, tuple[Latent, Pixels]] = OrderedDict()  # by identity: a Latent never changes

    @property
    def side(self) -> int:
        """The longer side of a full picture, in pixels."""
        return max(self.generator.size)

    def full(self, latent: Latent) -> Pixels:
        """Return the whole picture, (H, W, 3) uint8; the last few are remembered."""
        if id(latent) not in self._kept:
            self._kept[id(latent)] = (latent, self._draw(latent, None))
        self._kept.move_to_end(id(latent))
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return self._kept[id(latent)][1]

    def quick(self, latent: Latent) -> Pixels:
        """Return the picture, smaller if the whole one takes longer than `FLUENT` seconds."""
        until = self.fluent_side()
        return self.full(latent) if until is None else self._draw(latent, until)

    def thumbnail(self, latent: Latent, height: int = 64) -> Pixels:
        """Return a small picture of this height, drawn no larger than needed."""
        until = next((r for r in self._sides()[::-1] if r >= 2 * height), None)
        pixels = self._kept[id(latent)][1] if id(latent) in self._kept else self._draw(latent, until)
        return shrunk(pixels, height)

    def fluent_side(self) -> int | None:
        """Return the largest side that can be drawn fluently; None: the whole picture, or nothing is known yet."""
        whole = self.seconds.get(self.side)
        if whole is None or whole <= FLUENT:
            return None
        for side in self._sides():
            if self.seconds.get(side, whole * (side / self.side) ** GROWTH) <= FLUENT:
                return side
        return self._sides()[-1] if self._sides() else None

    def _sides(self) -> list[int]:
        """The smaller pictures there are, large to small."""
        return [self.side >> i for i in range(1, self.side.bit_length()) if self.side >> i >= SMALLEST]

    def _draw(self, latent: Latent, until: int | None) -> Pixels:
        start = time.perf_counter()
        pixels = to_pixels(self.generator.draw(latent, until=until))
        taken = time.perf_counter() - start
        for side in {max(pixels.shape[:2]), until or self.side}:  # where there is no small picture, both are known now
            self.seconds[side] = (self.seconds.get(side, taken) + taken) / 2
        return pixels


def shrunk(pixels: Pixels, height: int) -> Pixels:
    """Return pixels scaled down to `height`; smaller pictures stay as they are."""
    rows, columns = pixels.shape[:2]
    return pixels if rows <= height else read_image(pixels, (height, max(8, round(columns * height / rows))))
