"""Knobs: named sliders drawn in the browser, so that they follow the hand however slow the kernel is."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

import traitlets as tr
from ipywidgets import CallbackDispatcher

from .assets import script, style
from .keys import ActionWidget
from .transport import Message

Row = dict[str, Any]
DEFAULTS: Row = {
    "min": -3.0,
    "max": 3.0,
    "step": 0.01,
    "default": 0.0,
    "unit": "",
    "layers": None,  # [lo, hi), as in range(lo, hi); None draws no layer control
    "removable": False,
    "movable": False,  # True draws buttons that move it up and down among the others
    "enabled": None,  # True or False draws a check box; None draws none
    "strip": None,  # data URL of one wide picture, drawn below the track
    "warn": None,  # [lo, hi]: outside of it the track is red
}


class Knobs(ActionWidget):
    """A column of sliders. At most 30 messages a second reach Python, and always the final value.

    `rows` lists one dict per slider: key, label, min, max, step, value, default, and optionally unit, layers,
    removable, movable, enabled, strip, warn (see DEFAULTS). It is the truth: what the user does is written into it.
    """

    _esm = script("base", "knobs_store", "knobs_layers", "knobs_row", "knobs")
    _css = style("base", "knobs")

    rows = tr.List(tr.Dict()).tag(sync=True)
    layer_count = tr.Int(0).tag(sync=True)
    presets = tr.Dict().tag(sync=True)  # name -> [lo, hi) for the layer control
    label = tr.Unicode("Sliders").tag(sync=True)  # for screen readers

    def __init__(self, rows: list[Row] | None = None, **traits: Any) -> None:
        self._lock = threading.RLock()  # rows are added in the worker's thread, too
        self._on_input, self._on_layers = CallbackDispatcher(), CallbackDispatcher()
        self._on_remove, self._on_toggle = CallbackDispatcher(), CallbackDispatcher()
        self._on_move = CallbackDispatcher()
        super().__init__(rows=rows or [], **traits)

    @tr.validate("rows")
    def _complete(self, proposal: Mapping[str, list[Row]]) -> list[Row]:
        present = self._trait_values.get("rows", [])
        stamps = {row.get("key"): row.get("stamp") for row in present}
        # not copied: what the page says while other rows are added would be lost
        own = {id(row) for row in present if row.keys() >= DEFAULTS.keys()}
        rows = [
            row if id(row) in own else complete_row({"stamp": stamps.get(row.get("key")), **row})
            for row in proposal["value"]
        ]
        keys = [row["key"] for row in rows]
        if len(set(keys)) < len(keys):
            raise tr.TraitError(f"Every slider needs a key of its own; the keys given are {keys}.")
        return rows

    @property
    def values(self) -> dict[str, float]:
        """The present value of every slider."""
        return {row["key"]: row["value"] for row in self.rows}

    def add(self, row: Row) -> None:
        """Append one slider; the others keep their values."""
        with self._lock:
            self.rows = [*self.rows, row]

    def remove(self, key: str) -> None:
        """Take a slider away."""
        with self._lock:
            self.rows = [row for row in self.rows if row["key"] != key]

    def move(self, key: str, by: int) -> None:
        """Move a slider down by so many places, or up if `by` is negative; at the ends it stays."""
        with self._lock:
            rows, row = [row for row in self.rows if row["key"] != key], self._row(key)
            at = min(max(0, self.rows.index(row) + by), len(rows))
            self.rows = [*rows[:at], row, *rows[at:]]

    def set(self, key: str, value: float) -> None:
        """Move a slider, without calling `on_input`. A slider the user is just dragging stays in the hand."""
        self._change(key, value=float(value))

    def set_layers(self, key: str, lo: int, hi: int) -> None:
        """Choose the layers range(lo, hi) of a slider, without calling `on_layers`."""
        self._change(key, layers=[int(lo), int(hi)])

    def enable(self, key: str, enabled: bool = True) -> None:
        """Tick a slider's check box, or not, without calling `on_toggle`."""
        self._change(key, enabled=enabled)

    def set_strip(self, key: str, strip: str | None) -> None:
        """Draw a film strip (a data URL, see `pictures.data_url`) below a slider; None removes it.

        A strip of n pictures side by side fits the track when picture i shows the value at the share
        (i + 1/2) / n of it. A click on the strip goes to that value.
        """
        self._change(key, strip=strip)

    def set_warn(self, key: str, lo: float, hi: float) -> None:
        """Shade the track red outside [lo, hi]."""
        self._change(key, warn=[float(lo), float(hi)])

    def on_input(self, fn: Callable[[str, float, bool], None], remove: bool = False) -> None:
        """Call `fn(key, value, final)`; `final` is true when the finger has left the slider."""
        self._on_input.register_callback(fn, remove=remove)

    def on_layers(self, fn: Callable[[str, int, int], None], remove: bool = False) -> None:
        """Call `fn(key, lo, hi)` when the user chooses the layers range(lo, hi)."""
        self._on_layers.register_callback(fn, remove=remove)

    def on_remove(self, fn: Callable[[str], None], remove: bool = False) -> None:
        """Call `fn(key)` after the user has taken a slider away."""
        self._on_remove.register_callback(fn, remove=remove)

    def on_move(self, fn: Callable[[str], None], remove: bool = False) -> None:
        """Call `fn(key)` after the user has moved a slider up or down."""
        self._on_move.register_callback(fn, remove=remove)

    def on_toggle(self, fn: Callable[[str, bool], None], remove: bool = False) -> None:
        """Call `fn(key, enabled)` when the user switches a slider on or off."""
        self._on_toggle.register_callback(fn, remove=remove)

    def _row(self, key: str) -> Row:
        for row in self.rows:
            if row["key"] == key:
                return row
        raise KeyError(f"There is no slider {key!r}; there are {list(self.values)}.")

    def _change(self, key: str, **fields: Any) -> None:
        with self._lock:
            row = self._row(key)
            row.update(fields)  # in place: a reloaded page reads it, an open one gets the small message below
            stamp = row["stamp"]
        self.send({"t": "set", "key": key, "fields": fields, "stamp": stamp})

    def _receive(self, widget: object, message: Message, buffers: object) -> None:
        kind, key = message.get("t"), message.get("key")
        if key is None:
            super()._receive(widget, message, buffers)
            return
        if key not in self.values:  # removed in Python while the message was on its way
            return
        if kind == "remove":
            self.remove(key)
            self._on_remove(key)
            return
        if kind == "move":
            self.move(key, 1 if message["by"] > 0 else -1)
            self._on_move(key)
            return
        field = {"input": "value", "layers": "layers", "toggle": "enabled"}[str(kind)]
        with self._lock:
            self._row(key).update({field: message["value"], "stamp": message["stamp"]})
        if kind == "input":
            self._on_input(key, message["value"], message["final"])
        elif kind == "layers":
            self._on_layers(key, *message["value"])
        else:
            self._on_toggle(key, message["value"])


def complete_row(row: Mapping[str, Any]) -> Row:
    """Return a copy of `row` with every field; TraitError where one is unknown or impossible."""
    unknown = set(row) - set(DEFAULTS) - {"key", "label", "value", "stamp"}
    if "key" not in row or unknown:
        raise tr.TraitError(f"A slider is a dict with a key and any of {list(DEFAULTS)}; given was {dict(row)}.")
    full = {**DEFAULTS, "label": row["key"], "stamp": None, **row}
    full.setdefault("value", full["default"])
    if not full["min"] < full["max"] or not full["step"] > 0:
        raise tr.TraitError(f"Slider {full['key']!r} needs min < max and step > 0.")
    return full
