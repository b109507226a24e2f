"""A fine-tuning watched in a real JupyterLab: losses move, Pause holds it, Stop keeps it, Start goes on."""

import pytest

pytestmark = pytest.mark.slow

CELL = """
import tempfile, torch
torch.set_num_threads(1)
from tests.core.test_conditional_training import data
from tests.tiny import tiny
from ganedit_widgets.core.training.conditional import ConditionalConfig
from ganedit_widgets.core.training.conditional_loop import fine_tune
from ganedit_widgets.panels import TrainingPanel
source, pictures, folder = tiny(), data(), tempfile.mkdtemp()
cfg = ConditionalConfig(4000, head_pictures=40, ramp_pictures=40)
panel = TrainingPanel(lambda stop: fine_tune(source, pictures, folder, cfg, report_every=1, stop=stop))
panel
"""


def press(notebook, name):
    notebook.page.get_by_role("button", name=name, exact=True).first.click()


def test_a_training_is_watched_paused_stopped_and_goes_on(lab, chromium, shots):
    with lab.notebook(chromium, [CELL, "1 + 1"], viewport={"width": 900, "height": 1000}) as notebook:
        page = notebook.page
        notebook.run_all()
        page.wait_for_selector("text=Not begun yet.")
        press(notebook, "Start")
        notebook.until("len(panel.losses.get('path', ())) > 2", timeout=90)
        page.wait_for_selector("svg[aria-label^='labels, generator']")
        press(notebook, "Pause")
        page.wait_for_selector("text=Paused.")
        held = notebook.python("panel.progress.pictures")
        page.wait_for_timeout(700)
        assert notebook.python("panel.progress.pictures") == held
        press(notebook, "Go on")
        notebook.until(f"panel.progress.pictures > {held}")
        press(notebook, "Stop")
        page.wait_for_selector("text=Stopped; Start goes on.", timeout=60_000)
        page.wait_for_selector("img[src^='blob']:visible, .widget-image:visible")
        page.wait_for_timeout(500)
        page.screenshot(path=shots / "training.png")
        held = notebook.python("panel.progress.pictures")
        press(notebook, "Start")
        notebook.until(f"panel.progress.pictures > {held}", timeout=60)
        press(notebook, "Stop")
        notebook.until("panel.turn.finished", timeout=60)
        assert not [e for e in notebook.errors if "ganedit" in e or "anywidget" in e]
