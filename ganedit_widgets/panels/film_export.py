"""Controls of the morph panel that write its film: kind, place, estimate; and the code that makes it."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import ipywidgets as ipw

from ganedit_widgets.core.code import script_files
from ganedit_widgets.core.film import ANIMATED, KINDS, in_bytes
from ganedit_widgets.core.film_cost import estimate, in_frames

from .controls import allow, button, help_line, named, row
from .film_steps import Film, require_free
from .notes import duration
from .pictures import zipped
from .session import Session
from .turn import Turn
from .worker import Steps

if TYPE_CHECKING:
    from .morph import MorphPanel

FOLDER = "folder"  # the pictures, in a new folder on the server
CHOICES = [*((kind.title, name) for name, kind in KINDS.items()), ("folder of pictures", FOLDER)]


class FilmExport(ipw.VBox):
    """Write the film of a morph; what it will take is said before."""

    def __init__(self, panel: MorphPanel, session: Session) -> None:
        self.panel, self.session = panel, session
        self._written: set[Path] = set()  # files of our own, which may be written again
        # widgets
        self.kind = named(ipw.Dropdown(options=CHOICES, layout={"width": "150px"}), "What to write")
        self.back = ipw.Checkbox(value=True, description="there and back", indent=False, layout={"width": "auto"})
        self.path = named(ipw.Text("morph.gif", layout={"width": "150px"}), "Name of the file")
        self.download_button = button("Download", session.guarded(self.download))
        self.save_button = button("Save on the server", session.guarded(self.save))
        self.about = help_line("")
        super().__init__(
            [
                row("", self.kind, self.back),
                row("", self.path, self.download_button, self.save_button),
                self.about,
            ]
        )
        # connections
        self.kind.observe(session.guarded(self._on_kind), "value")
        self.back.observe(session.guarded(lambda _: self.refresh()), "value")
        self.refresh()

    def on_open(self) -> None:
        """Estimate again: the picture may be another."""
        self.refresh()

    def refresh(self) -> None:
        """Enable what can be done now, and estimate what it takes."""
        why_not = self.panel._film_why_not()
        folder = "A folder cannot be downloaded: save it on the server" if self.kind.value == FOLDER else ""
        allow(self.download_button, why_not or folder, "Make it and download it; Esc stops it")
        allow(self.save_button, why_not, "Make it and write it to this path; Esc stops it")
        self.back.disabled = self.kind.value not in ANIMATED or self.panel.loop.value
        self.back.tooltip = "A loop needs no way back" if self.panel.loop.value else "Play to the end and back again"
        self.session.in_background(f"estimate {id(self)}", self._estimate)

    def download(self) -> Turn:
        """Make the file and give it to the user."""
        film = self._film()
        name = Path(self.path.value).name or f"morph{KINDS[film.kind].ending}"
        return film.download(self.session, name, self.panel.frame.head.download)

    def save(self) -> Turn:
        """Make the file and write it to the path given; nothing is written if it is stopped.

        Raises `ImageError`, the first time, if a file is there that was not written from here.
        """
        path = Path(self.path.value or "morph").expanduser()
        require_free(path, self._written)
        return self._film().save(self.session, path, lambda: self._written.add(path))

    def _film(self) -> Film:
        """Return the film the controls describe now: it stays what it is, whatever is chosen meanwhile."""
        panel, morph = self.panel, self.panel.morph
        morph.require_fit(self.session.generator)
        kind = "frames" if self.kind.value == FOLDER else self.kind.value
        pace = round(1000 / panel.player.fps)
        return Film(panel.reel.walk, morph.frames, kind, pace, self._back, panel.seconds, panel.reel.to_measure)

    @property
    def _back(self) -> bool:
        return self.back.value and not self.panel.loop.value

    def _estimate(self) -> Steps:
        yield
        if self.panel._film_why_not():
            self.about.value = escape(f"{self.panel._film_why_not()}.")
            return
        kind = "frames" if self.kind.value == FOLDER else self.kind.value
        pictures = self.panel.frames.value
        cost = estimate(self.session.pixels, kind, pictures, back=self._back)
        time = duration(cost.seconds + self.panel.seconds)
        self.about.value = f"About {in_bytes(cost.bytes)} and {time} for {in_frames(pictures, kind, self._back)}."

    def _on_kind(self, _: object) -> None:
        ending = "" if self.kind.value == FOLDER else KINDS[self.kind.value].ending
        self.path.value = str(Path(self.path.value or "morph").with_suffix(ending))
        self.refresh()


class ShownCode(ipw.VBox):
    """The Python that makes the film, to be read and copied, and the files it needs."""

    def __init__(self, panel: MorphPanel) -> None:
        self.panel = panel
        self.text = ipw.HTML("")
        self.text.add_class("ge-shown-code")
        self.files_button = button("Download its files", panel.session.guarded(self.download))
        super().__init__([self.text, row("", self.files_button)])
        self.refresh()

    def on_open(self) -> None:
        """Write it anew."""
        self.refresh()

    def refresh(self) -> None:
        """Write the code of what the controls describe now."""
        self.text.value = f'<pre tabindex="0">{escape(self.panel.code())}</pre>'
        files = script_files(self.panel.session.generator, self.panel.morph)
        allow(self.files_button, "" if files else "It needs no files: its pictures are seeds", "The latents it reads")

    def download(self) -> None:
        """Give the user the files that the code reads."""
        files = script_files(self.panel.session.generator, self.panel.morph)
        self.panel.frame.head.download("files.zip", "application/zip", zipped(files))
