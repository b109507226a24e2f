"""Morph, crossover and expression in a real JupyterLab: every gesture reaches the picture, and films play alone."""

import io

import numpy as np
import pytest
from PIL import Image

from tests.browser.gestures import begin, labels, press, settled, shoot, tab
from tests.browser.harness import drag

pytestmark = pytest.mark.slow

CELL = """
import torch
torch.set_num_threads(1)
from tests.tiny import tiny
from ganedit_widgets.panels import CrossoverPanel, ExpressionPanel, MorphPanel, Session, Studio
studio = Studio(tiny(), panels=[MorphPanel, CrossoverPanel, ExpressionPanel])
studio
"""
SHARES = "studio.panel.strip.shares"


@pytest.fixture
def studio(lab, chromium):
    with lab.notebook(chromium, [CELL, "1 + 1"], accept_downloads=True) as notebook:
        begin(notebook)
        yield notebook
        assert not [e for e in notebook.errors if "ganedit" in e or "anywidget" in e]


def type_seed(page, role, seed):
    page.get_by_label(f"Seed of the {role}", exact=True).fill(str(seed))
    page.keyboard.press("Enter")


# ---- crossover


def crossover(notebook):
    """Open the tab with seed 7 as parent B."""
    tab(notebook, "Crossover")
    page = notebook.page
    type_seed(page, "parent B", 7)
    notebook.until("studio.panel.other.choice is not None")
    page.wait_for_selector(".ge-share.ge-taken")


def cell(notebook, i):
    box = notebook.box(".ge-share", i)
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_a_click_a_drag_and_keys_paint_the_layers(studio):
    before = settled(studio)
    crossover(studio)
    half = settled(studio)
    page = studio.page
    assert half != before and studio.python(SHARES) == [0, 0, 0, 1, 1, 1]
    page.mouse.click(*cell(studio, 0))
    studio.until(f"{SHARES}[0] == 1")
    drag(page, [cell(studio, 5), cell(studio, 4), cell(studio, 2)])  # the first cell says what is painted
    studio.until(f"{SHARES} == [1, 0, 0, 0, 0, 0]")
    for key in ("Home", "ArrowRight", "b", "ArrowRight", "ArrowUp", "ArrowUp"):
        page.keyboard.press(key)
    studio.until(f"{SHARES} == [1, 1, 0.2, 0, 0, 0]")
    assert settled(studio) not in (before, half)
    page.get_by_role("button", name="coarse", exact=True).click()
    studio.until(f"{SHARES} == [1, 0, 0, 0, 0, 0]")
    press(studio, "Apply")
    studio.until("len(studio.session.history) == 3")
    assert labels(studio)[-1] == "× seed 7"
    page.wait_for_function("!document.querySelector('.ge-share.ge-taken')")


def test_a_group_slider_paints_its_cells(studio):
    crossover(studio)
    box = studio.box("[data-key='coarse'] input[type=range]")
    y = box["y"] + box["height"] / 2
    drag(studio.page, [(box["x"] + box["width"] * part, y) for part in (0.02, 0.3, 0.5)])
    studio.until(f"0.4 < {SHARES}[0] < 0.6 and {SHARES}[1:] == [0, 0, 1, 1, 1]")
    settled(studio)


def test_a_child_of_the_litter_is_chosen_by_a_click(studio):
    crossover(studio)
    press(studio, "▸ Litter of nine children")
    studio.until("len(studio.panel.litter_fold.content.children_edits) == 9")
    page = studio.page
    cells = page.locator("[aria-label='Children: choose one to go on from'] .ge-cell")
    page.wait_for_function("document.querySelectorAll('.ge-panel .ge-list.ge-wrap .ge-cell').length === 9")
    cells.nth(3).click()
    studio.until("len(studio.session.history) == 3")
    assert labels(studio)[-1] == "× seed 7"
    settled(studio)


def test_the_table_is_drawn_and_downloaded(studio, tmp_path):
    crossover(studio)
    press(studio, "▸ Table of mixed styles")
    studio.page.wait_for_selector("text=Draw the table")
    press(studio, "Draw the table")
    studio.page.wait_for_selector(".ge-message >> text=9 × 9 children")
    with studio.page.expect_download() as download:
        press(studio, "Download")
    download.value.save_as(tmp_path / "styles.png")
    assert np.asarray(Image.open(tmp_path / "styles.png")).shape == (164, 164, 3)


