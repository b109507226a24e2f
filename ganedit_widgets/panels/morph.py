"""Panel for core/morph.py: keyframes, a scrubber, and a film that is rendered once and then plays in the browser."""

from __future__ import annotations

from html import escape

import ipywidgets as ipw

from ganedit_widgets.core.code import script_for
from ganedit_widgets.core.easing import EASINGS, LATEST
from ganedit_widgets.core.edits import Edit
from ganedit_widgets.core.errors import GanEditError
from ganedit_widgets.core.film_cost import require_memory
from ganedit_widgets.core.groups import layer_groups
from ganedit_widgets.core.image import Pixels
from ganedit_widgets.core.morph import FEWEST, MOST_FRAMES, Morph

from .controls import Fold, allow, button, help_line, named, row
from .film_export import FilmExport, ShownCode
from .keyframes import Keyframes
from .knobs import Knobs
from .panel import Panel
from .player import Player
from .reel import Reel
from .session import Session
from .turn import Turn
from .worker import Steps

PATHS = [("W+: straight", "w+"), ("Z: seeds only", "z")]
MEASURING = "The speed is being measured, and not even until then:"
EVEN = "The speed is even: moving the time shows it, as the baked film will."
SCRUBBER = {"key": "time", "label": "time", "min": 0, "max": 1, "step": 0.005}


