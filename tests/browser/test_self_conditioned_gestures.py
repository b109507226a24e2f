"""The self-conditioned panel in a real JupyterLab: both pictures follow the hand, labels are recorded and undone."""

import numpy as np
import pytest

from tests.browser.gestures import begin, labels, press, settled, shoot, tab
from tests.browser.harness import drag

pytestmark = pytest.mark.slow

SMALL = """
import torch
torch.set_num_threads(1)
from dataclasses import replace
from tests.core.test_original import random_direction
from tests.tiny import labeled, tiny
from ganedit_widgets.panels import SelfConditionedPanel, Session, Studio
source = tiny()
yaw = replace(random_direction(source, "yaw"), name="yaw")
studio = Studio(labeled(), panels=[lambda session: SelfConditionedPanel(session, source, [yaw])])
studio
"""
PLAIN = """
import torch
torch.set_num_threads(1)
from tests.tiny import labeled, tiny
from ganedit_widgets.core.generators.load import save_model
from ganedit_widgets.panels import SelfConditionedPanel, Studio
made = labeled()
save_model("steered.safetensors", made.network, made.discriminator, {"name": "steered"})
studio = Studio(tiny(), panels=[SelfConditionedPanel])
studio
"""
DEMO = """
import torch
torch.set_num_threads(1)
from ganedit_widgets.panels import SelfConditionedPanel, Studio, TraversePanel
studio = Studio({model}panels=[{panels}])
studio
"""
LABELED = DEMO.format(model='"demo-self-conditioned", ', panels="SelfConditionedPanel")
TABS = DEMO.format(model="", panels="TraversePanel, SelfConditionedPanel")
ORIGINAL = """() => { const c = document.querySelector('.ge-original .ge-pane-result canvas');
    return [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data].filter((_, i) => i % 4 < 3) }"""
OUTSIDE = """() => { const f = document.querySelector('.ge-studio').getBoundingClientRect();
    return [...document.querySelectorAll('.ge-studio *')]
        .filter(n => n.getClientRects().length && !n.closest('.ge-list') && !n.closest('pre'))
        .filter(n => n.getBoundingClientRect().right > f.right + 1).map(n => n.className || n.tagName) }"""


def healthy(notebook):
    return not [e for e in notebook.errors if "ganedit" in e or "anywidget" in e]


def slide(notebook, name, *parts):
    box = notebook.box(f"[data-key='{name}'] input[type=range]")
    y = box["y"] + box["height"] / 2
    drag(notebook.page, [(box["x"] + box["width"] * part, y) for part in parts])


def beside(notebook):
    """Wait until the page shows exactly the original's picture; return it."""
    notebook.until("studio.panel.view.stage.pixels is not None")
    wanted = notebook.python("studio.panel.view.stage.pixels.ravel().tolist()")
    notebook.page.wait_for_function(
        f"w => {{ const p = ({ORIGINAL})(); return w.every((v, i) => v === p[i]) }}", arg=wanted
    )
    return wanted


def test_both_pictures_follow_a_drag_and_apply_and_undo_move_the_sliders(lab, chromium):
    with lab.notebook(chromium, [SMALL, "1 + 1"]) as notebook:
        begin(notebook, ".ge-original .ge-has-picture")
        page = notebook.page
        before, original = settled(notebook), beside(notebook)
        slide(notebook, "yaw", *np.linspace(0.5, 0.9, 40))
        notebook.until("studio.session.pending is not None and studio.session.pending.values['yaw'] > 0.9")
        assert settled(notebook) != before and beside(notebook) != original
        page.wait_for_selector(".ge-labels-measures >> text=Look:")
        left, right = (notebook.box(s)["x"] for s in (".ge-original", ".ge-views > :first-child"))
        assert left < right  # original | self-conditioned
        press(notebook, "Apply")
        notebook.until("len(studio.session.history) == 3")
        assert labels(notebook)[-1].startswith("yaw 0.9")
        page.locator(".ge-viewport").first.focus()
        page.keyboard.press("Control+z")
        notebook.until("studio.panel.knobs.values['yaw'] == 0.5")
        assert settled(notebook) == before and beside(notebook) == original
        slide(notebook, "age", 0.5, 0.8, 1.0)
        notebook.until("studio.session.pending is not None and studio.session.pending.values == {'age': 1.0}")
        page.wait_for_selector(".ge-original >> text=no direction of age")
        assert healthy(notebook)


