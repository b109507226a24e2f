"""MaskPainter in a real JupyterLab: ipycanvas below the ink, every pixel as Python has it, through busy and reload."""

import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

from ganedit_widgets.core.painting import labels_of, mask_png, read_mask
from tests.browser.harness import Notebook, drag

pytestmark = pytest.mark.slow

CELL = """
import time
import numpy as np, torch
torch.set_num_threads(1)
from ganedit_widgets.core.painting import colored, tiles_of
from ganedit_widgets.core.painting.tiles import over
from ganedit_widgets.demo.held_out import held_out
from ganedit_widgets.panels import MaskPainter
tiles, parts, _ = held_out(3, 1, 128)
names = ["background", "clothes", "neck", "skin", "hair", "nose", "mouth", "eye", "glasses"]
picture = tiles[0].permute(1, 2, 0).numpy()
y, x = np.mgrid[0:128, 0:128]
painter = MaskPainter(picture, names, clusters=(x // 16 + 8 * (y // 16)).astype("u1"), width=480)
painter
"""
BUSY = "time.sleep(3)"
SURFACE = """() => { const c = document.querySelector('.ge-mask-surface');
    return [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data].filter((_, i) => i % 4 < 3) }"""
INKED = """() => { const c = document.querySelector('.ge-mask-ink');
    const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
    let n = 0; for (let i = 3; i < d.length; i += 4) n += d[i] > 0; return n }"""
WANTED = "over(painter.image, colored(painter.mask, tiles_of(painter.labels, painter.opacity, painter.hidden)))"
TEST_LABELS = ["background", "clothes", "neck", "skin", "hair", "nose", "mouth", "eye", "glasses"]
SIDE = 128


class Painting:
    """The painter of a notebook, in pixels of its picture."""

    def __init__(self, notebook):
        self.notebook, self.page = notebook, notebook.page

    def open(self):
        self.page.wait_for_selector(".ge-mask-painter[data-hosted]", timeout=60_000)
        self.page.wait_for_function(f"({INKED})() === 0")

    def at(self, x, y):
        box = self.page.locator(".ge-mask-world").first.bounding_box()
        return box["x"] + x * box["width"] / SIDE, box["y"] + y * box["height"] / SIDE

    def drag(self, *points):
        drag(self.page, [self.at(*p) for p in points], 6)

    def keys(self, *keys):
        self.page.focus(".ge-mask-viewport")
        for key in keys:
            self.page.keyboard.press(key)

    def mask(self):
        return np.array(self.notebook.python("painter.mask.tolist()"), np.uint8)

    def settle(self, steps):
        """Wait until Python has so many steps and the ink has given way to the surface."""
        self.notebook.until(f"len(painter._link.map.done) == {steps}")
        self.page.wait_for_function(f"({INKED})() === 0", timeout=60_000)

    def exact(self):
        """How far the surface comes to be from what Python's mask should look like, in levels.

        The ink is drawn with the next frame: right after a key it may still be empty, and the surface of before.
        """
        for _ in range(100):
            shown = np.array(self.page.evaluate(SURFACE)).reshape(SIDE, SIDE, 3)
            wanted = np.array(self.notebook.python(f"{WANTED}.tolist()"))
            apart = int(np.abs(shown - wanted).max())
            if apart <= 1:
                break
            self.page.wait_for_timeout(100)
        return apart


