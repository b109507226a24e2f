"""Panel for core/edits/set_labels.py: named attributes of a self-conditioned model, beside its original."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from ganedit_widgets.core.conditioning.original import SAME, Original, labels_of, neutral
from ganedit_widgets.core.edits import Edit, Sample, SetLabels, Stack, run
from ganedit_widgets.core.generators import Generator
from ganedit_widgets.core.generators.load import has_shipped, is_of_demo
from ganedit_widgets.core.latent import Latent
from ganedit_widgets.core.probes import Direction

from .controls import Fold, allow, button, help_line, row
from .film_strips import FilmStrips
from .frame import Frame
from .knobs import Knobs
from .labels_about import OriginalForm, shipped
from .labels_open import Below, ModelOpener, load_labeled
from .labels_photo import RealPicture
from .labels_sheet import LabelSheet
from .labels_view import SIDE, Measures, OriginalView
from .panel import Panel
from .part_find import Seen
from .seeds import SeedPicker
from .session import Session
from .worker import Steps

SLIDER = {"min": -0.1, "max": 1.1, "step": 0.01, "warn": [0.0, 1.0]}  # red: it saturates there
FRAMES = np.linspace(0, 1, 6).tolist()  # of the film strips; on that track their middles are just at these labels
HEIGHT = 64  # of the strips' pictures, in pixels: below two pictures sliders are long
ABOUT = "0 and 1 are the ends of the data: beyond them, where it is red, nothing more changes."
OWN = "The labels this person has in the original model, which is then not moved at all"
NO_LABELS = (
    "This model takes no labels: make one that does with “ganedit train self-conditioned”, and open its file here."
)
OPEN = "{} takes no labels; {}, which does, is open below. Another file can be opened in its place:"
MODEL = "The original model, and what the numbers mean"
DEMO = "demo-self-conditioned"  # what is opened below the demo by itself


class SelfConditionedPanel(Panel):
    """Set attributes by name, with w and noise as they are; the original generator makes the same edit beside it.

    `original` is the generator that this one was made of, and `directions` those that measured its labels; the demo's
    are found by themselves. A model without labels gets a place to open one that takes labels; below the demo the one
    that ships opens by itself.
    """

    title = "Self-conditioned"
    hint = "Set attributes by name; beside it, what the original model makes of the same edit"
    beside = SIDE

    def __init__(
        self, session: Session, original: Generator | None = None, directions: Iterable[Direction] = ()
    ) -> None:
        self._given = (original, tuple(directions))
        self.below = Below(self)  # where the panel of another model stands
        # widgets
        typical = labels_of(session.generator, neutral(session.latent))
        self._names = list(typical)
        self._label: dict[str, float] = {}  # the one that the sliders rest at
        self._follows = False  # whether the sliders show what another panel previews
        self.knobs = Knobs([_slider(name, v) for name, v in typical.items()], label="Labels")
        # layout
        if not self._names:
            self.opener = ModelOpener(session, "a self-conditioned model", self.open_model, "Open it below")
            self.about = help_line(NO_LABELS)
            super().__init__(session, [self.about, self.opener])
            self.children[-1].layout.display = "none"  # type: ignore[has-type]  # Apply, Reset, why they cannot be
            return
        self.measures = Measures(session)
        self.view = self.beside_view = OriginalView(session, lambda: self.layout.display != "none")
        self.photo_fold = Fold("A real picture", lambda: RealPicture(session, self.open_below))
        self.sheet_fold = Fold("A sheet of labels", lambda: LabelSheet(self, session))
        self.model_fold = Fold(MODEL, lambda: OriginalForm(session, self.original, self.open_original))
        self.own_button = button("The person's own", session.guarded(self.take_own))
        self.seeds = SeedPicker(session.guarded(self._on_seed))
        super().__init__(session, [row("seed", self.seeds, self.own_button), help_line(ABOUT), self.knobs])
        more = (self.measures, self.photo_fold, self.sheet_fold, self.model_fold)
        self.children += more  # type: ignore[has-type]
        # connections
        self._measuring = Seen(self, "labels", self._measure)
        self._strips = FilmStrips(self, self.knobs, self._frames, len(FRAMES), HEIGHT)
        self.knobs.on_input(session.guarded(lambda key, value, final: self.preview(moving=not final)))
        self.watch(session.guarded(lambda _: self._on_pixels()), "pixels")
        self.watch(lambda _: self._on_entries(), "entries")
        self.watch(lambda _: self.photo_fold.made and self.photo_fold.content.refresh(), "busy", "entries")
        self.watch(lambda change: self.photo_fold.made and self.photo_fold.content.settled(change), "settled")
        self.layout.observe(lambda _: session.in_background(f"original {id(self)} seen", self._follow), "display")
        self._on_entries()
        self.ready = session.in_background(f"original {id(self)}", self._find_original)

    def enter(self, frame: Frame) -> None:
        """Become a part of `frame`; below the demo its self-conditioned model opens by itself."""
        super().enter(frame)
        if not self._names and is_of_demo(self.session.generator) and has_shipped(DEMO):
            self.opener.path.value = DEMO
            self.opener.read()

    # ---- what the controls mean

    def edit(self) -> Edit | None:
        """Return a seed's sample, if one was chosen, and the labels that are to differ; None if nothing is."""
        if not self._names:
            return None
        sample: list[Edit] = [Sample(self.seeds.seed.value)] if self.seeds.chosen else []
        latent = self.session.shown if self._follows else self.session.latent
        before = labels_of(self.session.generator, neutral(latent) if sample else latent)
        wanted = {name: min(max(v, 0.0), 1.0) for name, v in self.knobs.values.items()}  # beyond them it saturates
        moved = {name: v for name, v in wanted.items() if abs(v - before[name]) > SAME}
        edits = [*sample, SetLabels(moved)] if moved else sample
        return edits[0] if len(edits) == 1 else Stack(tuple(edits)) if edits else None

    def why_not(self) -> str:
        """Say what is missing."""
        return super().why_not() if self._names else "This model takes no labels"

    def reset(self) -> None:
        """The sliders to the labels that are recorded, and no seed."""
        if self.seeds.chosen:
            self.seeds.chosen = False
            self._strips.ask(self._names)
        self._label = labels_of(self.session.generator, self.session.latent)
        self._set(self._label)

    def refresh(self) -> None:
        """Enable the buttons, or say why they cannot be pressed."""
        super().refresh()
        if self._names:
            known = self.original is not None and bool(self.original.directions)
            allow(self.own_button, "" if known else "Open the original model and its directions first (below)", OWN)

    def take_own(self) -> None:
        """Show the person with the labels that its latent has in the original model."""
        if self.original is None:
            return
        self._set(self.original.own(self.session.shown))
        self.preview()

    def _on_seed(self) -> None:
        self.preview()
        self._strips.ask(self._names)

    def _frames(self, name: str) -> Iterator[Latent]:
        """Return the person at even labels of one attribute, with its other labels, or those of a chosen seed."""
        generator, latent = self.session.generator, self.session.latent
        if self.seeds.chosen:
            latent = run(generator, latent, Sample(self.seeds.seed.value))
        return (run(generator, latent, SetLabels({name: v})) for v in FRAMES)

    def _set(self, labels: Mapping[str, float]) -> None:
        for name, v in labels.items():
            self.knobs.set(name, v)

    # ---- other models; in a thread of their own

    def open_model(self, path: str) -> None:
        """Open a self-conditioned model below this panel. Raises `LabelError` if it takes no labels."""
        generator, schema = load_labeled(path, self.session.generator.device)
        self.open_below(generator)
        self.session.tell(f"{generator.name} is open below: {_listed(schema.names)}.")

    def open_below(self, generator: Generator, latent: Latent | None = None) -> None:
        """Open a panel of another model below this one, in place of the one before."""
        original, directions = self._given
        if self.original is not None:
            original, directions = self.original.generator, tuple(self.original.directions.values())
        if not self._names:
            self.about.value = help_line(OPEN.format(self.session.generator.name, generator.name)).value
        self.below.open(SelfConditionedPanel(Session(generator, latent), original, directions))

    def open_original(self, generator: Generator, directions: Iterable[Direction]) -> None:
        """Compare with another model, and its directions. Raises `ModelError` if this one was not made of it."""
        original = Original.of(self.session.generator, generator, directions)
        self.session.in_background(f"original {id(self)}", lambda: self._take(original))
        self.session.tell(f"Compared with {generator.name}, which has directions of {_listed(original.directions)}.")

    @property
    def original(self) -> Original | None:
        """What it is compared with."""
        return self.beside_view.original if self._names else None

    def close(self) -> None:
        """Leave the session and every page, with the model that was opened below."""
        self.below.close()
        super().close()

    # ---- from the session, in the worker's thread

    def _on_pixels(self) -> None:
        self.beside_view.follow()
        if not self.session.moving:
            self._measuring.ask()
            self._follow_others()

    def _follow_others(self) -> None:
        """Let the sliders show the labels that another panel previews, and rest when it does no longer."""
        pending, followed = self.session.pending, self._follows
        self._follows = pending is not None and pending not in self._panel_edits
        if self._follows:
            self._set(labels_of(self.session.generator, self.session.shown))
        elif followed and pending is None:
            self._panel_rest()
        self.refresh()

    def _on_entries(self) -> None:
        begun = self.session.history.begun
        if isinstance(begun, Sample) and not self.seeds.chosen:
            self.seeds.show(begun.seed)
        if self._label != labels_of(self.session.generator, self.session.latent):
            self.reset()
        self.refresh()
        self._strips.ask(self._names)

    def _follow(self) -> Steps:
        yield
        self.beside_view.follow()

    def _find_original(self) -> Steps:
        yield
        generator, (original, directions) = self.session.generator, self._given
        if original is None:
            original, directions = shipped(generator)
        if original is not None:
            yield from self._take(Original.of(generator, original, directions))

    def _take(self, original: Original) -> Steps:
        yield
        self.beside_view.take(original)
        self._measuring.ask()
        self.refresh()

    def _measure(self) -> Steps:
        yield
        session, index = self.session, self.session.history.index
        before = session.latent if session.pending else session.history.entries[max(0, index - 1)].latent
        self.beside_view.compare(before)
        yield from self.measures.steps(self.original)


def _slider(name: str, typical: float) -> dict[str, object]:
    return {"key": name, "label": name, "value": typical, "default": typical, **SLIDER}


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none of its attributes"
