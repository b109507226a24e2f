"""What the oracle sees in held-out portraits, kept so that a quick measurement need not draw them.

Made by ``python -m ganedit_widgets.demo.reference`` whenever the renderer or the oracle has changed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor

from .files import write_whole
from .held_out import FLOOR_SEED, HELD_OUT_SEED, held_out
from .oracle import Look, Oracle, load_oracle
from .portraits.dataset import RENDERER

REFERENCE = Path(__file__).parent / "weights" / "oracle_reference.safetensors"
KEPT = ("yaw", "age", "glasses")
SEEDS = {"held_out": HELD_OUT_SEED, "floor": FLOOR_SEED}
CHUNK = 50


def look_at(oracle: Oracle, count: int, size: int, seed: int) -> Iterator[Look]:
    """Yield what the oracle sees in the first `count` portraits of a seed, `CHUNK` at a time."""
    for start in range(0, count, CHUNK):
        yield oracle.look(held_out(start, min(CHUNK, count - start), size, seed)[0])


def join(looks: list[Look]) -> Look:
    """Return several looks as one."""
    names = looks[0].attributes
    return Look(
        {name: torch.cat([look.attributes[name] for look in looks]) for name in names},
        torch.cat([look.features for look in looks]),
        torch.cat([look.identity for look in looks]),
    )


def write_reference(oracle: Oracle, count: int, size: int, path: Path = REFERENCE) -> Path:
    """Draw and look at held-out portraits and write what was seen, in half precision."""
    tensors = {}
    for name, seed in SEEDS.items():
        look = join(list(look_at(oracle, count, size, seed)))
        tensors[f"{name}.features"] = look.features.half()
        tensors[f"{name}.attributes"] = torch.stack([look.attributes[k] for k in KEPT], 1).half()
    return write_whole(path, save(tensors, {"reference": json.dumps(_note(oracle, size))}))


def read_reference(oracle: Oracle, size: int, path: Path = REFERENCE) -> dict[str, Look] | None:
    """Return what is kept under "held_out" and "floor", or None if there is nothing for this oracle and size."""
    if not path.exists():
        return None
    with safe_open(path, framework="pt") as file:
        if json.loads(file.metadata()["reference"]) != _note(oracle, size):
            return None
        return {
            name: _look(file.get_tensor(f"{name}.features"), file.get_tensor(f"{name}.attributes")) for name in SEEDS
        }


def _look(features: Tensor, attributes: Tensor) -> Look:
    named = dict(zip(KEPT, attributes.float().unbind(1), strict=True))
    return Look(named, features.float(), torch.zeros(len(features), 0))


def _note(oracle: Oracle, size: int) -> dict[str, int | str]:
    digest = hashlib.sha256(b"".join(p.detach().cpu().numpy().tobytes() for p in oracle.network.parameters()))
    return {"size": size, "renderer": RENDERER, "oracle": digest.hexdigest()[:12]}


if __name__ == "__main__":
    write_reference(load_oracle(), count=1000, size=128)
