"""Knobs on a bare page in Chromium: pace, final values, typed numbers, layers, and who wins against a finger."""

import numpy as np
import pytest

from ganedit_widgets.panels.knobs import Knobs
from ganedit_widgets.panels.pictures import data_url
from tests.browser.component import Bench, open_page

ROWS = [
    {"key": "pose", "label": "Pose", "layers": [0, 4], "warn": [-2, 2], "removable": True, "unit": "σ"},
    {"key": "age", "label": "Age", "value": 1, "enabled": True},
    {"key": "psi", "label": "Truncation", "min": 0, "max": 1, "step": 0.1, "default": 0.7},
]
TRACK = "[data-key={}] input[type=range]"
NUMBER = "[data-key={}] .ge-number"


@pytest.fixture
def bench(page):
    bench = Bench(page, Knobs(ROWS, layer_count=10, presets={"coarse": [0, 2], "middle": [2, 4], "fine": [4, 10]}))
    bench.heard = []
    bench.widget.on_input(lambda *args: bench.heard.append(args))
    yield bench
    assert bench.errors == []
    bench.widget.close()


def grip(page, key):
    """The middle of a slider's thumb, and how many pixels one unit is."""
    box = page.locator(TRACK.format(key)).bounding_box()
    low, high, value = page.eval_on_selector(TRACK.format(key), "e => [+e.min, +e.max, +e.value]")
    unit = (box["width"] - 14) / (high - low)
    return box["x"] + 7 + (value - low) * unit, box["y"] + box["height"] / 2, unit


def test_a_drag_sends_at_most_thirty_messages_a_second_and_the_final_value(page, bench):
    x, y, unit = grip(page, "pose")
    page.mouse.move(x, y)
    page.mouse.down()
    began = page.evaluate("performance.now()")
    for i in range(60):
        page.mouse.move(x + 2 * unit * (i + 1) / 60, y)
    seconds = (page.evaluate("performance.now()") - began) / 1000
    page.mouse.up()
    sent = bench.sent("input")
    assert 2 <= len(sent) <= 30 * seconds + 3
    assert sent[-1]["final"] and not any(m["final"] for m in sent[:-1])
    assert sent[-1]["value"] == pytest.approx(2, abs=0.05)
    bench.sync()
    assert bench.heard[-1] == ("pose", sent[-1]["value"], True)
    assert page.input_value(NUMBER.format("pose")) == f"{sent[-1]['value']:.2f}"


def test_letting_go_outside_the_slider_is_final_too(page, bench):
    x, y, unit = grip(page, "pose")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + unit, y, steps=5)
    page.mouse.move(x + unit, y + 400, steps=5)
    page.mouse.up()
    assert bench.sent("input")[-1]["final"]
    page.mouse.move(x, y)
    bench.sync()
    assert bench.widget.values["pose"] == bench.sent("input")[-1]["value"]


def test_python_moves_a_slider_without_an_answer(page, bench):
    bench.widget.set("age", 2.5)
    bench.sync()
    assert page.input_value(NUMBER.format("age")) == "2.50"
    assert page.input_value(TRACK.format("age")) == "2.5"
    assert bench.sent() == []


def test_python_never_moves_the_slider_in_the_hand(page, bench):
    x, y, unit = grip(page, "pose")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + unit, y, steps=3)
    bench.sync()
    bench.widget.set("pose", -3)
    bench.sync()
    assert float(page.input_value(TRACK.format("pose"))) == pytest.approx(1, abs=0.05)
    page.mouse.up()
    bench.sync()
    assert bench.widget.values["pose"] == pytest.approx(1, abs=0.05)


def test_a_word_of_python_older_than_the_last_move_is_ignored_and_a_newer_one_is_not(page, bench):
    page.focus(TRACK.format("age"))
    page.keyboard.press("ArrowRight")
    bench.sync(0.4)
    bench.widget.set("age", -1)  # knows of the first move only: the second comes before it arrives
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(350)
    bench.push(*bench.outbox.pop()[:1])
    assert page.input_value(NUMBER.format("age")) == "1.02"
    bench.sync()
    bench.widget.set("age", -1)
    bench.sync()
    assert page.input_value(NUMBER.format("age")) == "-1.00"


def test_arrows_step_fine_and_with_shift_coarse_and_end_with_a_final_value(page, bench):
    page.focus(TRACK.format("age"))
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("ArrowDown")
    page.wait_for_function("sent.at(-1)?.final")
    bench.sync()
    assert bench.heard[-1] == ("age", 1.1, True)
    page.keyboard.press("End")
    assert page.input_value(NUMBER.format("age")) == "3.00"


