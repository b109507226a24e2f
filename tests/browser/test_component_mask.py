"""MaskPainter on a bare page in Chromium, without ipycanvas: the tools, pixel for pixel, and two pages that agree."""

import base64
import json

import numpy as np
import pytest

from ganedit_widgets.core.painting import brush, colored, connected, polygon, tiles_of
from ganedit_widgets.core.painting.tiles import over
from ganedit_widgets.panels import MaskPainter
from ganedit_widgets.panels.assets import script
from tests.browser.component import Bench, noise
from tests.browser.harness import drag

H, W = 60, 80
LABELS = ["none", "hair", "skin", "eye"]
WITH_BUFFERS = """() => { model.send = (message, _, buffers = []) => sent.push({ ...message, bytes: buffers.map(
    b => btoa(Array.from(new Uint8Array(b), c => String.fromCharCode(c)).join(''))) }); }"""
INK = """() => { const c = document.querySelector('.ge-mask-ink');
    return [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data].filter((_, i) => i % 4 < 3) }"""
COUNTS = "() => [...document.querySelectorAll('.ge-mask-count')].map(n => Number(n.textContent.replaceAll(',', '')))"


class PaintBench(Bench):
    """A bench whose messages carry bytes."""

    def __init__(self, page, widget, **options):
        super().__init__(page, widget, **options)
        page.evaluate(WITH_BUFFERS)

    def hear(self):
        """Give Python what the page has sent since last time."""
        messages = self.page.evaluate("sent")
        for message in messages[self._read :]:
            buffers = [memoryview(base64.b64decode(b)) for b in message.pop("bytes", [])]
            self.widget._handle_custom_msg(message, buffers)
        self._read = len(messages)

    def tell(self):
        """Give the page what Python has sent since last time."""
        for message, buffers in self._take_outbox():
            self.push(message, *buffers)

    def sync(self, seconds=0.08):
        for _ in range(3):
            self.hear()
            self.tell()
            self.page.wait_for_timeout(40)

    def at(self, x, y):
        box = self.page.locator(".ge-mask-world").first.bounding_box()
        return box["x"] + x * box["width"] / W, box["y"] + y * box["height"] / H

    def drag(self, *points):
        drag(self.page, [self.at(*p) for p in points], 4)

    def click(self, x, y, **how):
        self.page.mouse.click(*self.at(x, y), **how)

    def counts(self):
        self.page.wait_for_timeout(30)
        return self.page.evaluate(COUNTS)

    def agrees(self):
        """Sync, and return whether page and Python have the same mask and show it."""
        self.sync()
        self.page.wait_for_timeout(50)
        tiles = tiles_of(self.widget.labels, self.widget.opacity, self.widget.hidden, self.widget.patterns)
        wanted = over(self.widget.image, colored(self.widget.mask, tiles)).astype(int)
        shown = np.array(self.page.evaluate(INK)).reshape(H, W, 3)
        return self.counts()[:4] == list(self.widget.counts.values()) and np.abs(shown - wanted).max() <= 2


@pytest.fixture
def bench(page):
    clusters = np.arange(H * W).reshape(H, W) // W // 20
    bench = PaintBench(page, MaskPainter(noise(H, W), LABELS, clusters=clusters, width=400))
    bench.sync()
    yield bench
    assert bench.errors == []
    bench.widget.close()


# ---- one rule on both sides


PAGE_HITS = """([kind, cases]) => cases.map(([points, size, w, h]) => { const hits = new Uint8Array(w * h);
    const hit = (x, y) => { hits[y * w + x] = 1; };
    if (kind === 'brush') points.forEach((p, i) =>
        rules.brushSegment(points[Math.max(i - 1, 0)], p, size * p[2], w, h, hit));
    else rules.polygonPixels(points, w, h, hit);
    return [...hits] })"""


