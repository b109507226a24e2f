"""The edited picture, put back into the picture that it was cropped from."""

from __future__ import annotations

import json
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import ipywidgets as ipw

from ganedit_widgets.core.align import Box, paste_back
from ganedit_widgets.core.edits import Edit
from ganedit_widgets.core.errors import ImageError
from ganedit_widgets.core.image import Picture, Pixels, as_png, to_pixels
from ganedit_widgets.core.latent import Latent

from .controls import Fold, allow, button, row
from .session import Session
from .turn import Turn
from .worker import Steps

if TYPE_CHECKING:
    from .embed import EmbedPanel

WAYS = [("the whole crop", "all"), ("only what edits changed", "change")]
FIRST = "Embed a picture first"
ANOTHER = "The picture on show was not made from the embedded one: go back to that in the history"


class Original(ipw.VBox):
    """Puts the picture on show into the source of the last search, at the source's size, and gives it to the user."""

    def __init__(self, panel: EmbedPanel, session: Session) -> None:
        self.panel, self.session = panel, session
        self.source: Picture | None = None
        self.box: Box | None = None
        self.file = ""
        self.embedded: Latent | None = None  # what the search found: edits are counted from it
        self._begun: Edit | None = None  # what that began with
        self._watching = False
        # widgets
        self.way = ipw.Dropdown(options=WAYS, layout={"width": "180px"})
        self.save_button = button("Save into the original", session.guarded(self.save))
        self.shown = ipw.HTML()
        self.shown.add_class("ge-shown-code")
        self.fold = Fold("The same in Python", lambda: self.shown)
        # layout
        super().__init__([row("", self.save_button, self.way), self.fold])
        self.layout.display = "none"
        # connections
        self.way.observe(session.guarded(lambda _: self._refresh()), "value")
        self._refresh()

    def take(self, source: Picture, box: Box, embedded: Latent, file: str) -> None:
        """A search in `box` of `source` has found a latent; `file` is what the source is called."""
        self.file = source.source or file
        self.source, self.box, self.embedded = source, box.rounded(), embedded
        self._begun = self.session.history.begun
        if not self._watching:
            self._watching = True
            self.panel.watch(lambda _: self._refresh(), "entries", "pixels")
        self.layout.display = None
        self._refresh()

    def forget(self) -> None:
        """Another picture has been chosen: there is nothing to put back before it is embedded."""
        self.source = self.box = self.embedded = None
        self.layout.display = "none"
        self._refresh()

    def pasted(self) -> Pixels:
        """Return the source, (H, W, 3), with the picture on show. Raises `ImageError` if there is no source."""
        if self.source is None or self.box is None or self.embedded is None:
            raise ImageError(f"{FIRST}: then it can be put back into its original.")
        latents = (self._on_show(), self.embedded)
        edited, before = (to_pixels(self.session.generator.draw(latent)) for latent in latents)
        return paste_back(self.source.pixels, edited, self.box, since=before if self.way.value == "change" else None)

    def save(self) -> Turn:
        """Put what is on show back, and give the user the PNG file."""
        return self.make(lambda name, contents: self.panel.frame.head.download(name, "image/png", contents))

    def make(self, give: Callable[[str, bytes], object]) -> Turn:
        """Put what is on show back, and call `give(name, contents of a PNG file)`."""

        def steps() -> Steps:
            pixels = self.pasted()
            yield
            give(self.name, as_png(pixels))
            return f"{self.name}: {pixels.shape[1]} × {pixels.shape[0]} pixels."

        return self.session.task("saving into the original", steps)

    def _on_show(self) -> Latent:
        session, pending = self.session, self.session.pending
        return session.latent if pending is None else next(iter(pending.steps(session.generator, session.latent)))

    def _why_not(self) -> str:
        if self.source is None:
            return FIRST
        history, pending = self.session.history, self.session.pending
        led_here = any(entry.latent is self.embedded for entry in history.entries[: history.index + 1])
        stands = led_here and history.begun is self._begun and not getattr(pending, "anew", False)
        return "" if stands else ANOTHER

    @property
    def name(self) -> str:
        """The name of the file that is given."""
        return f"{Path(self.file).stem or 'original'}_edited.png"

    def code(self) -> str:
        """Return the Python that puts `picture`, as the session's code leaves it, back."""
        since = ", since=before" if self.way.value == "change" else ""
        lines = [
            "from ganedit_widgets.core import read_image, save_image",
            "from ganedit_widgets.core.align import Box, paste_back",
            "",
            f"original = read_image({json.dumps(self.file, ensure_ascii=False)})",
            *(["# before: the picture as it was right after Embed"] if since else []),
            f"picture = paste_back(original, picture, {self.box}{since})",
            f"save_image({json.dumps(self.name, ensure_ascii=False)}, picture)",
        ]
        return "\n".join(lines)

    def _refresh(self) -> None:
        allow(self.save_button, self._why_not(), "A PNG file of the original's size")
        self.shown.value = f"<pre>{escape(self.code())}</pre>" if self.source is not None else ""
