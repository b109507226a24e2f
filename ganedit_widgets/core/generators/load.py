"""Checkpoint file → Generator: the demo, a file of any known container, or an address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from ..errors import ModelError
from ..readers.open import read_model
from ..readers.own import save_model
from ..readers.stored import ModelFile
from ..short import short
from .base import Generator, fingerprint_of

__all__ = ["ModelInfo", "convert", "describe", "load_generator", "save_model"]

DEMO = Path(__file__).parents[2] / "demo" / "weights"


@dataclass(frozen=True, eq=False)
class ModelInfo:
    """What is in a model file."""

    family: str  # "stylegan2", "stylegan3-t" or "stylegan3-r"
    container: str  # in words
    size: tuple[int, int]  # (height, width) of a picture
    channels: Mapping[str, int]  # block or layer -> width
    latent_shape: tuple[int, int]  # (L, D)
    z_dim: int
    c_dim: int  # 0: unconditional
    has_discriminator: bool
    parameters: int  # of the generator
    fingerprint: str
    file_size: int  # bytes
    meta: Mapping[str, Any] = field(default_factory=dict)

    __repr__ = short


def load_generator(source: str | Path = "demo", device: str | torch.device | None = None) -> Generator:
    """Return the generator of a model file, with its discriminator if the file has one.

    `source`: "demo" (ships with the package), a path, or an https:// address. `device`: None means CUDA if there is
    one, else the CPU. Raises `ModelError` if the file cannot be read.
    """
    path = _local(source)
    file = read_model(path)
    if file.generator is None:
        raise ModelError(f"{path.name} holds a discriminator only: give the file of a generator.")
    network = file.generator.build()
    stored = file.discriminator or _demo_discriminator(source)
    discriminator = None if stored is None else stored.build()
    device = ("cuda" if torch.cuda.is_available() else "cpu") if device is None else device
    return Generator(
        network.to(device),
        None if discriminator is None else discriminator.to(device),
        name=_name(source, file),
        code=f"load_generator({str(source)!r})",
    )


def describe(source: str | Path = "demo") -> ModelInfo:
    """Return what is in the model file `source`; raises `ModelError` if it cannot be read."""
    path = _local(source)
    file = read_model(path)
    if file.generator is None:
        raise ModelError(f"{path.name} holds a discriminator only: give the file of a generator.")
    network = file.generator.build()
    cfg: Any = network.cfg
    return ModelInfo(
        family=cfg.family,
        container=file.container,
        size=(cfg.resolution, cfg.resolution),
        channels={str(r): width for r, width in cfg.channels.items()},
        latent_shape=(cfg.num_ws, cfg.w_dim),
        z_dim=cfg.z_dim,
        c_dim=cfg.c_dim,
        has_discriminator=(file.discriminator or _demo_discriminator(source)) is not None,
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        fingerprint=fingerprint_of(network),
        file_size=path.stat().st_size,
        meta=file.meta,
    )


def convert(source: str | Path, out: str | Path, half: bool = False) -> None:
    """Write the model `source` as our own `.safetensors` file `out`; `half` as in `save_model`."""
    file = read_model(_local(source))
    networks = [None if s is None else s.build() for s in (file.generator, file.discriminator)]
    save_model(out, networks[0], networks[1], {"converted_from": file.container, **file.meta}, half)


def _local(source: str | Path) -> Path:
    if str(source) != "demo":
        return Path(source).expanduser()
    path = DEMO / "generator.safetensors"
    if not path.exists():
        raise ModelError("This copy of the package has no demo model: install the released package, or train it.")
    return path


def _demo_discriminator(source: str | Path) -> Any:
    path = DEMO / "discriminator.safetensors"
    if str(source) != "demo" or not path.exists():
        return None
    return read_model(path).discriminator


def _name(source: str | Path, file: ModelFile) -> str:
    return str(file.meta.get("name") or Path(str(source)).stem)
