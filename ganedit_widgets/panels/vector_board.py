"""The library of edit vectors that the panels of a session share: what is in it, and what it was before."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace

import traitlets as tr

from ganedit_widgets.core.errors import DirectionError
from ganedit_widgets.core.generators import Generator
from ganedit_widgets.core.vectors import EditVector, load_vectors
from ganedit_widgets.core.vectors.files import SHIPPED


@dataclass(frozen=True, eq=False)
class Entry:
    """An edit vector, and the number by which it is known under any name."""

    number: int
    vector: EditVector


class VectorBoard(tr.HasTraits):
    """What the panels of one session know about edit vectors. Observe `entries`; any thread may change them.

    Another panel gives what it has learned to `add`.
    """

    entries = tr.Tuple(help="an Entry for each edit vector, in the order they came")

    def __init__(self, generator: Generator) -> None:
        super().__init__()
        self.generator = generator
        self._lock = threading.RLock()
        self._numbers = itertools.count(1)
        self._versions: list[tuple[Entry, ...]] = [()]
        self._index = 0
        self._begun = False

    def begin(self) -> None:
        """Take the vectors that ship with the package, if they are of this model; once."""
        with self._lock:
            begun, self._begun = self._begun, True
            shipped = load_vectors("demo").values() if not begun and SHIPPED.exists() else ()
            own = [Entry(next(self._numbers), vector) for vector in shipped if not self.foreign(vector)]
            if own:  # below what was added before, in every version
                self._versions = [(*version, *_renamed(own, version)) for version in self._versions]
                self._go(self._index)

    # ---- what is in it

    @property
    def vectors(self) -> list[EditVector]:
        """The edit vectors, in the order they came."""
        return [entry.vector for entry in self.entries]

    def find(self, number: int | None) -> EditVector | None:
        """Return the vector of this number; None if it is not there (any more)."""
        return next((entry.vector for entry in self.entries if entry.number == number), None)

    def twin(self, vector: EditVector) -> int | None:
        """Return the number of a vector that is `vector` under the same name, to rounding; None if there is none."""
        return next((entry.number for entry in self.entries if _alike(entry.vector, vector)), None)

    def foreign(self, vector: EditVector) -> str:
        """Say why `vector` cannot be made with this model; "" if it can."""
        own, strange = self.generator.fingerprint, vector.direction.fingerprint
        if own == strange:
            return ""
        return f"“{vector.name}” was learned with the model {strange}, this one is {own}: learn it again with this one"

    # ---- changes; each can be undone

    def add(self, *vectors: EditVector) -> list[int]:
        """Put vectors into the library and return their numbers; one whose name is taken gets another."""
        with self._lock:
            entries = list(self.entries)
            for vector in vectors:
                name = _free(vector.name, {entry.vector.name for entry in entries})
                kept = vector if name == vector.name else vector.renamed(name)
                entries.append(Entry(next(self._numbers), kept))
            self._enter(entries)
            return [entry.number for entry in entries[-len(vectors) :]] if vectors else []

    def change(self, number: int, vector: EditVector) -> None:
        """Put `vector` in place of the one of this number. Raises `DirectionError` if its name is another's."""
        with self._lock:
            for entry in self.entries:
                if entry.vector.name == vector.name and entry.number != number:
                    raise DirectionError(f"Another edit vector is called “{vector.name}”: choose another name.")
            self._enter(Entry(number, vector) if entry.number == number else entry for entry in self.entries)

    def rename(self, number: int, name: str) -> None:
        """Call a vector otherwise. Raises `DirectionError` if the name is empty or taken."""
        vector = self.find(number)
        if vector is not None and vector.name != name.strip():
            self.change(number, vector.renamed(name))

    def remove(self, number: int) -> None:
        """Take a vector out of the library."""
        with self._lock:
            if self.find(number) is not None:
                self._enter(entry for entry in self.entries if entry.number != number)

    def illustrate(self, number: int, vector: EditVector) -> None:
        """Add the thumbnail of `vector` to what is known of this number; no change that anyone would undo."""
        with self._lock:
            self._versions = [tuple(_with_thumbnail(e, number, vector) for e in version) for version in self._versions]
            self._go(self._index)

    @property
    def can_undo(self) -> bool:
        """Whether there is an earlier version."""
        return self._index > 0

    @property
    def can_redo(self) -> bool:
        """Whether a change was undone."""
        return self._index + 1 < len(self._versions)

    def undo(self) -> None:
        """Go back to the version before."""
        with self._lock:
            if self.can_undo:
                self._go(self._index - 1)

    def redo(self) -> None:
        """Do again what was undone."""
        with self._lock:
            if self.can_redo:
                self._go(self._index + 1)

    # ---- inside

    def _enter(self, entries: Iterable[Entry]) -> None:
        self._versions = [*self._versions[: self._index + 1], tuple(entries)]
        self._go(len(self._versions) - 1)

    def _go(self, index: int) -> None:
        self._index = index
        self.entries = self._versions[index]


def _with_thumbnail(entry: Entry, number: int, vector: EditVector) -> Entry:
    if entry.number != number or entry.vector.thumbnail is not None:
        return entry
    return Entry(number, replace(entry.vector, thumbnail=vector.thumbnail))


def _alike(one: EditVector, other: EditVector) -> bool:
    """Say whether two vectors have the same name and numbers, and the same is known of what they do."""
    known = [(v.name, v.classes, v.direction.range, v.direction.fingerprint, v.delta.shape) for v in (one, other)]
    rounding = 1e-5 * float(one.delta.abs().max())
    return known[0] == known[1] and one.delta.allclose(other.delta.to(one.delta), atol=rounding)


def _free(name: str, taken: set[str]) -> str:
    """Return `name`, or the first of "name 2", "name 3", … that is not taken."""
    return next(x for x in itertools.chain([name], (f"{name} {i}" for i in itertools.count(2))) if x not in taken)


def _renamed(entries: Iterable[Entry], others: Iterable[Entry]) -> list[Entry]:
    """Return entries under names that `others` do not have."""
    taken = {entry.vector.name for entry in others}
    free = [(entry, _free(entry.vector.name, taken)) for entry in entries]
    return [e if name == e.vector.name else Entry(e.number, e.vector.renamed(name)) for e, name in free]
