"""From slider to pixels in the browser: our Studio against a plain ipywidgets slider and picture, in one notebook.

    python -m tests.benchmarks.slider [--seconds 3]

Both draw with the demo model. The reference is what a notebook author writes first: an IntSlider whose callback draws
and sets a PNG. A slider is dragged for a while in a real JupyterLab; counted are pictures shown per second, and the
time from letting go to the last picture. Ours sends one picture more than the reference: after the last value, once
the hand rests, the exact one; that is why its last picture comes later.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

from ganedit_widgets.core.generators.load import load_generator
from tests.browser.harness import Lab, find_browser

from .report import write

OURS = """
from ganedit_widgets.panels import Studio
studio = Studio()
studio
"""
PLAIN = """
import io
import ipywidgets
from PIL import Image
from ganedit_widgets.core import edits, load_generator, probes, to_pixels
plain = load_generator("demo")
ahead, middle = probes.pca(plain)[0], plain.sample(0)
slider = ipywidgets.IntSlider(0, -300, 300, layout={"width": "400px"})
shown, counted = ipywidgets.Image(format="png"), [0]

def draw(change):
    latent = edits.run(plain, middle, edits.MoveAlong(ahead, change["new"] / 100))
    file = io.BytesIO()
    Image.fromarray(to_pixels(plain.draw(latent))).save(file, "PNG")
    shown.value = file.getvalue()
    counted[0] += 1

slider.observe(draw, "value")
ipywidgets.VBox([slider, shown])
"""
NOTEBOOKS = {  # name -> (cell, what shows the picture, what is dragged)
    "studio": (OURS, ".ge-stage canvas", ".ge-knobs input[type=range] >> nth=1"),
    "plain": (PLAIN, ".widget-image", ".noUi-target"),
}
WATCH = """(selector) => {
    const target = document.querySelector(selector);
    window.shownAt = [];
    const note = () => window.shownAt.push(performance.now());
    if (target.tagName === "IMG") { target.addEventListener("load", note); return; }
    const context = target.getContext("2d"), plain = context.drawImage;
    context.drawImage = function (...all) { note(); return plain.apply(this, all); };
}"""


def drag_for(tab, handle, seconds):
    """Drag the slider at `handle` to and fro; return when the mouse was let go, by the browser's clock."""
    box = handle.bounding_box()
    y = box["y"] + box["height"] / 2
    middle, reach = box["x"] + box["width"] / 2, box["width"] * 0.3
    tab.mouse.move(middle, y)
    tab.mouse.down()
    began, step = time.monotonic(), 0
    while time.monotonic() - began < seconds:
        step += 1
        tab.mouse.move(middle + reach * (abs(step % 80 - 40) / 20 - 1), y)
    tab.mouse.up()
    return tab.evaluate("performance.now()")


def measure(tab, target, handle, seconds):
    """Return pictures per second while dragging, and milliseconds from letting go to the last picture."""
    tab.evaluate(WATCH, target)
    released = drag_for(tab, tab.locator(handle).first, seconds)
    tab.wait_for_timeout(1500)
    times = tab.evaluate("window.shownAt")
    during = [t for t in times if t <= released]
    return len(during) / seconds, max((t - released for t in times), default=0.0)


def main():
    """Measure both and write the table."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--seconds", type=float, default=3.0)
    seconds = options.parse_args().seconds
    load_generator("demo")  # fails here, with a sentence, if there is none
    rows = {}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find_browser(), args=["--no-sandbox"])
        with Lab(Path(folder)) as lab:
            for name, (cell, target, handle) in NOTEBOOKS.items():
                with lab.notebook(chromium, [cell]) as notebook:
                    notebook.run_all()
                    notebook.page.wait_for_timeout(5000)
                    fps, last = measure(notebook.page, target, handle, seconds)
                    rows[name] = {"pictures_per_s": fps, "last_ms": last}
        chromium.close()
    rows["ratio"] = {
        "pictures_per_s": rows["studio"]["pictures_per_s"] / max(rows["plain"]["pictures_per_s"], 1e-3),
        "last_ms": rows["plain"]["last_ms"] / max(rows["studio"]["last_ms"], 1e-3),
    }
    write("slider", rows, "cpu")


if __name__ == "__main__":
    main()
