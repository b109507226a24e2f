"""Find the latent of a picture and save the reconstruction with its recipe inside."""

from __future__ import annotations

import argparse
from pathlib import Path

from .options import add_model

EXAMPLES = """\
  ganedit embed face.jpg face_w.png
  ganedit embed face.jpg face_w.png --steps 300 --space w
  ganedit embed https://example.org/face.png out.png --model network.pkl"""


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    add_model(command)
    command.add_argument("picture", metavar="PICTURE", help="a picture file or address")
    command.add_argument("out", metavar="OUT.png", type=Path, help="the file to write; load it in a panel to go on")
    command.add_argument("--steps", type=int, default=150, help="of the optimization (150)")
    command.add_argument("--space", choices=["w+", "w", "z"], default="w+", help="where to search (w+)")


def run(options: argparse.Namespace) -> None:
    """Embed one picture; Ctrl+C keeps the best so far."""
    from tqdm import tqdm

    from ..core import History, Picture, Recipe, load_generator, save_png, to_pixels
    from ..core.edits import Embed
    from ..core.edits.base import stopped

    generator = load_generator(options.model, options.device)
    edit = Embed(Picture.read(options.picture), iterations=options.steps, space=options.space)
    history = History(generator.average())
    numbers: dict[str, float] = {}
    latent, done = history.latent, 0
    with tqdm(total=edit.total, unit="step", disable=None) as bar:
        try:
            for done, latent in enumerate(edit.steps(generator, history.latent, numbers.update), 1):  # noqa: B007
                bar.update()
                bar.set_postfix_str(f"PSNR {numbers.get('psnr', 0):.1f} dB", refresh=False)
        except KeyboardInterrupt:
            bar.write("stopped: the best so far is kept")
    history.push(stopped(edit, done), latent)
    save_png(options.out, to_pixels(generator.draw(latent)), Recipe.of(generator, history))
    print(f"wrote {options.out}: PSNR {numbers.get('psnr', 0):.1f} dB after {done} steps")