def shot(painting, shots, name):
    painting.page.locator(".ge-mask-painter").first.scroll_into_view_if_needed()
    painting.page.screenshot(path=shots / f"mask_{name}.png")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_mask_is_painted_pixel_for_pixel(lab, chromium, shots, dark):
    theme = "dark" if dark else "light"
    with lab.notebook(chromium, [CELL, BUSY], dark=dark, accept_downloads=True) as notebook:
        page, painting = notebook.page, Painting(notebook)
        notebook.run_cell(0, 120)
        painting.open()
        assert painting.exact() <= 1
        shot(painting, shots, f"{theme}_1_new")

        # a stroke, while Python is busy: the ink is there at once, the mask follows
        notebook.run_cell(1, wait=False)
        page.mouse.move(*painting.at(30, 40))
        page.mouse.down()
        for point in ((60, 30), (90, 50)):
            page.mouse.move(*painting.at(*point))
        page.wait_for_timeout(60)
        inked = page.evaluate(INKED)
        assert inked > 500
        shot(painting, shots, f"{theme}_2_ink")
        page.mouse.up()
        painting.settle(1)
        mask = painting.mask()
        assert (mask == 1).sum() > 500 and mask[30, 60] == 1 and painting.exact() <= 1

        # fill, undo, redo
        painting.keys("f", "4")
        page.mouse.click(*painting.at(60, 32))
        painting.settle(2)
        filled = painting.mask()
        assert np.array_equal(filled == 4, mask == 1) and painting.exact() <= 1
        painting.keys("Control+z", "Control+z")
        painting.settle(0)
        assert not painting.mask().any() and painting.exact() <= 1
        painting.keys("Control+Shift+Z", "Control+y")
        painting.settle(2)
        assert np.array_equal(painting.mask(), filled)

        # one pixel at 400 %
        painting.keys("b", "5")
        notebook.python("[setattr(painter, 'size', 1), setattr(painter, 'view', [4.0, -1.5, -1.5])] and 0")
        page.wait_for_selector("text=400 %")
        painting.drag((60.5, 70.5), (65.5, 70.5))
        painting.settle(3)
        assert np.argwhere(painting.mask() == 5).tolist() == [[70, x] for x in range(60, 66)]
        assert painting.exact() <= 1
        shot(painting, shots, f"{theme}_3_zoomed")
        painting.keys("0")
        notebook.until("painter.view[0] == 1")

        # lock
        page.get_by_role("button", name="hair: Lock").click()
        notebook.until("painter.locked == [4]")
        notebook.python("setattr(painter, 'size', 20)")
        painting.keys("6")
        page.wait_for_function("document.querySelector('.ge-chosen .ge-mask-text').textContent === 'mouth'")
        painting.drag((20, 35), (110, 35))
        painting.settle(4)
        assert np.array_equal(painting.mask() == 4, filled == 4) and (painting.mask() == 6).sum() > 300

        # lasso and polygon, then what they look like
        painting.keys("l", "3")
        painting.drag((20, 70), (60, 64), (66, 100), (40, 118), (22, 100), (20, 70))
        painting.settle(5)
        painting.keys("p", "8")
        for corner in ((80, 90), (115, 84), (110, 118)):
            page.mouse.click(*painting.at(*corner))
        page.mouse.move(*painting.at(86, 116))
        shot(painting, shots, f"{theme}_4_polygon")
        page.keyboard.press("Enter")
        painting.settle(6)
        assert painting.exact() <= 1
        before = painting.mask()

        # export, import, and what is no mask
        with page.expect_download() as download:
            page.get_by_role("button", name="Export PNG").click()
        contents = download.value.path().read_bytes()
        assert np.array_equal(read_mask(contents, labels_of(TEST_LABELS), (SIDE, SIDE)), before)
        give = page.locator(".ge-mask-painter input[type=file]")
        other = np.rot90(before).astype(np.uint8)
        give.set_input_files(
            {"name": "m.png", "mimeType": "image/png", "buffer": mask_png(other, labels_of(TEST_LABELS))}
        )
        painting.settle(7)
        assert np.array_equal(painting.mask(), other) and painting.exact() <= 1
        small = io.BytesIO()
        Image.new("L", (64, 64)).save(small, "PNG")
        give.set_input_files({"name": "s.png", "mimeType": "image/png", "buffer": small.getvalue()})
        page.wait_for_selector("text=64×64 pixels, the picture 128×128")
        shot(painting, shots, f"{theme}_5_refused")
        assert np.array_equal(painting.mask(), other)
        painting.keys("Control+z")
        painting.settle(6)

        # smart select, hovering
        painting.keys("w", "7")
        page.mouse.move(*painting.at(72, 24))
        page.wait_for_timeout(200)
        shot(painting, shots, f"{theme}_6_smart")
        page.mouse.click(*painting.at(72, 24))
        page.mouse.move(2, 2)
        painting.settle(7)
        assert notebook.python("bool((painter.mask[16:32, 64:80] >= 4).all())") and painting.exact() <= 1
        wanted = painting.mask()

        # the notebook file keeps a still picture; a reload keeps everything
        page.wait_for_timeout(1800)
        notebook.save()
        saved = json.loads((lab.notebooks / notebook.name).read_text())
        stills = [o for o in saved["cells"][0]["outputs"] if "image/png" in o.get("data", {})]
        still = Image.open(io.BytesIO(base64.b64decode("".join(stills[0]["data"]["image/png"]))))
        assert len(stills) == 1 and np.array_equal(np.asarray(still), notebook.python("painter.preview.tolist()"))
        notebook.open()
        painting.open()
        assert np.array_equal(painting.mask(), wanted) and painting.exact() <= 1
        painting.keys("Control+z")
        notebook.until("len(painter._link.map.done) == 6")
        page.wait_for_timeout(300)
        assert painting.exact() <= 1 and np.array_equal(painting.mask(), before)
        assert not [e for e in notebook.errors if "ganedit" in e or "anywidget" in e]


TWO = (
    CELL
    + """
from IPython.display import display
second = MaskPainter(picture, width=260)
display(painter, second)
"""
)