# ---- expression


def test_an_expression_is_shown_weakened_and_recorded(studio):
    before = settled(studio)
    tab(studio, "Expression")
    page = studio.page
    for role, seed in (("neutral", 5), ("expressive", 6)):
        type_seed(page, role, seed)
        studio.until(f"studio.panel.{role}.choice is not None")
    studio.until("studio.session.pending is not None")
    full = settled(studio)
    box = studio.box("[data-key='strength'] input[type=range]")
    y = box["y"] + box["height"] / 2
    drag(page, [(box["x"] + box["width"] * part, y) for part in (0.66, 0.6, 0.45)])
    studio.until("studio.session.pending.strength < 0.5")
    weak = settled(studio)
    press(studio, "✓ middle")
    studio.until("studio.session.pending.layers == (0, 3, 4, 5)")
    assert len({tuple(p) for p in (before, full, weak, settled(studio))}) == 4
    page.wait_for_selector(".ge-kept [role=meter]")
    assert page.locator(".ge-kept img").count() == 2
    page.locator(".ge-viewport").focus()
    page.keyboard.press("Enter")
    studio.until("len(studio.session.history) == 3")
    assert labels(studio)[-1].startswith("like seed 6")


def many_drivers(notebook, seeds="6, 7, 9-12"):
    page = notebook.page
    type_seed(page, "neutral", 5)
    press(notebook, "▸ Many drivers at once")
    page.get_by_label("Seeds of drivers, such as 5, 8, 11-14").fill(seeds)
    page.keyboard.press("Tab")
    press(notebook, "Add seeds")
    notebook.until("len(studio.panel.drivers_fold.content.list.choices) == 6")
    press(notebook, "Draw them all")
    page.wait_for_selector(".ge-player[data-arrived='6']:visible")


def test_many_drivers_become_a_sheet_that_plays_and_is_downloaded(studio, tmp_path):
    tab(studio, "Expression")
    many_drivers(studio)
    page, drivers = studio.page, "studio.panel.drivers_fold.content"
    cells = page.locator("[aria-label='Contact sheet: choose one to transfer its expression'] .ge-cell")
    assert cells.count() == 6
    assert (
        page.locator(".ge-player:visible").bounding_box()["width"]
        < 240
        < page.locator(".ge-stage:visible").bounding_box()["width"]
    )
    page.wait_for_function("document.body.innerText.match(/\\d+ % kept\\n/g)?.length >= 6")
    with page.expect_download() as download:
        press(studio, "Download")
    download.value.save_as(tmp_path / "sheet.png")
    assert np.asarray(Image.open(tmp_path / "sheet.png")).shape == (32, 48, 3)
    cells.nth(3).click()
    studio.until("studio.session.pending is not None and studio.session.pending.expressive.seed == 10")
    assert settled(studio) == studio.python(f"{drivers}.pictures[3].ravel().tolist()")


# ---- morph


def keyframes(notebook, frames=12):
    press(notebook, "Add this picture")
    press(notebook, "Add seed")
    press(notebook, "Add seed")
    notebook.until("len(studio.panel.keyframes.choices) == 3")
    notebook.python(f"setattr(studio.panel.frames, 'value', {frames})")


def test_keyframes_are_chosen_moved_and_removed(studio):
    keyframes(studio)
    page = studio.page
    page.wait_for_function("document.querySelectorAll('[aria-label=Keyframes] .ge-cell').length === 3")
    page.locator("[aria-label=Keyframes] .ge-cell").first.click()
    studio.until("studio.panel.keyframes.chosen == 'k0'")
    press(studio, "▶")
    studio.until("[c.name for c in studio.panel.keyframes.choices] == ['seed 1', 'seed 4', 'seed 2']")
    press(studio, "Remove")
    studio.until("[c.name for c in studio.panel.keyframes.choices] == ['seed 1', 'seed 2']")


