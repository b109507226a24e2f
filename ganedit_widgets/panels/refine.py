"""What W+ cannot hold of an embedded picture: put it into the noise, or tune a copy of the model to the picture."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import ipywidgets as ipw

from ganedit_widgets.core.code import tuning_code_for
from ganedit_widgets.core.edits import Edit, FitNoise
from ganedit_widgets.core.edits.noise import heard_noise
from ganedit_widgets.core.errors import LatentError, ModelError
from ganedit_widgets.core.generators import Generator
from ganedit_widgets.core.image import Picture
from ganedit_widgets.core.latent import Latent
from ganedit_widgets.core.masks import Mask
from ganedit_widgets.core.tuning import Tuning

from .controls import allow, button, help_line, named, row
from .session import Session
from .tuned_model import TunedModel
from .tuner import Tuner
from .turn import Turn

if TYPE_CHECKING:
    from .embed import EmbedPanel

FIT = 60  # steps of the noise
NOISE = "Noise carries fine detail that takes no part in edits: fit it last, and edit little afterwards."
TUNING = "A tuned copy of the model draws this picture exactly, and can still be edited; best after a search in W."
EDITED = "It was edited since: go back to the embedded picture in the history"
HOLE = "A part was left out, and the model would be tuned to it: embed all of the picture first"


@dataclass(eq=False)
class Embedded:
    """A picture that is searched for, and the latents found that stand for it."""

    source: Picture  # all of it
    target: Picture  # the part that is embedded
    where: Mask | None = None  # what of it is matched, (H, W); None: everything
    latents: list[Latent] = field(default_factory=list)

    def stands(self, latent: Latent) -> bool:
        """Whether this is one of its latents, not edited."""
        return any(latent is found for found in self.latents)


class Refine(ipw.VBox):
    """Both are offered for the embedded picture as it was found: detail must not replace what an edit has changed."""

    def __init__(self, panel: EmbedPanel, session: Session) -> None:
        self.panel, self.session = panel, session
        self._of: Embedded | None = None  # whose tuned model is offered
        self._tuning: tuple[list[Edit], Picture] | None = (
            None  # what the model is tuned to, and the edits leading there
        )
        # widgets
        self.fit_button = button("Fit noise", session.guarded(self.fit))
        self.fit_steps = named(ipw.BoundedIntText(FIT, 1, 5000, layout={"width": "64px"}), "Steps of the noise")
        self.tuner = Tuner(session, "Tune the model around it", self._wanted, self._tuned, self._say)
        self.said = help_line("")
        self.tuned = TunedModel(panel, session)
        # layout
        noise = [help_line(NOISE), row("", self.fit_button, self.fit_steps, ipw.HTML("steps"))]
        super().__init__(
            [*(noise if hears_noise(session.generator) else []), help_line(TUNING), self.tuner, self.said, self.tuned]
        )
        self.add_class("ge-after")
        self.said.layout.display = "none"

    @property
    def found(self) -> Embedded | None:
        """The picture that is embedded."""
        return self.panel.found

    def why_not(self) -> str:
        """Say why nothing can be refined now."""
        if self.found is None:
            return "Embed a picture first"
        if self.session.busy:
            return "Wait until it is done, or press Stop"
        return "" if self.found.stands(self.session.shown) else EDITED

    def fit(self) -> Turn | None:
        """Let the noise carry what is missing, where the picture was matched; w stays as it is."""
        found = self.found
        if found is None or self.why_not():
            self.session.tell(f"{self.why_not()}.")
            return None
        return self.panel.begin(FitNoise(found.target, self.fit_steps.value, found.where), found)

    def refresh(self) -> None:
        """Enable the buttons, or say why they cannot be pressed."""
        why_not = self.why_not()
        allow(self.fit_button, why_not, "Esc or Stop keeps the best so far")
        left_out = HOLE if self.found is not None and self.found.where is not None else ""
        allow(
            self.tuner.tune_button, why_not or left_out, "A new model and its file; Esc or Stop keeps the best so far"
        )
        if self.found is not self._of:
            self._of = self.found
            self._say("")
            self.tuned.forget()

    def close(self) -> None:
        """Leave every page, with the studio of the tuned model."""
        self.tuned.close()
        super().close()

    # ---- the tuning

    def _wanted(self) -> tuple[Picture, Latent]:
        found = self.found
        if found is None or self.why_not():
            raise LatentError(f"{self.why_not()}.")
        if found.where is not None:
            raise LatentError(f"{HOLE}.")
        self._tuning = (self.session.edits, found.target)
        return found.target, self.session.shown

    def _tuned(self, generator: Generator, latent: Latent, tuning: Tuning, path: Path) -> None:
        assert self._tuning is not None  # by `_wanted`
        edits, target = self._tuning
        self._say(f"Tuned to {tuning.psnr:.1f} dB, written to {path}.")
        self.session.tell(f"The tuned model draws it at {tuning.psnr:.1f} dB, and is written to {path}.")
        self.tuned.take(
            generator, latent, tuning_code_for(self.session.generator, edits, target, tuning.step, str(path))
        )

    def _say(self, text: str) -> None:
        self.said.value = help_line(text).value
        self.said.layout.display = None if text else "none"


def hears_noise(generator: Generator) -> bool:
    """Whether there is any noise to fit."""
    try:
        return bool(heard_noise(generator))
    except ModelError:
        return False
