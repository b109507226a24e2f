"""The box in a real page: dragged, resized, turned, by mouse and keys; and the whole way of a photo into the model."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from ganedit_widgets.core.align import Box, crop
from ganedit_widgets.core.image import to_pixels
from ganedit_widgets.demo.align_scenes import Spread, scenes
from ganedit_widgets.demo.held_out import held_out
from ganedit_widgets.panels.alignbox import AlignBox
from tests.browser.component import Bench
from tests.browser.harness import drag

PLACES = """() => [...document.querySelectorAll('.ge-halo')].map(n => {
    const b = n.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2] })"""
SEEN = """() => { const c = document.querySelector('.ge-align-seen');
    const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
    return [c.width, c.height, [...d].filter((_, i) => i % 4 < 3)] }"""
START = Box(150, 100, 80, 0)


def scene():
    y, x = np.mgrid[0:200, 0:300]
    return np.stack([x * 0.8, y * 1.2, 128 + 100 * np.sin(x / 20)], -1).clip(0, 255).astype(np.uint8)


@pytest.fixture
def bench(page):
    bench = Bench(page, AlignBox(label="Box"))
    bench.widget.show(scene(), START)
    bench.boxes = []
    bench.widget.on_box(bench.boxes.append)
    bench.sync()
    page.wait_for_selector(".ge-align-seen")
    return bench


def grips(bench):
    """The handle that turns, then the corners from the left top one clockwise."""
    return bench.page.evaluate(PLACES)


def seen(bench):
    width, height, values = bench.page.evaluate(SEEN)
    return np.array(values, np.uint8).reshape(height, width, 3)


def scale(bench):
    """CSS pixels of a pixel of the picture."""
    corners = grips(bench)[1:]
    return (corners[1][0] - corners[0][0]) / START.side


def test_dragging_inside_moves_the_box_and_python_hears_the_end(bench):
    by = scale(bench)
    middle = np.mean(grips(bench)[1:], 0)
    drag(bench.page, [tuple(middle), tuple(middle + 5), tuple(middle + by * np.array([20, 10]))])
    bench.sync()
    (box,) = bench.boxes
    assert (box.x, box.y) == pytest.approx((170, 110), abs=1) and (box.side, box.angle) == (80, 0)
    assert bench.widget.box == box


def test_a_corner_resizes_and_the_opposite_one_stays(bench):
    by = scale(bench)
    corner = np.array(grips(bench)[3])
    drag(bench.page, [tuple(corner), tuple(corner + 3), tuple(corner + 40 * by)])
    bench.sync()
    box = bench.boxes[-1]
    assert box.side == pytest.approx(120, abs=1.5) and box.angle == 0
    assert box.corners()[0] == pytest.approx(START.corners()[0], abs=0.5)


def test_the_handle_above_turns(bench):
    knob, *corners = np.array(grips(bench))
    middle = np.mean(corners, 0)
    reach = np.hypot(*(knob - middle))
    target = middle + reach * np.array([np.sin(np.radians(30)), -np.cos(np.radians(30))])
    drag(bench.page, [tuple(knob), tuple((knob + target) / 2), tuple(target)])
    bench.sync()
    box = bench.boxes[-1]
    assert box.angle == pytest.approx(30, abs=1) and (box.x, box.y, box.side) == (150, 100, 80)


def test_keys_move_resize_and_turn(bench):
    bench.page.focus(".ge-align-overlay")
    for key in ("ArrowRight", "Shift+ArrowDown", "+", ".", "Shift+>"):
        bench.page.keyboard.press(key)
    bench.page.wait_for_timeout(200)
    bench.sync()
    (box,) = bench.boxes  # one message for all
    assert (box.x, box.y) == pytest.approx((150.8, 104)) and box.side == 81.6 and box.angle == 6
    bench.page.keyboard.press("0")
    bench.page.wait_for_timeout(200)
    bench.sync()
    assert bench.boxes[-1].angle == 0


@pytest.mark.parametrize("box", [START, Box(120, 90, 60, 25), Box(20, 180, 90, -40), Box(150, 100, 500, 10)])
def test_what_the_model_sees_is_shown_as_python_will_crop_it(bench, box):
    bench.widget.move(box)
    bench.sync()
    shown = seen(bench)
    wanted = crop(scene(), box, shown.shape[:2])
    assert np.abs(shown.astype(int) - wanted).mean() < 6


def test_python_does_not_take_the_box_out_of_the_hand(bench):
    middle = np.mean(grips(bench)[1:], 0)
    bench.page.mouse.move(*middle)
    bench.page.mouse.down()
    bench.page.mouse.move(*(middle + 10))
    bench.widget.move(Box(50, 50, 40, 0))
    bench.sync()
    bench.page.mouse.up()
    bench.sync()
    assert bench.boxes[-1].x > 150


def test_the_box_stays_on_the_picture(bench):
    middle = np.mean(grips(bench)[1:], 0)
    drag(bench.page, [tuple(middle), tuple(middle + 100), (890, 690)])
    bench.sync()
    assert bench.boxes[-1].x <= 300 and bench.boxes[-1].y <= 200
    assert bench.errors == []


def test_a_second_view_follows_and_nothing_is_left_behind(bench):
    bench.page.evaluate("addView()")
    bench.page.focus(".view:nth-of-type(1) .ge-align-overlay")
    bench.page.keyboard.press("ArrowRight")
    bench.page.wait_for_timeout(200)
    texts = bench.page.evaluate(
        "[...document.querySelectorAll('.ge-align-overlay')].map(n => n.getAttribute('aria-label'))"
    )
    assert len(texts) == 2 and texts[0] == texts[1]
    bench.page.evaluate("endAll()")
    assert bench.page.evaluate("listeners()") == 0


# ---- the whole way, in a notebook


def photo():
    """An off-center, turned portrait that the demo's networks have not seen, as (file, where it lies)."""
    tiles, labels, _ = held_out(4, 1, 128)
    made = scenes(tiles, labels, Spread((0.45, 0.5), 14.0, 0.14), torch.Generator().manual_seed(5), 360, 360)
    pixels = to_pixels(made.pictures[0])
    x, y, side = (360 * float(v) for v in (made.x, made.y, made.side))
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue(), Box(x, y, side, float(torch.rad2deg(made.angle)))


