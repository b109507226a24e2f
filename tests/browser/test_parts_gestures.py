"""Finding parts, naming and merging them in a real JupyterLab: pointing, clicking, typing, undoing."""

import numpy as np
import pytest

from tests.browser.gestures import begin, press, shoot, tab

pytestmark = pytest.mark.slow

CELL = """
import torch
torch.set_num_threads(1)
from tests.tiny import tiny
from ganedit_widgets.panels import PartsPanel, Session, Studio, TraversePanel
studio = Studio(tiny(), panels=[PartsPanel, TraversePanel])
studio
"""
DEMO = CELL.replace("Studio(tiny(), ", "Studio(")
NAMES = "[p.name for p in studio.session.parts.catalog.parts]"
PIXEL = """([nth, x, y]) => { const c = document.querySelectorAll('.ge-part-overlay')[nth];
    if (!c) return [0, 0, 0, 0];
    return [...c.getContext('2d').getImageData(Math.floor(x * c.width), Math.floor(y * c.height), 1, 1).data] }"""


@pytest.fixture
def studio(lab, chromium):
    with lab.notebook(chromium, [CELL, "1 + 1"]) as notebook:
        begin(notebook, ".ge-part-picture[data-drawn]")
        yield notebook
        assert not [e for e in notebook.errors if "ganedit" in e or "anywidget" in e]


def find(notebook, k=4, samples=6):
    notebook.python(f"(setattr(studio.panel.count, 'value', {k}), setattr(studio.panel.samples, 'value', {samples}))")
    press(notebook, "Find parts")
    notebook.page.wait_for_function(f"document.querySelectorAll('.ge-part-chip').length === {k}", timeout=60_000)
    notebook.until("all(t.clusters is not None for t in studio.panel.view.tiles)")
    notebook.page.wait_for_function(f"({PIXEL})([4, 0.5, 0.5])[3] > 0")


def place(notebook, part, nth=0):
    """A point of the page where tile `nth` shows a part of the catalog."""
    tile = f"studio.panel.view.tiles[{nth}].clusters"
    clusters = np.array(notebook.python(f"{tile}.tolist()"))
    rows, columns = np.nonzero(
        np.isin(clusters, notebook.python(f"studio.session.parts.catalog.parts[{part}].clusters"))
    )
    box = notebook.box(".ge-part-overlay", nth)
    x, y = (columns[0] + 0.5) / clusters.shape[1], (rows[0] + 0.5) / clusters.shape[0]
    return box["x"] + box["width"] * x, box["y"] + box["height"] * y


def present(notebook, view="view"):
    """Parts that the first tile of the panel's `view` shows."""
    notebook.until(f"studio.panel.{view}.tiles")
    clusters = set(np.array(notebook.python(f"studio.panel.{view}.tiles[0].clusters.tolist()")).ravel().tolist())
    parts = notebook.python("[p.clusters for p in studio.session.parts.catalog.parts]")
    return [i for i, members in enumerate(parts) if clusters & set(members)]


def test_parts_are_found_pointed_at_named_merged_and_taken_back(studio):
    find(studio)
    page = studio.page
    first, second = present(studio)[:2]
    names = studio.python(NAMES)
    page.mouse.move(*place(studio, first))  # pointing lights it up in every tile and says its share
    page.wait_for_function(f"document.querySelector('.ge-part-said').textContent.startsWith('{names[first]}: ')")
    assert "of this picture" in page.locator(".ge-part-said").inner_text()
    assert page.locator(".ge-part-chip.ge-part-lit").all_inner_texts()[0].startswith(names[first])
    page.mouse.click(*place(studio, first))
    studio.until(f"studio.session.parts.selected == ({names[first]!r},)")
    field = page.get_by_label("Name of the selected part")
    field.fill("hair")
    page.keyboard.press("Enter")
    studio.until(f"'hair' in {NAMES}")
    page.wait_for_selector(".ge-part-chip[aria-pressed=true] >> text=hair")
    page.keyboard.down("Shift")
    page.mouse.click(*place(studio, second))
    page.keyboard.up("Shift")
    studio.until("len(studio.session.parts.selected) == 2")
    press(studio, "Merge")
    studio.until(f"len({NAMES}) == 3 and 'hair' in {NAMES}")
    page.wait_for_function("document.querySelectorAll('.ge-part-chip').length === 3")
    page.locator(".ge-part-chip").first.focus()
    page.keyboard.press("Control+z")
    studio.until(f"len({NAMES}) == 4")
    press(studio, "Redo")
    studio.until(f"len({NAMES}) == 3")
    press(studio, "Split")
    studio.until(f"'hair 1' in {NAMES} and len({NAMES}) == 4")


