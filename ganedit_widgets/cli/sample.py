"""Draw the pictures of seeds, on one sheet or one file each."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from .options import add_model, label, positive, require_pictures, seeds

EXAMPLES = """\
  ganedit sample --seeds 0-15 --out sheet.png
  ganedit sample --seeds 3,7,20-24 --psi 1 --out folder/
  ganedit sample --model network.pkl --seeds 0-63 --columns 8 --out sheet.jpg
  ganedit sample --model runs/steered/model.safetensors --labels yaw=0.9 age=0.2     (a self-conditioned model)"""


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    add_model(command)
    command.add_argument("--seeds", type=seeds, default=list(range(16)), help="such as 0-15 (the default) or 3,7,20-24")
    command.add_argument("--psi", type=float, default=0.7, help="truncation ψ: 0 the average, 1 as trained (0.7)")
    command.add_argument(
        "--labels", type=label, nargs="+", default=[], metavar="NAME=V", help="0 to 1; the others are as is typical"
    )
    command.add_argument("--columns", type=positive, default=None, help="of the sheet")
    command.add_argument("--out", default="sheet.png", help="a picture file, or a folder/")


def run(options: argparse.Namespace) -> None:
    """Draw the seeds, with progress."""
    from ..core import load_generator, save_image
    from ..core.edits import SetLabels
    from ..core.progress import Bar
    from ..core.sheet import sample_pictures, tile

    folder = None if Path(options.out).suffix and options.out[-1] not in "/\\" else Path(options.out)
    if folder is None:
        require_pictures(Path(options.out))
    generator = load_generator(options.model, options.device)
    bar = Bar(options.seeds, unit="picture")
    labels = [SetLabels(_values(options.labels))] if options.labels else []
    pictures = [sample_pictures(generator, [seed], options.psi, labels)[0] for seed in bar]
    if folder is None:
        save_image(options.out, tile(pictures, options.columns))
    else:
        folder.mkdir(parents=True, exist_ok=True)
        for seed, picture in zip(options.seeds, pictures, strict=True):
            save_image(folder / f"seed{seed:04d}.png", picture)
    print(f"wrote {options.out}")


def _values(labels: Sequence[tuple[str, float]]) -> dict[str, float]:
    """Return name → v. Raises `LabelError` for a name that is given twice, or a v outside [0, 1]."""
    from ..core.errors import LabelError

    found: dict[str, float] = {}
    for name, v in labels:
        if name in found:
            raise LabelError(f"{name} was set twice: leave one out.")
        if not 0 <= v <= 1:
            raise LabelError(f"{name} was set to {v:g}: labels go from 0 to 1.")
        found[name] = v
    return found