@pytest.mark.parametrize("kind", ["brush", "polygon"])
def test_page_and_python_cover_the_same_pixels(page, kind):
    code = script("base", "mask_raster") + "\nwindow.rules = { brushSegment, polygonPixels };"
    page.add_script_tag(content=code)
    rng = np.random.default_rng(7)
    cases = []
    for i in range(300):
        points = rng.uniform(-8, 40, (int(rng.integers(3, 9)), 2))
        if i % 3 == 0:
            points = np.round(points * 2) / 2  # on the pixels' borders and centers
        pressure = rng.uniform(0.1, 1, (len(points), 1)) if i % 2 else np.ones((len(points), 1))
        cases.append([np.hstack([points, pressure]).tolist(), float(rng.integers(1, 16)), 33, 27])
    found = page.evaluate(PAGE_HITS, [kind, cases])
    for (points, size, w, h), hits in zip(cases, found, strict=True):
        wanted = brush(points, size, (h, w)) if kind == "brush" else polygon(np.array(points)[:, :2], (h, w))
        assert np.array_equal(np.array(hits, bool).reshape(h, w), wanted), json.dumps([points, size])


# ---- the tools


def test_a_stroke_is_on_screen_before_python_hears_of_it_and_exact_afterwards(bench):
    bench.page.mouse.move(*bench.at(10, 10))
    bench.page.mouse.down()
    bench.page.mouse.move(*bench.at(40, 30))
    bench.page.wait_for_timeout(60)
    on_screen = bench.counts()[1]
    assert on_screen > 300 and bench.sent("paint") == []
    bench.page.mouse.up()
    assert bench.agrees() and bench.widget.counts["hair"] == on_screen


def test_the_brush_makes_what_python_makes(bench):
    bench.set(size=9.0)
    bench.drag((10, 10), (50, 40))
    bench.sync()
    box = bench.page.locator(".ge-mask-world").bounding_box()
    scale = box["width"] / W
    points = [
        (round(10 * scale) / scale, round(10 * scale) / scale),
        (round(50 * scale) / scale, round(40 * scale) / scale),
    ]
    assert (bench.widget.mask != brush(points, 9, (H, W))).sum() < 8  # the browser rounds where the mouse is
    assert bench.agrees()


def test_undo_and_redo_go_many_levels_without_waiting_for_python(bench):
    for i in range(6):
        bench.click(5 + 10 * i, 20)
    painted = bench.counts()
    assert painted[1] > 400
    bench.page.focus(".ge-mask-viewport")
    for _ in range(6):
        bench.page.keyboard.press("Control+z")
    assert bench.counts()[1] == 0
    for _ in range(6):
        bench.page.keyboard.press("Control+Shift+Z")
    assert bench.counts() == painted and bench.agrees()
    bench.page.keyboard.press("Control+y")
    assert bench.agrees() and list(bench.widget.counts.values()) == painted


def test_fill_takes_the_connected_piece_or_the_whole_label(bench):
    bench.click(10, 10)
    bench.click(60, 40)
    bench.page.focus(".ge-mask-viewport")
    for key in ("f", "2"):
        bench.page.keyboard.press(key)
    bench.click(10, 10)
    assert bench.agrees()
    assert 0 < bench.widget.counts["skin"] == bench.widget.counts["hair"]
    assert (bench.widget.mask == 2)[connected(bench.widget.mask, 10, 10)].all()
    bench.page.get_by_role("button", name="Everywhere").click()
    bench.page.keyboard.press("3")
    bench.click(1, 1)
    assert bench.agrees() and bench.widget.counts["none"] == 0


def test_eraser_line_lasso_polygon_picker_and_clusters(bench):
    press = bench.page.keyboard.press
    bench.page.focus(".ge-mask-viewport")
    press("n")
    bench.drag((5, 5), (70, 5))
    press("e")
    bench.drag((40, 0), (40, 12))
    assert bench.agrees() and bench.widget.mask[5, 40] == 0 and bench.widget.mask[5, 20] == 1
    for key in ("l", "2"):
        press(key)
    bench.drag((10, 20), (30, 20), (30, 40), (10, 40))
    assert bench.agrees() and bench.widget.mask[30, 20] == 2
    for key in ("p", "3"):
        press(key)
    for corner in ((50, 20), (70, 20), (70, 40), (50, 40), (49, 39)):
        bench.click(*corner)
    press("Backspace")
    press("Enter")
    assert bench.agrees() and bench.widget.counts["eye"] == pytest.approx(400, abs=30)
    press("i")
    bench.click(20, 30)
    bench.page.wait_for_function("document.querySelector('.ge-mask-row:nth-child(3).ge-chosen')")
    press("w")
    bench.click(20, 58)
    assert bench.agrees() and (bench.widget.mask[40:] == 2).all()


