"""A sheet of labels × labels, or of people × labels, to look at and to download."""

from __future__ import annotations

import ipywidgets as ipw

from ganedit_widgets.core.conditioning.grid import label_rows, label_table
from ganedit_widgets.core.image import as_png
from ganedit_widgets.core.sheet import tile

from .controls import allow, button, help_line, named, row
from .panel import Panel
from .session import Session
from .turn import Turn
from .worker import Steps

PEOPLE = "people"
SHEET = {"display": "none", "max_width": "100%", "align_self": "flex-start"}
SEEDS = 4  # people on a sheet


class LabelSheet(ipw.VBox):
    """One attribute across, another or other people down; with the rest as in the picture on show."""

    def __init__(self, panel: Panel, session: Session) -> None:
        self.panel, self.session = panel, session
        self.contents = b""  # of the PNG file
        names = [] if session.generator.schema is None else list(session.generator.schema.names)
        # widgets
        self.down = named(ipw.Dropdown(options=[*names, PEOPLE], layout={"width": "110px"}), "What changes downward")
        self.across = named(ipw.Dropdown(options=names, layout={"width": "110px"}), "What changes to the right")
        self.down.value, self.across.value = (names[1] if len(names) > 1 else PEOPLE), names[0]
        self.values = named(ipw.BoundedIntText(5, 2, 15, layout={"width": "56px"}), "Values from 0 to 1")
        self.draw_button = button("Draw the sheet", session.guarded(self.draw), "Esc stops it")
        self.save_button = button("Download", session.guarded(self.download))
        self.legend = help_line("")
        self.picture = ipw.Image(format="png", layout=dict(SHEET))
        # layout
        super().__init__(
            [
                row("", self.down, ipw.HTML("×"), self.across, self.values, ipw.HTML("values")),
                row("", self.draw_button, self.save_button),
                self.legend,
                self.picture,
            ]
        )
        self._refresh()

    @property
    def name(self) -> str:
        """The name of the file that is given."""
        return f"labels_{self.down.value}_{self.across.value}.png".replace(" ", "_").replace("/", "_")

    def draw(self) -> Turn:
        """Draw the sheet of what is chosen, from the picture on show."""
        down, across, count = self.down.value, self.across.value, self.values.value
        generator, latent = self.session.generator, self.session.shown

        def steps() -> Steps:
            pictures = []
            drawn = (
                label_rows(generator, across, range(SEEDS), count)
                if down == PEOPLE
                else label_table(generator, latent, down, across, count)
            )
            for picture in drawn:
                pictures.append(picture)
                yield
            self.contents = as_png(tile(pictures, count))
            self.picture.value, self.picture.layout.display = self.contents, None
            self._refresh()
            first = "A person in each row" if down == PEOPLE else f"{down} from 0, on top, to 1"
            said = f"{first}; {across} from 0, at the left, to 1."
            self.legend.value = help_line(f"↓ {down}, → {across}: {said}").value
            return said

        rows = SEEDS if down == PEOPLE else 1 if down == across else count
        return self.session.task("drawing the sheet", steps, rows * count)

    def download(self) -> None:
        """Give the user the sheet that was drawn last."""
        self.panel.frame.head.download(self.name, "image/png", self.contents)

    def _refresh(self) -> None:
        allow(self.save_button, "" if self.contents else "Draw a sheet first", "The sheet as a PNG file")