def test_the_overlay_has_the_parts_colors_and_follows_opacity(studio):
    find(studio)
    page = studio.page
    page.mouse.move(5, 5)
    clusters = np.array(studio.python("studio.panel.view.tiles[0].clusters.tolist()"))
    color = studio.python(f"studio.session.parts.catalog.parts[{clusters[0, 0]}].color")
    page.wait_for_function(f"Math.abs(({PIXEL})([0, 0.02, 0.02])[3] - 128) < 3")
    assert np.abs(np.array(page.evaluate(PIXEL, [0, 0.02, 0.02])[:3]) - color).max() <= 2
    box = studio.box("[data-key='opacity'] input[type=range]")
    page.mouse.click(box["x"] + 4, box["y"] + box["height"] / 2)
    page.wait_for_function(f"({PIXEL})([0, 0.02, 0.02])[3] === 0")


def test_stop_ends_the_search_and_a_reloaded_page_shows_all_again(studio):
    find(studio)
    studio.python("setattr(studio.panel.samples, 'value', 2000)")
    press(studio, "Find parts")
    studio.page.wait_for_selector(".ge-stop:visible")
    studio.page.locator(".ge-stop").click()
    studio.until("studio.session.busy == '' and 'stopped' in studio.session.message.text")
    assert len(studio.python(NAMES)) == 4
    studio.save()
    studio.open()
    studio.page.wait_for_selector(".ge-part-chip")
    studio.page.wait_for_function(f"({PIXEL})([4, 0.5, 0.5])[3] > 0")


def test_the_tab_gives_the_stage_back(studio):
    tab(studio, "Traverse")
    studio.page.wait_for_selector(".ge-viewport:visible")
    assert not studio.page.locator(".ge-partview").is_visible()
    tab(studio, "Parts")
    studio.page.wait_for_selector(".ge-partview:visible")
    assert not studio.page.locator(".ge-viewport").is_visible()


@pytest.mark.parametrize(("width", "dark"), [(1100, False), (560, True)])
def test_the_panel_fits_its_cell(lab, chromium, shots, dark, width):
    with lab.notebook(chromium, [DEMO], dark=dark, viewport={"width": width, "height": 1500}) as notebook:
        begin(notebook, ".ge-part-picture[data-drawn]")
        find(notebook, 12, 24)
        page = notebook.page
        outside = """() => { const f = document.querySelector('.ge-studio').getBoundingClientRect();
            return [...document.querySelectorAll('.ge-studio *')]
                .filter(n => n.getClientRects().length && !n.closest('.ge-list') && !n.closest('pre'))
                .filter(n => n.getBoundingClientRect().right > f.right + 1).map(n => n.className || n.tagName) }"""
        mode = f"{'dark' if dark else 'light'}_{width}"
        shoot(page, shots / f"parts_{mode}.png")
        press(notebook, "▸ How many parts, of which layer?")
        press(notebook, "Try them")
        page.wait_for_selector(".ge-part-plot circle", timeout=120_000)
        for fold in ("Keep in a file", "Code of the catalog"):
            press(notebook, f"▸ {fold}")
        first, second = present(notebook)[:2]
        page.mouse.click(*place(notebook, first))
        page.mouse.move(*place(notebook, second))
        shoot(page, shots / f"parts_hover_{mode}.png")
        assert page.evaluate(outside) == []
