"""Which part of a picture is embedded: the box by hand, by the model's aligner, or found for any model."""

from __future__ import annotations

import math
from collections.abc import Callable

import ipywidgets as ipw

from ganedit_widgets.core.align import Aligner, Box, Found, Sight, align, aligned, find_box, find_steps
from ganedit_widgets.core.align.box import turned
from ganedit_widgets.core.errors import ImageError
from ganedit_widgets.core.image import Picture

from .alignbox import AlignBox
from .controls import allow, button, help_line, row
from .reports import time_left
from .session import Session
from .turn import Turn
from .worker import Steps

FIRST = "Choose a picture first"
ELSEWHERE = "What the model draws seems to lie elsewhere in this picture: press Automatic."
UNLIKE = (
    "The model's aligner sees nothing here that is like the model's own pictures. Place the box by hand: upright, and "
    "as large as the model draws it."
)
FIND, STOP = "Find it for me", "Stop looking"
LOOKING = "finding the box"  # what the task is called
NOT_SURE = "What was found is hardly like the model's own pictures and cannot be trusted: the box is back where it was."
STOPPED = "Stopped before it was sure: look whether the box is right."
OFF = (0.12, math.log(1.25), 10.0)  # of place, scale and degrees: from here on the user is told


class Aligning(ipw.VBox):
    """A picture with a box on it. `picture` is what the box holds, at the model's size; `source` is all of it.

    A picture that nobody has aligned is cropped to its middle, just as `read_image` does.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.source: Picture | None = None
        self.picture: Picture | None = None
        self._seen: tuple[Picture, Sight] | None = None  # what the aligner sees in a picture
        self._finding: Turn | None = None
        self._offered: Box | None = None
        self._changed: list[Callable[[], object]] = []
        height, width = session.generator.size
        # widgets
        self.place = AlignBox(aspect=width / height, label="Part of the picture that is embedded")
        guarded = session.guarded
        self.automatic_button = button("Automatic", guarded(self.automatic), "Let the model's aligner place the box")
        self.find_button = button(FIND, guarded(self._find_or_stop), "Try where this model could have drawn it")
        self.whole_button = button("Whole picture", guarded(self.whole))
        self.note, self.other_button = help_line(""), button("", guarded(self._take_offered))
        # layout
        buttons = row("", self.automatic_button, self.find_button, self.whole_button)
        super().__init__([self.place, buttons, self.note, self.other_button])
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
        self.place.move(self.picture.box or box)
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
            sight = self._see(self.source)
            if sight is None or sight.sure:
                self.take_box(align(self.session.generator, self.source.pixels) if sight is None else sight.box)
            else:  # the box stays where it is
                self._tell(UNLIKE)
            yield

        return self.session.task("aligning", steps)

    def find(self, iterations: int = 30) -> Turn:
        """Look for the box in which this model could have drawn what is there; Stop keeps the best so far.

        A box that cannot be trusted is offered, and the one before stays.
        """
        source, picture = self.source, self.picture
        if source is None:
            raise ImageError(f"{FIRST}: then its box can be found.")

        def steps() -> Steps:
            best, ended = None, False
            try:
                for best in find_box(self.session.generator, source.pixels, iterations):
                    if self.picture is not picture:  # another one, or another box of it, by hand
                        break
                    if best.box != self.place.box:
                        self.place.move(best.box)
                    self._tell_progress()
                    yield
                ended = True
            finally:  # also when it was stopped
                if best is not None and self.picture is picture:
                    self._found(best, source, ended)
                elif self.box is not None:
                    self.place.move(self.box)

        self._finding = turn = self.session.task(LOOKING, steps, find_steps(self.session.generator, iterations))
        self.find_button.description = STOP
        turn.on_end(self._rest)
        return turn

    def _find_or_stop(self) -> None:
        if self._finding is not None:
            self._finding.stop()
        else:
            self.find()

    def _rest(self, turn: Turn) -> None:
        if turn is self._finding:
            self._finding, self.find_button.description = None, FIND

    def _found(self, found: Found, source: Picture, ended: bool) -> None:
        """Take the box that a search has led to, or offer it; the search may have been stopped."""
        before, sight = self.whole_box(source) if self.box is None else self.box, self._see(source)
        sure = found.sure and (sight is None or sight.sure)
        if found.latent is not None and (sure or not ended):
            self.take_box(found.box)
            if not sure:
                self._tell(STOPPED, ("Back to the box before", before))
            return
        self.place.move(before)
        if ended:
            seen = sight is not None and sight.sure and self._is_off(sight.box)
            self._tell(f"{NOT_SURE} {ELSEWHERE}" if seen else NOT_SURE, ("Use what it found", found.box))
        else:
            self._tell("")

    def _take_offered(self) -> None:
        if self._offered is not None:
            self.take_box(self._offered)

    # ---- inside

    def _look_first(self) -> Steps:
        """Say so if the aligner sees that the picture is not aligned."""
        source = self.source
        if source is None:
            return
        sight = self._see(source)
        yield
        if sight is None or self.source is not source or self.picture is None or self.picture.box is not None:
            return
        if not self.note.value:  # nothing newer has been said
            self._tell(UNLIKE if not sight.sure else ELSEWHERE if self._is_off(sight.box) else "")

    def _see(self, source: Picture) -> Sight | None:
        """Return what the model's aligner sees in a picture, which is asked once; None if none comes with the model."""
        aligner = Aligner.of(self.session.generator)
        if aligner is None:
            return None
        if self._seen is None or self._seen[0] is not source:
            self._seen = (source, aligner.sight(source.pixels))
        return self._seen[1]

    def _is_off(self, seen: Box) -> bool:
        assert self.box is not None  # asked only where there is a picture
        place = math.hypot(seen.x - self.box.x, seen.y - self.box.y) / seen.side
        off = (place, abs(math.log(seen.side / self.box.side)), abs(turned(seen.angle - self.box.angle)))
        return any(much > most for much, most in zip(off, OFF, strict=True))

    def _tell(self, text: str, offer: tuple[str, Box] | None = None) -> None:
        """Say something about the box, and offer another one."""
        self.note.value = text
        self.note.layout.display = None if text else "none"
        self._offered = offer and offer[1]
        self.other_button.description = offer[0] if offer else ""
        self.other_button.layout.display = None if offer else "none"

    def _tell_progress(self) -> None:
        """Say how long the search for the box will take, while it is what is on show."""
        if self.session.busy == LOOKING and (left := time_left(self.session.progress)):
            self._tell(f"Looking for it: {left}. {STOP} keeps the best so far.")

    def _refresh(self) -> None:
        none = "" if self.source is not None else FIRST
        missing = "" if Aligner.of(self.session.generator) else "No aligner comes with this model"
        allow(self.automatic_button, none or missing, "Let the model's aligner place the box")
        for fn in self._changed:
            fn()
