"""The results format of the project: measured numbers with intervals, and what measured them."""

from __future__ import annotations

import io
import json
import math
import platform
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from .. import __version__
from ..core.errors import GanEditError
from .files import write_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RESULTS = Path(__file__).parent / "results"
DIGITS = 5  # significant, of every number in a file: more would change with the machine
FIELDS = ("metrics", "command", "commit", "machine", "seconds")


class ResultsError(GanEditError):
    """A results file that is missing or cannot be read."""


@dataclass(frozen=True)
class Metric:
    """A measured number, its 95 % interval and how many pictures (or pairs) it rests on."""

    value: float
    low: float
    high: float
    n: int

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high


@dataclass
class Results:
    """Metrics by name, with the command, commit and machine that made them; `figures` are written beside the file.

    A figure is a picture (H, W, 3) uint8, written as a JPEG, or a Matplotlib figure, written as a PNG. A quick run is
    kept apart from the full one.
    """

    name: str
    metrics: dict[str, Metric]
    command: str = ""
    seconds: float = 0.0
    quick: bool = False
    commit: str = field(default_factory=lambda: commit())
    machine: str = field(default_factory=lambda: machine())
    figures: dict[str, np.ndarray | Figure] = field(default_factory=dict, repr=False, compare=False)

    @property
    def stem(self) -> str:
        """The file's name without its ending."""
        return f"{self.name}_quick" if self.quick else self.name

    def write(self, folder: Path | str = RESULTS) -> Path:
        """Write ``NAME.json`` and ``NAME_FIGURE.png`` or ``.jpg``; return the path of the former."""
        folder = Path(folder)
        for name, figure in self.figures.items():
            kind = "jpg" if isinstance(figure, np.ndarray) else "png"
            write_whole(folder / f"{self.stem}_{name}.{kind}", _encoded(figure))
        content = {
            "metrics": {name: _rounded(asdict(metric)) for name, metric in self.metrics.items()},
            "command": self.command,
            "commit": self.commit,
            "machine": self.machine,
            "seconds": round(self.seconds, 1),
        }
        return write_whole(folder / f"{self.stem}.json", json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def measurable(metrics: Mapping[str, Metric]) -> dict[str, Metric]:
    """Leave out what has no value: the accuracy on glasses of a sample without any."""
    return {name: metric for name, metric in metrics.items() if math.isfinite(metric.value)}


def read_results(name: str, folder: Path | str = RESULTS, quick: bool = False) -> Results:
    """Read the results of a method, or of its quick run; raises `ResultsError` if they are missing or malformed."""
    path = Path(folder) / f"{name}_quick.json" if quick else Path(folder) / f"{name}.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        metrics = {key: Metric(**value) for key, value in content["metrics"].items()}
        rest = {key: content[key] for key in FIELDS[1:]}
    except FileNotFoundError:
        raise ResultsError(f"There are no results at {path}: run `ganedit evaluate {name}`.") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ResultsError(f"{path.name} is no results file ({error}): run `ganedit evaluate {name}` again.") from None
    return Results(name, metrics, quick=quick, **rest)


def commit() -> str:
    """Return the short hash of the commit this package is checked out at, or else its version."""
    here = Path(__file__)
    for question in (["ls-files", "--error-unmatch", here.name], ["rev-parse", "--short=10", "HEAD"]):
        try:
            answer = subprocess.run(["git", *question], cwd=here.parent, capture_output=True, text=True, timeout=10)
        except (OSError, subprocess.TimeoutExpired):
            return __version__
        if answer.returncode:  # no checkout, or an installation inside somebody else's
            return __version__
    return answer.stdout.strip()


def machine() -> str:
    """Return the model of the CPU, of the GPU if there is one, and the version of torch: nothing that names a host."""
    import torch

    names = [_cpu_model()]
    if torch.cuda.is_available():
        names.append(torch.cuda.get_device_name())
    return ", ".join([*names, f"torch {torch.__version__}"])


def _cpu_model() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    named = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()


def _rounded(values: Mapping[str, Any]) -> dict[str, Any]:
    """Round to `DIGITS` significant digits; JSON knows no NaN, so that it is refused here."""
    for name, value in values.items():
        if not math.isfinite(value):
            raise ValueError(f"a metric's {name} is {value}")
    return {k: v if isinstance(v, int) else float(f"{v:.{DIGITS}g}") for k, v in values.items()}


def _encoded(figure: np.ndarray | Figure) -> bytes:
    file = io.BytesIO()
    if isinstance(figure, np.ndarray):  # many pictures: a fifth of a PNG's size, and every version stays in history
        Image.fromarray(figure).save(file, "JPEG", quality=90, subsampling=0, optimize=True)
    else:
        figure.savefig(file, format="png", dpi=110, bbox_inches="tight", metadata={"Software": None})
    return file.getvalue()
