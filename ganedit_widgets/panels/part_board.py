"""The catalog of parts that the panels of a session share: its versions, and which of its parts are selected."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import traitlets as tr
from numpy.typing import NDArray

from ganedit_widgets.core.errors import LatentError
from ganedit_widgets.core.generators import Generator
from ganedit_widgets.core.latent import Latent
from ganedit_widgets.core.parts import PartCatalog, load_catalog
from ganedit_widgets.core.parts.catalog_file import SHIPPED

AUTOMATIC = re.compile(r"part \d+( \d+)*")  # names that nobody has given
KEPT = 48  # maps of clusters: those of the tiles on show, with room for going to and fro


@dataclass(frozen=True, eq=False)
class Version:
    """A catalog, and how it came about."""

    catalog: PartCatalog
    base: PartCatalog  # as it was found or opened; its `code` finds it again
    verbs: tuple[str, ...] = ()  # lines of Python that change it since


class PartBoard(tr.HasTraits):
    """What the panels of one session know about parts. Observe `catalog` and `selected`; any thread may change them.

    Another panel asks `mask` for the region that is selected.
    """

    catalog = tr.Any(None, help="the PartCatalog in use, or None")
    selected = tr.Tuple(help="names of the selected parts, in the order they were chosen")

    def __init__(self, generator: Generator) -> None:
        super().__init__()
        self.generator = generator
        self._lock = threading.RLock()
        self._versions: list[Version] = []
        self._index = -1
        self._maps: OrderedDict[tuple[int, int], tuple[object, NDArray[np.uint8]]] = OrderedDict()

    @tr.validate("selected")
    def _known(self, proposal: Mapping[str, Any]) -> tuple[str, ...]:
        """Leave out what the catalog does not have: a click may meet a newer one."""
        names = set() if self.catalog is None else {part.name for part in self.catalog.parts}
        return tuple(name for name in proposal["value"] if name in names)

    # ---- catalogs

    def begin(self) -> None:
        """Take the catalog that ships with the package, if there is none yet and it is of this model."""
        if self.catalog is None and SHIPPED.exists():
            shipped = load_catalog("demo")
            if shipped.fingerprint == self.generator.fingerprint:
                self.take(shipped)

    def take(self, catalog: PartCatalog, code: str = "") -> None:
        """Use another catalog; `code` is the expression that finds it. Raises `LatentError` for another model's."""
        catalog.require_own(self.generator)
        self._enter(Version(catalog, replace(catalog, code=code or catalog.code)), ())

    def rename(self, old: str, new: str) -> None:
        """Call a part otherwise. Raises `LatentError` if the name is taken or empty."""
        new = new.strip()
        if new != old:
            self._change(lambda c: c.renamed(old, new), f"renamed({old!r}, {new!r})", (new,))

    def merge(self, names: Sequence[str], into: str = "") -> None:
        """Make several parts one, called like the first if it gets no name. Raises `LatentError` for less than two."""
        if len(set(names)) < 2:
            raise LatentError("Merging needs two parts or more: select another with Shift.")
        into = into.strip() or names[0]
        self._change(lambda c: c.merged(names, into), f"merged({list(names)!r}, into={into!r})", (into,))

    def split(self, name: str) -> None:
        """Make each cluster of a part a part again. Raises `LatentError` if it is a single one."""
        before = {part.name for part in self.require().parts}
        self._change(lambda c: c.split(name), f"split({name!r})", ())
        self.selected = tuple(part.name for part in self.require().parts if part.name not in before)

    def named_before(self) -> PartCatalog | None:
        """Return the last catalog of other clusters in which somebody has named a part; None if there is none."""
        for version in reversed(self._versions[: self._index]):
            parts, clusters = version.catalog.parts, version.catalog.clusters
            if clusters is not self.require().clusters and any(not AUTOMATIC.fullmatch(part.name) for part in parts):
                return version.catalog
        return None

    def require(self) -> PartCatalog:
        """Return the catalog. Raises `LatentError` if there is none."""
        if self.catalog is None:
            raise LatentError("There is no catalog of parts yet: find parts first, or open a file.")
        return self.catalog  # type: ignore[no-any-return]

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
        if self.can_undo:
            self._go(self._index - 1)

    def redo(self) -> None:
        """Do again what was undone."""
        if self.can_redo:
            self._go(self._index + 1)

    @property
    def version(self) -> Version | None:
        """The catalog in use, with the Python that makes it."""
        return self._versions[self._index] if self._versions else None

    # ---- where parts are; for steps done in the worker's thread

    def clusters(self, latent: Latent) -> NDArray[np.uint8]:
        """Return the number of the cluster (h, w) at every place of the clustered layer; the last ones are kept."""
        catalog = self.require()
        key = (id(latent), id(catalog.clusters))
        if key not in self._maps:
            found = catalog.cluster_map(self.generator, [latent])[0].cpu().numpy().astype(np.uint8)
            self._maps[key] = ((latent, catalog.clusters), found)  # holding them keeps their ids theirs
        self._maps.move_to_end(key)
        while len(self._maps) > KEPT:
            self._maps.popitem(last=False)
        return self._maps[key][1]

    def mask(self, latent: Latent) -> NDArray[np.bool_] | None:
        """Return where the selected parts are (H, W) while `latent` is drawn; None if nothing is selected."""
        names = self.selected
        if self.catalog is None or not names:
            return None
        numbers = [i for i, part in enumerate(self.catalog.parts) if part.name in names]
        found = self.catalog.part_map(self.generator, [latent])[0].numpy()
        return np.isin(found, numbers)

    # ---- inside

    def _change(self, act: Callable[[PartCatalog], PartCatalog], verb: str, selected: tuple[str, ...]) -> None:
        with self._lock:
            catalog, version = self.require(), self.version
            assert version is not None  # where there is a catalog
            changed = act(catalog)
            self._enter(Version(changed, version.base, (*version.verbs, f"catalog = catalog.{verb}")), selected)

    def _enter(self, version: Version, selected: tuple[str, ...]) -> None:
        with self._lock:
            self._versions = [*self._versions[: self._index + 1], version]
            self._go(len(self._versions) - 1, selected)

    def _go(self, index: int, selected: tuple[str, ...] | None = None) -> None:
        with self._lock:
            self._index = index
            catalog = self._versions[index].catalog
            names = {part.name for part in catalog.parts}
            wanted = self.selected if selected is None else selected
            with self.hold_trait_notifications():
                self.catalog = catalog
                self.selected = tuple(name for name in wanted if name in names)
