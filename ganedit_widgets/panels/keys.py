"""The keys every widget of the library understands: undo, redo, stop, save, apply."""

from collections.abc import Callable
from typing import Any

import anywidget
from ipywidgets import CallbackDispatcher

from .transport import Message

ACTIONS = ("undo", "redo", "stop", "save", "apply")


class ActionWidget(anywidget.AnyWidget):
    """A widget in whose focus Ctrl+Z, Ctrl+Shift+Z or Ctrl+Y, Esc, Ctrl+S and Enter reach Python by name."""

    def __init__(self, **traits: Any) -> None:
        self._on_action = CallbackDispatcher()
        super().__init__(**traits)
        self.on_msg(self._receive)

    def on_action(self, fn: Callable[[str], None], remove: bool = False) -> None:
        """Call `fn` with "undo", "redo", "stop", "save" or "apply" when its key or button is pressed."""
        self._on_action.register_callback(fn, remove=remove)

    def _receive(self, _widget: object, message: Message, _buffers: object) -> None:
        """Take one message of the page; subclasses take theirs and pass on the rest."""
        if message.get("t") == "action" and message.get("name") in ACTIONS:
            self._on_action(message["name"])