def test_another_person_keeps_the_labels_and_may_have_its_own(lab, chromium):
    with lab.notebook(chromium, [SMALL, "1 + 1"]) as notebook:
        begin(notebook, ".ge-original .ge-has-picture")
        before = settled(notebook)
        slide(notebook, "yaw", 0.5, 0.7, 0.9)
        notebook.until("studio.session.pending is not None")
        press(notebook, "›")
        notebook.until(
            "[type(e).__name__ for e in getattr(studio.session.pending, 'edits', ())] == ['Sample', 'SetLabels']"
        )
        notebook.until("studio.session.pending.edits[1].values['yaw'] > 0.8")
        assert settled(notebook) != before
        press(notebook, "The person's own")
        own = "studio.panel.original.own(studio.session.shown)['yaw']"
        notebook.until(f"abs(studio.panel.knobs.values['yaw'] - {own}) < 1e-3")
        press(notebook, "Reset")
        notebook.until("studio.session.pending is None")
        assert settled(notebook) == before and healthy(notebook)


def test_below_the_demo_its_self_conditioned_model_turns_the_head(lab, chromium, shots):
    with lab.notebook(chromium, [TABS], viewport={"width": 1100, "height": 1400}) as notebook:
        begin(notebook)
        tab(notebook, "Self-conditioned")
        notebook.page.wait_for_selector("[data-key='yaw']", timeout=60_000)
        opened = "studio.panel.below.panel.session"
        notebook.python(f"globals().update(before={opened}.pixels.astype(float))")
        slide(notebook, "yaw", 0.5, 0.7, 1.0)
        notebook.until(f"{opened}.pending is not None and {opened}.pending.values.get('yaw') == 1.0", 60)
        turned = "lambda p: p.shape == before.shape and abs(p - before).mean() > 5"  # of 255; no smaller preview
        notebook.until(f"({turned})({opened}.pixels)", 60)
        notebook.page.wait_for_timeout(900)
        notebook.page.locator(".ge-studio").first.screenshot(path=shots / "self_conditioned_demo.png")
        box = notebook.box("[data-key='yaw'] .ge-strip")
        notebook.page.mouse.click(box["x"] + box["width"] / 12, box["y"] + box["height"] / 2)  # its first picture: 0
        notebook.until(f"abs({opened}.pending.values.get('yaw', 1.0)) < 0.011", 30)
        assert healthy(notebook)


def test_a_model_without_labels_says_what_to_do_and_opens_one_below(lab, chromium, shots):
    with lab.notebook(chromium, [PLAIN, "1 + 1"]) as notebook:
        begin(notebook)
        page = notebook.page
        page.wait_for_selector("text=ganedit train self-conditioned")
        assert page.locator(".ge-original").count() == 0
        page.get_by_label("File of a self-conditioned model").fill("steered.safetensors")
        page.keyboard.press("Tab")
        press(notebook, "Open")
        page.wait_for_selector("[data-key='yaw']")
        slide(notebook, "yaw", 0.5, 0.7, 0.9)
        notebook.until("studio.panel.below.panel.session.pending is not None")
        assert notebook.python("studio.session.pending is None")
        page.wait_for_timeout(500)
        page.screenshot(path=shots / "no_labels.png")
        assert healthy(notebook)


@pytest.mark.parametrize(("width", "dark"), [(1100, False), (560, True)])
def test_the_panel_fits_its_cell(lab, chromium, shots, dark, width):
    with lab.notebook(chromium, [LABELED, "1 + 1"], dark=dark, viewport={"width": width, "height": 2700}) as notebook:
        begin(notebook, ".ge-original .ge-has-picture")
        page, mode = notebook.page, f"{'dark' if dark else 'light'}_{width}"
        slide(notebook, "yaw", 0.5, 0.7, 0.85)
        slide(notebook, "glasses", 0.5, 0.8)
        settled(notebook)
        page.wait_for_selector(".ge-labels-measures >> text=Look:")
        shoot(page, shots / f"self_conditioned_{mode}.png")
        press(notebook, "▸ A real picture")
        press(notebook, "▸ A sheet of labels")
        press(notebook, "▸ The original model, and what the numbers mean")
        notebook.until("studio.panel.sheet_fold.made")
        notebook.python("setattr(studio.panel.sheet_fold.content.values, 'value', 3)")
        press(notebook, "Draw the sheet")
        page.wait_for_selector(".ge-message >> text=at the left")
        shoot(page, shots / f"self_conditioned_folds_{mode}.png")
        assert page.evaluate(OUTSIDE) == []
        assert healthy(notebook)
