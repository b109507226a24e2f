"""Film strips below sliders: what each would show along its track."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable

from ganedit_widgets.core.latent import Latent
from ganedit_widgets.core.sheet import tile

from .knobs import Knobs
from .panel import Panel
from .part_find import Seen
from .pictures import data_url
from .worker import Steps

HEIGHT = 28  # pixels, for sliders beside the picture
FLUENT = 0.5  # seconds per picture; a slower model draws no film strips
BLANK = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='{}' height='{}'/%3E"


class FilmStrips:
    """Draws the film strips of a panel's sliders when nothing else is to be done, and while the panel is on show.

    `frames(key)` gives `count` latents along a slider, at even distances from one end of the track to the other; none
    if the slider is gone. It is called in the worker's thread. They are drawn `height` pixels high. Until they are, an
    empty strip keeps the place: no slider moves away from under the hand.
    """

    def __init__(
        self, panel: Panel, knobs: Knobs, frames: Callable[[str], Iterable[Latent]], count: int, height: int = HEIGHT
    ) -> None:
        self._session, self._knobs, self._frames, self._height = panel.session, knobs, frames, height
        rows, columns = panel.session.generator.size
        self._blank = BLANK.format(round(count * height * columns / rows), height)
        self._lock = threading.Lock()
        self._wanted: dict[str, object] = {}  # slider → who asked for it last
        self._seen = Seen(panel, "strips", self._steps)

    def ask(self, keys: list[str]) -> None:
        """Draw the strips of these sliders anew."""
        if keys and self._session.seconds_per_picture < FLUENT:
            for key in [row["key"] for row in self._knobs.rows if row["key"] in keys and row["strip"] is None]:
                with contextlib.suppress(KeyError):  # removed in the meantime
                    self._knobs.set_strip(key, self._blank)
            with self._lock:
                self._wanted |= {key: object() for key in keys}
            self._seen.ask()

    def _steps(self) -> Steps:
        with self._lock:
            wanted = list(self._wanted.items())
        for key, asked in wanted:
            pictures = []
            for latent in self._frames(key):
                pictures.append(self._session.thumbnail(latent, self._height))
                yield
            if pictures:
                with contextlib.suppress(KeyError):  # removed in the meantime
                    self._knobs.set_strip(key, data_url(tile(pictures, len(pictures))))
            with self._lock:
                if self._wanted.get(key) is asked:  # else it is drawn once more
                    del self._wanted[key]
