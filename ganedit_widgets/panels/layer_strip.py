"""LayerStrip: one cell for each style layer that says whose it is; click, drag to paint, or use the keys."""

from __future__ import annotations

import traitlets as tr

from .assets import script, style
from .keys import ActionWidget


class LayerStrip(ActionWidget):
    """How much of B each layer has. Observe `shares`; what the user paints is written there, one change at a time.

    A click changes a layer from A to B and back, dragging paints; arrow keys choose a layer and change its share,
    Space, A and B set it.
    """

    _esm = script("base", "layer_strip")
    _css = style("base", "layer_strip")

    shares = tr.List(tr.Float(min=0, max=1)).tag(sync=True, echo_update=False)  # one for each layer: 0 is A, 1 is B
    groups = tr.Dict().tag(sync=True)  # name -> [lo, hi) of layers
    presets = tr.Dict().tag(sync=True)  # name -> shares
    hints = tr.Dict().tag(sync=True)  # name of a preset -> what it does
    parents = tr.List(tr.Unicode(), ["A", "B"]).tag(sync=True)
    label = tr.Unicode("Whose each layer is").tag(sync=True)  # for screen readers
    disabled = tr.Unicode("").tag(sync=True)  # why nothing can be painted now; empty if it can
