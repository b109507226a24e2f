"""Controls of the expression panel for many drivers: the current picture does what each of them does."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets as ipw

from ganedit_widgets.core.edits import Sample, TransferExpression, drive, latent_of, run
from ganedit_widgets.core.errors import LatentError
from ganedit_widgets.core.film import KINDS
from ganedit_widgets.core.film_cost import require_memory
from ganedit_widgets.core.identity import kept_steps
from ganedit_widgets.core.image import Pixels, to_pixels
from ganedit_widgets.core.latent import Latent

from .controls import allow, button, help_line, named, row, say_why
from .film_steps import Film, require_free
from .filmstrip import Filmstrip, Id
from .first_pair import ready_expressions
from .painter import shrunk
from .picture_list import PictureList
from .player import Player
from .seeds import LARGEST
from .session import Session
from .sources import PSI, Choice
from .turn import Turn
from .worker import Steps

if TYPE_CHECKING:
    from .expression import ExpressionPanel

MOST = 64  # drivers
SIZE, PACE = 64, 4.0  # pixels: height of a thumbnail; pictures per second
WIDTH = 220  # CSS pixels of the film: the stage shows the picture, the sheet all of them
OFFERED = ("sheet", "gif", "webp", "mp4", "strip", "frames")
SHEET = (
    "The current picture with each expression; choose one to go on with it. Below each: how much of the person is kept "
    "outside the expression."
)
RANGE = re.compile(r"(\d+)(?:-(\d+))?")


class DriverList(PictureList):
    """Up to 64 pictures: of seeds, of the history, saved ones, the one on show; `changed()` is called for others."""

    noun, most, size = "driver", MOST, SIZE

    def __init__(self, session: Session, changed: Callable[[], Any]) -> None:
        super().__init__(session, changed, wrap=True, label="Drivers", hint="No drivers yet: add pictures below.")
        seeds = ipw.Text(placeholder="seeds: 5, 8, 11-14", layout={"width": "150px"})
        self.seeds = named(seeds, "Seeds of drivers, such as 5, 8, 11-14")
        self.seeds_button = button("Add seeds", session.guarded(self.add_seeds))
        self._adding[self.seeds_button] = "Add the pictures of these seeds"
        self.ready_button = button("Add ready expressions", session.guarded(self.add_ready))
        self._adding[self.ready_button] = "The average person with every edit vector: for the average person as neutral"
        self.ready_button.layout.display = None if ready_expressions(session) else "none"
        buttons = row("", self.seeds, self.seeds_button, self.here_button, self.remove_button, self.ready_button)
        self.children = (self.strip, buttons, self.fold)
        self.refresh()

    def add_seeds(self) -> None:
        """Add the pictures of the seeds that were typed. Raises `LatentError` for what is no list of seeds."""
        self.add(*(Choice(Sample(seed, PSI), f"seed {seed}") for seed in seeds_in(self.seeds.value)))
        self.seeds.value = ""

    def add_ready(self) -> None:
        """Add the average person with each of the library's edit vectors."""
        self.add(*ready_expressions(self.session))