def test_a_locked_label_keeps_its_pixels_and_says_so(bench):
    bench.click(20, 20)
    bench.sync()
    kept = bench.widget.counts["hair"]
    bench.page.get_by_role("button", name="hair: Lock").click()
    bench.click(40, 40)  # with the locked label itself
    assert "“hair” is locked" in bench.page.inner_text(".ge-message")
    bench.page.focus(".ge-mask-viewport")
    for key in ("2", "]", "]"):
        bench.page.keyboard.press(key)
    bench.drag((5, 20), (60, 20))
    assert bench.agrees() and bench.widget.counts["hair"] == kept and bench.widget.counts["skin"] > 300
    bench.page.get_by_role("button", name="Clear").click()
    assert bench.agrees() and bench.widget.counts["hair"] == kept and bench.widget.counts["skin"] == 0


def test_escape_gives_a_stroke_up(bench):
    bench.page.mouse.move(*bench.at(10, 10))
    bench.page.mouse.down()
    bench.page.mouse.move(*bench.at(30, 30))
    assert bench.counts()[1] > 0
    bench.page.keyboard.press("Escape")
    bench.page.mouse.up()
    assert bench.counts()[1] == 0 and bench.agrees() and bench.sent("paint") == []


def test_enter_during_a_stroke_leaves_the_stroke_and_the_painter_alone(bench):
    bench.page.mouse.move(*bench.at(10, 10))
    bench.page.mouse.down()
    bench.page.mouse.move(*bench.at(20, 10))
    bench.page.keyboard.press("Enter")
    bench.page.mouse.move(*bench.at(40, 10))
    bench.page.mouse.up()
    assert bench.agrees() and len(bench.sent("paint")) == 1
    assert (bench.widget.mask[10, 10:41] == 1).all()
    bench.drag((10, 40), (40, 40))
    assert bench.agrees() and (bench.widget.mask[40, 10:41] == 1).all()


def test_moving_on_after_escape_or_with_a_locked_label_paints_nothing_and_fails_nowhere(bench):
    bench.page.mouse.move(*bench.at(10, 10))
    bench.page.mouse.down()
    bench.page.mouse.move(*bench.at(20, 20))
    bench.page.keyboard.press("Escape")
    bench.page.mouse.move(*bench.at(40, 40))
    bench.page.mouse.up()
    bench.set(locked=[1])
    bench.drag((10, 40), (50, 20))
    assert bench.errors == [] and bench.counts()[1] == 0 and bench.sent("paint") == []
    bench.set(locked=[])
    bench.drag((10, 40), (50, 20))
    assert bench.agrees() and bench.widget.counts["hair"] > 300


def test_a_stroke_that_another_view_gives_up_fails_nowhere(bench):
    bench.page.evaluate("addView()")
    bench.page.mouse.move(*bench.at(10, 10))
    bench.page.mouse.down()
    bench.page.mouse.move(*bench.at(20, 20))
    escape = "new KeyboardEvent('keydown', { key: 'Escape', bubbles: true })"
    bench.page.evaluate(f"document.querySelectorAll('.ge-mask-viewport')[1].dispatchEvent({escape})")
    bench.page.mouse.move(*bench.at(40, 40))
    bench.page.mouse.up()
    assert bench.agrees() and bench.sent("paint") == []


def test_one_pixel_at_four_hundred_percent(bench):
    bench.page.focus(".ge-mask-viewport")
    bench.set(size=1.0, view=[4.0, -1.5, -1.5])
    bench.click(45.3, 33.7)
    assert bench.agrees() and bench.widget.counts["hair"] == 1 and bench.widget.mask[33, 45] == 1


