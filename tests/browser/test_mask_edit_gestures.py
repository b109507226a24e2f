"""The mask panel in a real JupyterLab: paint, undo, fill, paint at 400 %, run, stop, keep a vector and use it."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from ganedit_widgets.core.generators.load import load_generator
from ganedit_widgets.core.segment import SegmentPlan, save_segmenter
from ganedit_widgets.core.vectors import load_vectors
from ganedit_widgets.demo.oracle import load_oracle
from ganedit_widgets.demo.portraits import PART
from ganedit_widgets.demo.segmenter import labeled_samples, telling, trained
from tests.browser.gestures import begin, labels, press, settled, shoot, tab
from tests.browser.harness import drag
from tests.browser.test_mask_painter_lab import Painting

pytestmark = pytest.mark.slow

CELL = """
import torch
torch.set_num_threads(1)
from functools import partial
from ganedit_widgets.core.painting import colored, tiles
from ganedit_widgets.core.painting.tiles import over
from ganedit_widgets.panels import MaskEditPanel, Session, Studio, TraversePanel
tiles_of = partial(tiles.tiles_of, patterns=False)
studio = Studio(panels=[TraversePanel, MaskEditPanel])
"""
OPEN = "studio.session.segments.open({file!r})\nstudio"
MOUTH = [(52, 87), (58, 91), (64, 92), (70, 91), (76, 87)]  # a smile, on the pictures of this model
TRANSFORM = "s => document.querySelector(s).style.transform"


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """A segmenter of the demo model, trained for seconds."""
    generator = load_generator("demo")
    with torch.no_grad():
        pool = labeled_samples(generator, load_oracle(), range(24))
    chosen = [pool[i] for i in telling([x.labels for x in pool], 8)]
    path = tmp_path_factory.mktemp("segmenter") / "parts.safetensors"
    save_segmenter(path, trained(generator, chosen, SegmentPlan(steps=250, models=2, rate=4e-3)))
    return str(path)


class Editing(Painting):
    """The painter of the studio's mask panel."""

    def __init__(self, notebook):
        super().__init__(notebook)
        begin(notebook)
        tab(notebook, "Mask")
        self.open()
        self.read()

    def read(self):
        """Wait until the labels of the picture on show are there."""
        panel = "studio.panel"
        self.notebook.until(f"{panel}.canvas.before is not None and {panel}.canvas.basis is studio.session.shown", 60)
        self.notebook.python("globals().update(painter=studio.panel.canvas.painter)")

    def choose(self, name, size=None):
        self.page.get_by_role("radio", name=f"{name}, ").click()
        self.notebook.until(f"painter.label == {PART[name]}")
        if size:
            self.notebook.python(f"setattr(painter, 'size', {size})")

    def run(self, steps):
        self.page.get_by_label("Steps", exact=True).fill(str(steps))
        self.page.keyboard.press("Tab")
        self.notebook.until(f"studio.panel.iterations.value == {steps}")
        press(self.notebook, "Run")

    def follow_the_mask(self):
        """Let the rest count less, so that a few steps are enough."""
        press(self.notebook, "▸ More: weights")
        self.page.get_by_label("How much the picture outside the region counts, λ₁").fill("1")

    def rest(self, entries):
        self.notebook.until(f"studio.session.busy == '' and len(studio.session.history) == {entries}", 90)
        settled(self.notebook)
        self.read()


@pytest.fixture
def editing(lab, chromium, file):
    size = {"width": 1100, "height": 1300}
    with lab.notebook(chromium, [CELL + OPEN.format(file=file)], viewport=size, accept_downloads=True) as notebook:
        yield Editing(notebook)
        assert not [e for e in notebook.errors if "ganedit" in e or "anywidget" in e]


