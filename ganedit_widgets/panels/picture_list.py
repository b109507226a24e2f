"""Pictures in a row that one adds to and removes from: the keyframes of a morph, the drivers of an expression."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import ipywidgets as ipw
import numpy as np

from ganedit_widgets.core.edits import latent_of
from ganedit_widgets.core.errors import LatentError

from .controls import Fold, allow, button
from .filmstrip import Filmstrip, Id
from .pictures import Pixels
from .session import Session
from .sources import Choice, Gallery, take_current
from .worker import Steps


class PictureList(ipw.VBox):
    """Pictures in order, one of them chosen; `changed()` is called when they are others, or in another order.

    A subclass says what they are called, how many there may be, and arranges the widgets.
    """

    noun: ClassVar[str] = "picture"
    most: ClassVar[int] = 64
    size: ClassVar[int] = 64  # pixels: height of a thumbnail

    def __init__(self, session: Session, changed: Callable[[], Any], **strip: Any) -> None:
        self.session, self._changed = session, changed
        self._choices: dict[Id, Choice] = {}
        self._thumbnails: dict[Id, Pixels] = {}
        self._next, self.chosen = 0, None  # type: int, Id | None
        # widgets
        self.strip = Filmstrip(size=self.size, **strip)
        self.here_button = button("Add this picture", session.guarded(self.add_current))
        self.remove_button = button("Remove", session.guarded(self.remove))
        self.fold = Fold("Add from pictures", lambda: Gallery(session, self.add))
        self._adding = {self.here_button: f"Add what is on show as a {self.noun}"}  # button → what it does
        super().__init__()
        self.add_class("ge-source")
        # connections
        self.strip.on_select(session.guarded(self._on_select))

    @property
    def choices(self) -> list[Choice]:
        """The pictures, in order."""
        return list(self._choices.values())

    # ---- what can be done

    def add(self, *choices: Choice) -> None:
        """Add pictures behind the chosen one, or at the end. Raises `LatentError` if there would be too many."""
        count = len(self._choices) + len(choices)
        if count > self.most:
            raise LatentError(f"There would be {count} {self.noun}s: {self.most} is the most, remove some first.")
        items = list(self._choices.items())
        place = self._at + 1 or len(items)
        keys: list[Id] = [f"{self.noun[0]}{self._next + i}" for i in range(len(choices))]
        self._next += len(choices)
        self._choices = dict([*items[:place], *zip(keys, choices, strict=True), *items[place:]])
        self.chosen = keys[-1] if keys else self.chosen
        self._told()

    def add_current(self) -> None:
        """Add the picture on show; what is not recorded yet is recorded first."""
        take_current(self.session, self.add)

    def move(self, by: int) -> None:
        """Move the chosen picture to the left (−1) or to the right (1)."""
        items, at = list(self._choices.items()), self._at
        if at >= 0 and 0 <= at + by < len(items):
            items[at], items[at + by] = items[at + by], items[at]
            self._choices = dict(items)
            self._told()

    def remove(self) -> None:
        """Remove the chosen picture; its neighbor is the next to be chosen."""
        at = self._at
        if at < 0 or self.chosen is None:
            return
        del self._choices[self.chosen]
        left = list(self._choices)
        self.chosen = left[min(at, len(left) - 1)] if left else None
        self._told()

    def refresh(self) -> None:
        """Enable what can be done now, or say why not."""
        full = f"{self.most} {self.noun}s are the most: remove one first" if len(self._choices) >= self.most else ""
        for adding, tip in self._adding.items():
            allow(adding, full, tip)
        allow(self.remove_button, self._nothing(), f"Remove the chosen {self.noun}")

    # ---- inside

    @property
    def _at(self) -> int:
        """The place of the chosen picture; −1 if none is chosen."""
        return list(self._choices).index(self.chosen) if self.chosen in self._choices else -1

    def _nothing(self) -> str:
        return "" if self._at >= 0 else f"Choose a {self.noun} first"

    def _on_select(self, key: Id) -> None:
        self.chosen = key
        self._show()

    def _told(self) -> None:
        self._show()
        self.session.in_background(f"{self.noun}s {id(self)}", self._draw)
        self._changed()

    def _show(self) -> None:
        blank = np.full((self.size, self.size, 3), 128, np.uint8)  # until it is drawn
        cells = [(key, self._thumbnails.get(key, blank), choice.name) for key, choice in self._choices.items()]
        self.strip.show(cells, self.chosen)
        self.refresh()

    def _draw(self) -> Steps:
        for key, choice in list(self._choices.items()):
            if key not in self._thumbnails:
                latent = latent_of(self.session.generator, choice.source)
                self._thumbnails[key] = self.session.thumbnail(latent, self.size)
                yield
        self._show()
