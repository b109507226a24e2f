"""Panel: what one editing method adds to the frame: its controls, and the edit they describe."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar
from weakref import WeakSet

import ipywidgets as ipw
from traitlets import HasTraits

from ganedit_widgets.core.edits import Edit

from .controls import allow, button, help_line, row, say_why
from .session import Session

if TYPE_CHECKING:
    from .frame import Frame


class Panel(ipw.VBox):
    """Controls for one editing method. A subclass says what they mean (`edit`) and how they rest (`reset`).

    That is the whole contract:

    * `title` and `hint`: the name of its tab, and one sentence on what it does.
    * `__init__(session)`: makes the controls, calls `super().__init__(session, controls)`, and lets each control that
      has changed call `self.preview(moving=…)`. `buttons` stand beside Apply in place of Reset.
    * `edit()`: the edit the controls now describe, or None while they rest. `reset()`: puts them to rest.
    * `why_not()`, if Apply needs more than an edit: why it cannot be pressed now, as a sentence; else "".
    * `previews = False`, if its edits are searched for and cannot be shown at once.
    * `view`, if it needs more than the stage: the widget to be shown in its place; or, with `beside`, at its left.

    Displayed in a cell, a panel brings a frame of its own; in a `Studio` it shares one. Wrap callbacks that may fail
    in `session.guarded`, so that the user sees the error. Names that begin with `_panel` are the base's own.
    """

    title: ClassVar[str] = ""
    hint: ClassVar[str] = ""
    apply_label: ClassVar[str] = "Apply"
    previews: ClassVar[bool] = True  # whether its edits are known at once, and can be shown while a control moves
    view: ipw.Widget | None = None
    beside: ClassVar[int] = 0  # how wide the stage is beside the view, in CSS pixels; 0: the view takes its place
    _panel_watched: list[tuple[HasTraits, Callable[[Any], Any], str]] = []  # noqa: RUF012 (replaced, never changed)

    def __init__(
        self, session: Session, controls: list[ipw.Widget], buttons: Sequence[ipw.Widget] | None = None
    ) -> None:
        # widgets
        self.session = session
        self.apply_button = button(self.apply_label, session.guarded(self.apply), primary=True)
        self.reset_button = button("Reset", session.guarded(self.clear))
        self.why_line = help_line("")  # the tooltip of a disabled button is found by few
        # layout
        beside = [self.reset_button] if buttons is None else buttons
        super().__init__([*controls, row("", self.apply_button, *beside, self.why_line)])
        self.add_class("ge-panel")
        # connections
        self._panel_frame: Frame | None = None
        self._panel_edit: Edit | None = None  # what was shown or asked last
        self._panel_edits: WeakSet[Edit] = WeakSet()  # all that were, and may still be on their way
        self._panel_resetting: int | None = None  # the thread that is just putting the controls to rest
        self.watch(self._panel_on_settled, "settled")
        self.refresh()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.session!r})"

    # ---- what a subclass says

    def edit(self) -> Edit | None:
        """Return the edit the controls now describe; None while they rest."""
        raise NotImplementedError

    def reset(self) -> None:
        """Put the controls to rest: called when their edit has been recorded or given up."""

    def why_not(self) -> str:
        """Say why Apply cannot be pressed now; "" if it can."""
        return "" if self.edit() is not None else "There is nothing to apply yet: change something first"

    def watch(self, fn: Callable[[Any], Any], *traits: str, of: HasTraits | None = None) -> None:
        """Call `fn(change)` when one of the traits of the session, or of another object, changes, until closed."""
        for trait in traits:
            (of or self.session).observe(fn, trait)
            self._panel_watched = [*self._panel_watched, (of or self.session, fn, trait)]

    # ---- from the controls to the session

    def preview(self, *, moving: bool = False) -> None:
        """Show what the controls describe; to be called by every control that has changed."""
        if self._panel_resetting == threading.get_ident():
            return
        if self.previews:
            self.session.preview(self._panel_ask(), moving=moving, by=self)
        self.refresh()

    def apply(self) -> None:
        """Record what the controls describe; the controls come to rest when that is done."""
        if why_not := self.why_not():
            self.session.tell(f"{why_not}.")
            return
        if self._panel_edit is not None and self.session.pending is self._panel_edit:
            self.session.keep()  # it is on show: nothing needs to be drawn again
            return
        edit = self._panel_ask()
        if edit is not None:
            self.session.apply(edit, by=self)

    def clear(self) -> None:
        """Put the controls to rest and show the recorded picture."""
        self._panel_rest()
        self.preview()

    def refresh(self) -> None:
        """Enable the buttons, or say why they cannot be pressed."""
        why_not = self.why_not()
        allow(self.apply_button, why_not, f"{self.apply_label} (Enter on the picture)")
        say_why(self.why_line, why_not)
        allow(self.reset_button, "" if self.edit() is not None else "Everything is at rest", "Back to no change")

    def _panel_ask(self) -> Edit | None:
        """Return the edit, and remember it as one's own."""
        self._panel_edit = edit = self.edit()
        if edit is not None:
            self._panel_edits.add(edit)
        return edit

    # ---- from the session to the controls

    def _panel_on_settled(self, change: Mapping[str, Any]) -> None:
        if change["new"] is not None and change["new"] in self._panel_edits:
            self._panel_rest()

    def _panel_rest(self) -> None:
        self._panel_edit = None
        self._panel_resetting = threading.get_ident()
        try:
            self.reset()
        finally:
            self._panel_resetting = None
        self.refresh()

    # ---- alone in a cell

    @property
    def frame(self) -> Frame:
        """The frame it stands in; made when first asked for."""
        if self._panel_frame is None:
            from .frame import Frame

            Frame(self.session, [self])
        assert self._panel_frame is not None  # a frame introduces itself to its panels
        return self._panel_frame

    def enter(self, frame: Frame) -> None:
        """Become a part of `frame`; called by it, once."""
        self._panel_frame = frame

    def _ipython_display_(self) -> None:
        self.frame._ipython_display_()

    def close(self) -> None:
        """Leave the session and every page."""
        for watched, fn, trait in self._panel_watched:
            watched.unobserve(fn, trait)
        self._panel_watched = []
        super().close()