class Drivers(ipw.VBox):
    """Pictures of the person who is neutral above, and the current picture doing what each of them does."""

    def __init__(self, panel: ExpressionPanel, session: Session) -> None:
        self.panel, self.session = panel, session
        self.pictures: list[Pixels] = []  # what was drawn last
        self._drivers: list[Choice] = []  # of whom
        self._cells: list[tuple[Id, Pixels, str]] = []
        self._written: set[Path] = set()  # files of our own, which may be written again
        # widgets
        self.list = DriverList(session, self.refresh)
        self.draw_button = button("Draw them all", session.guarded(self.draw))
        self.why_line = help_line("")
        self.sheet = Filmstrip(size=SIZE, wrap=True, label="Contact sheet: choose one to transfer its expression")
        self.player = Player(width=WIDTH, fps=PACE, loop=True)
        kinds = [(KINDS[kind].title, kind) for kind in OFFERED]
        self.kind = named(ipw.Dropdown(options=kinds, layout={"width": "150px"}), "What to write")
        self.path = named(ipw.Text("expressions.png", layout={"width": "150px"}), "Name of the file")
        self.download_button = button("Download", session.guarded(self.download))
        self.save_button = button("Save on the server", session.guarded(self.save))
        self.results = ipw.VBox(
            [
                help_line(SHEET),
                self.sheet,
                self.player,
                row("", self.kind, self.path, self.download_button, self.save_button),
            ]
        )
        self.results.add_class("ge-source")
        # layout
        about = (
            "Other pictures of the person who is neutral above. Strength, threshold and layers hold for all of them."
        )
        super().__init__([help_line(about), self.list, row("", self.draw_button, self.why_line), self.results])
        self.add_class("ge-source")
        # connections
        self.sheet.on_select(session.guarded(self.choose))
        self.kind.observe(session.guarded(lambda _: self._on_kind()), "value")
        panel.watch(lambda _: self.refresh(), "entries")
        self.refresh()

    def refresh(self) -> None:
        """Something is another: what was drawn may be of earlier controls."""
        self.player.stale = bool(self.pictures)
        allow(self.draw_button, self.why_not(), "The current picture with every expression; Esc or Stop ends it")
        say_why(self.why_line, self.why_not())
        why_not = "" if self.pictures else "Draw them first"
        for pressed in (self.download_button, self.save_button):
            allow(pressed, why_not, "What is shown here, as a file; Esc or Stop ends it")
        self.results.layout.display = None if self.pictures else "none"

    def why_not(self) -> str:
        """Say what is missing."""
        if self.panel.neutral.choice is None:
            return "Choose the neutral picture first"
        if not self.list.choices:
            return "Add drivers first"
        return ""

    def draw(self) -> Turn:
        """Draw the current picture with every driver's expression; Stop keeps those that are drawn.

        A strength of 0 becomes 1: there would be nothing to see. Raises `LatentError` for pictures of other models.
        """
        neutral, choices, generator = self.panel.neutral.source, self.list.choices, self.session.generator
        if neutral is None or not choices:
            raise LatentError(f"{self.why_not()}.")
        require_memory(self.session.pixels, len(choices))
        self.panel.strengthen()
        values = self.panel.knobs.values
        edits = drive(
            generator,
            neutral,
            [choice.source for choice in choices],
            values["strength"],
            values["threshold"],
            self.panel.layers(),
        )

        def steps() -> Steps:
            latent = self.session.latent
            self.pictures, self._cells, self._drivers = [], [], choices
            self.player.begin(len(edits))
            try:
                for i, (edit, choice) in enumerate(zip(edits, choices, strict=True)):
                    pixels = to_pixels(generator.draw(run(generator, latent, edit)))
                    self.pictures.append(pixels)
                    self.player.add(pixels)
                    self._cells.append((i, shrunk(pixels, SIZE), choice.name))
                    self.sheet.show(self._cells)
                    self.results.layout.display = None
                    yield
            finally:
                self._drawn(len(edits))
                self.session.in_background(f"kept {id(self)}", lambda: self._measure(latent, edits))
            return f"{len(edits)} expressions are drawn."

        return self.session.task("drawing expressions", steps, len(edits))

    def choose(self, key: Id) -> None:
        """Take the driver of a picture that was drawn as the expressive one: it is shown, and can be applied."""
        if isinstance(key, int) and 0 <= key < len(self._drivers):
            self.panel.expressive.take(self._drivers[key])

    def download(self) -> Turn:
        """Give what was drawn to the user, as a file."""
        name = Path(self.path.value).name or f"expressions{KINDS[self.kind.value].ending}"
        return self._film().download(self.session, name, self.panel.frame.head.download)

    def save(self) -> Turn:
        """Write what was drawn to the path given. Raises `ImageError` once if somebody else's file is there."""
        path = Path(self.path.value or "expressions").expanduser()
        require_free(path, self._written)
        return self._film().save(self.session, path, lambda: self._written.add(path))

    def _drawn(self, asked: int) -> None:
        """Play what was drawn, be it all that was asked for or what there was when it was stopped."""
        if len(self.pictures) < asked:
            self.player.begin(len(self.pictures))
            for pixels in self.pictures:
                self.player.add(pixels)
        self.player.finish()
        self.refresh()
        self.player.stale = False

    def _measure(self, latent: Latent, edits: list[TransferExpression]) -> Steps:
        """Say below each picture that was drawn how much of the person of `latent` it has kept."""
        generator, cells = self.session.generator, self._cells
        for i, (edit, (key, pixels, name)) in enumerate(zip(edits, list(cells), strict=False)):  # it may be stopped
            pair = latent_of(generator, edit.neutral), latent_of(generator, edit.expressive)
            kept = yield from kept_steps(generator, latent, run(generator, latent, edit), *pair)
            cells[i] = (key, pixels, f"{name}\n{100 * kept.share:.0f} % kept")
            self.sheet.show(cells)

    def _film(self) -> Film:
        if not self.pictures:
            raise LatentError("There are no expressions yet: draw them first.")
        pictures = list(self.pictures)
        return Film(lambda: iter(pictures), len(pictures), self.kind.value, round(1000 / self.player.fps))

    def _on_kind(self) -> None:
        self.path.value = str(Path(self.path.value or "expressions").with_suffix(KINDS[self.kind.value].ending))


def seeds_in(text: str) -> list[int]:
    """Return the seeds in a list such as "5, 8, 11-14". Raises `LatentError` for anything else, or too many."""
    found: list[int] = []
    for word in re.split(r"[\s,;]+", text.strip()):
        ends = RANGE.fullmatch(word)
        low, high = (int(ends[1]), int(ends[2] or ends[1])) if ends else (1, 0)
        if not low <= high <= LARGEST:
            raise LatentError(f"{text!r} is no list of seeds: type numbers and ranges, such as 5, 8, 11-14.")
        if len(found) + high - low >= MOST:
            raise LatentError(f"{text!r} names more than {MOST} seeds: type fewer.")
        found += range(low, high + 1)
    return found
