"""The vector library in a real JupyterLab: cards, strip, sliders, order, refining, mixing, files, keyboard."""

import re

import numpy as np
import pytest
import torch

from ganedit_widgets.core.vectors import load_vectors, npy_bytes, vector_of, vectors_bytes
from tests.browser.gestures import begin, labels, press, settled, shoot, tab
from tests.browser.harness import drag
from tests.tiny import tiny

pytestmark = pytest.mark.slow

CELL = """
import numpy as np, torch
torch.set_num_threads(1)
from tests.tiny import tiny
from ganedit_widgets.core.segment import Labeled, SegmentPlan, train_segmenter
from ganedit_widgets.core.vectors import vector_of
from ganedit_widgets.panels import Session, Studio, TraversePanel, VectorLibraryPanel
session = Session(tiny())
def make(name, seed, *classes, model=session.generator):
    delta = 0.4 * torch.randn(6, 8, generator=torch.Generator().manual_seed(seed))
    return vector_of(model, delta, name, classes, {"method": "painted"})
session.vectors.add(make("smile", 0, "left"), make("bigger nose", 1, "right"), make("long hair", 2),
                    make("wink", 3, "left", model=tiny(1)))
half = (np.indices((16, 16))[1] < 8).astype(np.uint8)
*_, trained = train_segmenter(session.generator, [Labeled(session.generator.sample(0), half)], ("right", "left"),
                              SegmentPlan(steps=40, models=2, rate=1e-2))
studio = Studio(session=session, panels=[VectorLibraryPanel, TraversePanel])
studio
"""
CARD = ".ge-vector"
STACK = "[(vector.name, scale) for vector, scale in studio.panel.stack.pairs()]"


@pytest.fixture
def studio(lab, chromium):
    with lab.notebook(chromium, [CELL, "1 + 1"], accept_downloads=True) as notebook:
        begin(notebook, ".ge-vector img")
        notebook.page.wait_for_function("document.querySelectorAll('.ge-vector').length === 4")
        yield notebook
        assert not [e for e in notebook.errors if "ganedit" in e or "anywidget" in e]


def card(notebook, name):
    return notebook.page.locator(CARD, has_text=name)


def strip(notebook):
    """The pictures of the chosen vector."""
    cells = notebook.page.locator("[aria-label^='The chosen vector'] .ge-cell")
    notebook.page.wait_for_function(
        "document.querySelectorAll(\"[aria-label^='The chosen vector'] .ge-cell\").length === 6"
    )
    return cells


def slide(notebook, name, *places):
    """Drag the slider of a stacked vector over shares of its length."""
    box = notebook.page.get_by_role("slider", name=name, exact=True).bounding_box()
    y = box["y"] + box["height"] / 2
    drag(notebook.page, [(box["x"] + box["width"] * place, y) for place in places])


def test_a_vector_is_added_dragged_muted_and_recorded(studio):
    before = settled(studio)
    card(studio, "smile").dblclick()
    studio.until(f"{STACK} == [('smile', 1.0)]")
    full = settled(studio)
    studio.page.wait_for_selector("[aria-label^='Vectors that are made'] input[type=range]")
    slide(studio, "smile", 0.66, 0.5, 0.3, 0.1)
    studio.until(f"{STACK}[0][1] < -1")
    negative = settled(studio)
    slide(studio, "smile", 0.1, 0.5, 0.98)
    studio.until(f"{STACK}[0][1] > 2.2")
    beyond = settled(studio)
    assert len({tuple(p) for p in (before, full, negative, beyond)}) == 4
    mute = studio.page.get_by_label("smile, on", exact=True)
    mute.click()
    studio.until(f"{STACK} == []")
    assert settled(studio) == before
    mute.click()
    studio.until(f"len({STACK}) == 1")
    assert settled(studio) == beyond
    press(studio, "Apply")
    studio.until("len(studio.session.history) == 3")
    assert labels(studio)[-1].startswith("smile +2")
    assert settled(studio) == beyond
    studio.page.locator(".ge-viewport").focus()
    studio.page.keyboard.press("Control+z")
    studio.until("studio.session.history.index == 1")
    assert settled(studio) == before


def test_the_strip_is_of_the_chosen_vector_and_a_click_makes_it(studio):
    before = settled(studio)
    card(studio, "bigger nose").click()
    studio.page.wait_for_selector("text=“bigger nose” on this picture")
    cells = strip(studio)
    assert cells.all_inner_texts() == ["−1", "−0.5", "0", "+0.5", "+1", "+1.5"]
    cells.nth(5).click()
    studio.until(f"{STACK} == [('bigger nose', 1.5)]")
    assert settled(studio) != before
    cells.nth(0).click()
    studio.until(f"{STACK} == [('bigger nose', -1.0)]")
    settled(studio)


