"""Say what is in a model file, or why it is refused."""

from __future__ import annotations

import argparse
import json

EXAMPLES = """\
  ganedit info demo
  ganedit info network.pkl
  ganedit info network.pkl --json"""


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    command.add_argument("model", metavar="FILE", help="a .pkl, .pt or .safetensors file, an address, or demo")
    command.add_argument("--json", action="store_true", help="print JSON")


def run(options: argparse.Namespace) -> None:
    """Print family, sizes and fingerprint."""
    from ..core.generators.load import describe

    info = describe(options.model)
    rows = {
        "family": info.family,
        "container": info.container,
        "picture": f"{info.size[0]}×{info.size[1]}",
        "W+": f"{info.latent_shape[0]}×{info.latent_shape[1]}",
        "z": info.z_dim,
        "labels": ", ".join(info.attributes) or info.c_dim,
        "widths": ", ".join(f"{r}: {c}" for r, c in info.channels.items()),
        "parameters": info.parameters,
        "discriminator": info.has_discriminator,
        "fingerprint": info.fingerprint,
        "bytes": info.file_size,
    }
    if options.json:
        print(json.dumps({**rows, "meta": dict(info.meta)}, indent=2, default=str))
        return
    for name, value in rows.items():
        print(f"{name:14} {_said(value)}")


def _said(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)
