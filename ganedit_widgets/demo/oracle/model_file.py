"""The oracle's file: weights in half precision, sizes and origin in the header."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from ...core.errors import ModelError
from ..files import write_whole
from .network import OracleConfig, OracleNetwork

WEIGHTS = Path(__file__).parents[1] / "weights" / "oracle.safetensors"
KEY = "ganedit_oracle"
SMALL = 1024  # smaller tensors stay float32: means and spreads


def save_oracle(path: Path | str, network: OracleNetwork, about: Mapping[str, Any]) -> Path:
    """Write a network and JSON about its training; large weights as float16."""
    tensors = {}
    for name, tensor in network.state_dict().items():
        if not name.endswith("num_batches_tracked"):
            tensor = tensor.detach().float().cpu().contiguous()
            tensors[name] = tensor if tensor.numel() <= SMALL else tensor.half()
    header = {"config": asdict(network.cfg), "about": dict(about)}
    return write_whole(path, save(tensors, {KEY: json.dumps(header)}))


def read_oracle(path: Path | str = WEIGHTS) -> tuple[OracleNetwork, dict[str, Any]]:
    """Return the network of a file, frozen, and what is known about its training; raises `ModelError`."""
    path = Path(path)
    if not path.exists():
        raise ModelError(f"There is no oracle at {path.name}: train it with ganedit_widgets.demo.oracle.train.")
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {})[KEY])
            tensors = {name: file.get_tensor(name).float() for name in file.keys()}
        config = header["config"]
        network = OracleNetwork(OracleConfig(**{**config, "widths": tuple(config["widths"])}))
        missing, unexpected = network.load_state_dict(tensors, strict=False)
    except (SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ModelError(f"{path.name} is no oracle file ({error}): install the package again.") from error
    if unexpected or any(not name.endswith("num_batches_tracked") for name in missing):
        raise ModelError(f"{path.name} was made by another version of this package: install the package again.")
    return network.eval().requires_grad_(False), header["about"]