def test_the_order_is_stated_changed_by_button_and_key_and_vectors_leave(studio):
    page = studio.page
    for name in ("smile", "bigger nose"):
        card(studio, name).dblclick()
    page.wait_for_selector("text=Made: smile +1, then bigger nose +1.")
    both = settled(studio)
    page.get_by_role("button", name="Earlier (Alt+↑): bigger nose").click()
    page.wait_for_selector("text=Made: bigger nose +1, then smile +1.")
    page.get_by_role("slider", name="smile", exact=True).focus()
    page.keyboard.press("Alt+ArrowUp")
    page.wait_for_selector("text=Made: smile +1, then bigger nose +1.")
    assert page.evaluate("document.activeElement.type") == "range"  # the focus goes with it
    page.keyboard.press("Alt+ArrowDown")
    page.wait_for_selector("text=Made: bigger nose +1, then smile +1.")
    settled(studio)
    page.get_by_role("button", name="Remove: smile").click()
    studio.until(f"{STACK} == [('bigger nose', 1.0)]")
    assert settled(studio) != both


def test_the_library_is_used_by_keyboard_alone(studio):
    page = studio.page
    page.get_by_role("listbox", name="Edit vectors").focus()
    for key in ("Home", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    studio.until(f"{STACK} == [('bigger nose', 1.0)]")
    page.keyboard.press("Delete")
    page.wait_for_function("document.querySelectorAll('.ge-vector').length === 3")
    studio.until(f"{STACK} == []")
    press(studio, "Undo")
    page.wait_for_function("document.querySelectorAll('.ge-vector').length === 4")
    page.keyboard.press("End")
    page.get_by_label("Search the library").fill("left smile")
    page.wait_for_function("document.querySelectorAll('.ge-vector').length === 1")
    page.get_by_label("Search the library").fill("nothing like it")
    page.wait_for_selector("text=No vector is like that")
    page.get_by_label("Search the library").fill("")
    page.get_by_label("Which are shown").select_option("of other models")
    page.wait_for_function("document.querySelectorAll('.ge-vector').length === 1")
    card(studio, "wink").dblclick()
    page.wait_for_selector(".ge-message >> text=was learned with the model")


def test_a_name_is_typed(studio):
    page = studio.page
    card(studio, "smile").dblclick()
    field = page.get_by_label("Name of the chosen vector")
    field.fill("grin")
    field.press("Enter")
    page.wait_for_function("document.querySelector('.ge-vector-name').textContent === 'grin'")
    page.wait_for_selector("text=Made: grin +1.")
    field.fill("wink")
    field.press("Enter")
    page.wait_for_selector(".ge-message >> text=Another edit vector is called “wink”")


def test_refining_is_off_without_a_segmenter_then_mends_and_can_be_stopped(studio):
    page = studio.page
    page.wait_for_selector("text=refining is off")
    mode = page.get_by_label("How they are made")
    assert mode.is_disabled()
    studio.python("studio.session.segments.take(trained.segmenter())")
    page.wait_for_function("!document.querySelector('.ge-panel select:disabled')")
    for name in ("smile", "long hair"):
        card(studio, name).dblclick()
    studio.until(f"len({STACK}) == 2")
    instant = settled(studio)
    mode.select_option("then refine, 10 steps")
    press(studio, "Apply")
    studio.until("type(studio.session.history.edits[-1]).__name__ == 'Refine' and not studio.session.busy")
    assert settled(studio) != instant and labels(studio)[-1].startswith("smile +1")
    page.wait_for_selector("text=labeled as wanted")
    studio.python("setattr(studio.panel.mode, 'options', [('long', 4000)])")
    press(studio, "Same again")
    studio.until(f"len({STACK}) == 2")
    press(studio, "Apply")
    studio.until("studio.session.progress and studio.session.progress.step > 3")
    page.locator(".ge-viewport").focus()
    page.keyboard.press("Escape")
    studio.until("len(studio.session.history) == 4 and not studio.session.busy")
    assert 3 <= studio.python("studio.session.history.edits[-1].total") < 4000
    settled(studio)


def test_vectors_are_measured_and_mixed(studio):
    page = studio.page
    studio.python("studio.session.segments.take(trained.segmenter())")
    for name in ("smile", "bigger nose"):
        card(studio, name).dblclick()
    card(studio, "smile").click()
    press(studio, "▸ Measure, mix and relearn")
    page.get_by_label("How many pictures").fill("2")
    page.keyboard.press("Enter")
    press(studio, "Calibrate")
    page.wait_for_selector("text=labels changed")
    press(studio, "Combine")
    page.wait_for_selector(".ge-vector[aria-selected=true] >> text=smile + bigger nose")
    page.get_by_label("What is taken out").select_option("long hair")
    press(studio, "Project out")
    page.wait_for_selector(".ge-vector >> text=smile + bigger nose without long hair")
    card(studio, "long hair").last.click()
    press(studio, "Relearn")
    page.wait_for_selector(".ge-message >> text=have in common")


def test_files_come_in_through_the_browser_and_go_out(studio, tmp_path):
    page = studio.page
    press(studio, "▸ Files")
    page.wait_for_selector("text=Choose a file")
    own = vector_of(tiny(), torch.ones(8), "bright", ("left",))
    (tmp_path / "theirs.safetensors").write_bytes(vectors_bytes([own]))
    (tmp_path / "wheel.npy").write_bytes(npy_bytes(own))
    chooser = page.locator(".ge-upload input[type=file]").first
    chooser.set_input_files(tmp_path / "theirs.safetensors")
    page.wait_for_selector(".ge-message >> text=1 vector of theirs.safetensors added")
    chooser.set_input_files(tmp_path / "wheel.npy")
    page.wait_for_selector("text=An array does not say what it is")
    page.get_by_label("The space in which it lies").select_option("W: one change for all layers")
    press(studio, "Import")
    page.wait_for_selector(".ge-message >> text=W of this generator needs")
    page.get_by_label("The space in which it lies").select_option("W+: a change for each layer")
    press(studio, "Import")
    page.wait_for_selector(".ge-vector >> text=wheel")
    for name in ("Download all", "Download as .npy"):
        with page.expect_download() as download:
            press(studio, name)
        download.value.save_as(tmp_path / download.value.suggested_filename)
    assert "wheel" in load_vectors(tmp_path / "vectors.safetensors")
    assert np.allclose(np.load(tmp_path / "wheel.npy"), 1.0)


def test_every_control_has_a_name_and_disabled_ones_say_why(studio):
    nameless = """() => [...document.querySelectorAll('.ge-studio button, .ge-studio input, .ge-studio select')]
        .filter(n => n.checkVisibility() && n.type !== 'file' && !n.textContent.trim())
        .filter(n => !n.getAttribute('aria-label') && !n.title && !n.labels?.length && !n.placeholder)
        .filter(n => !n.closest('[title]'))
        .map(n => n.outerHTML)"""
    silent = """() => [...document.querySelectorAll('.ge-studio button:disabled, .ge-studio [aria-disabled=true]')]
        .filter(n => n.checkVisibility() && !n.title).map(n => n.outerHTML)"""
    for title in studio.page.locator(".ge-panel:visible .ge-fold > button:visible").all_inner_texts():
        press(studio, title.strip())
    card(studio, "smile").dblclick()
    studio.page.wait_for_timeout(700)
    assert studio.page.evaluate(nameless) == []
    assert studio.page.evaluate(silent) == []


def test_the_stack_outlives_a_reloaded_page_and_another_tab_keeps_what_is_shown(studio):
    card(studio, "smile").dblclick()
    shown = settled(studio)
    studio.save()
    studio.open()
    studio.page.wait_for_selector(".ge-vector >> text=smile")
    assert settled(studio) == shown
    tab(studio, "Traverse")
    studio.until("studio.panel.ready.finished")
    studio.python("studio.panel.seeds.next_button.click()")
    studio.until("len(studio.session.history) == 3")  # what was shown is recorded before the other panel moves
    assert labels(studio)[-1] == "smile +1"


DEMO = """
import torch
torch.set_num_threads(1)
from dataclasses import replace
from ganedit_widgets.core.probes import load_directions
from ganedit_widgets.core.vectors import vector_of
from ganedit_widgets.panels import Session, Studio, TraversePanel, VectorLibraryPanel
session = Session()
session.generator.latent_shape
CLASSES = {"smile": ("mouth", "teeth"), "age": ("skin",), "gaze": ("eye", "iris")}
made = []
for name, d in list(load_directions("demo").items())[:10]:
    if d.space != "s":
        layers = torch.zeros(session.generator.latent_shape[0], 1)
        layers[d.layers or slice(None)] = 1
        v = d.vector if d.space == "w+" else layers * d.vector
        made.append(vector_of(session.generator, 2 * d.unit * v, name, CLASSES.get(name, ()), {"method": "direction"}))
session.vectors.add(*made)
studio = Studio(session=session, panels=[VectorLibraryPanel, TraversePanel])
studio
"""


@pytest.mark.parametrize(("width", "dark"), [(1100, False), (560, True)])
def test_the_panel_fits_its_cell(lab, chromium, shots, dark, width):
    with lab.notebook(chromium, [DEMO], dark=dark, viewport={"width": width, "height": 1500}) as notebook:
        begin(notebook, ".ge-vector img")
        page = notebook.page
        names = [re.sub("\n.*", "", text) for text in page.locator(".ge-vector-name").all_inner_texts()]
        for name in names[:2]:
            page.locator(CARD).nth(names.index(name)).dblclick()
        page.wait_for_selector("text=Made:")
        press(notebook, "▸ Measure, mix and relearn")
        press(notebook, "▸ Files")
        strip(notebook)
        page.wait_for_timeout(800)
        shoot(page, shots / f"vectors_{'dark' if dark else 'light'}_{width}.png")
        outside = """() => { const f = document.querySelector('.ge-studio').getBoundingClientRect();
            return [...document.querySelectorAll('.ge-studio *')]
                .filter(n => n.getClientRects().length && !n.closest('.ge-list') && !n.closest('pre'))
                .filter(n => n.getBoundingClientRect().right > f.right + 1).map(n => n.className || n.tagName) }"""
        assert page.evaluate(outside) == []
