"""Which part of a picture is embedded: the box by hand, by the model's aligner, or found for any model."""

from __future__ import annotations

import math
from collections.abc import Callable

import ipywidgets as ipw

from ganedit_widgets.core.align import SURE, Aligner, Box, align, aligned, find_box, find_steps
from ganedit_widgets.core.align.box import turned
from ganedit_widgets.core.errors import ImageError
from ganedit_widgets.core.image import Picture

from .alignbox import AlignBox
from .controls import allow, button, help_line, row
from .session import Session
from .turn import Turn
from .worker import Steps

FIRST = "Choose a picture first"
ELSEWHERE = "What the model draws seems to lie elsewhere in this picture: press Automatic."
UNLIKE = (
    "The model's aligner sees nothing here that is like the model's own pictures. Place the box by hand: upright, and "
    "as large as the model draws it."
)
OFF = (0.12, math.log(1.25), 10.0)  # of place, scale and degrees: from here on the user is told


class Aligning(ipw.VBox):
    """A picture with a box on it. `picture` is what the box holds, at the model's size; `source` is all of it.

    A picture that nobody has aligned is cropped to its middle, just as `read_image` does.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.source: Picture | None = None
        self.picture: Picture | None = None
        self._changed: list[Callable[[], object]] = []
        height, width = session.generator.size
        # widgets
        self.place = AlignBox(aspect=width / height, label="Part of the picture that is embedded")
        guarded = session.guarded
        self.automatic_button = button("Automatic", guarded(self.automatic), "Let the model's aligner place the box")
        self.find_button = button("Find it for me", guarded(self.find), "Try where this model could have drawn it")
        self.whole_button = button("Whole picture", guarded(self.whole))
        self.note = help_line("")
        # layout
        super().__init__([self.place, row("", self.automatic_button, self.find_button, self.whole_button), self.note])
        self.add_class("ge-aligning")
        self.layout.display = "none"
        # connections
        self.place.on_box(guarded(lambda box: self.take_box(box)))

    @property
    def box(self) -> Box | None:
        """The box on the source; None while there is no picture."""
        if self.source is None or self.picture is None:
            return None
        return self.picture.box or self.whole_box(self.source)

    def whole_box(self, source: Picture) -> Box:
        """Return the largest box of the model's proportions in a picture."""
        return Box.whole(source.pixels.shape, self.session.generator.size)

    def on_change(self, fn: Callable[[], object]) -> None:
        """Call `fn()` whenever another part of a picture, or another picture, is to be embedded."""
        self._changed.append(fn)

    # ---- the picture

    def take(self, source: Picture, fitted: Picture) -> None:
        """Show a picture, not aligned yet; `fitted` is its middle, at the model's size."""
        self.source, self.picture = source, fitted
        self.layout.display = None
        self.place.show(source.pixels, self.whole_box(source))
        self._tell("")
        self._refresh()
        self.session.in_background("box", self._look_first)

    def take_box(self, box: Box) -> None:
        """Embed what `box` holds. Raises `ImageError` if there is no picture, or the box does not fit it."""
        if self.source is None:
            raise ImageError(f"{FIRST}: then give its box.")
        self.picture = aligned(self.source, box, self.session.generator.size)
        self.place.move(box)
        self._tell("")
        self._refresh()

    # ---- the buttons

    def whole(self) -> None:
        """Embed the middle of the picture, as large as it can be."""
        if self.source is not None:
            self.take_box(self.whole_box(self.source))

    def automatic(self) -> Turn:
        """Place the box where the model's aligner sees what the model draws."""

        def steps() -> Steps:
            if self.source is None:
                raise ImageError(f"{FIRST}: then it can be aligned.")
            if self._is_sure(self.source):
                self.take_box(align(self.session.generator, self.source.pixels))
            else:  # the box stays where it is
                self._tell(UNLIKE)
            yield

        return self.session.task("aligning", steps)

    def find(self, iterations: int = 30) -> Turn:
        """Look for the box in which this model could have drawn what is there; Stop keeps the best so far."""
        source = self.source
        if source is None:
            raise ImageError(f"{FIRST}: then its box can be found.")

        def steps() -> Steps:
            shown: Box | None = None
            try:
                for found in find_box(self.session.generator, source.pixels, iterations):
                    if found.box != shown and self.source is source:
                        shown = found.box
                        self.place.move(found.box)
                    yield
            finally:  # also when it was stopped
                if shown is not None and self.source is source:
                    self.take_box(shown)

        total = find_steps(self.session.generator, iterations)
        return self.session.task("finding the box", steps, total)

    # ---- inside

    def _look_first(self) -> Steps:
        """Say so if the aligner sees that the picture is not aligned."""
        source = self.source
        if source is None or (aligner := Aligner.of(self.session.generator)) is None:
            return
        sure, seen = self._is_sure(source), aligner.find(source.pixels)
        yield
        if self.source is source and self.picture is not None and self.picture.box is None:
            self._tell(UNLIKE if not sure else ELSEWHERE if self._is_off(seen) else "")

    def _is_sure(self, source: Picture) -> bool:
        aligner = Aligner.of(self.session.generator)
        return aligner is None or aligner.wander(source.pixels) <= SURE

    def _is_off(self, seen: Box) -> bool:
        assert self.box is not None  # asked only where there is a picture
        place = math.hypot(seen.x - self.box.x, seen.y - self.box.y) / seen.side
        off = (place, abs(math.log(seen.side / self.box.side)), abs(turned(seen.angle - self.box.angle)))
        return any(much > most for much, most in zip(off, OFF, strict=True))

    def _tell(self, text: str) -> None:
        self.note.value = text
        self.note.layout.display = None if text else "none"

    def _refresh(self) -> None:
        none = "" if self.source is not None else FIRST
        missing = "" if Aligner.of(self.session.generator) else "No aligner comes with this model"
        allow(self.automatic_button, none or missing, "Let the model's aligner place the box")
        for fn in self._changed:
            fn()
