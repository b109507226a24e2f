"""The tour itself, as a newcomer meets it: opened, run from top to bottom, and its slider dragged."""

from pathlib import Path

import numpy as np
import pytest

from tests.browser.gestures import settled
from tests.browser.harness import drag

pytestmark = pytest.mark.slow

TOUR = Path(__file__).parents[2] / "notebooks" / "00_tour.ipynb"
SLIDER = "[data-key='turn head'] input[type=range]"


def test_the_tour_runs_and_a_dragged_slider_turns_the_head(lab, chromium, shots):
    with lab.notebook(chromium, TOUR) as tour:
        tour.run_all(timeout=420)
        page = tour.page
        assert not page.locator(".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.stderr']").count()
        page.wait_for_selector(".ge-studio .ge-has-picture")
        page.wait_for_selector(SLIDER)
        before = np.array(settled(tour), float)
        box = tour.box(SLIDER)
        y = box["y"] + box["height"] / 2
        drag(page, [(box["x"] + box["width"] * part, y) for part in (0.5, 0.9, 0.2, 0.8)])
        tour.until("studio.panel.edit() is not None and studio.panel.edit().strength > 1")  # the last place has arrived
        after = np.array(settled(tour), float)
        assert np.abs(after - before).mean() > 3  # of 255: a head that turns changes much
        page.locator(".ge-studio").first.screenshot(path=shots / "tour.png")
        assert not [e for e in tour.errors if "ganedit" in e or "anywidget" in e]
