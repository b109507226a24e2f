"""A picture to begin with, given as a seed, a PNG with its recipe inside, or any picture that is then embedded."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..core.edits import Edit
    from ..core.generators import Generator
    from ..core.history import History

HELP = "a seed, a PNG with its recipe inside, or a picture to embed first"


def add_source(command: argparse.ArgumentParser) -> None:
    """Add SOURCE and --segmenter."""
    command.add_argument("source", metavar="SOURCE", help=HELP)
    command.add_argument(
        "--segmenter", default="demo", metavar="FILE", help="of `ganedit train segmenter`, or demo (the default)"
    )


def open_history(generator: Generator, source: str, steps: int = 150) -> History:
    """Return the history that ends at the picture `source` names."""
    from ..core import History, Picture, load_recipe
    from ..core.edits import Embed, Sample
    from ..core.recipe import NoRecipeError

    history = History(generator.average())
    if source.isdecimal():
        carry_out(generator, history, Sample(int(source)))
        return history
    if Path(source).suffix.lower() in (".png", ".json"):
        try:
            recipe = load_recipe(source)
        except NoRecipeError:
            recipe = None  # a picture from elsewhere
        if recipe is not None:
            return recipe.history(generator)
    carry_out(generator, history, Embed(Picture.read(source), iterations=steps))
    return history


def carry_out(generator: Generator, history: History, edit: Edit, tell: str = "") -> dict[str, float]:
    """Make `edit` with progress and enter it; Ctrl+C keeps the best so far. `tell`: the number to show.

    Return what was reported last.
    """
    from ..core.edits import stopped
    from ..core.progress import Bar

    latent, done = history.latent, 0
    numbers: dict[str, float] = {}
    with Bar(total=edit.total, unit="step", disable=edit.total <= 1) as bar:
        try:
            for done, latent in enumerate(edit.steps(generator, history.latent, numbers.update), 1):  # noqa: B007
                bar.update()
                if tell in numbers:
                    bar.set_postfix_str(f"{tell} {numbers[tell]:.3f}", refresh=False)
        except KeyboardInterrupt:
            bar.write("stopped: the best so far is kept")
    if done:
        history.push(stopped(edit, done), latent)
    return numbers
