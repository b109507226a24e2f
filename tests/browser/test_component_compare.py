"""Comparing on a bare page in Chromium: press, wipe, difference, what is read out, and a clean end."""

import numpy as np
import pytest

from ganedit_widgets.panels.stage import Stage
from tests.browser.component import Bench, drawn, noise

SHOWN = """() => ['result', 'before', 'difference'].filter(
  s => getComputedStyle(document.querySelector(`.ge-pane-${s}`)).visibility === 'visible')"""


@pytest.fixture
def bench(page):
    bench = Bench(page, Stage(width=300))
    yield bench
    assert bench.errors == []
    bench.widget.close()


@pytest.fixture
def compared(bench):
    bench.widget.show_before(noise(seed=1))
    bench.widget.show(noise(seed=2))
    bench.sync()
    return bench


def test_pressing_the_picture_or_space_shows_the_one_before(page, compared):
    box = page.locator(".ge-viewport").bounding_box()
    page.mouse.move(box["x"] + 50, box["y"] + 50)
    page.mouse.down()
    page.wait_for_function("document.querySelector('.ge-stage').dataset.view === 'before'")
    assert page.evaluate(SHOWN) == ["before"]
    assert np.array_equal(drawn(page, "before"), noise(seed=1))
    page.mouse.up()
    assert page.evaluate(SHOWN) == ["result"]
    page.keyboard.down(" ")
    assert page.evaluate(SHOWN) == ["before"]
    page.keyboard.up(" ")
    assert page.evaluate(SHOWN) == ["result"]
    assert compared.widget.view == "result"


def test_comparison_waits_for_a_picture_to_compare_with(page, bench):
    bench.widget.show(noise())
    bench.sync()
    split = page.get_by_role("button", name="Split")
    assert split.is_disabled()
    assert "no picture to compare" in split.get_attribute("title")
    bench.widget.show_before(noise(seed=1))
    bench.sync()
    assert split.is_enabled()


def test_the_wipe_shows_before_on_the_left_and_follows_pointer_and_keys(page, compared):
    page.get_by_role("button", name="Split").click()
    assert page.evaluate("saved") == [["view", "split"]]
    assert page.evaluate(SHOWN) == ["result", "before"]
    wipe = page.get_by_role("slider", name="Split position")
    assert wipe.get_attribute("aria-valuenow") == "50"
    box, handle = page.locator(".ge-viewport").bounding_box(), wipe.bounding_box()
    page.mouse.move(handle["x"] + 12, handle["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 75, box["y"] + 100, steps=3)
    page.mouse.up()
    assert wipe.get_attribute("aria-valuenow") == "25"
    assert "75%" in page.evaluate("getComputedStyle(document.querySelector('.ge-pane-before')).clipPath")
    page.keyboard.press("ArrowRight")
    assert wipe.get_attribute("aria-valuenow") == "27"
    page.keyboard.press("End")
    assert wipe.get_attribute("aria-valuenow") == "100"


def test_the_difference_is_amplified_and_follows_every_picture(page, compared):
    compared.set(view="difference")
    a, b = noise(seed=1).astype(int), noise(seed=2).astype(int)
    assert np.array_equal(drawn(page, "difference"), np.clip(4 * abs(a - b), 0, 255).astype(np.uint8))
    assert f"mean {abs(a - b).mean():.1f}" in page.inner_text(".ge-badge")
    compared.set(gain=1.0)
    assert np.array_equal(drawn(page, "difference"), abs(a - b).astype(np.uint8))
    compared.widget.show(noise(seed=1))
    compared.sync()
    assert drawn(page, "difference").max() == 0


def test_screen_readers_hear_description_view_and_state(page, compared):
    compared.set(alt="A smiling face", busy=True, status="12 of 100 steps")
    picture = page.get_by_role("img")
    assert picture.get_attribute("aria-label") == "A smiling face (result)"
    assert picture.get_attribute("aria-busy") == "true"
    page.wait_for_function("document.querySelector('[aria-live]').textContent === '12 of 100 steps'")
    compared.set(view="before")
    page.wait_for_function("document.querySelector('[aria-live]').textContent === 'View: before'")


def test_ending_leaves_no_listener_and_no_view(page, compared):
    page.evaluate("addView()")
    assert page.evaluate("listeners()") > 2
    page.evaluate("endAll()")
    assert page.evaluate("listeners()") == 0
    count = page.evaluate("sent.length")
    page.keyboard.press("Control+z")
    compared.push({"t": "frame", "slot": "result", "seq": 50, "mime": "image/webp", "moving": False}, b"junk")
    page.wait_for_timeout(50)
    assert page.evaluate("sent.length") == count