def test_a_double_click_goes_back_to_the_default(page, bench):
    page.dblclick(TRACK.format("psi"), position={"x": 20, "y": 12})
    bench.sync()
    assert bench.heard[-1] == ("psi", 0.7, True)
    page.locator("[data-key=age] [title='Back to the default']").click()
    bench.sync()
    assert bench.widget.values["age"] == 0


def test_typed_values_may_go_past_the_track(page, bench):
    field = page.locator(NUMBER.format("age"))
    field.fill("4,25")
    field.press("Enter")
    bench.sync()
    assert bench.heard[-1] == ("age", 4.25, True)
    assert page.locator("[data-key=age].ge-past").count() == 1
    assert page.input_value(TRACK.format("age")) == "3"
    field.press("ArrowUp")
    assert field.input_value() == "4.26"


def test_a_number_between_two_steps_is_shortened_to_what_its_field_has_room_for(page):
    bench = Bench(page, Knobs([{"key": "strength", "min": 0, "max": 0.5, "step": 0.005, "value": 0.100113}]))
    field = page.locator(NUMBER.format("strength"))
    assert field.input_value() == "0.1001" and field.evaluate("e => e.scrollWidth <= e.clientWidth")
    assert field.get_attribute("title") == "0.100113"
    field.press("Enter")
    bench.sync()
    assert bench.widget.values["strength"] == 0.100113


@pytest.mark.parametrize("text", ["", "seven", "--1"])
def test_what_is_no_number_is_taken_back(page, bench, text):
    field = page.locator(NUMBER.format("age"))
    field.fill(text)
    field.press("Enter")
    assert field.input_value() == "1.00" and bench.sent() == []


def test_typing_is_not_disturbed_by_python_and_escape_gives_it_up(page, bench):
    field = page.locator(NUMBER.format("age"))
    field.fill("2.")
    bench.widget.set("age", 0.5)
    bench.sync()
    assert field.input_value() == "2."
    field.press("Escape")
    assert field.input_value() == "0.50" and bench.sent() == []


def test_outside_the_safe_range_is_said_in_words_too(page, bench):
    bench.widget.set("pose", 2.5)
    bench.sync()
    assert page.get_attribute(TRACK.format("pose"), "aria-valuetext") == "2.50 σ, outside the safe range"
    assert page.locator("[data-key=pose].ge-risky").count() == 1
    widths = page.evaluate(
        "['low', 'high'].map(n => document.querySelector(`[data-key=pose] .ge-mark-${n}`).style.width)"
    )
    assert [float(w.rstrip("%")) for w in widths] == pytest.approx([100 / 6, 100 / 6], abs=0.01)


def test_layers_are_chosen_by_preset_handle_and_key(page, bench):
    told = []
    bench.widget.on_layers(lambda *args: told.append(args))
    page.click("[data-key=pose] .ge-chip")
    assert page.locator("[data-key=pose] .ge-cells i").count() == 10
    page.get_by_role("button", name="fine").click()
    bench.sync()
    assert told[-1] == ("pose", 4, 10)
    strip = page.locator("[data-key=pose] .ge-layers").bounding_box()
    cell = strip["width"] / 10
    page.mouse.move(strip["x"] + 10 * cell - 2, strip["y"] + 10)
    page.mouse.down()
    page.mouse.move(strip["x"] + 7 * cell, strip["y"] + 10, steps=4)
    page.mouse.up()
    bench.sync()
    assert told[-1] == ("pose", 4, 7)
    page.get_by_role("slider", name="First layer").press("ArrowRight")
    bench.sync()
    assert told[-1] == ("pose", 5, 7)
    assert page.inner_text("[data-key=pose] .ge-chip") == "5–6"
    page.get_by_role("button", name="all", exact=True).click()
    bench.sync()
    assert told[-1] == ("pose", 0, 10) and page.inner_text("[data-key=pose] .ge-chip") == "all"


def test_the_layer_handles_cannot_cross(page, bench):
    page.click("[data-key=pose] .ge-chip")
    first = page.get_by_role("slider", name="First layer")
    first.press("End")
    bench.sync()
    assert bench.widget.rows[0]["layers"] == [3, 4]


def test_a_row_can_be_switched_off_and_taken_away(page, bench):
    told = []
    bench.widget.on_toggle(lambda *args: told.append(args))
    bench.widget.on_remove(lambda *args: told.append(args))
    page.locator("[data-key=age] .ge-enable").click()
    page.get_by_role("button", name="Remove: Pose").click()
    bench.sync()
    assert told == [("age", False), ("pose",)]
    bench.set()
    page.evaluate("rows => model.set('rows', rows)", bench.widget.rows)
    assert page.locator(".ge-knob").count() == 2


