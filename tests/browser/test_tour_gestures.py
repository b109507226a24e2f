"""The tour in a real JupyterLab: one line opens the studio, and every gesture of it reaches the picture."""

import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

from tests.browser.gestures import settled
from tests.browser.harness import drag

pytestmark = pytest.mark.slow

CELL = """
import torch
torch.set_num_threads(1)
from tests.tiny import tiny
from ganedit_widgets.panels import Studio
studio = Studio(tiny())
studio
"""
SLIDER = "[data-key='SeFa 1'] input[type=range]"


@pytest.fixture(params=[False, True], ids=["light", "dark"])
def dark(request):
    return request.param


@pytest.fixture
def tour(lab, chromium):
    with lab.notebook(chromium, [CELL, "1 + 1"], accept_downloads=True) as notebook:
        begin(notebook)
        yield notebook
        assert not [e for e in notebook.errors if "ganedit" in e or "anywidget" in e]


def begin(notebook):
    notebook.run_all()
    notebook.page.wait_for_selector(".ge-studio .ge-has-picture")
    notebook.until("studio.panel.ready.finished")
    notebook.page.wait_for_selector(SLIDER)


def pull(notebook, *parts):
    """Drag the first direction's slider through the given parts of its track."""
    box = notebook.box(SLIDER)
    y, x, w = box["y"] + box["height"] / 2, box["x"], box["width"]
    drag(notebook.page, [(x + w * part, y) for part in parts])


def names(notebook):
    return notebook.python("[type(e).__name__ for e in studio.session.history.edits]")


def photo():
    y, x = np.mgrid[0:64, 0:64] / 64
    pixels = np.stack([x, y, 1 - x], -1) * 255
    file = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


def test_dragging_a_slider_changes_the_picture_and_the_last_value_is_the_one_shown(tour):
    before = settled(tour)
    pull(tour, *np.linspace(0.5, 0.9, 80), *np.linspace(0.9, 0.7, 40))
    tour.until("studio.session.pending is not None")
    after = settled(tour)
    value = tour.python("studio.panel.knobs.values['SeFa 1']")
    assert after != before and 1.0 < value < 1.5
    assert tour.python("studio.session.pending.strength") == value
    assert tour.python("studio.stage.stats.failed") == 0


def test_apply_undo_and_redo_by_button_and_by_key(tour):
    page, first = tour.page, settled(tour)
    pull(tour, 0.5, 0.6, 0.9)
    page.get_by_role("button", name="Apply", exact=True).click()
    tour.until("len(studio.session.history) == 3")
    applied = settled(tour)
    page.locator(".ge-actions [data-name=undo]").click()
    tour.until("studio.session.history.index == 1")
    assert settled(tour) == first
    page.get_by_role("button", name="Random").focus()  # any control of the frame
    page.keyboard.press("Control+Shift+Z")
    tour.until("studio.session.history.index == 2")
    assert settled(tour) == applied
    page.locator(".ge-viewport").focus()
    page.keyboard.press("Control+z")
    tour.until("studio.session.history.index == 1")
    page.wait_for_function("document.querySelectorAll('.ge-cell')[1].ariaSelected === 'true'")
    page.locator(".ge-cell").nth(2).click()  # the history strip goes there too
    tour.until("studio.session.history.index == 2")
    assert settled(tour) == applied


def test_a_picture_is_uploaded_embedded_and_stopped_midway(tour, shots):
    page = tour.page
    page.get_by_role("tab", name="Embed").click()
    page.locator(".ge-upload input[type=file]").set_input_files(
        {"name": "me.png", "mimeType": "image/png", "buffer": photo()}
    )
    tour.until("studio.panel.target is not None")
    tour.python("setattr(studio.panel.iterations, 'value', 3000)")
    page.get_by_role("button", name="Start", exact=True).click()
    tour.until("studio.session.progress and studio.session.progress.step > 5")
    page.wait_for_selector(".ge-progress[aria-valuemax='3000']")
    page.wait_for_selector(".ge-panel svg polyline")
    page.screenshot(path=shots / "tour_embedding.png")
    page.locator(".ge-stop").click()
    tour.until("studio.session.busy == ''")
    settled(tour)
    done = tour.python("studio.session.history.edits[-1].total")
    assert names(tour)[-1] == "Embed" and 5 < done < 3000
    page.get_by_role("tab", name="Traverse").click()
    pull(tour, 0.5, 0.8)  # goes on from the embedded picture
    tour.until("studio.session.pending is not None")
    settled(tour)


def test_a_file_that_is_too_large_is_refused_before_it_is_sent(tour):
    page = tour.page
    page.get_by_role("tab", name="Embed").click()
    large = {"name": "large.png", "mimeType": "image/png", "buffer": bytes(10_000_001)}
    page.locator(".ge-upload input[type=file]").set_input_files(large)
    page.wait_for_selector(".ge-upload .ge-note >> text=at most 10 MB")
    assert tour.python("studio.panel.target is None")


def test_the_picture_is_saved_with_its_recipe_and_opened_again(tour, tmp_path):
    page = tour.page
    pull(tour, 0.5, 0.9)
    shown = settled(tour)
    with page.expect_download() as download:
        page.locator(".ge-viewport").focus()
        page.keyboard.press("Control+s")
    path = tmp_path / "edited.png"
    download.value.save_as(path)
    assert np.asarray(Image.open(path)).ravel().tolist() == settled(tour) == shown
    page.locator(".ge-actions [data-name=undo]").click()
    tour.until("studio.session.history.index == 1")
    page.get_by_role("button", name="Save and open").click()
    page.locator(".ge-files input[type=file]").set_input_files(path)
    tour.until("studio.session.history.index == 3")
    assert settled(tour) == shown
    page.keyboard.press("Escape")
    assert page.locator(".ge-files").is_hidden()


