"""Stage on a bare page in Chromium: exact pixels, confirmations, zoom, comparison, keys, clean endings."""

import numpy as np
import pytest

from ganedit_widgets.panels.pictures import exact
from ganedit_widgets.panels.stage import Stage
from tests.browser.component import Bench, drawn, noise, open_page

POINT = """([x, y]) => { const b = document.querySelector('.ge-picture').getBoundingClientRect();
  return [(x - b.left) / b.width, (y - b.top) / b.height] }"""


def percent(page):
    return page.inner_text(".ge-percent")


def settle(page):
    """Two animation frames: layout and observers have run."""
    page.evaluate("() => new Promise(f => requestAnimationFrame(() => requestAnimationFrame(f)))")


@pytest.fixture
def bench(page):
    bench = Bench(page, Stage(width=300))
    yield bench
    assert bench.errors == []
    bench.widget.close()


@pytest.mark.parametrize("dpr", [1, 1.5, 2])
def test_the_picture_is_drawn_exactly_at_every_device_pixel_ratio(chromium, dpr):
    with open_page(chromium, device_scale_factor=dpr) as page:
        bench = Bench(page, Stage(width=300))
        bench.widget.show(noise())
        bench.sync()
        assert np.array_equal(drawn(page), noise())
        box = page.locator(".ge-viewport").bounding_box()
        assert (box["width"], box["height"]) == (300, 200)
        assert bench.widget.stats.acked == 1


@pytest.mark.parametrize(("dpr", "side", "crisp"), [(1, 100, True), (1, 500, False), (2, 256, True), (2, 900, False)])
def test_a_picture_is_smooth_until_somebody_zooms_in_to_its_pixels(chromium, dpr, side, crisp):
    with open_page(chromium, device_scale_factor=dpr) as page:
        bench = Bench(page, Stage(width=300))
        bench.widget.show(noise(side, side))
        bench.sync()
        style = "getComputedStyle(document.querySelector('.ge-picture')).imageRendering"
        assert page.evaluate(style) != "pixelated"
        page.locator(".ge-viewport").focus()
        page.keyboard.press("+")
        page.wait_for_function("document.querySelector('.ge-zoomed')")
        assert (page.evaluate(style) == "pixelated") == crisp


@pytest.mark.parametrize(
    ("height", "width", "shown"), [(50, 100, (300, 150)), (100, 20, (90, 450)), (64, 64, (300, 300))]
)
def test_any_shape_keeps_its_proportions(page, bench, height, width, shown):
    bench.widget.show(noise(height, width))
    bench.sync()
    settle(page)
    box = page.locator(".ge-viewport").bounding_box()
    assert (box["width"], box["height"]) == pytest.approx(shown, abs=1)


def test_of_a_burst_the_last_is_drawn_and_confirmations_rise(page, bench):
    for i in range(1, 8):
        mime, data = exact(noise(seed=i))
        bench.push({"t": "frame", "slot": "result", "seq": i, "mime": mime, "moving": False}, data)
    page.wait_for_function("document.querySelector('.ge-stage').dataset.seq === '7'")
    assert np.array_equal(drawn(page), noise(seed=7))
    seqs = [m["seq"] for m in bench.sent("ack")]
    assert seqs == sorted(seqs) and seqs[-1] == 7


def test_bytes_that_are_no_picture_are_reported_and_the_next_is_drawn(page, bench):
    bench.widget.show(noise())
    bench.sync()
    bench.push({"t": "frame", "slot": "result", "seq": 99, "mime": "image/webp", "moving": False}, b"junk")
    page.wait_for_function("sent.some(m => m.seq === 99)")
    assert "error" in bench.sent("ack")[-1]
    assert "could not be decoded" in page.inner_text(".ge-badge")
    bench.widget.show(noise(seed=5))
    bench.sync()
    assert np.array_equal(drawn(page), noise(seed=5))
    assert page.inner_text(".ge-badge") == ""
    assert bench.widget.stats.failed == 1


def test_a_second_view_shows_the_same_without_asking_python(page, bench):
    bench.widget.show(noise())
    bench.sync()
    page.evaluate("addView()")
    assert page.locator(".ge-has-picture").count() == 2
    assert len(bench.sent("ready")) == 1
    bench.widget.show(noise(seed=1))
    bench.sync()
    sums = page.evaluate(
        """() => [...document.querySelectorAll('.ge-pane-result canvas')].map(
        c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.reduce((a, b) => a + b, 0))"""
    )
    assert sums == [int(noise(seed=1).sum()) + 255 * 40 * 60] * 2


def test_control_and_wheel_zoom_around_the_pointer_and_a_plain_wheel_scrolls(page, bench):
    bench.widget.show(noise())
    bench.sync()
    page.evaluate("document.body.style.height = '3000px'")
    box = page.locator(".ge-viewport").bounding_box()
    x, y = box["x"] + 100, box["y"] + 60
    before = page.evaluate(POINT, [x, y])
    page.mouse.move(x, y)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -300)
    page.keyboard.up("Control")
    page.wait_for_function("document.querySelector('.ge-zoomed')")
    assert page.evaluate("scrollY") == 0
    assert page.evaluate(POINT, [x, y]) == pytest.approx(before, abs=0.004)
    assert percent(page) == "272 %"
    page.mouse.wheel(0, 200)
    page.wait_for_function("scrollY > 100")


