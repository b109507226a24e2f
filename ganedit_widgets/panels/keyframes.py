"""The keyframes of a morph: a strip of pictures to add to, reorder and remove from."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import ipywidgets as ipw
import numpy as np

from ganedit_widgets.core.edits import latent_of
from ganedit_widgets.core.morph import FEWEST, MOST

from .controls import Fold, allow, button, named, row
from .filmstrip import Filmstrip, Id
from .pictures import Pixels
from .seeds import LARGEST, RANDOM
from .session import Session
from .sources import PSI, Choice, Gallery, Sample, current
from .worker import Steps

SIZE = 56  # pixels: height of a thumbnail
BLANK = np.full((SIZE, SIZE, 3), 128, np.uint8)  # until it is drawn


class Keyframes(ipw.VBox):
    """Two to eight pictures in order; `changed()` is called when they are others, or in another order."""

    def __init__(self, session: Session, changed: Callable[[], Any]) -> None:
        self.session, self._changed = session, changed
        self._choices: dict[Id, Choice] = {}
        self._thumbnails: dict[Id, Pixels] = {}
        self._next, self.chosen = 0, None  # type: int, Id | None
        # widgets
        self.strip = Filmstrip(
            size=SIZE, label="Keyframes", hint=f"Add {FEWEST} to {MOST} pictures: this one, or those of seeds."
        )
        self.here_button = button("Add this picture", session.guarded(self.add_current))
        self.seed = named(ipw.BoundedIntText(1, 0, LARGEST, layout={"width": "76px"}), "Seed of the picture to add")
        self.seed_button = button("Add seed", session.guarded(self.add_seed))
        self.random_button = button("Add random", session.guarded(self.add_random))
        self.left_button = button("◀", session.guarded(lambda: self.move(-1)))
        self.right_button = button("▶", session.guarded(lambda: self.move(1)))
        self.remove_button = button("Remove", session.guarded(self.remove))
        self.fold = Fold("Add from pictures", lambda: Gallery(session, self.add))
        # layout
        super().__init__(
            [
                self.strip,
                row("", self.here_button, self.left_button, self.right_button, self.remove_button),
                row("", self.seed, self.seed_button, self.random_button),
                self.fold,
            ]
        )
        self.add_class("ge-source")
        # connections
        self.strip.on_select(session.guarded(self._on_select))
        self.refresh()

    @property
    def choices(self) -> list[Choice]:
        """The keyframes, in order."""
        return list(self._choices.values())

    # ---- what can be done

    def add(self, choice: Choice) -> None:
        """Add a keyframe behind the chosen one, or at the end."""
        if self._full():
            self.session.tell(f"{self._full()}.", "error")
            return
        key = f"k{self._next}"
        self._next += 1
        items = list(self._choices.items())
        place = [k for k, _ in items].index(self.chosen) + 1 if self.chosen in self._choices else len(items)
        self._choices = dict([*items[:place], (key, choice), *items[place:]])
        self.chosen = key
        self._told()

    def add_current(self) -> None:
        """Add the picture on show; what is not recorded yet is recorded first."""
        if self.session.pending is None:
            self.add(current(self.session))
        else:
            self.session.keep().on_end(lambda _: self.add(current(self.session)))

    def add_seed(self) -> None:
        """Add the picture of the seed that was typed, and make the next one ready."""
        seed = self.seed.value
        self.add(Choice(Sample(seed, PSI), f"seed {seed}"))
        self.seed.value = min(seed + 1, LARGEST)

    def add_random(self) -> None:
        """Add the picture of any seed."""
        seed = random.randrange(RANDOM)
        self.add(Choice(Sample(seed, PSI), f"seed {seed}"))

    def move(self, by: int) -> None:
        """Move the chosen keyframe to the left (−1) or to the right (1)."""
        items = list(self._choices.items())
        keys = [key for key, _ in items]
        if self.chosen not in self._choices or not 0 <= keys.index(self.chosen) + by < len(items):
            return
        at = keys.index(self.chosen)
        items[at], items[at + by] = items[at + by], items[at]
        self._choices = dict(items)
        self._told()

    def remove(self) -> None:
        """Remove the chosen keyframe; its neighbor is the next to be chosen."""
        keys = list(self._choices)
        if self.chosen not in self._choices:
            return
        at = keys.index(self.chosen)
        del self._choices[self.chosen]
        left = list(self._choices)
        self.chosen = left[min(at, len(left) - 1)] if left else None
        self._told()

    def refresh(self) -> None:
        """Enable what can be done now, or say why not."""
        keys = list(self._choices)
        at = keys.index(self.chosen) if self.chosen in keys else -1
        nothing = "" if at >= 0 else "Choose a keyframe first"
        for adding, tip in (
            (self.here_button, "Add what is on show behind the chosen keyframe"),
            (self.seed_button, "Add the picture of this seed"),
            (self.random_button, "Add the picture of any seed"),
        ):
            allow(adding, self._full(), tip)
        allow(self.left_button, nothing or ("It is the first" if at == 0 else ""), "Move the keyframe to the left")
        last = "It is the last" if at == len(keys) - 1 else ""
        allow(self.right_button, nothing or last, "Move the keyframe to the right")
        allow(self.remove_button, nothing, "Remove the keyframe")

    # ---- inside

    def _full(self) -> str:
        return f"A morph has at most {MOST} keyframes: remove one first" if len(self._choices) >= MOST else ""

    def _on_select(self, key: Id) -> None:
        self.chosen = key
        self._show()

    def _told(self) -> None:
        self._show()
        self.session.in_background(f"keyframes {id(self)}", self._draw)
        self._changed()

    def _show(self) -> None:
        cells = [(key, self._thumbnails.get(key, BLANK), choice.name) for key, choice in self._choices.items()]
        self.strip.show(cells, self.chosen)
        self.refresh()

    def _draw(self) -> Steps:
        for key, choice in list(self._choices.items()):
            if key not in self._thumbnails:
                latent = latent_of(self.session.generator, choice.source)
                self._thumbnails[key] = self.session.thumbnail(latent, SIZE)
                yield
        self._show()
