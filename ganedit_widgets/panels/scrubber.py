"""What a search passed on its way: go back to an earlier step, and continue from there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import ipywidgets as ipw

from ganedit_widgets.core.edits import Restore
from ganedit_widgets.core.latent import Latent
from ganedit_widgets.core.track import Keyframe, Track

from .controls import button, row
from .session import Session

MOST = 40  # keyframes: a slider has no more stops that can be told apart


class Scrubber(ipw.VBox):
    """A slider over the keyframes of the last search; moving it shows them, `resume()` is called to go on from one."""

    def __init__(self, session: Session, resume: Callable[[], object]) -> None:
        self.session, self.track = session, Track(1, MOST)
        self._setting = False
        # widgets
        self.slider = ipw.IntSlider(0, 0, 0, readout=False, layout={"width": "110px"}, tooltip="Steps of the search")
        self.label = ipw.HTML()
        self.resume_button = button("Continue from here", session.guarded(resume), "Search on from the step on show")
        # layout
        super().__init__([row("look back", self.slider, self.label, self.resume_button)])
        self.layout.display = "none"
        # connections
        self.slider.observe(session.guarded(self._on_slider), "value")

    @property
    def frames(self) -> list[Keyframe]:
        """What is kept of the search."""
        return self.track.keyframes

    def clear(self) -> None:
        """Forget everything: another search begins."""
        self.track = Track(1, MOST)
        self.layout.display = "none"

    def pass_by(self, latent: Latent, numbers: Mapping[str, Any]) -> None:
        """Keep what a search has reached, and what it reported there, if that is new."""
        if not self.frames or numbers["step"] > self.frames[-1].step:
            self.track.add(latent, dict(numbers))

    def offer(self) -> None:
        """The search is over: let the user go back."""
        if len(self.frames) < 2:
            return
        self._setting = True
        try:
            self.slider.max = len(self.frames) - 1
            self.slider.value = self.slider.max
        finally:
            self._setting = False
        self._say()
        self.layout.display = None

    def go_to(self, index: int) -> None:
        """Show keyframe number `index`; it is recorded as soon as something is made of it."""
        frame = self.frames[index]
        self.session.preview(Restore(frame.latent, f"step {frame.step}"))
        self._say()

    def _on_slider(self, change: Mapping[str, int]) -> None:
        if not self._setting:
            self.go_to(change["new"])

    def _say(self) -> None:
        frame = self.frames[self.slider.value]
        self.label.value = f"step {frame.step} of {self.frames[-1].step} · {frame.numbers['psnr']:.1f} dB"