def test_scrubbing_shows_the_last_moment_and_it_can_be_kept(studio):
    keyframes(studio)
    before = settled(studio)
    box = studio.box("[data-key='time'] input[type=range]")
    y = box["y"] + box["height"] / 2
    drag(studio.page, [(box["x"] + box["width"] * part, y) for part in np.linspace(0.05, 0.4, 60)])
    studio.until("studio.session.pending is not None")
    assert settled(studio) != before
    press(studio, "Keep this moment")
    studio.until("len(studio.session.history) == 3")


def test_a_baked_film_plays_in_the_browser_alone(studio):
    keyframes(studio, 24)
    press(studio, "Bake")
    page = studio.page
    page.wait_for_selector(".ge-player[data-arrived='24']")
    seen = "const r = document.querySelector('.ge-player'); window.seen ??= new Set(); seen.add(r.dataset.index);"
    page.wait_for_function(f"() => {{ {seen} return seen.size > 8 }}", polling=20)
    count = studio.python("studio.panel.player._frames.__len__()")
    studio.python("globals().update(heard=[], hear=studio.panel.player.on_msg(lambda w, m, b: heard.append(m)))")
    page.wait_for_timeout(600)
    assert count == 24 and studio.python("heard") == []  # no frame asked for anything
    page.locator(".ge-film").focus()
    page.keyboard.press("Space")
    studio.until("heard and heard[-1]['t'] == 'at'")
    page.keyboard.press("End")
    studio.until("heard[-1]['index'] == 23")
    studio.until("studio.panel.scrubber.values['time'] == 1.0")
    shown = settled(studio)
    assert shown == studio.python("studio.panel.baked[23].ravel().tolist()")
    page.keyboard.press("ArrowLeft")
    studio.until("heard[-1]['index'] == 22")
    assert page.evaluate("document.querySelector('.ge-player').dataset.index") == "22"


def test_baking_is_stopped_and_a_reloaded_page_plays_the_film(studio):
    page = studio.page
    keyframes(studio, 2000)
    press(studio, "Bake")
    studio.until("studio.session.progress and studio.session.progress.step > 5")
    page.locator(".ge-stop").click()
    studio.until("studio.session.busy == ''")
    assert studio.python("studio.panel.baked") == []
    studio.python("setattr(studio.panel.frames, 'value', 10)")
    press(studio, "Bake")
    page.wait_for_selector(".ge-player[data-arrived='10']")
    studio.save()
    studio.open()
    page.wait_for_selector(".ge-player[data-arrived='10']")
    settled(studio)


def test_the_film_is_downloaded(studio, tmp_path):
    page = studio.page
    keyframes(studio)
    press(studio, "▸ Export the film")
    page.wait_for_selector("text=About")
    with page.expect_download() as download:
        press(studio, "Download")
    download.value.save_as(tmp_path / "morph.gif")
    film = Image.open(io.BytesIO((tmp_path / "morph.gif").read_bytes()))
    assert film.n_frames == 22 and download.value.suggested_filename == "morph.gif"


# ---- all of them


def test_every_control_has_a_name_and_disabled_ones_say_why(studio):
    nameless = """() => [...document.querySelectorAll('.ge-studio button, .ge-studio input, .ge-studio select')]
        .filter(n => n.checkVisibility() && n.type !== 'file' && !n.textContent.trim())
        .filter(n => !n.getAttribute('aria-label') && !n.title && !n.labels?.length && !n.placeholder)
        .filter(n => !n.closest('[title]'))
        .map(n => n.outerHTML)"""
    silent = """() => [...document.querySelectorAll('.ge-studio button:disabled, .ge-studio [aria-disabled=true]')]
        .filter(n => n.checkVisibility() && !n.title).map(n => n.outerHTML)"""
    for name in ("Morph", "Crossover", "Expression"):
        tab(studio, name)
        for title in studio.page.locator(".ge-panel:visible .ge-fold > button:visible").all_inner_texts():
            press(studio, title.strip())
        studio.page.wait_for_timeout(700)
        assert studio.page.evaluate(nameless) == []
        assert studio.page.evaluate(silent) == []


@pytest.mark.parametrize("panel", ["MorphPanel", "CrossoverPanel", "ExpressionPanel"])
def test_each_panel_works_alone_in_a_cell(lab, chromium, panel):
    alone = CELL.split("studio =")[0] + f"panel = {panel}(Session(tiny()))\npanel"
    with lab.notebook(chromium, [alone]) as notebook:
        begin(notebook)
        assert notebook.page.locator(".ge-studio .ge-panel").count() == 1
        assert not [e for e in notebook.errors if "ganedit" in e or "anywidget" in e]


