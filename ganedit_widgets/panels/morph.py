"""Panel for core/morph.py: keyframes, a scrubber, and a film that is rendered once and then plays in the browser."""

from __future__ import annotations

from collections.abc import Iterator

import ipywidgets as ipw

from ganedit_widgets.core.code import script_for
from ganedit_widgets.core.easing import EASINGS, LATEST
from ganedit_widgets.core.edits import Edit
from ganedit_widgets.core.groups import layer_groups
from ganedit_widgets.core.image import Pixels, to_pixels
from ganedit_widgets.core.morph import FEWEST, MOST_FRAMES, Morph
from ganedit_widgets.core.morph_path import Speed

from .controls import Fold, allow, button, named, row
from .film_export import FilmExport, ShownCode
from .keyframes import Keyframes
from .knobs import Knobs
from .panel import Panel
from .player import Player
from .session import Session
from .turn import Turn
from .worker import Steps

PATHS = [("W+: straight", "w+"), ("Z: seeds only", "z")]
SCRUBBER = {"key": "time", "label": "time", "min": 0, "max": 1, "step": 0.005}


class MorphPanel(Panel):
    """Lead from picture to picture: two to eight keyframes, a look at any moment, Bake, play and export."""

    title = "Morph"
    hint = "Lead from picture to picture: a film through two to eight keyframes"
    apply_label = "Keep this moment"

    def __init__(self, session: Session) -> None:
        self._groups = layer_groups(session.generator)
        self._scrubbed = False  # whether the stage is to show a moment of the film
        self._version = 0  # of the film that the controls describe: one that was begun before is another
        self._speed: Speed | None = None  # of the film that was baked last
        self.baked: list[Pixels] = []  # its pictures, as long as the controls describe it
        # widgets
        self.keyframes = Keyframes(session, session.guarded(self._on_change))
        frames = ipw.BoundedIntText(48, FEWEST, MOST_FRAMES, layout={"width": "64px"})
        self.frames = named(frames, "Pictures of the whole film")
        easings = [(name.replace("-", " "), name) for name in EASINGS]
        self.easing = named(ipw.Dropdown(options=easings, layout={"width": "108px"}), "Easing between keyframes")
        self.path = named(ipw.Dropdown(options=PATHS, layout={"width": "118px"}), "Way between keyframes")
        self.constant = ipw.Checkbox(description="constant visible speed", indent=False, layout={"width": "auto"})
        self.loop = ipw.Checkbox(description="loop", indent=False, layout={"width": "auto"})
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
        return self.morph.edit(self.session.generator, self.scrubber.values["time"], self._speed)

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
        self._version += 1
        self._speed, self.baked = None, []
        self.player.stale = True
        for fold in (self.export_fold, self.code_fold):
            if fold.made:
                fold.content.refresh()
        if self._scrubbed:
            self.preview(moving=True)
        self.refresh()

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
        """Render the film and play it; Stop ends it."""
        morph, version = self.morph, self._version
        morph.require_fit(self.session.generator)
        self.player.loop = morph.loop

        def steps() -> Steps:
            pictures: list[Pixels] = []
            self.player.begin(morph.frames)
            for pixels in self.pictures(morph, version):
                if pixels is not None:
                    pictures.append(pixels)
                    self.player.add(pixels)
                yield
            self.player.finish()
            if version != self._version:
                return "The film was changed while it was baked: what plays is the one before."
            self.baked = pictures
            if self.export_fold.made:
                self.export_fold.content.refresh()
            return f"{len(pictures)} pictures are baked: the film plays without asking for more."

        return self.session.task("baking the film", steps, self.steps_of(morph))

    def steps_of(self, morph: Morph) -> int:
        """Return how many steps `pictures` takes."""
        return morph.frames + (morph.measured if morph.constant_speed else 0)

    @property
    def version(self) -> int:
        """Another number for every film that the controls describe."""
        return self._version

    def pictures(self, morph: Morph, version: int) -> Iterator[Pixels | None]:
        """Yield the pictures of `morph`, of that `version`, and None while its speed is measured."""
        speed: Speed | None = None
        if morph.constant_speed:
            for speed in morph.measure(self.session.generator):  # noqa: B007 (the last one knows all)
                yield None
        for latent in morph.latents(self.session.generator, speed):
            yield to_pixels(self.session.generator.draw(latent))
        if version == self._version:
            self._speed = speed

    @property
    def seconds(self) -> float:
        """About how long drawing the film takes; nothing if it is baked."""
        return 0.0 if self.baked else self.steps_of(self.morph) * self.session.seconds_per_picture
