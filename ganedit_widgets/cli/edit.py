"""Edit a picture by a painted mask, or by edit vectors that were learned from one."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from .opening import add_source, carry_out, open_history
from .options import add_model, positive, positive_or_zero, require_place, require_png

if TYPE_CHECKING:
    from ..core.edits import Edit
    from ..core.generators import Generator
    from ..core.latent import Latent
    from ..core.segment import Segmenter

EXAMPLES = """\
  ganedit edit 3 smiling.png --mask painted.png
  ganedit edit face_w.png smiling.png --mask painted.png --classes mouth,teeth --steps 100 \\
      --save-vector mine.safetensors --name smile
  ganedit edit 7 out.png --vectors mine.safetensors --vector smile=1.5 --vector "bigger nose=-1" --refine 30

A mask is a PNG of the picture's size with a palette, as `ganedit segment` and the mask painter write it."""


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    add_model(command)
    add_source(command)
    command.add_argument("out", metavar="OUT.png", type=Path, help="the edited picture, with its recipe inside")
    command.add_argument("--mask", type=Path, metavar="FILE.png", help="what each pixel shall show")
    command.add_argument("--classes", type=_names, default=None, help="the edit is about: a,b (found by itself)")
    command.add_argument("--steps", type=positive, default=100, help="of the optimization (100)")
    command.add_argument("--large", action="store_true", help="for a part that was not there before")
    command.add_argument("--save-vector", type=Path, metavar="FILE", help="keep the change; added to the file")
    command.add_argument("--name", default=None, help="of the vector that is kept")
    command.add_argument("--vectors", default="demo", metavar="FILE", help="where the vectors are (demo)")
    command.add_argument("--vector", action="append", default=[], metavar="NAME[=SCALE]", help="may be given again")
    command.add_argument(
        "--refine", type=positive_or_zero, default=0, metavar="STEPS", help="mend what the vectors harmed (0)"
    )


def run(options: argparse.Namespace) -> None:
    """Make the edit, Ctrl+C keeps the best so far, and save the picture."""
    from ..core import DirectionError, LatentError, Recipe, load_generator, save_png, to_pixels
    from ..core.segment import load_segmenter

    if (options.mask is None) == (not options.vector):
        raise LatentError("Say what to do: give either a mask or vectors.")
    require_png("the recipe", options.out)
    if options.save_vector is not None:
        require_place(options.save_vector, DirectionError)
    generator = load_generator(options.model, options.device)
    needed = options.mask is not None or options.refine
    segmenter = load_segmenter(options.segmenter, generator) if needed else None
    edit = _by_vectors(options, segmenter) if options.mask is None else _by_mask(options, segmenter)
    history = open_history(generator, options.source)
    before = history.latent
    numbers = carry_out(generator, history, edit, "agreement")
    save_png(options.out, to_pixels(generator.draw(history.latent)), Recipe.of(generator, history))
    print(f"wrote {options.out}{_outcome(options, numbers)}")
    if options.save_vector is not None:
        _keep(options, generator, edit, before, history.latent)


def _outcome(options: argparse.Namespace, numbers: Mapping[str, float]) -> str:
    """Say how far the picture follows, and what might help; nothing if nothing was searched for."""
    from ..core.edits.paint import ENOUGH

    if "agreement" not in numbers:
        return ""
    how = "as painted" if options.mask is not None else "as the vectors made it"
    outside = f", outside {numbers['psnr']:.1f} dB" if "psnr" in numbers else ""
    text = f": {100 * numbers['agreement']:.0f} % of the region {how}{outside}"
    if numbers["agreement"] >= ENOUGH:
        return text
    if options.mask is None:
        return f"{text}\nIf more of the vectors should be left: fewer steps of --refine (now {options.refine})"
    large = "" if options.large else "--large, for a part that was not there before, or "
    return f"{text}\nIf it should follow more: {large}more --steps (now {options.steps})"


def _by_mask(options: argparse.Namespace, segmenter: Segmenter | None) -> Edit:
    from ..core.edits import LARGE, Paint
    from ..core.painting import read_mask
    from ..core.segment.folder import painting_labels

    assert segmenter is not None  # loaded above
    painted = read_mask(options.mask, painting_labels(segmenter), segmenter.size)
    return Paint(painted, segmenter, options.steps, options.classes, **(LARGE if options.large else {}))


def _by_vectors(options: argparse.Namespace, segmenter: Segmenter | None) -> Edit:
    from ..core.edits import Stack
    from ..core.vectors import load_vectors, refined
    from .vector import scaled

    pairs = scaled(load_vectors(options.vectors), options.vector)
    if segmenter is None:
        return Stack(tuple(vector.at(scale) for vector, scale in pairs))
    return refined(pairs, segmenter, options.refine)


def _keep(options: argparse.Namespace, generator: Generator, edit: Edit, before: Latent, after: Latent) -> None:
    """Add the change to a file of edit vectors."""
    import numpy as np

    from ..core import to_pixels
    from ..core.edits import Paint
    from ..core.vectors import extract
    from .vector import add_to

    painted = isinstance(edit, Paint)
    classes = edit.about(generator, before) if isinstance(edit, Paint) else options.classes or ()
    pictures = np.hstack([to_pixels(generator.draw(latent)) for latent in (before, after)])
    about = {"method": "painted" if painted else "vectors", "source": Path(options.source).name}
    name = options.name or options.save_vector.stem
    add_to(options.save_vector, extract(generator, before, after, name, classes, about, pictures))


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(","))
