"""Small arrangements of ipywidgets that every panel uses, so that they look alike."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

import ipywidgets as ipw


def button(text: str, press: Callable[[], Any], tooltip: str = "", primary: bool = False) -> ipw.Button:
    """Return a button that calls `press()`; its tooltip says what it does, or, disabled, why it cannot."""
    made = ipw.Button(description=text, tooltip=tooltip, button_style="primary" if primary else "")
    made.on_click(lambda _: press())
    return made


def allow(pressed: ipw.Button, why_not: str, tooltip: str = "") -> None:
    """Enable a button, or disable it and say why in its tooltip."""
    pressed.disabled = bool(why_not)
    pressed.tooltip = why_not or tooltip


def row(name: str, *widgets: ipw.Widget) -> ipw.Box:
    """Return widgets side by side behind a name; they wrap where the cell is narrow."""
    first = [ipw.HTML(escape(name))] if name else []
    for cell in first:
        cell.add_class("ge-name-cell")
    made = ipw.Box([*first, *widgets])
    made.add_class("ge-row")
    return made


def help_line(text: str) -> ipw.HTML:
    """Return a soft line of explanation."""
    made = ipw.HTML(escape(text))
    made.add_class("ge-help-line")
    return made


class Fold(ipw.VBox):
    """Widgets behind a title; pressing it shows or hides them."""

    def __init__(self, title: str, widgets: list[ipw.Widget], opened: bool = False) -> None:
        self.title, self.body = title, ipw.VBox(widgets)
        self.body.add_class("ge-fold-body")
        self.toggle = button(title, self._on_press)
        super().__init__([self.toggle, self.body])
        self.add_class("ge-fold")
        self.on_open: Callable[[], Any] = lambda: None
        self.opened = opened

    @property
    def opened(self) -> bool:
        """Whether the widgets are on show."""
        return self.body.layout.display is None

    @opened.setter
    def opened(self, value: bool) -> None:
        self.body.layout.display = None if value else "none"
        self.toggle.description = f"{'▾' if value else '▸'} {self.title}"
        self.toggle.tooltip = "Hide" if value else "Show"
        if value:
            self.on_open()

    def _on_press(self) -> None:
        self.opened = not self.opened
