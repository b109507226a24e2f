"""Write a traversal as a film or as a strip of pictures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import ipywidgets as ipw

from ganedit_widgets.core.errors import GanEditError
from ganedit_widgets.core.film import KINDS
from ganedit_widgets.core.image import Pixels, to_pixels

from .controls import allow, button, row
from .film_steps import Film, require_free
from .session import Session
from .turn import Turn

if TYPE_CHECKING:
    from .traverse import TraversePanel

OFFERED = {"gif": 24, "mp4": 24, "webp": 24, "strip": 9}  # kind of film → pictures it has if nobody says otherwise
MOST = 200  # frames


class Exporter(ipw.VBox):
    """One slider from end to end, with the others as they are, as a file."""

    def __init__(self, panel: TraversePanel, session: Session) -> None:
        self.panel, self.session = panel, session
        self._written: set[Path] = set()  # files of our own, which may be written again
        # widgets
        self.slider = ipw.Dropdown(options=[], layout={"width": "150px"})
        self.kind = ipw.Dropdown(options=[(KINDS[kind].title, kind) for kind in OFFERED], layout={"width": "140px"})
        self.frames = ipw.BoundedIntText(OFFERED["gif"], 2, MOST, layout={"width": "64px"})
        self.path = ipw.Text("traversal.gif", layout={"width": "150px"})
        self.download_button = button("Download", session.guarded(self.download), "Make it and download it")
        self.save_button = button("Save on the server", session.guarded(self.save), "Make it and write it to this path")
        # layout
        super().__init__(
            [
                row("", self.slider, self.kind, self.frames, ipw.HTML("pictures")),
                row("", self.path, self.download_button, self.save_button),
            ]
        )
        # connections
        self.kind.observe(self._on_kind, "value")
        self.offer(panel.names)

    def offer(self, names: list[str]) -> None:
        """Offer these sliders."""
        chosen = self.slider.value
        self.slider.options = names
        if names:
            self.slider.value = chosen if chosen in names else names[0]
        for pressed in (self.download_button, self.save_button):
            allow(pressed, "" if names else "Add a direction first", "Esc stops it")

    def download(self) -> Turn:
        """Make the file and give it to the user."""
        film = self._film()
        name = Path(self.path.value).name or f"traversal{KINDS[film.kind].ending}"
        return film.download(self.session, name, self.panel.frame.head.download)

    def save(self) -> Turn:
        """Make the file and write it to the path given. Raises `ImageError` once if it is somebody else's."""
        path = Path(self.path.value).expanduser()
        require_free(path, self._written)
        return self._film().save(self.session, path, lambda: self._written.add(path))

    def _film(self) -> Film:
        slider, kind, count = self.slider.value, self.kind.value, self.frames.value
        if slider is None:
            raise GanEditError("There is no slider to export: add a direction first.")
        draw = self.session.generator.draw
        seconds = count * self.session.seconds_per_picture

        def pictures() -> Iterator[Pixels | None]:
            return (to_pixels(draw(latent)) for latent in self.panel.traversal(slider, count))

        return Film(pictures, count, kind, back=kind != "strip", seconds=seconds)

    def _on_kind(self, _: object) -> None:
        self.frames.value = OFFERED[self.kind.value]
        self.path.value = str(Path(self.path.value).with_suffix(KINDS[self.kind.value].ending))
