"""Panel for core/edits/direction.py: seeds, stackable directions, and films of a traversal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import ipywidgets as ipw
import numpy as np

from ganedit_widgets.core.edits import Edit, MoveAlong, Sample, Stack
from ganedit_widgets.core.groups import layer_groups
from ganedit_widgets.core.latent import Latent
from ganedit_widgets.core.probes import Direction

from .controls import Fold, row
from .export import Exporter
from .film_strips import FilmStrips
from .knobs import Knobs
from .library import Finder, first_directions
from .panel import Panel
from .seeds import PSI, SeedPicker
from .session import Session
from .worker import Steps

ROWS = 4  # directions that are there at the beginning
FRAMES = 7  # of the film strip below a slider
ADD = "add a direction…"


@dataclass(frozen=True, eq=False)
class _Row:
    """What a slider stands for."""

    direction: Direction
    layers: range | None


class TraversePanel(Panel):
    """Move the picture along directions of the latent space, one slider each; begin from any seed.

    `directions` are offered in the list; None: those that ship with the model, else the strongest found on the spot.
    """

    title = "Traverse"
    hint = "Move the picture along directions; begin from any seed"

    def __init__(self, session: Session, directions: Iterable[Direction] | None = None) -> None:
        # widgets
        self.library: dict[str, Direction] = {}
        self._rows: dict[str, _Row] = {}
        self.seeds = SeedPicker(session.guarded(self._on_seed))
        self.add_box = ipw.Dropdown(options=[ADD], layout={"width": "200px"})
        groups = {name: [layers.start, layers.stop] for name, layers in layer_groups(session.generator).items()}
        layer_count = session.generator.latent_shape[0]
        self.knobs = Knobs([PSI], layer_count=layer_count, presets=groups, label="Directions")
        self.find_fold = Fold("Find directions", lambda: Finder(session, self.found))
        self.export_fold = Fold("Export a traversal", lambda: Exporter(self, session))
        # layout
        super().__init__(
            session,
            [row("seed", self.seeds), self.knobs, row("", self.add_box), self.find_fold, self.export_fold],
        )
        # connections
        self._strips = FilmStrips(self, self.knobs, self._frames, FRAMES)
        self.knobs.on_input(session.guarded(self._on_input))
        self.knobs.on_layers(session.guarded(self._on_layers))
        self.knobs.on_remove(session.guarded(self._on_remove))
        self.add_box.observe(session.guarded(self._on_add), "value")
        self.watch(self._on_history, "entries")
        self._show_seed()
        self.ready = session.in_background(f"library {id(self)}", lambda: self._begin(directions))

    # ---- what the controls mean

    def edit(self) -> Edit | None:
        """Return a sample, if a seed was chosen, and a move for every slider that is not at zero."""
        edits = [*self.samples(), *self.moves()]
        return edits[0] if len(edits) == 1 else Stack(tuple(edits)) if edits else None

    def samples(self) -> list[Edit]:
        """Return the seed's sample, if one was chosen."""
        return [Sample(self.seeds.seed.value, self.knobs.values["psi"])] if self.seeds.chosen else []

    def moves(self, without: str = "") -> list[Edit]:
        """Return the move of every slider that is not at zero, but for the one called `without`."""
        values = self.knobs.values
        chosen = {name: values.get(name) or 0.0 for name in self.names if name != without}
        return [self.move(name, strength) for name, strength in chosen.items() if strength]

    def move(self, name: str, strength: float) -> MoveAlong:
        """Return the move of one slider, with this strength."""
        return self._move(self._rows[name], strength)

    def _move(self, row: _Row, strength: float) -> MoveAlong:
        usual = row.direction.layers or range(self.session.generator.latent_shape[0])
        return MoveAlong(row.direction, strength, None if row.layers == usual else row.layers)

    def reset(self) -> None:
        """All sliders to zero, and no seed."""
        chosen, self.seeds.chosen = self.seeds.chosen, False
        for name in self.names:
            self.knobs.set(name, 0.0)
        if chosen:
            self._strips.ask(self.names)

    # ---- the rows

    @property
    def names(self) -> list[str]:
        """The directions that have a slider."""
        return list(self._rows)

    @property
    def finder(self) -> Finder:
        """The controls that find directions; made when first asked for."""
        return self.find_fold.content  # type: ignore[no-any-return]

    @property
    def exporter(self) -> Exporter:
        """The controls that write films; made when first asked for."""
        return self.export_fold.content  # type: ignore[no-any-return]

    def found(self, directions: Iterable[Direction], rows: int = 1) -> None:
        """Offer `directions`, and make sliders of the first ones; one of a known name replaces it."""
        directions = list(directions)
        self.library |= {direction.name: direction for direction in directions}
        for direction in directions[:rows]:
            self.add(direction)
        self._offer()

    def add(self, direction: Direction) -> None:
        """Add a slider for `direction`, or replace that of its name."""
        name, count = direction.name, self.session.generator.latent_shape[0]
        self.library[name] = direction
        if name in self._rows:
            self.knobs.remove(name)
        chosen = direction.layers or range(count)
        layers = None if direction.space == "s" else [chosen.start, chosen.stop]
        self._rows[name] = _Row(direction, None if layers is None else chosen)
        low, high = direction.range
        self.knobs.add({"key": name, "min": low, "max": high, "step": 0.05, "layers": layers, "removable": True})
        self._offer()
        self._strips.ask([name])

    def _begin(self, directions: Iterable[Direction] | None) -> Steps:
        yield
        self.found(first_directions(self.session.generator) if directions is None else directions, ROWS)

    def _offer(self) -> None:
        self.add_box.options = [ADD, *(name for name in self.library if name not in self._rows)]
        if self.export_fold.made:
            self.exporter.offer(self.names)

    def _on_add(self, change: dict[str, str]) -> None:
        if change["new"] in self.library:
            self.add(self.library[change["new"]])
            self.add_box.value = ADD

    def _on_remove(self, name: str) -> None:
        self._rows.pop(name, None)
        self._offer()
        self.preview()

    def _on_seed(self) -> None:
        self.preview()
        self._strips.ask(self.names)

    def _on_input(self, name: str, value: float, final: bool) -> None:
        if name == "psi":
            self.seeds.chosen = True
        self.preview(moving=not final)
        if name == "psi" and final:
            self._strips.ask(self.names)

    def _on_layers(self, name: str, low: int, high: int) -> None:
        self._rows[name] = _Row(self._rows[name].direction, range(low, high))
        self._strips.ask([name])
        if self.knobs.values[name]:
            self.preview()

    # ---- film strips below the sliders

    def _on_history(self, _: object) -> None:
        self._show_seed()
        self._strips.ask(self.names)

    def _show_seed(self) -> None:
        """Let the seed and ψ be those of the picture, if it began with a seed and no other one was chosen."""
        begun = self.session.history.begun
        if isinstance(begun, Sample) and not self.seeds.chosen:
            self.seeds.show(begun.seed)
            self.knobs.set("psi", begun.psi)

    def _frames(self, name: str) -> Iterator[Latent]:
        """Yield the latents along one slider, with all others at rest."""
        row = self._rows.get(name)
        if row is None:  # removed in the meantime
            return
        strengths = np.linspace(*row.direction.range, FRAMES).tolist()
        moves, start = [self._move(row, strength) for strength in strengths], self._start()
        for move in moves:
            yield next(iter(move.steps(self.session.generator, start)))

    def _start(self) -> Latent:
        """Return what the sliders move: the picture of the seed, if one was chosen."""
        generator, latent = self.session.generator, self.session.latent
        for edit in self.samples():
            latent = next(iter(edit.steps(generator, latent)))
        return latent

    def traversal(self, name: str, count: int) -> list[Latent]:
        """Return `count` latents along one slider from end to end, with all others as they are."""
        generator, latent = self.session.generator, self._start()
        for edit in self.moves(without=name):
            latent = next(iter(edit.steps(generator, latent)))
        ends = self._rows[name].direction.range
        return [next(iter(self.move(name, float(s)).steps(generator, latent))) for s in np.linspace(*ends, count)]
