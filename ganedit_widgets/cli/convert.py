"""Write a model of any known container as a .safetensors file."""

from __future__ import annotations

import argparse
from pathlib import Path

EXAMPLES = """\
  ganedit convert network.pkl network.safetensors
  ganedit convert stylegan2.pt small.safetensors --half"""


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    command.add_argument("model", metavar="IN", help="a .pkl, .pt or .safetensors file, or an address")
    command.add_argument("out", metavar="OUT", type=Path, help="the .safetensors file to write")
    command.add_argument("--half", action="store_true", help="store half-precision numbers: half the size")


def run(options: argparse.Namespace) -> None:
    """Convert one file."""
    from ..core.errors import ModelError
    from ..core.generators.load import convert

    if options.out.suffix != ".safetensors":
        raise ModelError(f"{options.out} does not end in .safetensors: that is the one format written.")
    convert(options.model, options.out, half=options.half)
    print(f"wrote {options.out} ({options.out.stat().st_size / 2**20:.1f} MiB)")
