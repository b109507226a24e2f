"""How many parts, of which layer: a plot to choose by, and the best choices to take."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape

import ipywidgets as ipw

from ganedit_widgets.core.parts import SurveyPoint, survey
from ganedit_widgets.core.parts.catalog import COLORS
from ganedit_widgets.core.parts.survey import KS, SAMPLES

from .controls import allow, button, help_line, named, row
from .session import Session
from .turn import Turn
from .worker import Steps

LEAST = 8  # pixels: coarser layers have too few places to be parts of a picture
WIDTH, HEIGHT, LEFT, BOTTOM = 340, 150, 34, 20  # units of the plot; what its axes take of it


class PartSurvey(ipw.VBox):
    """Clusters samples at every layer for several K, and plots how well they are apart."""

    def __init__(
        self, session: Session, sizes: Callable[[], Mapping[str, int]], take: Callable[[str, int], None]
    ) -> None:
        self.session, self._sizes, self._take = session, sizes, take
        self.points: tuple[SurveyPoint, ...] = ()
        # widgets
        self.try_button = button("Try them", session.guarded(self.run))
        self.plot = ipw.HTML("")
        self.plot.add_class("ge-part-plot")
        best = ipw.Dropdown(options=[("the best choices", None)], layout={"width": "240px"})
        self.best = named(best, "The best number of parts of each layer")
        # layout
        about = help_line("The silhouette says how well clusters are apart, from −1 to 1; compare by eye as well.")
        super().__init__([about, row("", self.try_button, self.best), self.plot])
        # connections
        self.best.observe(session.guarded(lambda change: self._on_best(change["new"])), "value")
        self.refresh()

    def run(self) -> Turn:
        """Try every layer and K; what was found is plotted as it comes, and kept on Stop."""
        layers, total = self.layers(), SAMPLES + len(self.layers()) * len(KS)

        def steps() -> Steps:
            try:
                for progress in survey(self.session.generator, layers):
                    self.points = progress.points
                    if len(self.points) % len(KS) == 0:
                        self.plot.value = plot_of(self.points)
                    yield
            finally:  # a list that changes under the hand would be a nuisance: once is enough
                self.refresh()
            return "The list holds the best number of parts of each layer: finer layers follow edges more closely."

        return self.session.task("trying layers and numbers of parts", steps, total)

    def layers(self) -> list[str]:
        """Return the layers that are tried: neither coarser than 8 pixels nor finer than half the picture."""
        sizes, most = self._sizes(), max(LEAST, self.session.generator.size[0] // 2)
        return [name for name, size in sizes.items() if min(LEAST, max(sizes.values())) <= size <= most]

    def ranked(self) -> list[SurveyPoint]:
        """Return the best number of parts of each layer, coarse to fine: silhouettes of unlike layers say little."""
        best: dict[str, SurveyPoint] = {}
        for point in self.points:
            if point.layer not in best or point.silhouette > best[point.layer].silhouette:
                best[point.layer] = point
        return list(best.values())

    def refresh(self) -> None:
        """Show what was found."""
        allow(self.try_button, "" if self._sizes() else "The layers are being listed", "Esc or Stop ends it")
        choices = [(f"{p.layer}, K = {p.k} ({p.silhouette:.2f})", (p.layer, p.k)) for p in self.ranked()]
        self.best.options = [("the best choices", None), *choices]
        self.best.disabled = not choices
        self.plot.value = plot_of(self.points)

    def _on_best(self, choice: tuple[str, int] | None) -> None:
        if choice is not None:
            self._take(*choice)


def plot_of(points: Sequence[SurveyPoint]) -> str:
    """Return silhouettes over K as SVG, a line for each layer, with a legend; "" without points."""
    if not points:
        return ""
    low, high = min(0.0, *(p.silhouette for p in points)), max(0.05, *(p.silhouette for p in points))
    ks = sorted({p.k for p in points})

    def place(point: SurveyPoint) -> tuple[float, float]:
        across = (point.k - ks[0]) / max(1, ks[-1] - ks[0])
        return LEFT + across * (WIDTH - LEFT - 8), 18 + (high - point.silhouette) / (high - low) * (
            HEIGHT - BOTTOM - 24
        )

    marks, legend = [], []
    for i, layer in enumerate(dict.fromkeys(p.layer for p in points)):
        color, own = f"rgb({' '.join(map(str, COLORS[i % len(COLORS)]))})", [p for p in points if p.layer == layer]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(place, own))
        marks.append(f'<polyline points="{line}" fill="none" stroke="{color}" stroke-width="1.5"/>')
        for p in own:
            x, y = place(p)
            title = f"{escape(layer)}, K = {p.k}: silhouette {p.silhouette:.2f}, objective {p.objective:.2f}"
            marks.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{color}"><title>{title}</title></circle>')
        legend.append(f'<span><i style="background: {color}"></i>{escape(layer)}</span>')
    texts = [
        f'<text x="{place(p)[0]:.1f}" y="{HEIGHT - 5}" text-anchor="middle">{p.k}</text>' for p in points[: len(ks)]
    ]
    ends = [(18, high), (HEIGHT - BOTTOM - 6, low)]
    texts += [f'<text x="{LEFT - 6}" y="{y + 4}" text-anchor="end">{value:.2f}</text>' for y, value in ends]
    texts.append(f'<text x="{LEFT + 4}" y="12">silhouette, over K</text>')
    caption = f"Silhouette over the number of parts, {len(legend)} layers"
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="100%" role="img" aria-label="{caption}">'
        f'{"".join(marks)}{"".join(texts)}</svg><div class="ge-part-legend">{"".join(legend)}</div>'
    )