def test_a_stroke_becomes_an_edit_and_the_edit_a_vector_for_another_picture(editing, tmp_path, shots):
    notebook, page, before = editing.notebook, editing.page, editing.mask()
    first = settled(notebook)
    assert editing.exact() <= 1

    # a stroke, undone, done again; then a fill, undone
    editing.choose("mouth", 5)
    editing.drag(*MOUTH)
    editing.settle(1)
    painted = editing.mask()
    assert (painted == PART["mouth"]).sum() > (before == PART["mouth"]).sum()
    page.wait_for_selector(".ge-region-figure img[alt^='Where']")
    editing.keys("Control+z")
    editing.settle(0)
    assert np.array_equal(editing.mask(), before)
    editing.keys("Control+Shift+Z")
    editing.settle(1)
    assert np.array_equal(editing.mask(), painted)
    editing.choose("clothes")
    editing.keys("f")
    page.mouse.click(*editing.at(4, 4))
    editing.settle(2)
    assert editing.mask()[4, 4] == PART["clothes"]
    editing.keys("Control+z", "b")
    editing.settle(1)

    # at 400 %, with the result beside it at the same place
    editing.choose("mouth", 1)
    page.locator(".ge-mask-viewport").focus()
    for _ in range(4):
        page.keyboard.press("+")
    page.wait_for_function("[...document.querySelectorAll('.ge-percent')].every(n => n.textContent === '400 %')")
    assert page.evaluate(TRANSFORM, ".ge-mask-world") == page.evaluate(TRANSFORM, ".ge-pane-result canvas")
    box = page.locator(".ge-stage .ge-viewport").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    drag(page, [(x, y), (x, y - 30), (x, y - 60)], 60)  # pans the result, and the mask with it
    page.wait_for_timeout(300)
    assert page.evaluate(TRANSFORM, ".ge-mask-world") == page.evaluate(TRANSFORM, ".ge-pane-result canvas")
    editing.drag((60.5, 82.5), (66.5, 82.5))
    editing.settle(2)
    mask = editing.mask()
    rows, columns = np.nonzero(mask != painted)
    assert set(rows.tolist()) == {82} and set(columns.tolist()) <= set(range(60, 67)) and len(columns) > 3
    assert (mask[82, 60:67] == PART["mouth"]).all()
    shoot(page, shots / "mask_edit_zoomed.png")
    editing.keys("0")
    notebook.until("painter.view[0] == 1")

    # run to the end, then once more and stop
    editing.follow_the_mask()
    editing.run(20)
    page.wait_for_selector(".ge-foot :text('/20')")
    editing.rest(3)
    assert labels(notebook)[-1].startswith("paint") and settled(notebook) != first
    page.wait_for_selector(".ge-part-numbers >> text=outside")
    editing.choose("hair", 9)
    editing.drag((8, 8), (20, 12))  # background in any picture
    editing.run(3000)
    notebook.until("studio.session.progress is not None and studio.session.progress.step > 4", 60)
    press(notebook, "Stop")
    editing.rest(4)
    assert 4 < notebook.python("studio.session.edits[-1].stop_after") < 3000

    # back to the first edit: kept as a vector, made on another picture
    page.locator(".ge-stage .ge-viewport").focus()
    page.keyboard.press("Control+z")
    editing.rest(4)
    assert notebook.python("studio.session.history.index") == 2
    press(notebook, "▸ Keep it as a vector, apply it to another picture")
    path = tmp_path / "mine.safetensors"
    page.get_by_label("Name of the edit vector").fill("smile")
    page.get_by_label("File it is added to; empty: the library only").fill(str(path))
    press(notebook, "Save as vector")
    page.wait_for_selector("text=“smile” is in the library")
    assert list(load_vectors(path)) == ["smile"]
    page.get_by_label("Seed of the picture").fill("11")
    page.keyboard.press("Tab")
    notebook.until("studio.panel.vector_fold.content.picker.choice is not None")
    press(notebook, "Apply there")
    notebook.until("[entry.label for entry in studio.session.entries][-2:] == ['seed 11', 'smile +1']")
    editing.rest(5)
    shoot(page, shots / "mask_edit_elsewhere.png")


