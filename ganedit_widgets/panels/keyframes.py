"""The keyframes of a morph: a strip of pictures to add to, reorder and remove from."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import ipywidgets as ipw

from ganedit_widgets.core.edits import Sample
from ganedit_widgets.core.morph import FEWEST, MOST

from .controls import allow, button, named, row
from .picture_list import PictureList
from .seeds import LARGEST, RANDOM
from .session import Session
from .sources import PSI, Choice


class Keyframes(PictureList):
    """Two to eight pictures in order; `changed()` is called when they are others, or in another order."""

    noun, most, size = "keyframe", MOST, 56

    def __init__(self, session: Session, changed: Callable[[], Any]) -> None:
        hint = f"Add {FEWEST} to {MOST} pictures: this one, or those of seeds."
        super().__init__(session, changed, label="Keyframes", hint=hint)
        # widgets
        self.seed = named(ipw.BoundedIntText(1, 0, LARGEST, layout={"width": "76px"}), "Seed of the picture to add")
        self.seed_button = button("Add seed", session.guarded(self.add_seed))
        self.random_button = button("Add random", session.guarded(self.add_random))
        self.left_button = button("◀", session.guarded(lambda: self.move(-1)))
        self.right_button = button("▶", session.guarded(lambda: self.move(1)))
        self._adding |= {
            self.seed_button: "Add the picture of this seed",
            self.random_button: "Add the picture of any seed",
        }
        # layout
        self.children = (
            self.strip,
            row("", self.here_button, self.left_button, self.right_button, self.remove_button),
            row("", self.seed, self.seed_button, self.random_button),
            self.fold,
        )
        self.refresh()

    def add_seed(self) -> None:
        """Add the picture of the seed that was typed, and make the next one ready."""
        seed = self.seed.value
        self.add(Choice(Sample(seed, PSI), f"seed {seed}"))
        self.seed.value = min(seed + 1, LARGEST)

    def add_random(self) -> None:
        """Add the picture of any seed."""
        seed = random.randrange(RANDOM)
        self.add(Choice(Sample(seed, PSI), f"seed {seed}"))

    def refresh(self) -> None:
        """Enable what can be done now, or say why not."""
        super().refresh()
        first, last = self._at == 0, self._at == len(self.choices) - 1
        allow(self.left_button, self._nothing() or "It is the first" * first, "Move the keyframe to the left")
        allow(self.right_button, self._nothing() or "It is the last" * last, "Move the keyframe to the right")