CELL = """
import torch
torch.set_num_threads(1)
from ganedit_widgets.panels import Studio
studio = Studio()
studio.layout.width = "{width}px"
studio
"""


@pytest.mark.slow
@pytest.mark.parametrize(("dark", "width"), [(False, 960), (True, 560)], ids=["light-960", "dark-560"])
def test_a_photo_is_aligned_embedded_judged_and_put_back(lab, chromium, shots, dark, width):
    contents, true = photo()
    cell = CELL.format(width=width)
    view = {"width": width + 260, "height": 1400}
    with lab.notebook(chromium, [cell], dark=dark, viewport=view, accept_downloads=True) as notebook:
        page, name = notebook.page, f"{'dark' if dark else 'light'}_{width}"
        notebook.run_all(120)
        page.wait_for_selector(".ge-studio .ge-has-picture")
        page.get_by_role("tab", name="Embed").click()
        file = {"name": "party.png", "mimeType": "image/png", "buffer": contents}
        page.locator(".ge-upload input[type=file]").first.set_input_files(file)
        page.wait_for_selector("text=press Automatic")
        page.screenshot(path=shots / f"align_{name}_1_chosen.png")
        page.get_by_role("button", name="Automatic", exact=True).click()
        notebook.until("studio.panel.aligning.picture.box is not None")
        box = Box(*notebook.python("[*vars(studio.panel.aligning.box).values()]"))
        assert np.hypot(box.x - true.x, box.y - true.y) < 0.2 * true.side
        assert box.side == pytest.approx(true.side, rel=0.25) and box.angle == pytest.approx(true.angle, abs=12)
        page.wait_for_selector(f".ge-align-numbers >> text={round(box.side)} px")  # the page has heard of it
        corner = page.evaluate(PLACES)[3]
        drag(page, [tuple(corner), (corner[0] - 2, corner[1] - 2), (corner[0] - 6, corner[1] - 6)])
        notebook.until(f"studio.panel.aligning.box.side < {box.side}")
        page.screenshot(path=shots / f"align_{name}_2_aligned.png")
        notebook.python("setattr(studio.panel.iterations, 'value', 2000)")
        page.get_by_role("button", name="Start", exact=True).click()
        notebook.until("studio.session.progress and studio.session.progress.step > 12")
        page.locator(".ge-stop").click()
        page.wait_for_selector(".ge-card img", timeout=60_000)
        page.wait_for_timeout(500)
        page.get_by_role("button", name="Save into the original").scroll_into_view_if_needed()
        page.screenshot(path=shots / f"align_{name}_3_card.png")
        with page.expect_download() as download:
            page.get_by_role("button", name="Save into the original").click()
        assert download.value.suggested_filename == "party_edited.png"
        with Image.open(download.value.path()) as saved:
            assert saved.size == (360, 360)
        outside = """() => { const f = document.querySelector('.ge-studio').getBoundingClientRect();
            return [...document.querySelectorAll('.ge-studio .ge-panel *')].filter(n => n.getClientRects().length)
                .filter(n => !n.closest('svg, .ge-list, pre') && n.getBoundingClientRect().right > f.right + 1)
                .map(n => n.className || n.tagName) }"""
        assert page.evaluate(outside) == []
        assert not [e for e in notebook.errors if "ganedit" in e or "anywidget" in e]
