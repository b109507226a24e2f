"""Label the parts of a picture: what each pixel shows, as a PNG with a palette."""

from __future__ import annotations

import argparse
from pathlib import Path

from .opening import add_source, open_history
from .options import add_model, require_pictures, require_png

EXAMPLES = """\
  ganedit segment 3 labels.png                      (the picture of seed 3)
  ganedit segment face_w.png labels.png --unsure unsure.png
  ganedit segment photo.jpg labels.png --model cats.safetensors --segmenter cats_parts.safetensors
  ganedit segment 3 labels.png --picture seed3.png  (the picture too, with its recipe: edit the labels, then train)"""


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    add_model(command)
    add_source(command)
    command.add_argument("out", metavar="OUT.png", type=Path, help="the label map")
    command.add_argument("--unsure", type=Path, metavar="FILE.png", help="where the networks disagree, from black up")
    command.add_argument("--picture", type=Path, metavar="FILE.png", help="the picture, with its recipe inside")


def run(options: argparse.Namespace) -> None:
    """Draw, label, and say what was found."""
    import numpy as np

    from ..core import Recipe, load_generator, save_image, save_png, to_pixels
    from ..core.segment import load_segmenter
    from ..core.segment.folder import labels_png

    require_png("the palette", options.out)
    require_png("the recipe", options.picture)
    require_pictures(options.unsure)
    generator = load_generator(options.model, options.device)
    segmenter = load_segmenter(options.segmenter, generator)
    history = open_history(generator, options.source)
    reading = segmenter.read(generator, history.latent)
    options.out.write_bytes(labels_png(segmenter, reading.labels))
    if options.unsure is not None:
        most = max(float(reading.uncertainty.max()), 1e-6)
        gray = np.rint(255 * reading.uncertainty / most).astype(np.uint8)
        save_image(options.unsure, np.repeat(gray[:, :, None], 3, 2))
    if options.picture is not None:
        save_png(options.picture, to_pixels(reading.picture), Recipe.of(generator, history))
    shares = np.bincount(reading.labels.ravel(), minlength=len(segmenter.classes)) / reading.labels.size
    for name, share in zip(segmenter.classes, shares, strict=True):
        if share:
            print(f"{name:20} {100 * share:5.1f} %")
    print(f"wrote {options.out}: unsure by {reading.score:.3f}")
