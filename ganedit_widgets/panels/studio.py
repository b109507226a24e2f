"""Studio: all panels around one picture, in one line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ganedit_widgets.core.generators import Generator
from ganedit_widgets.core.generators.load import load_generator

from .borrow import BorrowPanel
from .crossover import CrossoverPanel
from .embed import EmbedPanel
from .expression import ExpressionPanel
from .frame import Frame, PanelMaker
from .mask_edit import MaskEditPanel
from .morph import MorphPanel
from .panel import Panel
from .parts import PartsPanel
from .segment_train import SegmentTrainPanel
from .self_conditioned import SelfConditionedPanel
from .session import Session
from .traverse import TraversePanel
from .vector_library import VectorLibraryPanel

PANELS: tuple[type[Panel], ...] = (  # the tabs, in this order
    TraversePanel,
    EmbedPanel,
    MorphPanel,
    CrossoverPanel,
    ExpressionPanel,
    PartsPanel,
    BorrowPanel,
    MaskEditPanel,
    VectorLibraryPanel,
    SegmentTrainPanel,
    SelfConditionedPanel,
)


class Studio(Frame):
    """Every panel around one picture. `Studio()` opens the model that ships with the package.

    `generator`: a Generator, or what `load_generator` takes: a path or an address. `session`: a Session to share, or
    the name of one: studios and panels of one name show the same picture, in any cell. `panels`: the tabs, if not all.
    """

    _own = False

    def __init__(
        self,
        generator: Generator | str | Path | None = None,
        session: Session | str | None = None,
        panels: Sequence[Panel | PanelMaker] = PANELS,
        title: str = "Studio",
    ) -> None:
        if isinstance(generator, str | Path):
            generator = load_generator(generator)
        if isinstance(session, str):
            session = Session.named(session, generator)
        super().__init__(session or Session(generator), panels, title)
        self._own = session is None

    def close(self) -> None:
        """Remove everything from every page; a session that nobody gave it is stopped as well."""
        super().close()
        if self._own:
            self.session.close()
