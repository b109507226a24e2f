"""Open JupyterLab on a copy of the tour that is yours to change."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

EXAMPLES = """\
  ganedit lab
  ganedit lab my-notebooks --no-browser --port 8899"""

PACKED, SOURCE = Path(__file__).parents[1] / "notebooks", Path(__file__).parents[2] / "notebooks"


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    command.add_argument(
        "folder", nargs="?", type=Path, default=Path("ganedit-notebooks"), help="where the copies go (made if missing)"
    )
    command.add_argument("--no-browser", action="store_true", help="only start the server")
    command.add_argument("--port", type=int, default=None)


def copy_notebooks(folder: Path) -> Path:
    """Copy the notebooks into `folder`, except those already there; return the path of the tour."""
    folder.mkdir(parents=True, exist_ok=True)
    source = PACKED if PACKED.is_dir() else SOURCE
    for path in sorted(source.glob("*.ipynb")):
        copy = folder / path.name
        if not copy.exists():  # what the user changed is theirs
            copy.write_bytes(path.read_bytes())
    return folder / "00_tour.ipynb"


def run(options: argparse.Namespace) -> int:
    """Copy the notebooks and hand over to JupyterLab."""
    from ..core.errors import GanEditError

    try:
        tour = copy_notebooks(options.folder)
    except OSError as error:
        raise GanEditError(f"{options.folder} cannot be written ({error.strerror}): name another folder.") from None
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={tour.parent.resolve()}"]
    command += [f"--LabApp.default_url=/lab/tree/{tour.name}"]  # the printed address leads to the tour, too
    command += ["--allow-root"] if getattr(os, "geteuid", lambda: 1)() == 0 else []  # as in most containers
    command += ["--no-browser"] if options.no_browser else []
    command += [] if options.port is None else [f"--port={options.port}"]
    print(f"opening {tour}; Ctrl+C twice ends JupyterLab")
    try:
        return subprocess.call(command)
    except KeyboardInterrupt:
        return 0
