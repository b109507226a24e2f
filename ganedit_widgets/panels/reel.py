"""The film that a morph panel describes, as far as it is known: its speed, and the pictures drawn so far."""

from __future__ import annotations

from collections.abc import Iterator

from ganedit_widgets.core.film import LARGEST
from ganedit_widgets.core.generators import Generator
from ganedit_widgets.core.image import Pixels, to_pixels
from ganedit_widgets.core.morph import Morph
from ganedit_widgets.core.morph_path import Speed

from .session import Session


class Reel:
    """One film. What was measured and drawn is kept when it is stopped; whoever asks again goes on from there.

    Only in the worker's thread, a step at a time: several may walk through it by turns.
    """

    def __init__(self, session: Session, morph: Morph | None) -> None:
        self._session, self._morph = session, morph
        self.speed: Speed | None = None  # once it is measured
        self.measured = 0  # pictures of the measurement so far
        self._measuring: Iterator[Speed] | None = None
        self._pictures: list[Pixels] = []

    @property
    def pictures(self) -> list[Pixels]:
        """All its pictures, once they are drawn."""
        whole = self._morph is not None and len(self._pictures) == self._morph.frames
        return self._pictures if whole else []

    @property
    def to_measure(self) -> int:
        """How many pictures of the measurement are missing."""
        morph = self._morph
        known = morph is None or not morph.constant_speed or self.speed is not None
        return 0 if known or morph is None else morph.measured - self.measured

    @property
    def steps(self) -> int:
        """How many pictures must still be drawn for it, small ones that are measured included."""
        return 0 if self._morph is None else self._morph.frames - len(self._pictures) + self.to_measure

    def measure(self) -> Iterator[None]:
        """Find the speed, if it must be constant and is not known; yield after each picture."""
        morph = self._morph
        if morph is None or not morph.constant_speed:
            return
        if self._measuring is None:
            self._measuring = morph.measure(self._generator)
        while self.speed is None:
            speed = next(self._measuring)
            self.measured += 1
            self.speed = speed if self.measured == morph.measured else None
            yield

    def walk(self) -> Iterator[Pixels | None]:
        """Yield all pictures, drawn now where they were not, and None while the speed is measured."""
        for _ in self.measure():
            yield None
        if self._morph is None:
            return
        for i, latent in enumerate(self._morph.latents(self._generator, self.speed)):
            if i < len(self._pictures):
                yield self._pictures[i]
                continue
            pixels = to_pixels(self._generator.draw(latent))
            if i == len(self._pictures) and (i + 1) * pixels.nbytes <= LARGEST:  # a longer one is not kept
                self._pictures.append(pixels)
            yield pixels

    @property
    def _generator(self) -> Generator:
        return self._session.generator