def test_keys_zoom_pan_and_fit(page, bench):
    bench.widget.show(noise())
    bench.sync()
    page.focus(".ge-viewport")
    page.keyboard.press("+")
    page.keyboard.press("+")
    assert percent(page) == "200 %"
    left = "document.querySelector('.ge-picture').getBoundingClientRect().left"
    start = page.evaluate(left)
    page.keyboard.press("ArrowRight")
    assert page.evaluate(left) == start - 40
    page.keyboard.press("-")
    assert percent(page) == "150 %"
    page.keyboard.press("0")
    assert percent(page) == "100 %"
    page.click("[aria-label^='Zoom in']")
    assert percent(page) == "150 %"


def test_zoom_and_pan_are_told_to_whoever_is_linked_and_follow_them(page):
    bench = Bench(page, Stage(width=300), views=2)
    bench.widget.show(noise())
    bench.sync()
    transforms = "[...document.querySelectorAll('.ge-pane-result canvas')].map(c => c.style.transform)"
    page.focus(".ge-viewport >> nth=0")
    page.keyboard.press("+")
    page.keyboard.press("ArrowRight")
    k, x, y = page.evaluate("model.get('zoom')")
    assert (k, x, y) == pytest.approx((1.5, (-75 - 40) / 300, -50 / 200), abs=1e-3)
    one, other = page.evaluate(transforms)
    assert one == other == "translate(-115px, -50px) scale(1.5)"
    page.evaluate("model.set('zoom', [4, -3, -1.5])")  # 4 is as far as the right edge goes
    assert page.evaluate(transforms) == ["translate(-900px, -300px) scale(4)"] * 2
    page.evaluate("model.set('zoom', [4, -9, 0])")
    assert page.evaluate("model.get('zoom')") == [4, -3, 0]  # never past the edge
    assert bench.errors == []
    bench.widget.close()


def test_dragging_pans_when_zoomed_and_never_past_the_edge(page, bench):
    bench.widget.show(noise())
    bench.sync()
    page.focus(".ge-viewport")
    for _ in range(3):
        page.keyboard.press("+")
    box = page.locator(".ge-viewport").bounding_box()
    page.mouse.move(box["x"] + 150, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 190, box["y"] + 110, steps=4)
    moved = page.evaluate("document.querySelector('.ge-picture').style.transform")
    page.mouse.move(box["x"] + 3000, box["y"] + 110, steps=4)
    page.mouse.up()
    assert moved.startswith("translate(-260px, -190px)")
    assert page.evaluate("document.querySelector('.ge-picture').style.transform").startswith("translate(0px")


def test_action_keys_reach_python_only_with_focus_inside(page, bench):
    names = []
    bench.widget.on_action(names.append)
    page.evaluate("document.addEventListener('keydown', e => (window.leaked ??= []).push(e.key))")
    page.focus("body")
    page.keyboard.press("Control+z")
    page.focus(".ge-viewport")
    for key in ("Control+z", "Control+Shift+z", "Control+y", "Control+s", "Escape", "Enter", "a", "Control+c"):
        page.keyboard.press(key)
    bench.sync()
    assert names == ["undo", "redo", "redo", "save", "stop", "apply"]
    leaked = [key for key in page.evaluate("leaked") if len(key) == 1]
    assert leaked == ["z", "a", "c"]  # the first was pressed outside, the others are not ours
    assert page.evaluate("document.querySelector('.ge-stage').dataset.lmSuppressShortcuts") == "true"


def test_tab_walks_through_and_leaves(page, bench):
    bench.set(actions=["undo"])
    page.evaluate("document.body.append(Object.assign(document.createElement('button'), {id: 'after'}))")
    stops = []
    for _ in range(12):
        page.keyboard.press("Tab")
        stops.append(page.evaluate("document.activeElement.id || document.activeElement.className || 'x'"))
        if stops[-1] == "after":
            break
    assert "ge-viewport" in stops and stops[-1] == "after"


def test_action_buttons_speak_and_a_disabled_one_says_why(page, bench):
    names = []
    bench.widget.on_action(names.append)
    bench.set(actions=["undo", "redo"], disabled={"redo": "nothing was undone"})
    page.get_by_role("button", name="Undo").click()
    redo = page.get_by_role("button", name="Redo")
    redo.click(force=True)
    bench.sync()
    assert names == ["undo"]
    assert redo.get_attribute("title") == "Redo: nothing was undone"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_screenshots_for_the_eye(chromium, shots, dark):
    y, x = np.mgrid[0:256, 0:256] / 256
    base = np.stack([255 * x, 255 * y, 180 - 120 * x * y], -1).astype(np.uint8)
    for view in ("result", "split", "difference"):
        with open_page(chromium, viewport={"width": 440, "height": 520}) as page:
            bench = Bench(
                page, Stage(actions=["undo", "redo", "save", "stop"], status="render 38 ms", view=view), dark=dark
            )
            bench.widget.show_before(base)
            bench.widget.show(
                np.where(((x - 0.5) ** 2 + (y - 0.5) ** 2 < 0.1)[..., None], base // 2 + 60, base).astype(np.uint8)
            )
            bench.sync()
            page.screenshot(path=shots / f"stage_{view}_{'dark' if dark else 'light'}.png")
            assert page.locator(".ge-has-picture").count() == 1