def test_a_reloaded_page_shows_the_same_and_works_on(tour):
    pull(tour, 0.5, 0.9)
    shown = settled(tour)
    tour.save()
    tour.open()
    tour.page.wait_for_selector(".ge-studio .ge-has-picture")
    tour.page.wait_for_selector(SLIDER)
    assert settled(tour) == shown
    pull(tour, 0.9, 0.2)
    tour.until("studio.panel.knobs.values['SeFa 1'] < 0")
    assert settled(tour) != shown


def test_the_code_of_the_picture_is_shown_and_copied(tour):
    page = tour.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Code that makes this picture").click()
    page.wait_for_selector(".ge-code >> text=Sample(4)")
    pull(tour, 0.5, 0.9)
    page.wait_for_selector(".ge-code >> text=MoveAlong(sefa(generator)[0]")
    page.get_by_role("button", name="Copy", exact=True).click()
    page.get_by_role("button", name="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == tour.python("studio.session.code()")


def test_keys_neither_reach_the_notebook_nor_trap_the_focus(tour):
    page = tour.page
    page.get_by_role("button", name="Random").focus()
    for key in ("x", "d", "d", "a", "b", "m"):  # cut, delete, insert above and below, markdown
        page.keyboard.press(key)
    assert page.evaluate("window.jupyterapp.shell.currentWidget.content.model.cells.length") == 2
    inside = "document.activeElement.closest('.ge-studio') !== null"
    for _ in range(60):
        page.keyboard.press("Tab")
        if not page.evaluate(inside):
            break
    assert not page.evaluate(inside)


def test_every_control_has_a_name_and_disabled_ones_say_why(tour):
    nameless = """() => [...document.querySelectorAll('.ge-studio button, .ge-studio input, .ge-studio select')]
        .filter(n => n.checkVisibility() && n.type !== 'file' && !n.textContent.trim())
        .filter(n => !n.getAttribute('aria-label') && !n.title && !n.labels?.length && !n.placeholder)
        .map(n => n.outerHTML)"""
    silent = """() => [...document.querySelectorAll('.ge-studio button:disabled, .ge-studio [aria-disabled=true]')]
        .filter(n => !n.title).map(n => n.outerHTML)"""
    for tab in ("Traverse", "Embed"):
        tour.page.get_by_role("tab", name=tab).click()
        tour.until(f"studio.panel.title == {tab!r}")
        tour.page.wait_for_timeout(500)
        assert tour.page.evaluate(nameless) == []
        assert tour.page.evaluate(silent) == []


def test_the_notebook_file_keeps_the_latest_picture(tour, lab):
    page = tour.page
    pull(tour, 0.5, 0.9)
    page.get_by_role("button", name="Apply", exact=True).click()
    tour.until("len(studio.session.history) == 3")
    shown = settled(tour)
    assert page.locator(".jp-RenderedImage").count() == 1 and not page.locator(".jp-RenderedImage").is_visible()
    page.wait_for_timeout(2500)  # the picture in the output follows when all is at rest
    tour.save()
    page.wait_for_timeout(500)
    file = lab.notebooks / tour.name
    live, still = json.loads(file.read_text())["cells"][0]["outputs"]
    picture = Image.open(io.BytesIO(base64.b64decode(still["data"]["image/png"])))
    assert np.asarray(picture.convert("RGB")).ravel().tolist() == shown
    assert "image/png" not in live["data"] and len(file.read_text()) < 200_000
    copy = lab.notebooks / "reopened.ipynb"
    copy.write_text(file.read_text())
    tour.name = copy.name
    tour.open()  # a kernel that knows nothing of the studio
    page.wait_for_selector(".jp-RenderedImage img[width='384']", state="visible")
    assert page.locator(".ge-studio").count() == 0


def test_a_cell_that_is_run_again_replaces_its_studio(tour):
    page = tour.page
    tour.python("globals().update(first=studio)")
    begin(tour)
    assert tour.python("first is not studio and first.comm is None and studio.comm is not None")
    assert page.locator(".ge-studio").count() == 1


def test_a_bug_is_one_line_whose_details_can_be_opened(tour):
    page = tour.page
    tour.python("studio.session.complain(ZeroDivisionError('no'))")
    page.wait_for_selector(".ge-message[data-level=bug] >> text=ZeroDivisionError: no")
    assert page.locator(".ge-details").is_hidden()
    page.locator(".ge-message button", has_text="details").click()
    assert "ZeroDivisionError" in page.locator(".ge-details").inner_text()


@pytest.mark.parametrize("width", [1100, 640])
def test_the_frame_fits_its_cell(lab, chromium, shots, dark, width):
    with lab.notebook(chromium, [CELL], dark=dark, viewport={"width": width, "height": 1000}) as notebook:
        begin(notebook)
        settled(notebook)
        page = notebook.page
        page.wait_for_timeout(800)
        page.screenshot(path=shots / f"tour_{'dark' if dark else 'light'}_{width}.png")
        frame = page.locator(".ge-studio").bounding_box()
        assert frame["width"] <= 960
        outside = """() => { const f = document.querySelector('.ge-studio').getBoundingClientRect();
            return [...document.querySelectorAll('.ge-studio *')]
                .filter(n => n.getClientRects().length && !n.closest('.ge-list'))
                .filter(n => n.getBoundingClientRect().right > f.right + 1).map(n => n.className || n.tagName) }"""
        assert page.evaluate(outside) == []
        beside = page.locator(".ge-side").bounding_box()["y"] < page.locator(".ge-stage").bounding_box()["y"] + 50
        assert beside == (width > 720)
