"""Several edit vectors at once: a slider each, in an order that is stated, each of them muted or taken out again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets as ipw

from ganedit_widgets.core.edits import MoveAlong
from ganedit_widgets.core.vectors import EditVector

from .controls import help_line
from .knobs import Knobs, Row
from .session import Session
from .vector_cards import signed

LOW, HIGH = -2.0, 2.5  # ends of a slider at least: the opposite, and more than was learned
EMPTY = "Nothing is stacked yet: double-click a card, press Enter on it, or click a picture of its strip."
SUM = "In W+ they add up: the order does not change the picture."


class VectorStack(ipw.VBox):
    """The vectors that are made, from top to bottom; `changed(moving)` is called when the user has changed them."""

    def __init__(self, session: Session, changed: Callable[[bool], Any]) -> None:
        self.session, self.board, self._changed = session, session.vectors, changed
        self._last: dict[int, float] = {}  # the scales made last
        # widgets
        self.knobs = Knobs([], label="Vectors that are made, from top to bottom")
        self.order = help_line(EMPTY)
        super().__init__([self.knobs, self.order])
        self.add_class("ge-source")
        # connections
        self.knobs.on_input(session.guarded(lambda key, value, final: self._on_change(not final)))
        for listen in (self.knobs.on_toggle, self.knobs.on_remove, self.knobs.on_move):
            listen(session.guarded(lambda *_: self._on_change()))

    # ---- what is stacked

    def pairs(self, without: int = 0) -> list[tuple[EditVector, float]]:
        """Return (vector, scale) of those that are heard and not at 0, but for the one of the number `without`."""
        rows = [(_number(row), row) for row in self.knobs.rows if row["enabled"] and row["value"]]
        found = [(self.board.find(number), row["value"]) for number, row in rows if number != without]
        return [(vector, scale) for vector, scale in found if vector is not None]

    def moves(self, without: int = 0) -> list[MoveAlong]:
        """Return the edits that they mean, in their order."""
        return [vector.at(scale) for vector, scale in self.pairs(without)]

    def scale(self, number: int) -> float | None:
        """Return the scale of a vector; None if it is not stacked."""
        return self.knobs.values.get(_key(number))

    # ---- changes from Python; none calls `changed`

    def put(self, number: int, scale: float = 1.0) -> None:
        """Give a vector a scale, putting it below the others if it is not there yet, and let it be heard."""
        vector, key = self.board.find(number), _key(number)
        if vector is None:
            return
        if key not in self.knobs.values:
            self.knobs.add(_row(number, vector, scale))
        else:
            self._edit(lambda row: {"value": float(scale), "enabled": True} if row["key"] == key else {})
        self._say()

    def reset(self) -> None:
        """All to 0; what they were comes back with `again`."""
        scales = {_number(row): row["value"] for row in self.knobs.rows if row["value"]}
        self._last = scales or self._last
        for key in self.knobs.values:
            self.knobs.set(key, 0.0)
        self._say()

    def again(self) -> None:
        """Give all the scales they had when they were made last."""
        for number, scale in self._last.items():
            self.put(number, scale)

    @property
    def can_again(self) -> bool:
        """Whether there are such scales."""
        return any(self.board.find(number) is not None for number in self._last)

    def follow(self) -> None:
        """Keep up with the library: names, ranges, and what was deleted."""
        rows = []
        for row in self.knobs.rows:
            vector = self.board.find(_number(row))
            if vector is not None:
                fresh = _row(_number(row), vector, row["value"])
                rows.append({**row, **{field: fresh[field] for field in ("label", "min", "max", "warn")}})
        if rows != self.knobs.rows:
            self.knobs.rows = rows
        self._say()

    # ---- inside

    def _on_change(self, moving: bool = False) -> None:
        self._say()
        self._changed(moving)

    def _edit(self, change: Callable[[Row], Row]) -> None:
        self.knobs.rows = [{**row, **change(row)} for row in self.knobs.rows]

    def _say(self) -> None:
        """State the order."""
        made = ", then ".join(f"{vector.name} {signed(scale)}" for vector, scale in self.pairs())
        text = EMPTY if not self.knobs.rows else f"Made: {made}." if made else "All are at 0 or muted."
        self.order.value = help_line(f"{text} {SUM}" if len(self.pairs()) > 1 else text).value


def _row(number: int, vector: EditVector, scale: float) -> Row:
    low, high = vector.direction.range
    return {
        "key": _key(number),
        "label": vector.name,
        "min": min(LOW, low),
        "max": max(HIGH, high),
        "step": 0.05,
        "value": float(scale),
        "enabled": True,
        "removable": True,
        "movable": True,
        "warn": [low, high],
    }


def _key(number: int) -> str:
    return f"v{number}"


def _number(row: Row) -> int:
    return int(row["key"][1:])
