"""Film strips below sliders: what each would show along its track."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable

from ganedit_widgets.core.latent import Latent
from ganedit_widgets.core.sheet import tile

from .knobs import Knobs
from .pictures import data_url
from .session import Session
from .worker import Steps

HEIGHT = 28  # pixels, for sliders beside the picture
FLUENT = 0.5  # seconds per picture; a slower model draws no film strips


class FilmStrips:
    """Draws the film strips of `knobs` when nothing else is to be done; what is asked last counts.

    `frames(key)` gives the latents along a slider, at even distances from one end of the track to the other; none if
    the slider is gone. It is called in the worker's thread. They are drawn `height` pixels high.
    """

    def __init__(
        self, session: Session, knobs: Knobs, frames: Callable[[str], Iterable[Latent]], height: int = HEIGHT
    ) -> None:
        self._session, self._knobs, self._frames, self._height = session, knobs, frames, height

    def ask(self, keys: list[str]) -> None:
        """Draw the strips of these sliders anew."""
        if keys and self._session.seconds_per_picture < FLUENT:
            what = "strips" if len(keys) > 1 else f"strip {keys[0]}"
            self._session.in_background(f"{what} {id(self)}", lambda: self._steps(keys))

    def _steps(self, keys: list[str]) -> Steps:
        for key in keys:
            pictures = []
            for latent in self._frames(key):
                pictures.append(self._session.thumbnail(latent, self._height))
                yield
            if pictures:
                with contextlib.suppress(KeyError):  # removed in the meantime
                    self._knobs.set_strip(key, data_url(tile(pictures, len(pictures))))
