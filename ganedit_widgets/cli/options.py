"""What several commands ask for in the same words."""

from __future__ import annotations

import argparse
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..core.errors import GanEditError


def add_model(command: argparse.ArgumentParser) -> None:
    """Add --model and --device."""
    command.add_argument(
        "--model",
        default="demo",
        metavar="MODEL",
        help="a model file, an https:// address, demo (the default) or demo-self-conditioned",
    )
    command.add_argument("--device", default=None, help="cuda or cpu; by default cuda where there is one")


def seeds(text: str) -> list[int]:
    """Read seeds such as ``0-15`` or ``3,7,20-24``."""
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise argparse.ArgumentTypeError(f"{text!r} is not a list of seeds: write 0-15 or 3,7,20-24")
        if last and int(last) < int(first):
            raise argparse.ArgumentTypeError(f"{part.strip()!r} runs backwards: write {last}-{first}")
        found.extend(range(int(first), int(last or first) + 1))
    return found


def label(text: str) -> tuple[str, float]:
    """Read a label such as ``yaw=0.9``."""
    name, _, value = text.rpartition("=")
    try:
        return name.strip(), float(value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no label: write yaw=0.9") from None


def positive(text: str) -> int:
    """Read a whole number from 1 on."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of 1 or more")
    return int(text)


def positive_or_zero(text: str) -> int:
    """Read a whole number from 0 on."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no number of 0 or more")
    return int(text)


def amount(text: str) -> float:
    """Read a finite number from 0 on."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no finite number of 0 or more")
    return number


def require_pictures(*paths: Path | None) -> None:
    """Raise `ImageError` if one of these pictures could not be written: before work is lost."""
    from ..core.errors import ImageError
    from ..core.image import require_picture_name

    for path in paths:
        if path is not None:
            require_picture_name(path)
            require_place(path, ImageError)


def require_png(what: str, *paths: Path | None) -> None:
    """Raise `ImageError` if one of these could not be written, or is no PNG, which alone can hold `what`."""
    from ..core.errors import ImageError

    for path in paths:
        if path is not None and path.suffix.lower() != ".png":
            raise ImageError(f"{path} does not end in .png: only a PNG can hold {what}.")
    require_pictures(*paths)


def require_place(path: Path, refused: type[GanEditError]) -> None:
    """Raise `refused` if a file could not be written at `path`: before work is lost. Its folder is made."""
    if str(path) == "demo":
        raise refused("demo means what ships with the demo model, and stays as it is: give the name of a file.")
    if path.is_dir():
        raise refused(f"{path} is a folder: give the name of a file in it.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise refused(f"{path.parent} cannot be made ({error.strerror}): choose another place.") from None
    if not os.access(path.parent, os.W_OK):
        raise refused(f"{path} cannot be written, its folder is not yours to write to: choose another place.")
