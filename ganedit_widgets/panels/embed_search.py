"""The controls of a search for a picture's latent: steps, space, start, tries, weights, and what it leaves out."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import ipywidgets as ipw
import numpy as np
from numpy.typing import NDArray

from ganedit_widgets.core.edits import Edit, Embed, inpaint
from ganedit_widgets.core.generators import Generator
from ganedit_widgets.core.image import Picture

from .controls import Fold, named, row
from .hole import Hole
from .knobs import Knobs
from .session import Session

FIRST_W = "w, then w+"
SPACES = [
    ("W+: best likeness", "w+"),
    ("W, then W+: in between", FIRST_W),
    ("W: easier to edit", "w"),
    ("Z: only what it samples", "z"),
]
STARTS = [("the average", "average"), ("this picture", "current"), ("random pictures", "random")]
GUESS = ("its encoder's guess", "encoder")
FROM_GUESS = 100  # steps from there; from elsewhere as many as `Embed` takes
MOST_TRIES = 16  # each needs the memory of a picture, and its time
WEIGHTS = [
    {"key": "stay", "label": "stay near the average", "min": 0, "max": 0.5, "step": 0.005, "default": Embed.stay},
    {"key": "pixel", "label": "match of pixels", "min": 0, "max": 20, "step": 0.5, "default": Embed.pixel},
]
LEAVE_OUT = "Leave out a part"
ALL_OUT = "Everything is left out: leave something to be matched"


def starts_of(generator: Generator) -> list[tuple[str, str]]:
    """Return (text, start) of the starts that a model offers, the best first."""
    file = generator.encoder_file
    return [*([GUESS] if file is not None and file.is_file() else []), *STARTS]


class SearchControls(ipw.VBox):
    """What a search is like. With something left out it is `inpaint`, in W+; else `Embed`. `changed()` follows."""

    def __init__(self, session: Session, changed: Callable[[], Any]) -> None:
        self.picture: Picture | None = None
        self._size, self._changed = session.generator.size, changed
        starts = starts_of(session.generator)
        # widgets
        steps = FROM_GUESS if GUESS in starts else Embed.iterations
        self.iterations = named(ipw.BoundedIntText(steps, 1, 5000, layout={"width": "70px"}), "Steps of the search")
        self.space = named(ipw.Dropdown(options=SPACES, layout={"width": "160px"}), "Where it searches")
        self.start = named(ipw.Dropdown(options=starts, layout={"width": "160px"}), "Where it begins")
        self.tries = named(ipw.BoundedIntText(1, 1, MOST_TRIES, layout={"width": "56px"}), "Tries side by side")
        self.weights_fold = Fold("Weights of the search", lambda: Knobs(WEIGHTS, label="Weights of the search"))
        self.hole_fold = Fold(LEAVE_OUT, self._make_hole)
        # layout
        self.start_row, self.tries_row = row("from", self.start), row("tries", self.tries, ipw.HTML("the best is kept"))
        super().__init__(
            [
                row("steps", self.iterations, self.space),
                self.start_row,
                self.tries_row,
                self.weights_fold,
                self.hole_fold,
            ]
        )
        self.add_class("ge-after")
        # connections
        for field in (self.space, self.start):
            field.observe(session.guarded(lambda _: self._arrange()), "value")
        self._arrange()

    # ---- what the controls mean

    @property
    def hole(self) -> NDArray[np.bool_] | None:
        """What is left out, a mask (H, W) of bool; None if nothing is."""
        return self.hole_fold.content.mask if self.hole_fold.made else None

    def edit(self) -> Edit | None:
        """Return the search, once there is a picture."""
        if self.picture is None:
            return None
        weights: dict[str, Any] = self._weights
        if (hole := self.hole) is not None:
            search = inpaint(self.picture, hole, self.iterations.value)
            parts = tuple(replace(part, pixel=weights.pop("pixel", part.pixel)) for part in search.parts)
            return replace(search, parts=parts, start=self.start.value, **weights)
        space, steps = self.space.value, self.iterations.value
        embed = Embed(self.picture, steps, space, self.start.value, restarts=self._tries)
        if space == FIRST_W:  # to go on from a picture, W would give up what W+ has found
            embed = replace(embed, space="w+", first_w=steps // 3 if embed.anew else 0)
        return replace(embed, **weights)

    def why_not(self) -> str:
        """Say why there can be no search now."""
        if self.picture is None:
            return "Choose a picture first"
        hole = self.hole
        return ALL_OUT if hole is not None and hole.all() else ""

    def take(self, picture: Picture | None) -> None:
        """Search for another picture; nothing of it is left out yet."""
        if picture is self.picture:
            return
        self.picture = picture
        if self.hole_fold.made and picture is not None:
            self.hole_fold.content.show(picture.fitted(self._size))
        self._arrange()

    # ---- inside

    @property
    def _weights(self) -> dict[str, float]:
        """The weights that were moved: an edit knows its own."""
        values = self.weights_fold.content.values if self.weights_fold.made else {}
        return {key: value for key, value in values.items() if value != getattr(Embed, key)}

    @property
    def _tries(self) -> int:
        at_random = self.space.value == "z" or self.start.value == "random"
        return self.tries.value if at_random else 1

    def _make_hole(self) -> Hole:
        hole = Hole(self._arrange)
        if self.picture is not None:
            hole.show(self.picture.fitted(self._size))
        return hole

    def _arrange(self) -> None:
        """Show what can be used now."""
        hole = self.hole
        whole = hole is None
        at_random = self.space.value == "z" or self.start.value == "random"
        shown = {
            self.space: whole,
            self.start_row: not whole or self.space.value != "z",
            self.tries_row: whole and at_random,
            self.hole_fold: self.picture is not None,
        }
        for widget, visible in shown.items():
            widget.layout.display = None if visible else "none"
        self.hole_fold.title = _title(hole)
        self._changed()


def _title(hole: NDArray[np.bool_] | None) -> str:
    """Return what stands above the painter, also while it is closed: that a part is left out, and how much."""
    if hole is None:
        return LEAVE_OUT
    percent = 100 * float(hole.mean())
    share = "less than 1" if percent < 1 else f"{math.floor(percent)}"  # 100 % is all of it
    return f"{LEAVE_OUT} ({share} % left out)"
