"""Panel for core/edits/expression_transfer.py: identity + strength · (expressive − neutral)."""

from __future__ import annotations

import ipywidgets as ipw

from ganedit_widgets.core.edits import Edit, TransferExpression, latent_of, run
from ganedit_widgets.core.groups import layer_groups
from ganedit_widgets.core.identity import kept_steps

from .controls import Fold, allow, button, help_line, row
from .drivers import Drivers
from .first_pair import first_pair
from .kept_meter import KeptMeter
from .knobs import Knobs
from .panel import Panel
from .session import Session
from .sources import Choice, SourcePicker
from .worker import Steps

STRENGTH = {"key": "strength", "min": -1, "max": 2, "step": 0.05}
THRESHOLD = {"key": "threshold", "min": 0, "max": 2, "step": 0.05, "unit": "σ"}


class ExpressionPanel(Panel):
    """Give the current picture what changed from somebody's neutral to their expressive picture."""

    title = "Expression"
    hint = "Give the picture the expression of another: expressive minus neutral, added"

    def __init__(self, session: Session) -> None:
        self._groups = layer_groups(session.generator)
        self._offered: tuple[Choice, Choice] | None = None  # a pair to begin with, as long as it is in use
        # widgets
        self.neutral = SourcePicker(session, "neutral", session.guarded(self._on_neutral))
        self.expressive = SourcePicker(session, "expressive", session.guarded(self._on_source))
        self.knobs = Knobs([STRENGTH, THRESHOLD], label="Expression")
        self.toggles = {
            name: ipw.ToggleButton(
                value=True,
                description=f"✓ {name}",
                tooltip=f"Whether layers {layers.start} to {layers.stop - 1} change",
            )
            for name, layers in self._groups.items()
        }
        self.offer_button = button("Average person, smiling", session.guarded(self.offer))
        self._offer_row = row("begin with", self.offer_button)
        self.meter = KeptMeter()
        self.drivers_fold = Fold("Many drivers at once", lambda: Drivers(self, session))
        # layout
        about = help_line("The current picture + strength · (expressive − neutral): two pictures of one person.")
        super().__init__(
            session,
            [
                self.neutral,
                self.expressive,
                self._offer_row,
                about,
                self.knobs,
                row("layers", *self.toggles.values()),
                self.meter,
                self.drivers_fold,
            ],
        )
        # connections
        self.knobs.on_input(session.guarded(lambda key, value, final: self._changed(moving=not final)))
        for toggle in self.toggles.values():
            toggle.observe(session.guarded(lambda _: self._on_toggle()), "value")
        session.guarded(self._begin)()

    # ---- what the controls mean

    def edit(self) -> Edit | None:
        """Return the transfer, once both pictures are chosen and it has a strength."""
        neutral, expressive, strength = self.neutral.choice, self.expressive.choice, self.knobs.values["strength"]
        if neutral is None or expressive is None or not strength:
            return None
        return TransferExpression(
            neutral.source, expressive.source, strength, self.knobs.values["threshold"], self.layers(), expressive.note
        )

    def layers(self) -> tuple[int, ...] | None:
        """Return the layers that are switched on; None for all."""
        on = [name for name, toggle in self.toggles.items() if toggle.value]
        return None if len(on) == len(self.toggles) else tuple(i for name in on for i in self._groups[name])

    def why_not(self) -> str:
        """Say what is missing."""
        for picker in (self.neutral, self.expressive):
            if picker.choice is None:
                return f"Choose the {picker.role} picture first"
        return "" if self.knobs.values["strength"] else "Give it a strength first"

    def refresh(self) -> None:
        """Enable the buttons, or say why they cannot be pressed."""
        super().refresh()
        used = self._offered is not None and (self.neutral.choice, self.expressive.choice) == self._offered
        allow(self.offer_button, "Both pictures are these" if used else "", "The average person, neutral and smiling")

    def reset(self) -> None:
        """No strength; the pictures stay, for the next identity."""
        self.knobs.set("strength", 0.0)
        self.meter.show(None)

    def strengthen(self) -> None:
        """Give it a strength if it has none: something is to be seen."""
        if not self.knobs.values["strength"]:
            self.knobs.set("strength", 1.0)
            self._changed()

    def offer(self) -> None:
        """Take the pair of pictures that everybody can begin with."""
        self._begin()
        self._on_source()

    # ---- from the controls

    def _begin(self) -> None:
        """Choose the pair to begin with, where one is known: then the slider alone shows something."""
        self._offered = first_pair(self.session)
        if self._offered is not None:
            self.neutral.put(self._offered[0])
            self.expressive.put(self._offered[1])
        self._offer_row.layout.display = "none" if self._offered is None else None
        self.refresh()

    def _on_neutral(self) -> None:
        """The expression that was offered is of somebody else than the neutral picture that was chosen now."""
        if self._offered is not None and self.expressive.choice is self._offered[1]:
            self.expressive.put(None)
        self._on_source()

    def _on_source(self) -> None:
        if not self.knobs.values["strength"] and None not in (self.neutral.choice, self.expressive.choice):
            self.knobs.set("strength", 1.0)  # something to be seen at once
        self._changed()

    def _on_toggle(self) -> None:
        for name, toggle in self.toggles.items():
            toggle.description = f"✓ {name}" if toggle.value else name  # a color alone would not do for everybody
        self._changed()

    def _changed(self, *, moving: bool = False) -> None:
        self.preview(moving=moving)
        if not moving:
            self.session.in_background(f"kept {id(self)}", self._measure)
        if self.drivers_fold.made:
            self.drivers_fold.content.refresh()

    def _measure(self) -> Steps:
        """Say how much of the person is kept, for what the controls describe now."""
        yield
        edit, generator, latent = self.edit(), self.session.generator, self.session.latent
        if not isinstance(edit, TransferExpression):
            self.meter.show(None)
            return
        neutral, expressive = (latent_of(generator, source) for source in (edit.neutral, edit.expressive))
        found = yield from kept_steps(generator, latent, run(generator, latent, edit), neutral, expressive)
        self.meter.show(found)