def test_masks_that_do_not_fit_are_refused_and_a_whole_picture_is_warned_of(editing, shots):
    notebook, page = editing.notebook, editing.page
    give = page.locator(".ge-mask-painter input[type=file]")

    def offer(size, color):
        file = io.BytesIO()
        Image.new("RGB", size, color).save(file, "PNG")
        give.set_input_files({"name": "m.png", "mimeType": "image/png", "buffer": file.getvalue()})

    offer((64, 64), "black")
    page.wait_for_selector(".ge-mask-painter >> text=64×64 pixels, the picture 128×128")
    offer((128, 128), (1, 2, 3))
    page.wait_for_selector(".ge-mask-painter >> text=color #010203")
    page.wait_for_selector(".ge-region >> text=Nothing is painted over yet")
    assert page.get_by_role("button", name="Run", exact=True).is_disabled()
    page.get_by_role("button", name="Clear", exact=True).click()
    editing.settle(1)
    page.wait_for_selector(".ge-region >> text=may change")
    notebook.python("painter.load((studio.panel.canvas.before + 1) % len(painter.labels))")
    page.wait_for_selector(".ge-region >> text=nothing is held as it is")
    shoot(page, shots / "mask_edit_whole.png")
    press(notebook, "Take back")
    page.wait_for_selector(".ge-region >> text=Nothing is painted over yet")


def test_without_a_segmenter_the_panel_says_so_and_opens_one(lab, chromium, file, shots):
    alone = CELL.split("studio =")[0] + "studio = MaskEditPanel(Session()).frame\nstudio.panel.board._begun = True\n"
    alone += "studio.panel.board.segmenter = None\nstudio"
    with lab.notebook(chromium, [alone]) as notebook:
        page = notebook.page
        begin(notebook)
        page.wait_for_selector("text=There is no segmenter of this model yet")
        shoot(page, shots / "mask_edit_none.png")
        page.locator(".ge-panel input[type=file]").set_input_files(file)
        page.wait_for_selector(".ge-mask-painter[data-hosted]", timeout=60_000)
        notebook.until("studio.panel.canvas.before is not None")
        assert not page.locator("text=There is no segmenter of this model yet").is_visible()
        assert not [e for e in notebook.errors if "ganedit" in e or "anywidget" in e]


@pytest.mark.parametrize(("width", "dark"), [(1100, False), (560, True)])
def test_the_panel_fits_its_cell_and_every_control_has_a_name(lab, chromium, shots, file, dark, width):
    size = {"width": width, "height": 1500}
    with lab.notebook(chromium, [CELL + OPEN.format(file=file)], dark=dark, viewport=size) as notebook:
        editing, page = Editing(notebook), notebook.page
        outside = """() => { const f = document.querySelector('.ge-studio').getBoundingClientRect();
            return [...document.querySelectorAll('.ge-studio *')]
                .filter(n => n.getClientRects().length && !n.closest('.ge-list, pre, .ge-viewport'))
                .filter(n => n.getBoundingClientRect().right > f.right + 1).map(n => n.className || n.tagName) }"""
        mode = f"{'dark' if dark else 'light'}_{width}"
        shoot(page, shots / f"mask_edit_{mode}_1.png")
        editing.choose("mouth", 5)
        editing.drag(*MOUTH)
        page.wait_for_selector(".ge-region-figure img[alt^='Where']")
        shoot(page, shots / f"mask_edit_{mode}_2.png")
        editing.follow_the_mask()
        editing.run(20)
        editing.rest(3)
        page.wait_for_selector(".ge-part-numbers >> text=outside")
        for fold in ("▸ Keep it as a vector, apply it to another picture", "▸ More: segmenter"):
            press(notebook, fold)
        shoot(page, shots / f"mask_edit_{mode}_3.png")
        assert page.evaluate(outside) == []
        nameless = """() => [...document.querySelectorAll('.ge-studio button, .ge-studio input, .ge-studio select')]
            .filter(n => n.checkVisibility() && n.type !== 'file' && !n.textContent.trim())
            .filter(n => !n.getAttribute('aria-label') && !n.title && !n.labels?.length && !n.placeholder)
            .filter(n => !n.closest('[title]')).map(n => n.outerHTML)"""
        silent = """() => [...document.querySelectorAll('.ge-studio button:disabled, .ge-studio [aria-disabled=true]')]
            .filter(n => n.checkVisibility() && !n.title).map(n => n.outerHTML)"""
        assert page.evaluate(nameless) == [] and page.evaluate(silent) == []
