"""A long job while it runs: how far it is, what it reports, and how often it is shown."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ganedit_widgets.core.image import Pixels, to_pixels
from ganedit_widgets.core.latent import Latent

from .notes import Progress

PAUSE = 0.2  # seconds at least between two pictures: at most five a second
SHARE = 4  # a pause is at least this many drawings long: being shown costs a fifth of the time at most


class Running:
    """Counts the steps of one job, and says when the user should see something of it again."""

    def __init__(self, name: str, total: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.name, self.total, self._clock = name, total, clock
        self.done = 0
        self.latent: Latent | None = None  # the last reached
        self.numbers: list[dict[str, Any]] = []  # what the job has reported, without pictures
        self._picture: Any = None
        self._start = self._shown_at = clock()
        self._pause = 0.0  # the first picture is shown at once

    def report(self, numbers: dict[str, Any]) -> None:
        """Keep the live numbers of a step; its picture saves a drawing."""
        self._picture = numbers.get("picture")
        self.numbers.append({key: value for key, value in numbers.items() if key != "picture"})

    def advance(self, latent: Latent | None = None) -> bool:
        """Count a step that reached `latent`; return whether it is time to show something."""
        self.done += 1
        self.latent = latent
        return self._clock() - self._shown_at >= self._pause

    def picture(self, draw: Callable[[Latent], Pixels]) -> Pixels | None:
        """Return the picture reached, and begin the pause until the next one."""
        start = self._clock()
        pixels = None
        if self._picture is not None:
            pixels = to_pixels(self._picture)
        elif self.latent is not None:
            pixels = draw(self.latent)
        self._picture = None
        self._shown_at = self._clock()
        self._pause = max(PAUSE, SHARE * (self._shown_at - start))
        return pixels

    @property
    def progress(self) -> Progress:
        """How far it is."""
        spent = self._clock() - self._start
        left = spent / self.done * max(0, self.total - self.done) if self.done else None
        return Progress(self.done, self.total, left)
