"""The embed panel in a real JupyterLab: a part is painted over and left out, the rest refined, the model tuned."""

import io

import numpy as np
import pytest
from matplotlib import get_data_path
from PIL import Image

from ganedit_widgets.demo.held_out import held_out
from tests.browser.gestures import OUTSIDE, begin, healthy, press, settled, shoot, tab
from tests.browser.harness import drag

pytestmark = pytest.mark.slow

CELL = """
import torch
torch.set_num_threads(1)
from ganedit_widgets.panels import EmbedPanel, Studio, TraversePanel
studio = Studio(panels=[TraversePanel, EmbedPanel])
studio.layout.width = "{width}px"
studio
"""
PHOTOGRAPH = f"{get_data_path()}/sample_data/grace_hopper.jpg"


def portrait():
    """A portrait that the demo has not seen, as a PNG file, with a stripe across it that nobody wants."""
    tiles, _, _ = held_out(4, 1, 128)
    pixels = tiles[0].permute(1, 2, 0).numpy().copy()
    pixels[70:84] = (20, 200, 60)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def fill(notebook, name, number):
    field = notebook.page.get_by_label(name, exact=True)
    field.fill(str(number))
    field.press("Tab")


def test_a_part_is_left_out_then_noise_is_fitted_and_the_model_tuned(lab, chromium, shots):
    with lab.notebook(chromium, [CELL.format(width=960)], viewport={"width": 1220, "height": 2600}) as notebook:
        begin(notebook)
        page = notebook.page
        tab(notebook, "Embed")
        assert not page.get_by_role("button", name="▸ Leave out a part").is_visible()
        file = {"name": "me.png", "mimeType": "image/png", "buffer": portrait()}
        page.locator(".ge-upload input[type=file]").first.set_input_files(file)
        notebook.until("studio.panel.target is not None")
        assert notebook.python("studio.panel.start.value") == "encoder"  # the demo has one

        # the stripe is painted over
        press(notebook, "▸ Leave out a part")
        page.wait_for_selector(".ge-hole .ge-mask-viewport")
        page.wait_for_timeout(500)
        box = notebook.box(".ge-hole .ge-mask-viewport")
        for y in (0.56, 0.6, 0.64):
            drag(page, [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x in (0.01, 0.3, 0.7, 0.99)])
        notebook.until("studio.panel.search.hole is not None and studio.panel.search.hole[70:84].mean() > 0.9")
        shoot(page, shots / "embed_1_left_out.png")
        fill(notebook, "Steps of the search", 12)
        press(notebook, "Start")
        notebook.until("studio.panel.found is not None and not studio.session.busy", 120)
        notebook.until("studio.session.entries[-1].label == 'embed part'")
        page.wait_for_selector(".ge-card img", timeout=60_000)
        pixels = np.array(settled(notebook)).reshape(128, 128, 3)
        green = (pixels[..., 1] > 150) & (pixels[..., 0] < 80)
        assert not green[70:84].any()  # the model has filled it in
        shoot(page, shots / "embed_2_filled.png")

        # all of it again, to be refined
        press(notebook, "Match all of it")
        notebook.until("studio.panel.search.hole is None")
        press(notebook, "▾ Leave out a part")
        press(notebook, "Start")
        notebook.until("len(studio.session.history) == 4 and not studio.session.busy", 120)
        press(notebook, "▸ Refine")
        fill(notebook, "Steps of the noise", 8)
        press(notebook, "Fit noise")
        notebook.until("len(studio.session.history) == 5 and not studio.session.busy", 120)
        assert notebook.python("len(studio.session.latent.noise) > 0")
        settled(notebook)
        fill(notebook, "Steps of the tuning", 2000)
        press(notebook, "Tune the model around it")
        notebook.until("studio.session.progress and studio.session.progress.step > 2", 60)
        shoot(page, shots / "embed_3_tuning.png")
        page.locator(".ge-stop").first.click()
        page.wait_for_selector(".ge-panel >> text=written to tuned.safetensors", timeout=60_000)
        press(notebook, "▸ The same in Python")
        shoot(page, shots / "embed_4_tuned.png")
        press(notebook, "Open a studio with it")
        notebook.until("studio.panel.refine_fold.content.tuned.studio is not None", 60)
        page.wait_for_function("document.querySelectorAll('.ge-studio .ge-studio .ge-has-picture').length > 0")
        page.wait_for_timeout(900)
        page.screenshot(path=shots / "embed_5_studio.png")


@pytest.mark.parametrize(("dark", "width"), [(False, 960), (True, 560)], ids=["light-960", "dark-560"])
def test_the_panel_fits_its_cell(lab, chromium, shots, dark, width):
    view = {"width": width + 260, "height": 2900}
    with lab.notebook(chromium, [CELL.format(width=width)], dark=dark, viewport=view) as notebook:
        begin(notebook)
        page, mode = notebook.page, f"{'dark' if dark else 'light'}_{width}"
        tab(notebook, "Embed")
        page.locator(".ge-upload input[type=file]").first.set_input_files(PHOTOGRAPH)
        notebook.until("studio.panel.target is not None")

        # its box is looked for, and given up
        press(notebook, "Find it for me")
        page.wait_for_selector(".ge-aligning >> text=/ left. Stop looking keeps/")
        notebook.until("studio.session.progress.step > 30", 60)
        shoot(page, shots / f"embed_{mode}_1_looking.png")
        assert page.evaluate(OUTSIDE) == []
        press(notebook, "Stop looking")
        page.wait_for_selector(".ge-aligning >> text=Stopped before it was sure")
        press(notebook, "Back to the box before")
        page.wait_for_selector(".ge-aligning >> text=Stopped before it was sure", state="hidden")

        # a part is left out, in a section that is closed again
        press(notebook, "▸ Leave out a part")
        page.wait_for_selector(".ge-hole .ge-mask-viewport")
        notebook.python("studio.panel.search.hole_fold.content.painter.polygon([(0, 0), (64, 0), (64, 64)], 1)")
        press(notebook, "▸ Weights of the search")
        shoot(page, shots / f"embed_{mode}_2_painted.png")
        assert page.evaluate(OUTSIDE) == []
        press(notebook, "▾ Leave out a part (12 % left out)")
        fill(notebook, "Steps of the search", 12)
        press(notebook, "Start")
        notebook.until("studio.panel.found is not None and not studio.session.busy", 120)
        page.wait_for_selector(".ge-card img", timeout=60_000)
        page.wait_for_selector(".ge-axes >> text=loss, log")
        press(notebook, "▸ Refine")
        shoot(page, shots / f"embed_{mode}_3_judged.png")
        assert page.evaluate(OUTSIDE) == []

        # an error is read until the next thing is done
        page.get_by_placeholder("path on the server").fill("nowhere.png")
        press(notebook, "Open")
        page.wait_for_selector(".ge-message[data-level=error]")
        shoot(page, shots / f"embed_{mode}_4_error.png")
        assert page.evaluate(OUTSIDE) == []
        press(notebook, "Whole picture")
        page.wait_for_selector(".ge-message[data-level=error]", state="hidden")
        assert healthy(notebook)
