"""Borrowing a part in a real JupyterLab: pointing in both pictures, clicking part and reference, dragging, fitting."""

import pytest

from tests.browser.gestures import begin, labels, press, settled, shoot, tab
from tests.browser.harness import drag
from tests.browser.test_parts_gestures import find, present

pytestmark = pytest.mark.slow

CELL = """
import torch
torch.set_num_threads(1)
from tests.tiny import tiny
from ganedit_widgets.panels import BorrowPanel, PartsPanel, Session, Studio
studio = Studio(tiny(), panels=[PartsPanel, BorrowPanel])
studio
"""
DEMO = CELL.replace("Studio(tiny(), ", "Studio(")
REFERENCES = "[aria-label='References to choose from'] .ge-cell"


@pytest.fixture
def studio(lab, chromium):
    with lab.notebook(chromium, [CELL, "1 + 1"]) as notebook:
        start(notebook)
        yield notebook
        assert not [e for e in notebook.errors if "ganedit" in e or "anywidget" in e]


def start(notebook, k=4, samples=6):
    """Find parts in their tab and go to this one."""
    begin(notebook, ".ge-part-picture[data-drawn]")
    find(notebook, k, samples)
    tab(notebook, "Borrow")
    notebook.page.wait_for_function(f'document.querySelectorAll("{REFERENCES}").length === 6')


def choose(notebook, part, seed=3):
    """Click a reference of the row and a part."""
    notebook.page.locator(REFERENCES, has_text=f"seed {seed}").click()
    notebook.until(f"getattr(studio.panel.picker.choice, 'name', '') == 'seed {seed}'")
    notebook.until("len(studio.panel.tiles.tiles) == 2")
    chip = notebook.page.locator(".ge-panel:visible .ge-part-chip").nth(part)
    chip.click()
    notebook.until("studio.session.pending is not None")


def slide(notebook, key, *places):
    box = notebook.box(f".ge-panel [data-key='{key}'] input[type=range]")
    y = box["y"] + box["height"] / 2
    drag(notebook.page, [(box["x"] + box["width"] * place, y) for place in places])


def test_a_part_comes_over_by_two_clicks_and_a_drag(studio):
    before = settled(studio)
    part = present(studio, "tiles")[0]
    choose(studio, part)
    first = settled(studio)
    slide(studio, "strength", 0.3, 0.6, 0.98)
    studio.until("studio.session.pending.budget > 0.45")
    assert before != first != settled(studio)
    page = studio.page
    page.wait_for_selector(".ge-part-numbers >> text=inside")
    page.wait_for_selector(".ge-part-bar.ge-part-chosen")
    page.locator(".ge-viewport").focus()
    page.keyboard.press("Enter")
    studio.until("len(studio.session.history) == 3")
    assert labels(studio)[-1].endswith("of seed 3")
    page.wait_for_selector(".ge-part-numbers", state="hidden")


def test_pointing_lights_the_part_up_in_both_pictures(studio):
    choose(studio, 0)
    lit = """() => [...document.querySelectorAll('.ge-panel .ge-part-overlay')].map(c => {
        const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
        return d.filter((v, i) => i % 4 === 3 && v > 150).length })"""
    studio.page.mouse.move(5, 5)
    studio.page.locator(".ge-panel:visible .ge-part-chip").nth(1).hover()
    studio.page.wait_for_function(
        "document.querySelector('.ge-panel .ge-part-said').textContent.startsWith('part 2: ')"
    )
    studio.page.wait_for_timeout(200)
    assert len(studio.page.evaluate(lit)) == 2 and sum(studio.page.evaluate(lit)) > 0


def test_the_strength_is_fitted_and_swap_and_rules_work(studio):
    choose(studio, present(studio, "tiles")[0])
    page = studio.page
    page.get_by_label("Most change outside the part, in ΔE").fill("2")
    page.keyboard.press("Tab")
    studio.until("studio.panel.limit.value == 2")
    press(studio, "Fit strength")
    studio.until("studio.session.busy == '' and studio.session.pending.budget not in (0.15, 0.0)")
    assert studio.python("studio.panel.knobs.values['strength'] == studio.session.pending.budget")
    settled(studio)
    press(studio, "▸ Rule and layers")
    page.get_by_label("Which channels are taken").select_option(label="global: everything, to compare")
    studio.until("studio.session.pending.rule == 'global'")
    press(studio, "Swap")
    studio.until("len(studio.session.history) == 4 and studio.session.history.entries[3].edit.seed == 3")
    settled(studio)


def test_every_control_has_a_name_and_disabled_ones_say_why(studio):
    press(studio, "▸ Rule and layers")
    studio.page.wait_for_timeout(500)
    nameless = """() => [...document.querySelectorAll('.ge-studio button, .ge-studio input, .ge-studio select')]
        .filter(n => n.checkVisibility() && n.type !== 'file' && !n.textContent.trim())
        .filter(n => !n.getAttribute('aria-label') && !n.title && !n.labels?.length && !n.placeholder)
        .filter(n => !n.closest('[title]')).map(n => n.outerHTML)"""
    silent = """() => [...document.querySelectorAll('.ge-studio button:disabled, .ge-studio [aria-disabled=true]')]
        .filter(n => n.checkVisibility() && !n.title).map(n => n.outerHTML)"""
    assert studio.page.evaluate(nameless) == [] and studio.page.evaluate(silent) == []


@pytest.mark.parametrize("panel", ["PartsPanel", "BorrowPanel"])
def test_each_panel_works_alone_in_a_cell(lab, chromium, panel):
    alone = CELL.split("studio =")[0] + f"panel = {panel}(Session(tiny()))\npanel"
    with lab.notebook(chromium, [alone]) as notebook:
        begin(notebook, ".ge-part-picture[data-drawn]")
        assert notebook.page.locator(".ge-studio .ge-panel").count() == 1
        press(notebook, "Find parts")
        notebook.page.wait_for_selector(".ge-part-chip >> nth=11", timeout=60_000)
        assert not [e for e in notebook.errors if "ganedit" in e or "anywidget" in e]


@pytest.mark.parametrize(("width", "dark"), [(1100, False), (560, True)])
def test_the_panel_fits_its_cell(lab, chromium, shots, dark, width):
    with lab.notebook(chromium, [DEMO], dark=dark, viewport={"width": width, "height": 1700}) as notebook:
        start(notebook, 12, 24)
        page = notebook.page
        outside = """() => { const f = document.querySelector('.ge-studio').getBoundingClientRect();
            return [...document.querySelectorAll('.ge-studio *')]
                .filter(n => n.getClientRects().length && !n.closest('.ge-list') && !n.closest('pre'))
                .filter(n => n.getBoundingClientRect().right > f.right + 1).map(n => n.className || n.tagName) }"""
        mode = f"{'dark' if dark else 'light'}_{width}"
        choose(notebook, 4)
        page.wait_for_selector(".ge-part-numbers")
        shoot(page, shots / f"borrow_{mode}.png")
        assert page.evaluate(outside) == []
        press(notebook, "▸ Rule and layers")
        press(notebook, "▸ Strength of single layers")
        slide(notebook, "b16.conv0", 0.3, 0.6)
        notebook.until("studio.session.pending.layers.get('b16.conv0', 0) > 0.2")
        page.wait_for_selector("[data-key='b16.conv0'] .ge-enable:checked")
        page.locator(".ge-panel:visible .ge-part-chip").nth(1).hover()
        shoot(page, shots / f"borrow_rules_{mode}.png")
        assert page.evaluate(outside) == []
