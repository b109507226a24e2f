"""Choose another picture: a seed's, one of the history, one that was saved, or the one on show."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ipywidgets as ipw

from ganedit_widgets.core.edits import Sample, Source, latent_of
from ganedit_widgets.core.errors import LatentError
from ganedit_widgets.core.image import as_png
from ganedit_widgets.core.recipe import load_recipe

from .controls import Fold, allow, button, named, row
from .filmstrip import Filmstrip, Id
from .notes import name_of
from .pictures import Pixels
from .seeds import LARGEST, RANDOM
from .session import Session
from .worker import Steps

PSI = 0.7
SIZE = 48  # pixels: height of a thumbnail
SEEDS = 12  # pictures of seeds that are offered at a time


@dataclass(frozen=True, eq=False)
class Choice:
    """A picture that can be chosen, and what it is called."""

    source: Source
    name: str

    @property
    def note(self) -> str:
        """What an edit keeps of the name: a seed names itself."""
        return "" if isinstance(self.source, Sample) else self.name


def current(session: Session) -> Choice:
    """Return the picture on show, as far as it is recorded; a seed as its sample, whose z is known."""
    entry = session.history.entries[session.history.index]
    if isinstance(entry.edit, Sample):
        return Choice(entry.edit, name_of(entry.edit))
    return Choice(entry.latent, f"step {session.history.index}")


def take_current(session: Session, take: Callable[[Choice], Any]) -> None:
    """Call `take(choice)` with the picture on show; what is not recorded yet is recorded first."""
    if session.pending is None:
        take(current(session))
    else:
        session.keep().on_end(session.guarded(lambda _: take(current(session))))


class Gallery(ipw.VBox):
    """Thumbnails to choose from: the history, and pictures of seeds; or the path of a picture saved with its recipe."""

    def __init__(self, session: Session, chosen: Callable[[Choice], Any]) -> None:
        self.session, self._chosen = session, chosen
        self._choices: dict[Id, Choice] = {}
        self._first = 0  # seed
        self.strip = Filmstrip(size=SIZE, wrap=True, label="Pictures to choose from", hint="Drawing pictures…")
        self.more_button = button("More seeds", session.guarded(self.more), "Pictures of other seeds")
        path = ipw.Text(placeholder="a saved picture, .png or .json", layout={"width": "190px"})
        self.path = named(path, "Path of a saved picture")
        self.open_button = button("Open", session.guarded(self.open_path), "Take the picture of this recipe")
        super().__init__([self.strip, row("", self.more_button, self.path, self.open_button)])
        self.strip.on_select(session.guarded(self._on_select))

    def on_open(self) -> None:
        """Draw what there is to choose from; the history may have grown."""
        self.draw()

    def more(self) -> None:
        """Offer other seeds."""
        self._first += SEEDS
        self.draw()

    def open_path(self) -> None:
        """Take the latent of a saved picture. Raises `RecipeError` or `LatentError` if it cannot be used."""
        path = self.path.value.strip()
        if not path:
            self.session.tell("Type the path of a picture that was saved here, with its recipe inside.", "error")
            return
        latent = load_recipe(path).latent
        latent_of(self.session.generator, latent)
        self._chosen(Choice(latent, path.rsplit("/", 1)[-1]))

    def draw(self) -> None:
        """Draw the thumbnails in the background."""
        entries = list(enumerate(self.session.history.entries))[1:]
        self._choices = {
            f"h{i}": Choice(e.edit if isinstance(e.edit, Sample) else e.latent, f"step {i}") for i, e in entries
        }
        for seed in range(self._first, self._first + SEEDS):
            self._choices[f"s{seed}"] = Choice(Sample(seed, PSI), f"seed {seed}")
        self.session.in_background(f"gallery {id(self)}", lambda: self._draw(dict(self._choices)))

    def _draw(self, choices: dict[Id, Choice]) -> Steps:
        cells: list[tuple[Id, Pixels, str]] = []
        for key, choice in choices.items():
            latent = latent_of(self.session.generator, choice.source)
            cells.append((key, self.session.thumbnail(latent, SIZE), choice.name))
            if len(cells) % 4 == 0 or len(cells) == len(choices):
                self.strip.show(cells)
            yield

    def _on_select(self, key: Id) -> None:
        if key in self._choices:
            self._chosen(self._choices[key])


class SourcePicker(ipw.VBox):
    """One other picture, by its role; `changed()` is called when another is chosen."""

    def __init__(self, session: Session, role: str, changed: Callable[[], Any]) -> None:
        self.session, self.role, self._changed = session, role, changed
        self.choice: Choice | None = None
        # widgets
        self.shown = ipw.Image(format="png", width=SIZE, height=SIZE, layout={"display": "none"})
        self.shown.add_class("ge-target")
        # empty at first: a number in it would look chosen, and could not be typed to choose it
        seed = ipw.Text(placeholder="seed", layout={"width": "76px"}, continuous_update=False)
        self.seed = named(seed, f"Seed of the {role}")
        self.random_button = button("Random", self._throw, f"Another picture as the {role}")
        self.here_button = button("This picture", session.guarded(self.take_current))
        self.fold = Fold("choose…", lambda: Gallery(session, self.take))
        # layout
        super().__init__([row(role, self.shown, self.seed, self.random_button, self.here_button), self.fold])
        self.add_class("ge-source")
        # connections
        self.seed.observe(session.guarded(lambda _: self._on_seed()), "value")
        allow(self.here_button, "", f"Keep what is on show now as the {role}")
        self._say()

    @property
    def source(self) -> Source | None:
        """The latent or sample chosen, if one is."""
        return None if self.choice is None else self.choice.source

    def take_seed(self, seed: int) -> None:
        """Choose the picture of a seed."""
        self.take(Choice(Sample(seed, PSI), f"seed {seed}"))

    def take_current(self) -> None:
        """Choose the picture on show; what is not recorded yet is recorded first."""
        take_current(self.session, self.take)

    def take(self, choice: Choice) -> None:
        """Choose a picture."""
        self.put(choice)
        self._changed()

    def put(self, choice: Choice | None) -> None:
        """Have a picture, or none, without calling `changed`."""
        self.choice = choice
        self.seed.value = str(choice.source.seed) if choice is not None and isinstance(choice.source, Sample) else ""
        self._say()
        self.session.in_background(f"{self.role} {id(self)}", self._draw)

    def _draw(self) -> Steps:
        yield
        choice = self.choice
        if choice is not None:
            latent = latent_of(self.session.generator, choice.source)
            self.shown.value = as_png(self.session.thumbnail(latent, 2 * SIZE))
        self.shown.layout.display = None if choice is not None else "none"

    def _say(self) -> None:
        text = f"no {self.role} yet" if self.choice is None else self.choice.name
        self.fold.title = f"{text}: choose from pictures"
        self.fold.opened = self.fold.opened

    def _on_seed(self) -> None:
        typed = self.seed.value.strip()
        if not typed or (isinstance(self.source, Sample) and str(self.source.seed) == typed):
            return  # it follows the choice
        if not (typed.isdecimal() and int(typed) <= LARGEST):
            raise LatentError(f"{typed!r} is no seed: type a whole number from 0 to {LARGEST}.")
        self.take_seed(int(typed))

    def _throw(self) -> None:
        self.seed.value = str(random.randrange(RANDOM))
