"""Crossover by region in a real JupyterLab: choose a part in either picture, join, stop, undo."""

import pytest

from tests.browser.gestures import begin, press, settled, shoot, tab
from tests.browser.test_transfer_gestures import DEMO, crossover

pytestmark = pytest.mark.slow
CHIP = ".ge-panel:visible .ge-part-chip"


@pytest.mark.parametrize(("width", "dark"), [(1100, False), (560, True)])
def test_a_part_of_the_other_parent_is_joined_stopped_and_taken_back(lab, chromium, shots, dark, width):
    cells = [DEMO, "1 + 1"]
    with lab.notebook(chromium, cells, dark=dark, viewport={"width": width, "height": 1900}) as notebook:
        begin(notebook)
        page = notebook.page
        tab(notebook, "Crossover")
        press(notebook, "▸ Only some parts of B")
        assert page.get_by_role("button", name="Join", exact=True).is_disabled()
        crossover(notebook)
        before = notebook.python("studio.session.pixels.ravel().tolist()")
        notebook.until("len(studio.panel.region_fold.content.tiles.tiles) == 2")
        page.locator(CHIP, has_text="hair").click()
        notebook.until("studio.session.parts.selected == ('hair',)")
        steps = page.get_by_label("Steps of the search")
        steps.fill("15")
        steps.press("Tab")
        press(notebook, "Join")
        notebook.until("len(studio.session.history) == 3", 120)
        notebook.until("studio.session.entries[-1].label == 'join pictures'")
        assert settled(notebook) != before
        shoot(page, shots / f"region_{'dark' if dark else 'light'}_{width}.png")
        steps.fill("2000")
        steps.press("Tab")
        press(notebook, "Join")
        notebook.until("studio.session.progress is not None and studio.session.progress.step > 3", 60)
        page.keyboard.press("Escape")
        notebook.until("len(studio.session.history) == 4", 60)
        assert not [e for e in notebook.errors if "ganedit" in e or "anywidget" in e]
