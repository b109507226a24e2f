"""What was painted, kept as an edit vector, and made on another picture."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import ipywidgets as ipw

from ganedit_widgets.core.edits import Edit, Paint, Restore, Sample
from ganedit_widgets.core.errors import DirectionError
from ganedit_widgets.core.vectors import EditVector, load_vectors, refined
from ganedit_widgets.core.vectors.learned import add_vector, learned

from .controls import allow, button, help_line, named, row
from .mask_report import Made
from .session import Session
from .sources import Choice, SourcePicker
from .turn import Turn
from .worker import Steps

FILE = "vectors.safetensors"
MENDING = [("at once", 0), ("and 10 steps of mending", 10), ("and 30 steps of mending", 30)]
NAMELESS = "painted edit"
FIRST = "Paint and run an edit first"


class MaskVector(ipw.VBox):
    """Keeps the last painted edit under a name, in the session's library and in a file; makes it elsewhere.

    `made()` returns the edit on show, if it was painted; what was kept last is used where there is none.
    """

    def __init__(self, session: Session, made: Callable[[], Made | None]) -> None:
        self.session, self._made = session, made
        self.vector: EditVector | None = None  # kept or used last
        self._of: Paint | None = None  # the edit it was learned from
        # widgets
        self.name = named(ipw.Text(placeholder="such as smile", layout={"width": "130px"}), "Name of the edit vector")
        self.path = named(ipw.Text(FILE, layout={"width": "170px"}), "File it is added to; empty: the library only")
        self.save_button = button("Save as vector", session.guarded(self.save))
        self.picker = SourcePicker(session, "picture", self.refresh)
        self.picker.here_button.layout.display = "none"
        scale = ipw.BoundedFloatText(1.0, min=-4, max=4, step=0.1, layout={"width": "64px"})
        self.scale = named(scale, "How much of it: 1 as painted, more, or below 0 the opposite")
        self.mending = named(
            ipw.Dropdown(options=MENDING, layout={"width": "178px"}), "Steps that mend what it harms elsewhere"
        )
        self.there_button = button("Apply there", session.guarded(self.apply_there))
        # layout
        about = help_line("An edit vector makes the same change on other pictures at once.")
        super().__init__(
            [
                about,
                row("name", self.name, self.path, self.save_button),
                self.picker,
                row("scale", self.scale, self.mending, self.there_button),
            ]
        )
        self.add_class("ge-source")
        self.refresh()

    def save(self) -> Turn:
        """Keep the edit as a vector of the name that was typed. Raises `DirectionError` for an empty or taken one."""
        name, path = self.name.value.strip(), self.path.value.strip()
        if not name:
            raise DirectionError("An edit vector needs a name: say what it does, such as “smile”.")

        def steps() -> Steps:
            vector = self._learned().renamed(name)
            yield
            if path:
                place = Path(path).expanduser()
                count = add_vector(place, vector)
                vector = load_vectors(place)[name]
            self.vector = vector
            self.session.vectors.add(vector)
            return f"“{name}” is in the library" + (f", and one of {count} in {path}." if path else ".")

        return self.session.task("keeping the edit vector", steps)

    def apply_there(self) -> Turn:
        """Go on from the chosen picture, with the edit made on it; both can be undone."""
        choice, scale, count = self.picker.choice, self.scale.value, self.mending.value
        if choice is None:
            raise DirectionError("There is no other picture yet: choose one by its seed, or from the history.")

        def steps() -> Steps:
            vector = self._learned()
            yield
            if count:
                edit: Edit = refined([(vector, scale)], self.session.segments.require(), count)
            else:
                edit = vector.at(scale)
            self._go(choice, edit)

        return self.session.task("learning the edit vector", steps)

    def refresh(self) -> None:
        """Enable the buttons, or say why they cannot be pressed."""
        why_not = "" if self._made() is not None else FIRST
        allow(self.save_button, why_not, "Into the library of this session, and into the file")
        no_picture = "" if self.picker.choice is not None else "Choose another picture first"
        there = "" if self.vector is not None else why_not
        allow(self.there_button, there or no_picture, "Go on from that picture, with this edit made on it")

    def _learned(self) -> EditVector:
        """Return the vector of the edit on show, else the last; for steps done in the worker's thread."""
        made = self._made()
        if made is not None and (self.vector is None or made[1] is not self._of):
            before, edit, after = made
            self.vector = learned(self.session.generator, before, edit, after, self.name.value.strip() or NAMELESS)
            self._of = edit
        if self.vector is None:
            raise DirectionError(f"{FIRST}: then it can be kept as a vector.")
        return self.vector

    def _go(self, choice: Choice, edit: Edit) -> None:
        source = choice.source
        there = source if isinstance(source, Sample) else Restore(source, choice.name)
        self.session.apply(there, by=self).on_end(lambda _: self.session.apply(edit, by=self))
