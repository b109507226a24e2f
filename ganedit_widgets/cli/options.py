"""What several commands ask for in the same words."""

from __future__ import annotations

import argparse


def add_model(command: argparse.ArgumentParser) -> None:
    """Add --model and --device."""
    command.add_argument(
        "--model", default="demo", metavar="MODEL", help="a model file, an https:// address, or demo (the default)"
    )
    command.add_argument("--device", default=None, help="cuda or cpu; by default cuda where there is one")


def seeds(text: str) -> list[int]:
    """Read seeds such as ``0-15`` or ``3,7,20-24``."""
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdigit() or (dash and not last.isdigit()):
            raise argparse.ArgumentTypeError(f"{text!r} is not a list of seeds: write 0-15 or 3,7,20-24")
        if last and int(last) < int(first):
            raise argparse.ArgumentTypeError(f"{part.strip()!r} runs backwards: write {last}-{first}")
        found.extend(range(int(first), int(last or first) + 1))
    return found


def positive(text: str) -> int:
    """Read a whole number from 1 on."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of 1 or more")
    return int(text)
