"""Panel for core/edits/embed.py: bring a picture of one's own into the latent space, and watch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import ipywidgets as ipw

from ganedit_widgets.core.edits import Edit, EmbedParts, FitNoise
from ganedit_widgets.core.errors import ImageError
from ganedit_widgets.core.fetch import fetch, is_address
from ganedit_widgets.core.image import Picture
from ganedit_widgets.core.report_card import card_steps

from .aligning import Aligning
from .card import Card
from .chrome import LIMIT, Upload
from .controls import Fold, allow, button, help_line, row
from .embed_search import SearchControls
from .notes import label_of
from .original import Original
from .panel import Panel
from .plot import loss_curve
from .refine import Embedded, Refine
from .scrubber import Scrubber
from .session import Session
from .turn import Turn
from .worker import Steps, in_thread


class EmbedPanel(Panel):
    """Find the latent whose picture looks like yours: choose, align, Start, watch, Stop; the best so far is kept.

    Afterwards: a report card, the steps of the search to go back to, two ways to refine what was found, and the way
    back into the original picture.
    """

    title = "Embed"
    hint = "Bring a picture of your own into the model, to edit it there"
    apply_label = "Start"
    previews = False

    def __init__(self, session: Session) -> None:
        # widgets
        self.upload = Upload()
        self.source = ipw.Text(
            placeholder="path on the server, or https:// address", layout={"width": "250px"}, continuous_update=False
        )
        self.open_button = button("Open", session.guarded(self.open_source))
        self.aligning = Aligning(session)
        self.search = SearchControls(session, self._on_search)
        self.iterations, self.space, self.start = self.search.iterations, self.search.space, self.search.start
        self.weights_fold, self.hole_fold = self.search.weights_fold, self.search.hole_fold
        self.stop_button = button("Stop", session.stop)
        self.plot, self.numbers = ipw.HTML(), help_line("")
        self.scrubber = Scrubber(session, self.resume)
        self.card, self.original = Card(), Original(self, session)
        self.refine_fold = Fold("Refine", lambda: Refine(self, session))
        self.refine_fold.layout.display = "none"
        self._running: tuple[Edit, Embedded] | None = None  # what was begun here and has not ended
        # layout
        self.after = ipw.VBox([self.scrubber, self.card, self.refine_fold, self.original])
        self.after.add_class("ge-after")
        self.report = ipw.VBox([self.plot, self.numbers], layout={"display": "none"})
        self.report.add_class("ge-report")
        super().__init__(
            session,
            [self.upload, row("", self.source, self.open_button), self.aligning, self.search, self.report],
            buttons=[self.stop_button],
        )
        self.children = (*self.children, self.after)  # type: ignore[has-type]
        # connections
        self._file = ""  # name of what was uploaded
        self.found: Embedded | None = None  # by the last search
        self.upload.on_upload(session.guarded(self.take_file))
        self.source.observe(session.guarded(lambda _: self.open_source()), "value")
        self.aligning.on_change(lambda: self.search.take(self.target))
        self.watch(self._on_numbers, "numbers")
        self.watch(self._on_busy, "busy")
        self.watch(self._on_embedded, "settled")
        self.watch(lambda _: self._on_shown(), "entries", "pixels")
        self._on_busy()

    @property
    def target(self) -> Picture | None:
        """What is to be embedded, at the model's size; None before a picture is chosen."""
        return self.aligning.picture

    # ---- what the controls mean

    def edit(self) -> Edit | None:
        """Return the search, once a picture is chosen."""
        return self.search.edit()

    def why_not(self) -> str:
        """Say what is needed before a search can begin."""
        return "A search is running: press Stop first" if self._running is not None else self.search.why_not()

    def apply(self) -> None:
        """Start the search."""
        source, target, edit = self.aligning.source, self.target, self.edit()
        if (why_not := self.why_not()) or source is None or target is None or edit is None:
            self.session.tell(f"{why_not}.")
            return
        self.found = None
        where = edit.parts[0].where if isinstance(edit, EmbedParts) else None
        self.begin(edit, Embedded(source, target, where))

    def begin(self, edit: Edit, part: Embedded) -> Turn:
        """Carry out a search for the latent of a picture, or for its noise; show how it goes and what it has found."""

        def ended(_: Turn) -> None:
            if self._running is not None and self._running[0] is edit:
                self._running = None
                self.refresh()

        self._running = (edit, part)
        self.scrubber.clear()
        turn = self.session.apply(edit, by=self)
        turn.on_end(ended)
        self._on_shown()
        self.refresh()
        return turn

    def resume(self) -> None:
        """Search on from the picture on show, such as that of an earlier step."""
        self.start.value = "current"
        self.apply()

    # ---- the picture

    def take(self, source: Any, name: str = "") -> None:
        """Take `source`, whatever `read_image` reads, as the picture to embed; at first its middle.

        Raises `ImageError` if it is not a picture, or one of more than 10 MB that came through the notebook.
        """
        if isinstance(source, bytes) and len(source) > LIMIT:
            raise ImageError(
                f"The picture has {len(source) / 1e6:.0f} MB, at most {LIMIT / 1e6:.0f} can be sent through the "
                "notebook: make it smaller, or put it on the server and give its path."
            )
        address = is_address(source)
        contents, size = fetch(source) if address else source, self.session.generator.size
        whole, fitted = Picture.read(contents), Picture.read(contents, size)
        if address:  # it came in one piece, once
            whole, fitted = replace(whole, source=str(source)), replace(fitted, source=str(source), size=size)
        self._file = name
        self.session.tell("")
        self._forget()
        self.aligning.take(whole, fitted)

    def _forget(self) -> None:
        """Hide what is told of the last search: it is of another picture. A search that runs will tell at its end."""
        if self._running is None:
            self.found = None
            self.card.show(None)
            self.scrubber.clear()
            self.original.forget()
            self.report.layout.display = "none"
            self._on_shown()

    def take_file(self, name: str, contents: bytes) -> None:
        """Take an uploaded file."""
        self.take(contents, name)

    def open_source(self) -> Turn | None:
        """Read the picture at the path or address that was typed; in a thread of its own, for a network may be slow."""
        if not (source := self.source.value.strip()):
            self.session.tell("Type a path on the server, or an address that begins with https://.", "error")
            return None
        self.session.tell(f"Reading {source}…")
        return in_thread(self.session.guarded(lambda: self.take(source)))

    # ---- the search

    def _on_search(self) -> None:
        if hasattr(self, "apply_button"):  # the panel is whole
            self.refresh()

    def _on_numbers(self, _: object = None) -> None:
        numbers = self.session.numbers
        if not numbers or self._running is None or self.session.busy != label_of(self._running[0]):
            return
        last, total = numbers[-1], self.session.progress.total if self.session.progress else len(numbers)
        text = f"step {last['step']} of {total} · PSNR {last['psnr']:.1f} dB"
        if "distance" in last:
            text += f" · distance {last['distance']:.1f}"
        self.report.layout.display = None
        self.plot.value = loss_curve([n["loss"] for n in numbers], total, text)
        self.numbers.value = text
        if self.session.reached is not None and not isinstance(self._running[0], FitNoise):
            self.scrubber.pass_by(self.session.reached, last)

    def _on_busy(self, _: object = None) -> None:
        idle = "" if self.session.busy else "Nothing is running"
        allow(self.stop_button, idle, "Stop and keep the best so far (Esc)")
        self._on_shown()

    # ---- when it is over

    def _on_shown(self) -> None:
        self.refine_fold.layout.display = None if self.found is not None else "none"
        if self.refine_fold.made:
            self.refine_fold.content.refresh()

    def _on_embedded(self, change: Mapping[str, Any]) -> None:
        if self._running is None or change["new"] is not self._running[0]:
            return
        self.found = found = self._running[1]
        latent = self.session.latent
        found.latents.append(latent)
        box = found.target.box or self.aligning.whole_box(found.source)
        self.original.take(found.source, box, latent, self._file)
        self.scrubber.offer()
        self._on_shown()

        def steps() -> Steps:
            card = yield from card_steps(self.session.generator, latent, found.target, found.where)
            self.card.show(card)

        self.card.show(None)
        self.session.in_background("report card", steps)

    def close(self) -> None:
        """Leave the session and every page, with what was opened or made here."""
        for fold in (self.refine_fold, self.hole_fold):
            if fold.made:
                fold.content.close()
        super().close()