def test_the_wheel_zooms_with_control_and_space_pans(bench):
    bench.page.mouse.move(*bench.at(40, 30))
    bench.page.keyboard.down("Control")
    bench.page.mouse.wheel(0, -400)
    bench.page.keyboard.up("Control")
    bench.page.wait_for_timeout(250)
    k, x, _ = bench.page.evaluate("model.get('view')")
    assert k > 3 and bench.page.inner_text(".ge-percent") == f"{round(100 * k)} %"
    bench.page.focus(".ge-mask-viewport")
    bench.page.keyboard.down("Space")
    bench.drag((40, 30), (42, 30))
    bench.page.keyboard.up("Space")
    assert bench.page.evaluate("model.get('view')")[1] > x and bench.counts()[1] == 0


def test_looks_follow_at_once_and_hiding_all_changes_nothing(bench):
    bench.drag((10, 10), (50, 30))
    assert bench.agrees()
    bench.set(hidden=[1])
    assert bench.agrees()
    bench.page.focus(".ge-mask-viewport")
    bench.set(hidden=[], opacity=0.9, patterns=False)
    assert bench.agrees()
    bench.page.keyboard.press("h")
    bench.page.wait_for_timeout(60)
    assert np.array_equal(np.array(bench.page.evaluate(INK)).reshape(H, W, 3), bench.widget.image)
    bench.page.keyboard.press("h")
    assert bench.agrees()


def test_the_newest_picture_is_shown_though_an_older_one_was_decoded_later(bench):
    bench.page.evaluate(
        """() => { const decode = createImageBitmap; let first = true;
        window.createImageBitmap = async (...given) => { const late = first; first = false;
            if (late) await new Promise(done => { window.decodeFirst = done; });
            return decode(...given); } }"""
    )
    for seed in (1, 2):
        bench.widget.image = noise(H, W, seed)
        bench.tell()
    bench.page.wait_for_timeout(60)
    bench.page.evaluate("decodeFirst()")
    bench.page.wait_for_timeout(60)
    assert bench.agrees()


def test_clusters_may_go_while_the_pointer_is_over_one(bench):
    bench.page.focus(".ge-mask-viewport")
    bench.page.keyboard.press("w")
    bench.page.mouse.move(*bench.at(20, 30))
    bench.page.wait_for_timeout(60)
    bench.widget.clusters = None
    bench.tell()
    bench.page.wait_for_timeout(60)
    assert bench.errors == []
    bench.page.keyboard.press("b")
    bench.click(20, 30)
    assert bench.agrees() and bench.widget.mask[30, 20] == 1


def test_a_frame_that_fails_is_not_the_last_one(bench):
    bench.page.evaluate(
        """() => { const put = CanvasRenderingContext2D.prototype.putImageData;
        CanvasRenderingContext2D.prototype.putImageData = function() {
            CanvasRenderingContext2D.prototype.putImageData = put; throw new Error('once'); } }"""
    )
    bench.click(20, 30)
    bench.page.wait_for_timeout(60)
    assert bench.errors == ["once"]
    bench.errors.clear()
    bench.click(50, 30)
    assert bench.agrees()


def test_somebody_elses_step_under_a_stroke_of_ours_ends_in_the_same_mask(bench):
    bench.drag((10, 10), (50, 30))  # on its way
    bench.widget.fill(0, 0, "skin")  # meanwhile, in Python
    bench.tell()
    bench.click(60, 50)
    assert bench.agrees()
    bench.page.mouse.move(*bench.at(5, 50))
    bench.page.mouse.down()
    bench.page.mouse.move(*bench.at(40, 50))
    bench.widget.stroke([(20, 50)], "eye", 8)  # under a stroke in the hand
    bench.tell()
    bench.page.mouse.up()
    assert bench.agrees() and bench.widget.mask[50, 20] == 1
    bench.page.focus(".ge-mask-viewport")
    for _ in range(5):
        bench.page.keyboard.press("Control+z")
        assert bench.agrees()
    assert not bench.widget.mask.any()


