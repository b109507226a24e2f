"""Controls of the morph panel that write its film: kind, place, estimate; and the code that makes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from html import escape
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import ipywidgets as ipw

from ganedit_widgets.core.code import script_files
from ganedit_widgets.core.errors import ImageError
from ganedit_widgets.core.film import ANIMATED, KINDS, estimate, film, write_film
from ganedit_widgets.core.image import Pixels

from .controls import allow, button, help_line, named, row
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
        chosen, pace, back, source = self.kind.value, self._milliseconds, self._back, self._pictures()
        kind = KINDS[chosen]  # all is as it was when the button was pressed
        name = Path(self.path.value).name or f"morph{kind.ending}"

        def steps() -> Steps:
            pictures: list[Pixels] = []
            for pixels in source:
                if pixels is not None:
                    pictures.append(pixels)
                yield
            made = film(pictures, chosen, pace, back)
            self.panel.frame.head.download(name, kind.mime, made)
            return f"{name}: {len(pictures)} pictures, {len(made) / 1e6:.1f} MB."

        return self._task(name, steps)

    def save(self) -> Turn:
        """Make the file and write it to the path given; nothing is written if it is stopped.

        Raises `ImageError`, the first time, if a file is there that was not written from here.
        """
        path = Path(self.path.value or "morph").expanduser()
        require_free(path, self._written)
        kind = "frames" if self.kind.value == FOLDER else self.kind.value
        pace, back, source = self._milliseconds, self._back, self._pictures()

        def steps() -> Steps:
            first = next(source)
            while first is None:  # the speed is measured
                yield
                first = next(source)
            count = 0
            for count in write_film(path, chain([first], _drawn(source)), kind, pace, back):  # noqa: B007
                yield
            self._written.add(path)
            return f"{path}: {count} pictures are written."

        return self._task(path.name, steps)

    def _task(self, name: str, steps: Callable[[], Steps]) -> Turn:
        morph = self.panel.morph
        morph.require_fit(self.session.generator)
        total = len(self.panel.baked) or self.panel.steps_of(morph)
        return self.session.task(f"exporting {name}", steps, total)

    def _pictures(self) -> Iterator[Pixels | None]:
        """Yield the pictures that are baked, or draw those of the film that the controls describe now."""
        panel = self.panel
        return iter(list(panel.baked)) if panel.baked else panel.pictures(panel.morph, panel.version)

    @property
    def _back(self) -> bool:
        return self.back.value and not self.panel.loop.value

    @property
    def _milliseconds(self) -> int:
        return round(1000 / self.panel.player.fps)

    def _estimate(self) -> Steps:
        yield
        if self.panel._film_why_not():
            self.about.value = escape(f"{self.panel._film_why_not()}.")
            return
        kind = "frames" if self.kind.value == FOLDER else self.kind.value
        cost = estimate(self.session.pixels, kind, self.panel.frames.value, back=self._back)
        time = duration(cost.seconds + self.panel.seconds)
        self.about.value = f"About {cost.bytes / 1e6:.1f} MB and {time}."

    def _on_kind(self, _: object) -> None:
        ending = "" if self.kind.value == FOLDER else KINDS[self.kind.value].ending
        self.path.value = str(Path(self.path.value or "morph").with_suffix(ending))
        self.refresh()


def require_free(path: Path, own: set[Path]) -> None:
    """Raise `ImageError`, but only once, if a file is at `path` that is not one of our `own`: it would be lost."""
    if path.is_file() and path not in own:
        own.add(path)
        raise ImageError(f"There is a file {path} already: choose another name, or press Save again to replace it.")


def _drawn(pictures: Iterator[Pixels | None]) -> Iterator[Pixels]:
    return (pixels for pixels in pictures if pixels is not None)


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
