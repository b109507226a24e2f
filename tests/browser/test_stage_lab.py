"""Stage, Knobs and Filmstrip in a real JupyterLab: the last value is the one shown, and a reload loses nothing."""

import pytest

from tests.browser.harness import drag

pytestmark = pytest.mark.slow

CELL = '''
import threading, time
import numpy as np
from ipywidgets import HBox, VBox
from ganedit_widgets.panels.filmstrip import Filmstrip
from ganedit_widgets.panels.knobs import Knobs
from ganedit_widgets.panels.pictures import data_url
from ganedit_widgets.panels.stage import Stage

def draw(value, n=256):
    """A picture that tells its value: the corner is value * 40 + 128."""
    y, x = np.mgrid[0:n, 0:n] / n
    ball = np.exp(-20 * ((x - 0.5 - value / 8) ** 2 + (y - 0.5) ** 2))[..., None]
    pixels = (ball * [255, 190, 90] + (1 - ball) * [40, 60, 110]).astype("u1")
    pixels[:16, :16] = round(value * 40 + 128)
    return pixels

class Renderer(threading.Thread):
    """50 ms a picture; takes the newest value only."""
    def __init__(self):
        super().__init__(daemon=True)
        self.event, self.value, self.moving, self.drawn = threading.Event(), 0.0, False, 0
        self.start()
    def ask(self, key, value, final):
        self.value, self.moving = value, not final
        self.event.set()
    def run(self):
        while True:
            self.event.wait()
            self.event.clear()
            value, moving = self.value, self.moving
            time.sleep(0.05)
            self.drawn += 1
            stage.show(draw(value), moving=moving)

stage = Stage(actions=["undo", "redo", "save"], disabled={"redo": "nothing was undone"}, status="render 50 ms")
strip = data_url(np.concatenate([draw(v, 48) for v in range(-3, 4)], axis=1))
knobs = Knobs(layer_count=10, rows=[
    dict(key="pose", label="Pose", layers=[0, 4], strip=strip, removable=True, warn=[-2.2, 2.2]),
    dict(key="light", label="Light", layers=[0, 10], value=0.8, removable=True),
    dict(key="psi", label="Truncation", min=0, max=1, default=0.7, value=0.7, unit="ψ"),
])
film = Filmstrip()
seen, actions = [], []
renderer = Renderer()
knobs.on_input(lambda *a: seen.append(a))
knobs.on_input(renderer.ask)
stage.on_action(actions.append)
stage.show(draw(0.0)); stage.show_before(draw(-1.0))
film.show([(i, draw(i / 2, 64), f"step {i}") for i in range(6)], current=3, undone=[4, 5])
VBox([HBox([stage, knobs]), film])
'''
CORNER = "() => document.querySelector('.ge-pane-result canvas').getContext('2d').getImageData(4, 4, 1, 1).data[0]"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_last_slider_value_is_shown_and_survives_a_reload(lab, chromium, shots, dark):
    with lab.notebook(chromium, [CELL], dark=dark) as notebook:
        page = notebook.page
        notebook.run_all()
        page.wait_for_selector(".ge-has-picture .ge-picture")
        page.wait_for_selector(".ge-cell")
        page.wait_for_timeout(300)
        page.screenshot(path=shots / f"lab_{'dark' if dark else 'light'}.png")

        box = notebook.box("[data-key=pose] input[type=range]")
        y, x, w = box["y"] + box["height"] / 2, box["x"], box["width"]
        drag(page, [(x + w * (0.5 + 0.35 * i / 60), y) for i in range(61)])
        notebook.until("seen and seen[-1][2]")
        last = notebook.python("knobs.values['pose']")
        assert 2.0 < last < 2.3
        page.wait_for_function(f"{CORNER[6:]} === {round(last * 40 + 128)}")
        stats = notebook.python("vars(stage.stats)")
        assert stats["acked"] >= 5 and stats["failed"] == 0
        page.wait_for_selector(".ge-stage[data-moving=false]")  # at rest, exactly
        page.screenshot(path=shots / f"lab_{'dark' if dark else 'light'}_dragged.png")

        page.locator(".ge-viewport").click()
        page.keyboard.press("Control+z")
        notebook.until("actions == ['undo']")
        notebook.save()
        notebook.open()
        page.wait_for_selector(".ge-has-picture .ge-picture")
        page.wait_for_function(f"{CORNER[6:]} === {round(last * 40 + 128)}")
        assert page.input_value("[data-key=pose] .ge-number") == f"{last:.2f}"
        page.wait_for_selector(".ge-cell >> nth=5")
        page.wait_for_function("[...document.querySelectorAll('.ge-cell img')].every(i => i.naturalWidth === 64)")
        assert not [e for e in notebook.errors if "ganedit" in e or "anywidget" in e]