def test_the_demo_has_a_pair_to_begin_with_and_the_slider_alone_shows_it(lab, chromium, shots):
    with lab.notebook(chromium, [DEMO], viewport={"width": 1100, "height": 1500}) as notebook:
        begin(notebook)
        tab(notebook, "Expression")
        before, page = settled(notebook), notebook.page
        page.wait_for_selector("text=smile: choose from pictures")
        page.wait_for_selector(".ge-help-line:visible >> text=Give it a strength first.")
        box = notebook.box(".ge-panel:visible [data-key='strength'] input[type=range]")
        drag(page, [(box["x"] + box["width"] * part, box["y"] + box["height"] / 2) for part in (0.35, 0.5, 0.66)])
        notebook.until("studio.session.pending is not None")
        assert settled(notebook) != before
        page.wait_for_selector(".ge-kept [role=meter]")
        page.wait_for_selector(".ge-status >> text=preview, not recorded")
        notebook.python("setattr(studio.panel.drivers_fold, 'opened', True)")
        press(notebook, "Add ready expressions")
        press(notebook, "Draw them all")
        notebook.until("len(studio.panel.drivers_fold.content.pictures) > 5 and studio.session.busy == ''")
        page.wait_for_timeout(8000)
        shoot(page, shots / "expression_begin.png")
        tab(notebook, "Crossover")
        type_seed(page, "parent B", 7)
        page.wait_for_selector(".ge-message >> text=was on show, not applied, and is recorded now")
        shoot(page, shots / "recorded.png")


DEMO = """
import torch
torch.set_num_threads(1)
from ganedit_widgets.panels import CrossoverPanel, ExpressionPanel, MorphPanel, Session, Studio
studio = Studio(panels=[MorphPanel, CrossoverPanel, ExpressionPanel])
studio
"""


@pytest.mark.parametrize(("width", "dark"), [(1100, False), (560, True)])
def test_the_panels_fit_their_cell(lab, chromium, shots, dark, width):
    with lab.notebook(chromium, [DEMO], dark=dark, viewport={"width": width, "height": 1500}) as notebook:
        begin(notebook)
        page, mode = notebook.page, f"{'dark' if dark else 'light'}_{width}"
        outside = """() => { const f = document.querySelector('.ge-studio').getBoundingClientRect();
            return [...document.querySelectorAll('.ge-studio *')]
                .filter(n => n.getClientRects().length && !n.closest('.ge-list') && !n.closest('pre'))
                .filter(n => n.getBoundingClientRect().right > f.right + 1).map(n => n.className || n.tagName) }"""
        keyframes(notebook)
        for fold in ("Delays of layers", "Export the film", "Code of the film"):
            press(notebook, f"▸ {fold}")
        press(notebook, "Bake")
        page.wait_for_selector(".ge-player[data-arrived='12']")
        shoot(page, shots / f"morph_{mode}.png")
        assert page.evaluate(outside) == []
        crossover(notebook)
        press(notebook, "▸ Litter of nine children")
        press(notebook, "▸ Table of mixed styles")
        notebook.until("len(studio.panel.litter_fold.content.children_edits) == 9")
        notebook.python("setattr(studio.panel.table_fold.content.count, 'value', 4)")
        press(notebook, "Draw the table")
        page.wait_for_selector(".ge-message >> text=4 × 4 children")
        shoot(page, shots / f"crossover_{mode}.png")
        assert page.evaluate(outside) == []
        tab(notebook, "Expression")
        notebook.python("(studio.panel.neutral.take_seed(5), studio.panel.expressive.take_seed(6))[:0]")
        press(notebook, "▸ seed 5: choose from pictures")
        page.wait_for_timeout(500)
        press(notebook, "▾ seed 5: choose from pictures")
        many_drivers(notebook)
        page.wait_for_selector(".ge-kept [role=meter]")
        assert page.locator(".ge-film:visible").bounding_box()["width"] < 240  # also after the styles of other panels
        shoot(page, shots / f"expression_{mode}.png")
        assert page.evaluate(outside) == []
