"""Training a segmenter in a real JupyterLab: paint samples one after the other, train, look for doubt, label that."""

import pytest

from tests.browser.gestures import begin, press, shoot, tab
from tests.browser.harness import drag

pytestmark = pytest.mark.slow

CELL = """
import torch
torch.set_num_threads(1)
from tests.tiny import tiny
from ganedit_widgets.panels import SegmentTrainPanel, Session, Studio, TraversePanel
studio = Studio(tiny(), panels=[SegmentTrainPanel, TraversePanel])
studio
"""
PAGES = "studio.panel.pages"
INKED = """() => { const c = document.querySelector('.ge-mask-ink');
    const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
    let n = 0; for (let i = 3; i < d.length; i += 4) n += d[i] > 0; return n }"""


def start(notebook, tmp_path, classes="left, right", samples=4, steps=60):
    """Choose samples and wait for the painter."""
    begin(notebook, ".ge-panel")
    page = notebook.page
    page.get_by_label("Classes, with commas").fill(classes)
    page.get_by_label("How many samples to label").fill(str(samples))
    page.get_by_label("Folder in which the labels are kept").fill(str(tmp_path / "labels"))
    page.get_by_label("Steps of the training").fill(str(steps))
    page.get_by_label("Steps of the training").press("Tab")
    press(notebook, "Begin")
    notebook.until(f"{PAGES}.painter is not None", timeout=60)
    page.wait_for_selector(".ge-mask-painter[data-hosted]", timeout=60_000)
    page.wait_for_function(f"({INKED})() === 0", timeout=60_000)


def stroke(notebook, key, *points):
    """Paint with the label of this key along shares of the picture."""
    page = notebook.page
    page.focus(".ge-mask-viewport")
    page.keyboard.press(key)
    box = page.locator(".ge-mask-world").first.bounding_box()
    drag(page, [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points], 6)


@pytest.fixture
def studio(lab, chromium, tmp_path):
    with lab.notebook(chromium, [CELL, "1 + 1"], viewport={"width": 1100, "height": 1400}) as notebook:
        start(notebook, tmp_path)
        yield notebook
        assert not [e for e in notebook.errors if "ganedit" in e or "anywidget" in e]


def label(notebook, page):
    """Paint two halves of one page."""
    stroke(notebook, "1", (0.2, 0.1), (0.2, 0.9))
    notebook.until(f"{PAGES}.pages[{page}].share > 0.02")
    stroke(notebook, "2", (0.8, 0.1), (0.8, 0.9))
    notebook.until(f"set({PAGES}.pages[{page}].painted.flat) == {{0, 1, 2}}")


def test_samples_are_painted_trained_doubted_and_labeled_next(studio, tmp_path, shots):
    page = studio.page
    assert studio.python(f"[x.name for x in {PAGES}.painter.labels]") == ["unlabeled", "left", "right"]
    label(studio, 0)
    page.wait_for_selector("text=1 of 4 labeled")
    press(studio, "Next ›")
    studio.until(f"{PAGES}.index == 1 and not {PAGES}.painter.mask.any()")
    page.wait_for_timeout(500)
    label(studio, 1)
    studio.until(f"__import__('pathlib').Path({str(tmp_path / 'labels')!r}).is_dir()")
    page.locator("[aria-label='Samples to label'] .ge-cell").first.click()
    studio.until(f"{PAGES}.index == 0")
    press(studio, "Train")
    studio.until("studio.session.segments.segmenter is not None", timeout=90)
    page.wait_for_selector("text=In use: 2 classes, learned from 2 labeled pictures.")
    page.wait_for_selector(".ge-panel svg[role=img]")
    press(studio, "Guess the rest")
    studio.until(f"{PAGES}.pages[0].share == 1.0")
    press(studio, "▸ How good, and where unsure")
    page.get_by_label("How many samples to look at").fill("4")
    page.get_by_label("How many samples to look at").press("Tab")
    press(studio, "Look for doubt")
    page.wait_for_selector(".ge-message >> text=Most unsure")
    page.locator("[aria-label^='Samples with what is unsure'] .ge-cell").first.click()
    press(studio, "Label this next")
    studio.until(f"len({PAGES}.pages) == 5 and {PAGES}.index == 4")
    press(studio, "Leave-one-out score")
    page.wait_for_selector(".ge-message >> text=mean overlap", timeout=60_000)
    page.get_by_label("File of the segmenter").fill(str(tmp_path / "mine.safetensors"))
    page.get_by_label("File of the segmenter").press("Tab")
    press(studio, "Save")
    page.wait_for_selector(".ge-message >> text=The segmenter is saved")
    assert (tmp_path / "mine.safetensors").exists()


