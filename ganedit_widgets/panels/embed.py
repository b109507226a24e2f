"""Panel for core/edits/embed.py: bring a picture of one's own into the latent space, and watch."""

from __future__ import annotations

import math
from typing import Any

import ipywidgets as ipw

from ganedit_widgets.core.edits import Edit, Embed
from ganedit_widgets.core.errors import ImageError
from ganedit_widgets.core.image import Picture, as_png

from .chrome import LIMIT, Upload
from .controls import allow, button, help_line, row
from .panel import Panel
from .plot import curve
from .session import Session
from .turn import Turn
from .worker import in_thread

PLACES = "path on the server, or https:// address"
SPACES = [("W+: best likeness", "w+"), ("W: easier to edit", "w"), ("Z: only what it samples", "z")]
STARTS = [("the average", "average"), ("this picture", "current"), ("random pictures", "random")]


class EmbedPanel(Panel):
    """Find the latent whose picture looks like yours: choose, Start, watch, Stop; the best so far is kept."""

    title = "Embed"
    hint = "Bring a picture of your own into the model, to edit it there"
    apply_label = "Start"
    previews = False

    def __init__(self, session: Session) -> None:
        # widgets
        self.target: Picture | None = None
        self.upload = Upload()
        self.source = ipw.Text(
            placeholder="path on the server, or https:// address", layout={"width": "250px"}, continuous_update=False
        )
        self.open_button = button("Open", session.guarded(self.open_source))
        self.shown = ipw.Image(format="png", width=96, height=96, layout={"display": "none"})
        self.shown.add_class("ge-target")
        self.iterations = ipw.BoundedIntText(Embed.iterations, 1, 5000, layout={"width": "70px"})
        self.space = ipw.Dropdown(options=SPACES, layout={"width": "160px"})
        self.start = ipw.Dropdown(options=STARTS, layout={"width": "130px"})
        self.stop_button = button("Stop", session.stop)
        self.plot, self.numbers = ipw.HTML(curve([], 1, "No search yet")), help_line("")
        # layout
        search = ipw.VBox([self.plot, self.numbers], layout={"flex": "1 1 160px", "min_width": "0"})
        self.report = ipw.HBox([self.shown, search])
        self.report.add_class("ge-report")
        super().__init__(
            session,
            [
                self.upload,
                row("", self.source, self.open_button),
                row("steps", self.iterations, self.space),
                row("from", self.start),
                self.report,
            ],
            buttons=[self.stop_button],
        )
        # connections
        self.upload.on_upload(session.guarded(lambda name, contents: self.take(contents)))
        self.source.observe(session.guarded(lambda _: self.open_source()), "value")
        self.watch(self._on_numbers, "numbers")
        self.watch(self._on_busy, "busy")
        self._on_busy()

    # ---- what the controls mean

    def edit(self) -> Edit | None:
        """Return the search, once a picture is chosen."""
        if self.target is None:
            return None
        return Embed(self.target, self.iterations.value, self.space.value, self.start.value)

    def why_not(self) -> str:
        """Say that a picture is needed."""
        return "" if self.target is not None else "Choose a picture first"

    # ---- the picture

    def take(self, source: Any) -> None:
        """Take `source` as the picture to embed: whatever `read_image` reads, cropped to the model's size.

        Raises `ImageError` if it is not a picture, or one of more than 10 MB that came through the notebook.
        """
        if isinstance(source, bytes) and len(source) > LIMIT:
            raise ImageError(
                f"The picture has {len(source) / 1e6:.0f} MB, at most {LIMIT / 1e6:.0f} can be sent through the "
                "notebook: make it smaller, or put it on the server and give its path."
            )
        self.target = Picture.read(source, self.session.generator.size)
        self.shown.value = as_png(self.target.pixels)
        self.shown.layout.display = None
        self.session.tell("")
        self.refresh()

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
        self.plot.value = curve(losses, total, f"Loss on a logarithmic scale; {text}")
        self.numbers.value = text

    def _on_busy(self, _: object = None) -> None:
        allow(
            self.stop_button, "" if self.session.busy else "Nothing is running", "Stop and keep the best so far (Esc)"
        )
