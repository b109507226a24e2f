"""Panel for core/edits/embed.py: bring a picture of one's own into the latent space, and watch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import ipywidgets as ipw

from ganedit_widgets.core.edits import Edit, Embed
from ganedit_widgets.core.errors import ImageError
from ganedit_widgets.core.fetch import fetch, is_address
from ganedit_widgets.core.generators import Generator
from ganedit_widgets.core.image import Picture
from ganedit_widgets.core.report_card import card_steps

from .aligning import Aligning
from .card import Card
from .chrome import LIMIT, Upload
from .controls import Fold, allow, button, help_line, row
from .knobs import Knobs
from .original import Original
from .panel import Panel
from .plot import curve
from .scrubber import Scrubber
from .session import Session
from .turn import Turn
from .worker import Steps, in_thread

FIRST_W = "w, then w+"
SPACES = [
    ("W+: best likeness", "w+"),
    ("W, then W+: in between", FIRST_W),
    ("W: easier to edit", "w"),
    ("Z: only what it samples", "z"),
]
STARTS = [("the average", "average"), ("this picture", "current"), ("random pictures", "random")]
WEIGHTS = [
    {"key": "stay", "label": "stay near the average", "min": 0, "max": 0.5, "step": 0.005, "default": Embed.stay},
    {"key": "pixel", "label": "match of pixels", "min": 0, "max": 20, "step": 0.5, "default": Embed.pixel},
]


def starts_of(generator: Generator) -> list[tuple[str, str]]:
    """Return (text, start) of the starts that a model offers."""
    file = generator.encoder_file
    return [*STARTS, *([("its encoder's guess", "encoder")] if file is not None and file.is_file() else [])]


class EmbedPanel(Panel):
    """Find the latent whose picture looks like yours: choose, align, Start, watch, Stop; the best so far is kept.

    Afterwards: a report card, the steps of the search to go back to, and the way back into the original picture.
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
        self.iterations = ipw.BoundedIntText(Embed.iterations, 1, 5000, layout={"width": "70px"})
        self.space = ipw.Dropdown(options=SPACES, layout={"width": "160px"})
        self.start = ipw.Dropdown(options=starts_of(session.generator), layout={"width": "130px"})
        self.weights_fold = Fold("Weights of the search", lambda: Knobs(WEIGHTS, label="Weights of the search"))
        self.stop_button = button("Stop", session.stop)
        self.plot, self.numbers = ipw.HTML(curve([], 1, "No search yet")), help_line("")
        self.scrubber = Scrubber(session, self.resume)
        self.card, self.original = Card(), Original(self, session)
        # layout
        self.after = ipw.VBox([self.scrubber, self.card, self.original])
        self.after.add_class("ge-after")
        self.report = ipw.VBox([self.plot, self.numbers], layout={"display": "none"})
        self.report.add_class("ge-report")
        super().__init__(
            session,
            [
                self.upload,
                row("", self.source, self.open_button),
                self.aligning,
                row("steps", self.iterations, self.space),
                row("from", self.start),
                self.weights_fold,
                self.report,
            ],
            buttons=[self.stop_button],
        )
        self.children = (*self.children, self.after)  # type: ignore[has-type]
        # connections
        self._file = ""  # name of what was uploaded
        self._searched: tuple[Picture, Picture] | None = None  # (all of it, the part) of the running or last search
        self.upload.on_upload(session.guarded(self.take_file))
        self.source.observe(session.guarded(lambda _: self.open_source()), "value")
        self.aligning.on_change(self.refresh)
        self.watch(self._on_numbers, "numbers")
        self.watch(self._on_busy, "busy")
        self.watch(self._on_embedded, "settled")
        self._on_busy()

    @property
    def target(self) -> Picture | None:
        """What is to be embedded, at the model's size; None before a picture is chosen."""
        return self.aligning.picture

    # ---- what the controls mean

    def edit(self) -> Edit | None:
        """Return the search, once a picture is chosen."""
        if self.target is None:
            return None
        search = Embed(self.target, self.iterations.value, self.space.value, self.start.value)
        if self.space.value == FIRST_W:  # to go on from a picture, W would give up what W+ has found
            search = replace(search, space="w+", first_w=search.iterations // 3 if search.anew else 0)
        return replace(search, **self.weights_fold.content.values) if self.weights_fold.made else search

    def why_not(self) -> str:
        """Say that a picture is needed."""
        return "" if self.target is not None else "Choose a picture first"

    def apply(self) -> None:
        """Start the search."""
        if self.target is not None and self.aligning.source is not None:
            self._searched = (self.aligning.source, self.target)
            self.scrubber.clear()
        super().apply()

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
        contents = fetch(source) if is_address(source) else source
        whole, fitted = (Picture.read(contents, size) for size in (None, self.session.generator.size))
        if is_address(source):  # it came in one piece, once
            whole = replace(whole, source=str(source))
            fitted = replace(fitted, source=str(source), size=self.session.generator.size)
        self._file = name
        self.session.tell("")
        self.aligning.take(whole, fitted)

    def take_file(self, name: str, contents: bytes) -> None:
        """Take an uploaded file."""
        self.take(contents, name)

    def open_source(self) -> Turn | None:
        """Read the picture at the path or address that was typed; in a thread of its own, for a network may be slow."""
        source = self.source.value.strip()
        if not source:
            self.session.tell("Type a path on the server, or an address that begins with https://.", "error")
            return None
        self.session.tell(f"Reading {source}…")
        return in_thread(self.session.guarded(lambda: self.take(source)))

    # ---- the search

    def _on_numbers(self, _: object = None) -> None:
        numbers = self.session.numbers
        if not numbers or "psnr" not in numbers[-1]:
            return
        last, total = numbers[-1], self.session.progress.total if self.session.progress else len(numbers)
        losses = [math.log10(max(n["loss"], 1e-9)) for n in numbers]
        text = f"step {last['step']} of {total} · PSNR {last['psnr']:.1f} dB · distance {last['distance']:.1f}"
        self.report.layout.display = None
        self.plot.value = curve(losses, total, f"Loss on a logarithmic scale; {text}")
        self.numbers.value = text
        if self.session.reached is not None:
            self.scrubber.pass_by(self.session.reached, last)

    def _on_busy(self, _: object = None) -> None:
        busy = self.session.busy
        allow(self.stop_button, "" if busy else "Nothing is running", "Stop and keep the best so far (Esc)")

    # ---- when it is over

    def _on_embedded(self, change: Mapping[str, Any]) -> None:
        edit = change["new"]
        if not isinstance(edit, Embed) or self._searched is None or edit.picture is not self._searched[1]:
            return
        source, part = self._searched
        latent = self.session.latent
        box = part.box or self.aligning.whole_box(source)
        self.original.take(source, box, latent, self._file)
        self.scrubber.offer()

        def steps() -> Steps:
            card = yield from card_steps(self.session.generator, latent, part)
            self.card.show(card)

        self.card.show(None)
        self.session.in_background("report card", steps)