def test_training_is_stopped_and_what_was_learned_is_kept(studio):
    page = studio.page
    label(studio, 0)
    page.get_by_label("Steps of the training").fill("20000")
    page.get_by_label("Steps of the training").press("Tab")
    press(studio, "Train")
    studio.until("studio.session.progress and studio.session.progress.step > 2")
    press(studio, "Stop")
    page.wait_for_selector("text=In use: 2 classes, learned from 1 labeled picture.")


def test_every_control_has_a_name_and_another_tab_brings_the_stage_back(studio):
    nameless = """() => [...document.querySelectorAll('.ge-panel button, .ge-panel input, .ge-panel select')]
        .filter(n => n.checkVisibility() && n.type !== 'file' && !n.textContent.trim())
        .filter(n => !n.getAttribute('aria-label') && !n.title && !n.labels?.length && !n.placeholder)
        .filter(n => !n.closest('[title]'))
        .map(n => n.outerHTML)"""
    silent = """() => [...document.querySelectorAll('.ge-panel button:disabled, .ge-panel [aria-disabled=true]')]
        .filter(n => n.checkVisibility() && !n.title).map(n => n.outerHTML)"""
    press(studio, "▸ How good, and where unsure")
    studio.page.wait_for_timeout(700)
    assert studio.page.evaluate(nameless) == []
    assert studio.page.evaluate(silent) == []
    tab(studio, "Traverse")
    studio.page.wait_for_selector(".ge-stage")
    studio.page.wait_for_function("!document.querySelector('.ge-mask-painter').checkVisibility()")


@pytest.mark.parametrize(("width", "dark"), [(1100, False), (560, True)])
def test_the_panel_fits_its_cell(lab, chromium, shots, dark, width, tmp_path):
    cell = CELL.replace("Studio(tiny(), ", "Studio(")
    with lab.notebook(chromium, [cell], dark=dark, viewport={"width": width, "height": 1500}) as notebook:
        start(notebook, tmp_path, "background, skin, hair, eye, mouth", 8, 40)
        stroke(notebook, "3", (0.3, 0.2), (0.5, 0.15), (0.7, 0.2))
        stroke(notebook, "2", (0.5, 0.5), (0.5, 0.7))
        stroke(notebook, "1", (0.05, 0.1), (0.05, 0.9))
        notebook.until(f"len(set({PAGES}.pages[0].painted.flat)) == 4")
        press(notebook, "Train")
        notebook.until("studio.session.segments.segmenter is not None", timeout=120)
        page = notebook.page
        press(notebook, "▸ How good, and where unsure")
        page.get_by_label("How many samples to look at").fill("6")
        page.get_by_label("How many samples to look at").press("Tab")
        press(notebook, "Look for doubt")
        page.wait_for_selector(".ge-message >> text=Most unsure", timeout=60_000)
        shoot(page, shots / f"segment_{'dark' if dark else 'light'}_{width}.png")
        outside = """() => { const f = document.querySelector('.ge-studio').getBoundingClientRect();
            return [...document.querySelectorAll('.ge-studio *')]
                .filter(n => n.getClientRects().length && !n.closest('.ge-list') && !n.closest('pre'))
                .filter(n => !n.closest('.ge-mask-viewport'))
                .filter(n => n.getBoundingClientRect().right > f.right + 1).map(n => n.className || n.tagName) }"""
        assert page.evaluate(outside) == []