def test_two_painters_in_two_places_share_a_page_and_a_mask(lab, chromium, shots):
    cell = TWO.replace("painter\n\nfrom", "from")
    with lab.notebook(chromium, [cell, "painter"]) as notebook:
        page, painting = notebook.page, Painting(notebook)
        notebook.run_all(120)
        page.wait_for_function("document.querySelectorAll('.ge-mask-painter[data-hosted]').length >= 3")
        painting.drag((30, 40), (90, 40))
        painting.settle(1)
        counts = """() => [...document.querySelectorAll('.ge-mask-painter')].map(
            n => n.querySelector('.ge-mask-row:nth-child(2) .ge-mask-count').textContent)"""
        one, two, three = page.evaluate(counts)
        assert one == three and int(one) > 300 and two == "0"
        assert painting.exact() <= 1
        other = page.locator(".ge-mask-world").nth(1)
        other.scroll_into_view_if_needed()
        box = other.bounding_box()
        drag(page, [(box["x"] + 30, box["y"] + 60), (box["x"] + 150, box["y"] + 60)])
        notebook.until("second.mask.any()")
        page.screenshot(path=shots / "mask_two.png")
        assert painting.exact() <= 1


KILL = """painter._surface.canvas._canvas_manager._send_custom(
    [__import__('ipycanvas').canvas.COMMANDS['switchCanvas'], ['IPY_MODEL_nothing']])"""


def test_the_painter_outlives_a_canvas_that_stops_the_queue_of_all(lab, chromium):
    with lab.notebook(chromium, [CELL]) as notebook:
        notebook.run_cell(0, 120)
        painting = Painting(notebook)
        painting.open()
        notebook.python(f"{KILL} and 0")
        painting.drag((30, 40), (90, 40))
        painting.settle(1)
        notebook.page.wait_for_timeout(1000)
        assert painting.exact() <= 1 and painting.mask()[40, 60] == 1


def test_two_tabs_of_a_browser_end_with_the_same_mask(lab, chromium):
    with lab.notebook(chromium, [CELL]) as notebook:
        notebook.run_cell(0, 120)
        one = Painting(notebook)
        one.open()
        one.drag((30, 40), (90, 40))
        one.settle(1)
        notebook.save()
        tab = Notebook(lab, notebook.page.context.new_page(), notebook.name)
        tab.page.goto(f"{lab.url}/lab/workspaces/other/tree/{notebook.name}?token={lab.token}&reset")
        two = Painting(tab)
        two.open()
        assert np.array_equal(one.mask(), two.mask()) and two.exact() <= 1
        two.keys("2")
        two.drag((30, 80), (90, 80))
        two.settle(2)
        one.settle(2)
        counts = """() => [...document.querySelectorAll('.ge-mask-count')].map(
            n => Number(n.textContent.replaceAll(',', '')))"""
        seen = two.page.evaluate(counts)
        one.page.bring_to_front()  # what is not seen is not drawn
        one.page.wait_for_timeout(500)
        assert one.page.evaluate(counts) == seen == notebook.python("[*painter.counts.values()]")
        assert one.exact() <= 1
        one.keys("Control+z", "Control+z")  # the second step was not its own
        notebook.until("not painter.mask.any()")
        one.page.wait_for_timeout(500)
        assert one.exact() <= 1
        tab.close()


def test_without_the_ink_layer_the_mask_is_painted_on_ipycanvas_alone(lab, chromium, shots):
    cell = CELL.rstrip().removesuffix("painter") + "plain = painter.plain()\nplain"
    with lab.notebook(chromium, [cell]) as notebook:
        page = notebook.page
        notebook.run_all(120)
        canvas = page.locator(".jp-OutputArea-output canvas").first
        canvas.wait_for()
        page.wait_for_timeout(1000)
        box = canvas.bounding_box()
        scale = box["width"] / SIDE
        assert scale == pytest.approx(480 / SIDE, rel=0.02)
        drag(page, [(box["x"] + x * scale, box["y"] + y * scale) for x, y in ((30, 40), (60, 40), (90, 60))], 30)
        notebook.until("len(painter._link.map.done) == 1")
        mask = np.array(notebook.python("painter.mask.tolist()"))
        assert mask[40, 45] == 1 and mask[60, 90] == 1 and 500 < (mask == 1).sum() < 1500
        page.wait_for_timeout(500)
        page.screenshot(path=shots / "mask_plain.png")
        pixels = SURFACE.replace("'.ge-mask-surface'", "'.jp-OutputArea-output canvas'")
        shown = np.array(page.evaluate(pixels)).reshape(SIDE, SIDE, 3)
        assert np.abs(shown - np.array(notebook.python(f"{WANTED}.tolist()"))).max() <= 1
        page.get_by_role("button", name="Undo").click()
        notebook.until("not painter.mask.any()")
