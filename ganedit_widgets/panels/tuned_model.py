"""A model that was tuned to a picture, and how to go on with it: a studio of its own, or Python."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import ipywidgets as ipw

from ganedit_widgets.core.generators import Generator
from ganedit_widgets.core.latent import Latent
from ganedit_widgets.core.tuning import carry

from .controls import Fold, button, row
from .library import shipped
from .session import Session
from .traverse import TraversePanel
from .turn import Turn
from .worker import in_thread

if TYPE_CHECKING:
    from .panel import Panel
    from .studio import Studio


class TunedModel(ipw.VBox):
    """Hidden while there is none. The studio opens below the frame of `panel`, in place of the one before."""

    def __init__(self, panel: Panel, session: Session) -> None:
        self.panel, self.session = panel, session
        self.made: tuple[Generator, Latent] | None = None  # the model, and the picture's latent in it
        self.studio: Studio | None = None
        # widgets
        self.open_button = button(
            "Open a studio with it",
            session.guarded(self.open_studio),
            "Below this one; the directions of this model go along",
        )
        self.shown = ipw.HTML()
        self.shown.add_class("ge-shown-code")
        self.fold = Fold("The same in Python", lambda: self.shown)
        # layout
        super().__init__([row("", self.open_button), self.fold])
        self.layout.display = "none"

    def take(self, generator: Generator, latent: Latent, code: str) -> None:
        """Offer a tuned model; `code` makes it again."""
        self.made = generator, latent
        self.shown.value = f"<pre>{escape(code)}</pre>"
        self.layout.display = None

    def forget(self) -> None:
        """Offer none any more: another picture was embedded. A studio that is open stays."""
        self.made = None
        self.layout.display = "none"

    def open_studio(self) -> Turn:
        """Open a studio of the tuned model; in a thread of its own, for it takes a while."""
        return in_thread(self.session.guarded(self._open))

    def close(self) -> None:
        """Leave every page, with the studio."""
        self._close_studio()
        super().close()

    def _open(self) -> None:
        from .studio import PANELS, Studio  # which is made of panels like the one this is in

        if self.made is None:
            return
        (generator, latent), old = self.made, self.session.generator
        session = Session(generator, latent)
        directions = [carry(direction, old, generator) for direction in shipped(old)]
        first = TraversePanel(session, directions or None)
        panels = [first if panel is TraversePanel else panel for panel in PANELS]
        studio = Studio(session=session, panels=panels, title="Studio of the tuned model")
        self._close_studio()
        outer = self.panel.frame
        outer.children = (*outer.children, studio)
        self.studio = studio  # last: whoever sees it finds it in the frame
        self.session.tell("A studio with the tuned model is open below.")

    def _close_studio(self) -> None:
        studio, self.studio = self.studio, None
        if studio is None:
            return
        outer = self.panel.frame
        outer.children = tuple(child for child in outer.children if child is not studio)
        studio.close()
        studio.session.close()
