"""A real picture in a self-conditioned model: labels from the class head, a latent from the encoder, and tuning."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import ipywidgets as ipw

from ganedit_widgets.core.conditioning.reading import labels_in
from ganedit_widgets.core.edits import Edit, Embed, SetLabels, Stack
from ganedit_widgets.core.errors import ImageError, LabelError, LatentError
from ganedit_widgets.core.fetch import fetch, is_address
from ganedit_widgets.core.generators import Generator
from ganedit_widgets.core.history import History
from ganedit_widgets.core.image import Picture, as_png
from ganedit_widgets.core.latent import Latent
from ganedit_widgets.core.tuning import Tuning

from .chrome import LIMIT, Upload
from .controls import allow, button, help_line, named, row
from .session import Session
from .tuner import Tuner
from .turn import Turn
from .worker import Steps, in_thread

STEPS = 40  # of the search from the encoder's guess
FIRST = "Choose a picture first"


class RealPicture(ipw.VBox):
    """Choose a picture, read its labels, bring it in, and, if need be, tune the model to it.

    `opened(generator, latent)` is called with a tuned model, in a thread of its own.
    """

    def __init__(self, session: Session, opened: Callable[[Generator, Latent], Any]) -> None:
        self.session, self._opened = session, opened
        self.picture: Picture | None = None
        self.read: dict[str, float] | None = None  # its labels; {} where nothing can read them
        self.pivot: Latent | None = None  # what was found for it
        self._asked: Edit | None = None
        # widgets
        self.upload = Upload()
        source = ipw.Text(placeholder="path on the server, or https:// address", continuous_update=False)
        self.source = named(source, "Path or address of a picture")
        self.source.layout.width = "250px"
        self.open_button = button("Open", session.guarded(self.open_source), "Read this picture")
        self.embedded_button = button("The embedded one", session.guarded(self.take_embedded))
        self.shown = ipw.Image(format="png", width=64, height=64, layout={"display": "none"})
        self.shown.add_class("ge-target")
        self.said = help_line("")
        self.bring_button = button("Bring it in", session.guarded(self.bring))
        self.steps = named(ipw.BoundedIntText(STEPS, 1, 5000, layout={"width": "64px"}), "Steps of the search")
        self.stop_button = button("Stop", session.stop)
        self.tuner = Tuner(session, "Tune the model to it", self._wanted, self._tuned, self._say)
        # layout
        super().__init__(
            [
                self.upload,
                row("", self.source, self.open_button, self.embedded_button),
                row("", self.shown, self.said),
                row("", self.bring_button, self.steps, ipw.HTML("steps"), self.stop_button),
                self.tuner,
            ]
        )
        # connections
        self.upload.on_upload(session.guarded(lambda name, contents: self.take(contents)))
        self.source.observe(session.guarded(lambda _: self.open_source()), "value")
        self.refresh()

    # ---- the picture

    def open_source(self) -> None:
        """Take the picture at the path or address that was typed; in a thread of its own, for a network may be slow."""
        source = self.source.value.strip()
        if not source:
            self.session.tell("Type a path on the server, or an address that begins with https://.", "error")
            return
        in_thread(self.session.guarded(lambda: self.take(source)))

    def take(self, source: Any) -> None:
        """Take `source`, whatever `read_image` reads, and read its labels. Raises `ImageError` if it is no picture."""
        if isinstance(source, bytes) and len(source) > LIMIT:
            raise ImageError(f"The picture has {len(source) / 1e6:.0f} MB: make it smaller, or give its path.")
        self._begin(Picture.read(fetch(source) if is_address(source) else source, self.session.generator.size))

    def take_embedded(self) -> None:
        """Take the picture that was embedded last, as it was aligned there. Raises `LatentError` if there is none."""
        picture = embedded(self.session.history)
        if picture is None:
            raise LatentError("No picture was embedded in this session: choose one here.")
        self._begin(picture)

    def _begin(self, picture: Picture) -> None:
        self.picture = picture
        self.read = self.pivot = None
        self.shown.value, self.shown.layout.display = as_png(self.picture.fitted(self.session.generator.size)), None
        self.session.in_background(f"labels {id(self)}", self._read)
        self.refresh()

    def _read(self) -> Steps:
        yield
        if self.picture is None:
            return
        try:
            read = labels_in(self.session.generator, self.picture)
            said = ", ".join(f"{name} {v:.2f}" for name, v in read.items())
            self._say(f"{said}: once it is in, correct it with the sliders.")
        except LabelError as error:
            read = {}
            self._say(str(error))
        self.read = read
        self.refresh()

    # ---- its latent

    def edit(self) -> Edit:
        """Return what brings it in: its labels, then a search from the encoder's guess. Raises `LatentError`."""
        if self.picture is None or self.read is None:
            raise LatentError(f"{FIRST}: then it can be brought in.")
        file = self.session.generator.encoder_file
        start = "encoder" if file is not None and file.is_file() else "random"
        search = Embed(self.picture, self.steps.value, start=start)
        return Stack((SetLabels(self.read), search)) if self.read else search

    def bring(self) -> Turn:
        """Set its labels and search for its latent; the best so far is shown, and kept after Stop."""
        self._asked = self.edit()
        return self.session.apply(self._asked, by=self)

    def settled(self, change: Mapping[str, Any]) -> None:
        """Note what was found, when the session has recorded it."""
        if change["new"] is not None and change["new"] is self._asked:
            self.pivot = self.session.latent
            self.refresh()

    # ---- the tuning

    def _wanted(self) -> tuple[Picture, Latent]:
        if self.picture is None or self.pivot is None:
            raise LatentError("Bring a picture in first: the model is tuned at its latent.")
        return self.picture, self.pivot

    def _tuned(self, generator: Generator, latent: Latent, tuning: Tuning, path: Path) -> None:
        self._say(f"Tuned to {tuning.psnr:.1f} dB, written to {path}; it is open below.")
        self._opened(generator, latent)

    # ---- what can be pressed

    def why_not(self) -> str:
        """Say what is missing before the picture can be brought in."""
        return FIRST if self.picture is None else "Its labels are being read" if self.read is None else ""

    def refresh(self) -> None:
        """Enable the buttons, or say why they cannot be pressed."""
        allow(self.bring_button, self.why_not(), "Its labels from the class head, its latent from the encoder")
        none = "" if embedded(self.session.history) is not None else "No picture was embedded in this session"
        allow(self.embedded_button, none, "The picture that was embedded last, aligned as it was there")
        busy = self.session.busy
        allow(self.stop_button, "" if busy else "Nothing is running", "Stop and keep the best so far (Esc)")
        first = "" if self.pivot is not None else "Bring a picture in first"
        allow(
            self.tuner.tune_button,
            first,
            "A new model that draws this picture exactly, and is edited with the same labels",
        )

    def _say(self, text: str) -> None:
        self.said.value = help_line(text).value


def embedded(history: History) -> Picture | None:
    """Return the picture of the last search that led to the picture on show, if there was one."""
    for entry in reversed(history.entries[: history.index + 1]):
        for edit in entry.edit.edits if isinstance(entry.edit, Stack) else (entry.edit,):
            if isinstance(edit, Embed):
                return edit.picture if isinstance(edit.picture, Picture) else Picture(edit.picture)
    return None
