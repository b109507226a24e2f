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


def say_why(line: ipw.HTML, why_not: str) -> None:
    """Let a line of text, as `help_line` makes it, say why a button cannot be pressed; hide it where it can."""
    line.value = escape(f"{why_not}.") if why_not else ""
    line.layout.display = None if why_not else "none"


def named(field: Any, name: str) -> Any:
    """Return an input field with a name that is read aloud and shown as its tooltip, but takes no room beside it."""
    field.description = field.tooltip = name
    field.add_class("ge-quiet")
    return field


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
    """A widget behind a title; pressing it shows or hides the widget, which `make()` makes when it is first needed.

    Every widget costs time when a page is opened: what few people open should not be there before.
    """

    def __init__(self, title: str, make: Callable[[], ipw.Widget]) -> None:
        self._title, self._make = title, make
        self.on_made: Callable[[ipw.Widget], Any] = lambda widget: None
        self.toggle = button("", self._on_press)
        self.body = ipw.Box()
        self.body.add_class("ge-fold-body")
        super().__init__([self.toggle, self.body])
        self.add_class("ge-fold")
        self.opened = False

    @property
    def title(self) -> str:
        """What it is called; may change, such as to say what a closed one holds."""
        return self._title

    @title.setter
    def title(self, value: str) -> None:
        self._title = value
        self._name()

    @property
    def made(self) -> bool:
        """Whether the widget exists already."""
        return bool(self.body.children)

    @property
    def content(self) -> Any:
        """The widget; made now if it was not yet."""
        if not self.made:
            content = self._make()
            self.body.children = (content,)
            self.on_made(content)
        return self.body.children[0]

    @property
    def opened(self) -> bool:
        """Whether the widget is on show."""
        return self.body.layout.display is None

    @opened.setter
    def opened(self, value: bool) -> None:
        if value and hasattr(self.content, "on_open"):
            self.content.on_open()
        self.body.layout.display = None if value else "none"
        self.toggle.tooltip = "Hide" if value else "Show"
        self._name()

    def _name(self) -> None:
        self.toggle.description = f"{'▾' if self.opened else '▸'} {self._title}"

    def _on_press(self) -> None:
        self.opened = not self.opened
