"""The command line, `ganedit`: one module per command."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from importlib import import_module

from .. import __version__

COMMANDS = (
    *("lab", "info", "convert", "sample", "embed", "label", "resample", "segment", "edit", "vector"),
    *("train", "train encoder", "train segmenter", "train self-conditioned", "evaluate"),
)
USER_ERROR, INTERRUPTED = 2, 130


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    top = argparse.ArgumentParser(
        prog="ganedit",
        description="Edit pictures with a GAN: in a notebook (ganedit lab), or from here.",
        epilog="ganedit COMMAND --help shows examples.",
    )
    top.add_argument("--version", action="version", version=f"ganedit_widgets {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name in COMMANDS:
        module = import_module(f".{re.sub('[ -]', '_', name)}", __package__)
        command = commands.add_parser(
            name,
            help=(module.__doc__ or name).splitlines()[0].rstrip("."),
            description=module.__doc__,
            epilog="examples:\n" + module.EXAMPLES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit code: 0 done, 1 not good enough, 2 the input was refused, 130 interrupted."""
    words = _joined(sys.argv[1:] if arguments is None else arguments)
    if not words:
        parser().print_help()
        return USER_ERROR
    options = parser().parse_args(words)
    from ..core.errors import GanEditError  # light, but not needed for --help

    try:
        return int(options.run(options) or 0)
    except GanEditError as error:
        print(f"ganedit {options.command}: {error}", file=sys.stderr)
        return USER_ERROR
    except OSError as error:  # a disk that is full, a folder that cannot be written
        print(f"ganedit {options.command}: {error.filename or 'a file'}: {error.strerror or error}", file=sys.stderr)
        return USER_ERROR
    except KeyboardInterrupt as interrupt:
        print("interrupted" + "".join(f": {how_to_go_on}" for how_to_go_on in interrupt.args), file=sys.stderr)
        return INTERRUPTED


def _joined(words: Sequence[str]) -> list[str]:
    """Return the words with the first two as one if they are the name of one command: "train encoder"."""
    first = " ".join(words[:2])
    return [first, *words[2:]] if first in COMMANDS else list(words)