def test_a_page_that_comes_later_undoes_what_it_has_not_seen(bench):
    bench.drag((10, 10), (50, 30))
    bench.sync()
    bench.page.evaluate("model.send({ t: 'ready' })")  # as after a reload: the mask comes, its history stays in Python
    bench.sync()
    bench.page.focus(".ge-mask-viewport")
    bench.page.keyboard.press("Control+z")
    assert bench.agrees() and not bench.widget.mask.any()
    bench.page.keyboard.press("Control+y")
    assert bench.agrees() and bench.widget.mask.any()


def test_two_fingers_zoom_and_leave_no_stroke(bench):
    client = bench.page.context.new_cdp_session(bench.page)

    def touch(kind, *places):
        points = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(places)]
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    a, b = bench.at(30, 30), bench.at(50, 30)
    touch("touchStart", a)
    touch("touchStart", a, b)
    for i in range(1, 6):
        touch("touchMove", (a[0] - 10 * i, a[1]), (b[0] + 10 * i, b[1]))
    touch("touchEnd")
    assert bench.page.evaluate("model.get('view')")[0] > 1.5
    assert bench.counts()[1] == 0 and bench.agrees()
    touch("touchStart", bench.at(30, 30))
    touch("touchMove", bench.at(35, 30))
    touch("touchEnd")
    assert bench.agrees() and bench.widget.counts["hair"] > 0


def test_a_pen_paints_wider_the_harder_it_presses(bench):
    client = bench.page.context.new_cdp_session(bench.page)
    bench.set(size=16.0)
    for i in range(25):
        x, y = bench.at(10 + 2.4 * i, 30)
        kind = "mousePressed" if i == 0 else "mouseMoved"
        pen = {"pointerType": "pen", "force": 0.2 + 0.03 * i, "button": "left", "buttons": 1, "clickCount": 1}
        client.send("Input.dispatchMouseEvent", {"type": kind, "x": x, "y": y, **pen})
    client.send("Input.dispatchMouseEvent", {"type": "mouseReleased", "x": x, "y": y, **pen, "buttons": 0})
    assert bench.agrees()
    widths = (bench.widget.mask == 1).sum(0)
    assert 2 <= widths[12] <= 5 and 11 <= widths[66] <= 16


def test_nothing_reaches_out_of_a_narrow_cell(bench):
    bench.page.evaluate("document.querySelector('.view').style.width = '330px'")
    bench.page.wait_for_timeout(60)
    outside = """() => { const f = document.querySelector('.view').getBoundingClientRect();
        return [...document.querySelectorAll('.view *')].filter(n => n.getClientRects().length)
            .filter(n => n.getBoundingClientRect().right > f.right + 1).map(n => n.getAttribute('class')) }"""
    assert bench.page.evaluate(outside) == []
    bench.drag((10, 10), (60, 50))
    assert bench.agrees() and bench.widget.mask[50, 60] == 1


def test_the_keyboard_alone_can_paint_and_leave(bench):
    page = bench.page
    page.focus(".ge-mask-viewport")
    for key in ("ArrowRight", "Shift+ArrowDown", "Enter"):
        page.keyboard.press(key)
    assert bench.agrees() and bench.widget.mask[40, 41] == 1
    page.keyboard.press("Tab")
    assert page.evaluate("!document.activeElement.matches('.ge-mask-viewport')")
    unnamed = """() => [...document.querySelectorAll('button:not([hidden]), input')].filter(n =>
        !n.closest('[aria-hidden=true]') &&
        !(n.getAttribute('aria-label') || n.textContent.trim() || n.labels?.length)).length"""
    assert page.evaluate(unnamed) == 0


def test_a_second_view_shows_the_same_and_nothing_is_left_behind(bench):
    bench.page.evaluate("addView()")
    bench.drag((10, 10), (50, 30))
    bench.page.wait_for_timeout(60)
    one, two = bench.page.evaluate(
        """() => [...document.querySelectorAll('.ge-mask-ink')].map(
        c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.reduce((a, b) => a + b, 0))"""
    )
    assert one == two and bench.agrees()
    bench.page.evaluate("endAll()")
    assert bench.page.evaluate("listeners()") == 0