def test_new_rows_leave_focus_and_values_alone(page, bench):
    page.focus(TRACK.format("age"))
    page.keyboard.press("Home")
    bench.sync(0.4)
    bench.widget.add({"key": "hair", "label": "Hair"})
    page.evaluate("rows => model.set('rows', rows)", bench.widget.rows)
    assert page.evaluate("document.activeElement.closest('.ge-knob').dataset.key") == "age"
    assert page.input_value(NUMBER.format("age")) == "-3.00"
    assert page.locator(".ge-knob").count() == 4


def test_rows_set_anew_reset_values_and_labels(page, bench):
    page.focus(TRACK.format("age"))
    page.keyboard.press("Home")
    bench.sync(0.4)
    bench.widget.rows = [{"key": "age", "label": "Years", "layers": [0, 10]}]
    page.evaluate("rows => model.set('rows', rows)", bench.widget.rows)
    assert page.input_value(NUMBER.format("age")) == "0.00"
    assert page.locator(".ge-name").all_inner_texts() == ["Years"]
    assert page.inner_text("[data-key=age] .ge-chip") == "all"


def test_a_click_on_the_film_strip_goes_to_its_value(page, bench):
    strip = data_url(np.zeros((16, 112, 3), np.uint8))
    bench.widget.set_strip("psi", strip)
    bench.sync()
    page.wait_for_function("document.querySelector('[data-key=psi] .ge-strip').naturalWidth === 112")
    box = page.locator("[data-key=psi] .ge-strip").bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.2, box["y"] + 5)
    bench.sync()
    assert bench.heard[-1] == ("psi", 0.2, True)


def test_every_slider_has_its_name(page, bench):
    names = ["Pose", "Age", "Truncation"]
    assert [page.get_by_role("slider", name=name, exact=True).count() for name in names] == [1, 1, 1]
    assert [page.get_by_role("textbox", name=f"{name}, value").count() for name in names] == [1, 1, 1]


def test_undo_and_apply_reach_python_from_a_slider(page, bench):
    names = []
    bench.widget.on_action(names.append)
    page.focus(TRACK.format("age"))
    page.keyboard.press("Control+z")
    page.keyboard.press("Enter")
    bench.sync()
    assert names == ["undo", "apply"]


def test_two_views_move_together_and_leave_nothing_behind(page, bench):
    page.evaluate("addView()")
    page.locator(NUMBER.format("age")).first.fill("2")
    page.keyboard.press("Enter")
    values = page.evaluate("[...document.querySelectorAll('[data-key=age] .ge-number')].map(e => e.value)")
    assert values == ["2.00", "2.00"]
    page.evaluate("endAll()")
    assert page.evaluate("listeners()") == 0


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [380, 720])
def test_rows_fit_their_cell(chromium, shots, width, dark):
    x = np.arange(7 * 48) / (7 * 48)
    strip = data_url((np.stack([x, 1 - x, 0.5 + 0 * x], -1)[None] * np.full((48, 1, 1), 255)).astype(np.uint8))
    rows = [
        {**ROWS[0], "value": 1.4, "strip": strip},
        {**ROWS[1], "label": "Age, from young to very old", "value": 4},
        ROWS[2],
    ]
    with open_page(chromium, viewport={"width": width, "height": 340}) as page:
        bench = Bench(
            page, Knobs(rows, layer_count=18, presets={"coarse": [0, 4], "middle": [4, 8], "fine": [8, 18]}), dark=dark
        )
        page.click("[data-key=pose] .ge-chip")
        bench.sync()
        page.screenshot(path=shots / f"knobs_{width}_{'dark' if dark else 'light'}.png")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        track = page.locator(TRACK.format("pose")).bounding_box()
        assert track["width"] > 150


def test_buttons_and_keys_move_a_slider_and_the_focus_goes_with_it(page):
    rows = [{"key": key, "movable": True} for key in ("first", "second")]
    bench = Bench(page, Knobs(rows))
    moved = []
    bench.widget.on_move(lambda key: moved.append((key, list(bench.widget.values))))
    page.get_by_role("button", name="Later (Alt+↓): first").click()
    bench.sync()
    assert moved == [("first", ["second", "first"])]
    bench.set(rows=bench.widget.rows)
    page.locator(TRACK.format("first")).focus()
    page.keyboard.press("Alt+ArrowUp")
    bench.sync()
    assert moved[-1] == ("first", ["first", "second"])
    bench.set(rows=bench.widget.rows)
    names = page.eval_on_selector_all(".ge-name", "all => all.map(n => n.textContent)")
    assert names == ["first", "second"] and bench.errors == []
    assert page.evaluate("document.activeElement.closest('.ge-knob').dataset.key") == "first"
    bench.widget.close()
