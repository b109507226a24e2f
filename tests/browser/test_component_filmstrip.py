"""Filmstrip on a bare page in Chromium: choosing, marking, keys, and thumbnails that travel once."""

import numpy as np
import pytest

from ganedit_widgets.panels.filmstrip import Filmstrip
from tests.browser.component import Bench, open_page

LOADED = "[...document.querySelectorAll('.ge-cell img')].every(i => i.complete && i.naturalWidth)"
SELECTED = "[...document.querySelectorAll('[aria-selected=true] .ge-caption')].map(e => e.textContent)"


def cells(n, size=48):
    rng = np.random.default_rng(3)
    return [(i, np.full((size, size, 3), rng.integers(40, 220, 3), np.uint8), f"step {i}") for i in range(n)]


@pytest.fixture(scope="module")
def tab(chromium):
    with open_page(chromium, viewport={"width": 520, "height": 400}) as page:
        yield page


def make(page, n=6, **traits):
    bench = Bench(page, Filmstrip(**traits))
    bench.chosen, bench.marked = [], []
    bench.widget.on_select(bench.chosen.append)
    bench.widget.on_mark(lambda *args: bench.marked.append(args))
    bench.widget.show(cells(n), current=1, undone=[4, 5])
    bench.sync()
    return bench


def test_thumbnails_captions_the_current_and_the_undone_are_shown(page):
    bench = make(page)
    page.wait_for_function(LOADED)
    assert page.locator(".ge-caption").all_inner_texts() == [f"step {i}" for i in range(6)]
    assert page.evaluate(SELECTED) == ["step 1"]
    assert page.locator(".ge-undone").count() == 2
    assert bench.widget.stats.acked == 1 and bench.errors == []


@pytest.mark.parametrize("caption", ["seed 123456", "open mouth\n56 % kept"])
def test_a_long_caption_takes_more_lines_and_is_not_cut(page, caption):
    bench = Bench(page, Filmstrip(size=64))
    bench.widget.show([(0, np.zeros((64, 64, 3), np.uint8), caption)])
    bench.sync()
    page.wait_for_selector(f".ge-caption >> text={caption.split()[0]}")
    fits = "e => e.scrollWidth <= e.clientWidth && e.scrollHeight <= e.clientHeight && e.clientHeight > 14"
    assert page.locator(".ge-caption").evaluate(fits)


def test_the_picture_is_that_of_the_array(page):
    make(page)
    page.wait_for_function(LOADED)
    color = page.evaluate(
        """() => { const c = new OffscreenCanvas(48, 48).getContext('2d');
        c.drawImage(document.querySelectorAll('.ge-cell img')[2], 0, 0);
        return [...c.getImageData(20, 20, 1, 1).data] }"""
    )
    assert np.abs(np.array(color[:3]) - cells(6)[2][1][0, 0]).max() <= 2


def test_a_click_and_the_arrow_keys_choose(page):
    bench = make(page)
    page.locator(".ge-cell").nth(3).click()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("End")
    page.keyboard.press("ArrowRight")
    bench.sync()
    assert bench.chosen == [3, 2, 5]
    assert page.evaluate(SELECTED) == ["step 5"]


def test_a_new_thumbnail_keeps_the_old_images_and_comes_into_view(page):
    bench = make(page, n=12)
    page.evaluate("document.querySelectorAll('.ge-cell img').forEach(i => i.dataset.old = i.src)")
    bench.widget.show(cells(13), current=12)
    bench.sync()
    assert page.evaluate("[...document.querySelectorAll('[data-old]')].every(i => i.src === i.dataset.old)")
    right = page.locator(".ge-cell").nth(12).bounding_box()
    assert right["x"] + right["width"] <= 520
    assert page.evaluate("scrollX") == 0


def test_a_page_that_missed_a_message_asks_for_all(page):
    bench = make(page, n=2)
    bench.widget.show(cells(3))
    bench.outbox.clear()  # lost
    bench.widget.show(cells(4))
    bench.sync()
    page.wait_for_function(LOADED)
    assert page.locator(".ge-cell").count() == 4 and len(bench.sent("ready")) == 2


def test_clicks_and_keys_mark(page):
    bench = make(page, markable=True, wrap=True)
    first, second = page.locator(".ge-cell").nth(0), page.locator(".ge-cell").nth(1)
    first.click()
    second.click()
    second.click()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("+")
    page.keyboard.press("ArrowRight")
    page.keyboard.press(" ")
    page.keyboard.press("Delete")
    bench.sync()
    assert bench.widget.marks == {0: "+", 1: "-", 2: "+"}
    assert bench.marked[-1] == (3, "") and bench.chosen == []
    assert second.get_attribute("aria-label") == "step 1, marked minus"


def test_up_and_down_go_by_rows(page):
    bench = make(page, n=14, wrap=True)
    page.focus(".ge-list")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowUp")
    bench.sync()
    tops = page.evaluate("[...document.querySelectorAll('.ge-cell')].map(c => c.offsetTop)")
    per_row = tops.count(tops[0])
    assert bench.chosen == [1 + per_row, 2 + per_row, 2]


def test_screen_readers_get_a_list_with_positions(page):
    make(page, label="Edits")
    box = page.get_by_role("listbox", name="Edits")
    option = page.get_by_role("option", name="step 4, undone")
    assert option.get_attribute("aria-posinset") == "5" and option.get_attribute("aria-setsize") == "6"
    assert box.get_attribute("aria-activedescendant") == page.locator(".ge-cell").nth(1).get_attribute("id")


def test_an_empty_strip_says_what_will_come(page):
    Bench(page, Filmstrip(hint="Every applied edit appears here"))
    assert page.inner_text(".ge-filmstrip") == "Every applied edit appears here"


def test_no_image_and_no_listener_is_left_behind(page):
    page.evaluate(
        """() => { window.open_urls = 0; const make = URL.createObjectURL, drop = URL.revokeObjectURL;
        URL.createObjectURL = b => { if (b.type.startsWith('image')) open_urls++; return make.call(URL, b) };
        URL.revokeObjectURL = u => { open_urls--; drop.call(URL, u) } }"""
    )
    bench = make(page)
    assert page.evaluate("open_urls") == 6
    bench.widget.show(cells(3))
    bench.sync()
    assert page.evaluate("open_urls") == 3
    page.evaluate("addView()")
    page.evaluate("endAll()")
    assert page.evaluate("open_urls") == 0 and page.evaluate("listeners()") == 0


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_screenshots_for_the_eye(chromium, shots, dark):
    for name, traits in (("history", {}), ("gallery", {"wrap": True, "markable": True, "size": 96})):
        with open_page(chromium, viewport={"width": 640, "height": 260}) as page:
            bench = Bench(page, Filmstrip(**traits), dark=dark)
            bench.widget.marks = {1: "+", 2: "-"} if traits else {}
            bench.widget.show(cells(9, 64), current=None if traits else 3, undone=[] if traits else [4, 5, 6, 7, 8])
            bench.sync()
            page.wait_for_function(LOADED)
            page.keyboard.press("Tab")
            page.screenshot(path=shots / f"filmstrip_{name}_{'dark' if dark else 'light'}.png")
            assert page.locator(".ge-cell").count() == 9
