"""Write a benchmark's table: to the terminal, and as JSON beside the benchmarks."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch

RESULTS = Path(__file__).parent / "results"


def write(name, rows, device):
    """Print `rows`, name → numbers, and save them as results/NAME-DEVICE.json."""
    for row, numbers in rows.items():
        sys.stdout.write(f"{row:24}" + "  ".join(f"{k} {v:9.2f}" for k, v in numbers.items()) + "\n")
    RESULTS.mkdir(exist_ok=True)
    machine = torch.cuda.get_device_name() if device == "cuda" else f"CPU, {torch.get_num_threads()} threads"
    table = {"machine": machine, "torch": torch.__version__, "rows": rows}
    (RESULTS / f"{name}-{device}.json").write_text(json.dumps(table, indent=1) + "\n")