class MorphPanel(Panel):
    """Lead from picture to picture: two to eight keyframes, a look at any moment, Bake, play and export."""

    title = "Morph"
    hint = "Lead from picture to picture: a film through two to eight keyframes"
    apply_label = "Keep this moment"

    def __init__(self, session: Session) -> None:
        self._groups = layer_groups(session.generator)
        self._scrubbed = False  # whether the stage is to show a moment of the film
        self.reel = Reel(session, None)  # of the film that the controls describe: another film has another
        # widgets
        self.keyframes = Keyframes(session, session.guarded(self._on_change))
        frames = ipw.BoundedIntText(48, FEWEST, MOST_FRAMES, layout={"width": "64px"})
        self.frames = named(frames, "Pictures of the whole film")
        easings = [(name.replace("-", " "), name) for name in EASINGS]
        self.easing = named(ipw.Dropdown(options=easings, layout={"width": "108px"}), "Easing between keyframes")
        self.path = named(ipw.Dropdown(options=PATHS, layout={"width": "118px"}), "Way between keyframes")
        self.constant = ipw.Checkbox(description="constant visible speed", indent=False, layout={"width": "auto"})
        self.loop = ipw.Checkbox(description="loop", indent=False, layout={"width": "auto"})
        self.pace = help_line("")
        self.delays_fold = Fold("Delays of layers", self._delays)
        self.scrubber = Knobs([SCRUBBER], label="Moment of the film")
        self.player = Player(hint="Bake renders all pictures once; then the film plays here.")
        self.bake_button = button("Bake", session.guarded(self.bake))
        self.export_fold = Fold("Export the film", lambda: FilmExport(self, session))
        self.code_fold = Fold("Code of the film", lambda: ShownCode(self))
        # layout
        super().__init__(
            session,
            [
                self.keyframes,
                row("", self.frames, ipw.HTML("pictures"), self.easing, self.path),
                row("", self.constant, self.loop),
                self.pace,
                self.delays_fold,
                self.scrubber,
                row("", self.bake_button),
                self.player,
                self.export_fold,
                self.code_fold,
            ],
        )
        # connections
        for control in (self.frames, self.easing, self.path, self.constant, self.loop):
            control.observe(session.guarded(lambda _: self._on_change()), "value")
        self.scrubber.on_input(session.guarded(self._on_scrub))
        self.player.on_at(session.guarded(self._on_at))
        self._on_change()

    # ---- what the controls mean

    @property
    def morph(self) -> Morph:
        """The film the controls describe."""
        return Morph(
            tuple(choice.source for choice in self.keyframes.choices),
            self.frames.value,
            self.easing.value,
            self.path.value,
            self._timing(),
            self.constant.value,
            self.loop.value,
        )

    def edit(self) -> Edit | None:
        """Return the edit that makes the moment the scrubber shows, once it was touched."""
        if not self._scrubbed or self._film_why_not():
            return None
        return self.morph.edit(self.session.generator, self.scrubber.values["time"], self.reel.speed)

    def why_not(self) -> str:
        """Say what is missing."""
        return self._film_why_not() or ("" if self._scrubbed else "Move the time first")

    def reset(self) -> None:
        """The stage shows the recorded picture again; the film stays."""
        self._scrubbed = False

    def code(self) -> str:
        """Return Python that makes and saves this film."""
        verb = 'save_film("morph.gif", [to_pixels(generator.draw(latent)) for latent in morph.latents(generator)]'
        back = "" if self.loop.value else ", back=True"
        return script_for(self.session.generator, "morph", self.morph, [f"{verb}{back})"])

    def refresh(self) -> None:
        """Enable the buttons, or say why they cannot be pressed."""
        super().refresh()
        allow(self.bake_button, self._film_why_not(), "Render the whole film, then play it")

    def _film_why_not(self) -> str:
        missing = FEWEST - len(self.keyframes.choices)
        return f"Add {missing} more keyframe{'s' * (missing > 1)} first" if missing > 0 else ""

    def _timing(self) -> dict[str, float] | None:
        if not self.delays_fold.made:
            return None
        chosen = {name: value for name, value in self.delays_fold.content.values.items() if value}
        return chosen or None

    def _delays(self) -> Knobs:
        knobs = Knobs(
            [{"key": name, "min": -LATEST, "max": LATEST, "step": 0.05} for name in self._groups],
            label="How much later than the others the layers change",
        )
        knobs.on_input(self.session.guarded(lambda key, value, final: self._on_change()))
        return knobs

    # ---- from the controls

    def _on_change(self) -> None:
        """The film is another one now."""
        self.reel = Reel(self.session, None if self._film_why_not() else self.morph)
        self.player.stale = True
        for fold in (self.export_fold, self.code_fold):
            if fold.made:
                fold.content.refresh()
        if self._scrubbed:
            self.preview(moving=True)
        self.session.in_background(f"speed {id(self)}", self._even)
        self.refresh()

    def _even(self) -> Steps:
        """Measure the speed before anything is baked, and say how far that is."""
        reel, wanted = self.reel, self.constant.value and not self._film_why_not()
        self.pace.value = MEASURING if wanted else ""
        if not wanted:
            return
        try:
            self.morph.require_fit(self.session.generator)
        except GanEditError as error:
            self.pace.value = escape(str(error))
            return
        for _ in reel.measure():
            yield
            if reel is not self.reel:
                return
            self.pace.value = f"{MEASURING} {reel.measured} of {self.morph.measured} pictures."
        self.pace.value = EVEN
        if self._scrubbed:
            self.preview()

    def _on_scrub(self, key: str, value: float, final: bool) -> None:
        if why_not := self._film_why_not():
            self.session.tell(f"{why_not}.", "error")
            return
        self._scrubbed = True
        self.preview(moving=not final)

    def _on_at(self, index: int) -> None:
        """The user stopped the film: show that picture in full."""
        if self.baked:
            self._scrubbed = True
            self.scrubber.set("time", index / max(1, self.morph.intervals))
            self.preview()

    # ---- the film

    def bake(self) -> Turn:
        """Render the film and play it; Stop ends it, and what is drawn by then need not be drawn again."""
        morph, reel = self.morph, self.reel
        morph.require_fit(self.session.generator)
        require_memory(self.session.pixels, morph.frames)
        self.player.loop = morph.loop

        def steps() -> Steps:
            self.player.begin(morph.frames)
            for pixels in reel.walk():
                if pixels is not None:
                    self.player.add(pixels)
                yield
            self.player.finish()
            if reel is not self.reel:
                return "The film was changed while it was baked: what plays is the one before."
            if self.export_fold.made:
                self.export_fold.content.refresh()
            return f"{len(self.baked)} pictures are baked: the film plays without asking for more."

        return self.session.task("baking the film", steps, self.steps)

    @property
    def baked(self) -> list[Pixels]:
        """The pictures of the film, if all are drawn."""
        return self.reel.pictures

    @property
    def steps(self) -> int:
        """How many steps the film takes from its beginning to its end."""
        return self.morph.frames + self.reel.to_measure

    @property
    def seconds(self) -> float:
        """About how long drawing the film takes; nothing if it is baked."""
        return self.reel.steps * self.session.seconds_per_picture
