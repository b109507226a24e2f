"""Checkpoint file → Generator: the demo, a file of any known container, or an address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import torch
from torch import nn

from ..errors import ModelError
from ..readers.fetch import Progress, fetch, is_address
from ..readers.open import read_model
from ..readers.own import save_model
from ..readers.stored import ModelFile
from ..short import short
from .base import Generator, fingerprint_of

__all__ = ["ModelInfo", "convert", "describe", "load_generator", "save_model"]

DEMO = Path(__file__).parents[2] / "demo" / "weights"
SHIPPED = {"demo": "generator.safetensors", "demo-self-conditioned": "self_conditioned.safetensors"}
DEMO_CODES = ("load_generator('demo')", 'load_generator("demo")', "load_generator()")
AVERAGED = 10_000  # z for an average w that the file does not have


@dataclass(frozen=True, eq=False)
class ModelInfo:
    """What is in a model file."""

    family: str  # "stylegan2", "stylegan3-t", "stylegan3-r" or "self_conditioned"
    container: str  # in words
    size: tuple[int, int]  # (height, width) of a picture
    channels: Mapping[str, int]  # block or layer -> width
    latent_shape: tuple[int, int]  # (L, D)
    z_dim: int
    c_dim: int  # 0: unconditional
    attributes: tuple[str, ...]  # that labels set, of a self-conditioned model
    has_discriminator: bool
    parameters: int  # of the generator
    fingerprint: str
    file_size: int  # bytes
    meta: Mapping[str, Any] = field(default_factory=dict)

    __repr__ = short


def load_generator(
    source: str | Path = "demo",
    device: str | torch.device | None = None,
    *,
    progress: Progress | None = None,
    sha256: str | None = None,
) -> Generator:
    """Return the generator of a model file, with its discriminator if the file has one.

    An encoder beside it, `<stem>_encoder.safetensors`, is read when `generator.encoder` is first asked for.

    `source`: "demo" or "demo-self-conditioned" (the demo fine-tuned to take labels), which ship with the package, a
    path, or an https:// address, which is fetched once into the cache. `progress(bytes so far, bytes in all or None)`
    is called meanwhile, and `sha256` (also `#sha256=…` at the end of the address) is checked. `device`: None means
    CUDA if there is one, else the CPU.

    Weights of a `.safetensors` file stay in the mapped file and are shared between processes, those of other containers
    are copied once; networks that are not used, such as the raw training copy, are never read. On CUDA, PyTorch's own
    TF32 settings apply. Raises `ModelError` if the file cannot be fetched, read or trusted.
    """
    path = _local(source, progress, sha256)
    file = _with_generator(path)
    network = _network(file)
    stored = file.discriminator or _demo_discriminator(source)
    discriminator = None if stored is None else stored.build()
    device = usable_device(device)
    generator = Generator(
        network.to(device),
        None if discriminator is None else discriminator.to(device),
        name=_name(source, file),
        code=f"load_generator({str(source)!r})",
    )
    generator.encoder_file = encoder_file(source, path)
    _tuned(generator, file.meta.get("origin"))
    return generator


def _tuned(generator: Generator, origin: object) -> None:
    """Note what a model was tuned from, if its file says so; the demo's encoder serves what was tuned from the demo."""
    if not isinstance(origin, str):
        return
    generator.origin = origin
    if generator.encoder_file is not None and not generator.encoder_file.is_file() and is_of_demo(generator):
        generator.encoder_file = DEMO / "encoder.safetensors"


def is_of_demo(generator: Generator) -> bool:
    """Return whether a generator is the demo, or was tuned from it."""
    known = (DEMO / "generator.safetensors").exists()
    return generator.code in DEMO_CODES or (known and generator.origin == _demo_fingerprint())


def has_shipped(name: str) -> bool:
    """Return whether this copy of the package has the model that `load_generator` knows by `name`."""
    return name in SHIPPED and (DEMO / SHIPPED[name]).exists()


@lru_cache(maxsize=1)
def _demo_fingerprint() -> str:
    return describe("demo").fingerprint


def usable_device(device: str | torch.device | None = None) -> torch.device:
    """Return the device asked for, or raise `ModelError`; None means CUDA if there is one, else the CPU."""
    try:
        found = torch.device(("cuda" if torch.cuda.is_available() else "cpu") if device is None else device)
        torch.empty(1, device=found)
    except (RuntimeError, AssertionError, NotImplementedError):
        raise ModelError(f"There is no device {str(device)!r} here: use cpu, or cuda where there is a GPU.") from None
    return found


def encoder_file(source: str | Path, path: Path) -> Path:
    """Return where the encoder of the model `source`, which lies at `path`, is looked for: beside it."""
    return DEMO / "encoder.safetensors" if str(source) == "demo" else path.with_name(f"{path.stem}_encoder.safetensors")


def describe(source: str | Path = "demo") -> ModelInfo:
    """Return what is in the model file `source`; raises `ModelError` if it cannot be read."""
    path = _local(source)
    file = _with_generator(path)
    network = _network(file)
    cfg: Any = network.cfg
    return ModelInfo(
        family=cfg.family,
        container=file.container,
        size=(cfg.resolution, cfg.resolution),
        channels={str(r): width for r, width in cfg.channels.items()},
        latent_shape=(cfg.num_ws, cfg.w_dim),
        z_dim=cfg.z_dim,
        c_dim=cfg.c_dim,
        attributes=cfg.schema.names if hasattr(cfg, "schema") else (),
        has_discriminator=(file.discriminator or _demo_discriminator(source)) is not None,
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        fingerprint=fingerprint_of(network),
        file_size=path.stat().st_size,
        meta=file.meta,
    )


def convert(source: str | Path, out: str | Path, half: bool = False) -> None:
    """Write the model `source` as our own `.safetensors` file `out`; `half` as in `save_model`."""
    file = _with_generator(_local(source))
    stored = file.discriminator or _demo_discriminator(source)
    meta = {"converted_from": file.container, **file.meta}
    save_model(out, _network(file), None if stored is None else stored.build(), meta, half)


def _with_generator(path: Path) -> ModelFile:
    file = read_model(path)
    if file.generator is None:
        raise ModelError(f"{path.name} holds a discriminator only: give the file of a generator.")
    return file


def _network(file: ModelFile) -> nn.Module:
    """Build the generator; estimate its average w if the file has none."""
    assert file.generator is not None  # _with_generator
    network = file.generator.build()
    if file.without_average:
        network.mapping.w_avg.copy_(average_w(network))  # type: ignore[union-attr, operator]
    return network


def average_w(network: nn.Module) -> torch.Tensor:
    """Return the mean w (D,) of 10,000 fixed z, of a network on the CPU.

    In float64, so that the fingerprint is the same on every machine.
    """
    rng = np.random.RandomState(0)
    total = torch.zeros(network.cfg.w_dim, dtype=torch.float64)  # type: ignore[union-attr, arg-type]
    with torch.no_grad():
        for _ in range(AVERAGED // 1000):
            z = torch.from_numpy(rng.randn(1000, network.cfg.z_dim))  # type: ignore[union-attr, arg-type]
            total += network.mapping(z).sum(0)  # type: ignore[operator]
    return total / AVERAGED


def _local(source: str | Path, progress: Progress | None = None, sha256: str | None = None) -> Path:
    if is_address(source):
        return fetch(str(source), progress, sha256)
    if str(source) not in SHIPPED:
        path = Path(source).expanduser()
        near = get_close_matches(str(source), SHIPPED, 1, 0.8)
        if near and not path.exists():
            raise ModelError(f"There is no model {str(source)!r}: choose {near[0]!r}, or check the path.")
        return path
    path = DEMO / SHIPPED[str(source)]
    if not path.exists():
        raise ModelError(f"This copy of the package has no {source} model: install the released package, or train it.")
    return path


def _demo_discriminator(source: str | Path) -> Any:
    path = DEMO / "discriminator.safetensors"
    if str(source) != "demo" or not path.exists():
        return None
    return read_model(path).discriminator


def _name(source: str | Path, file: ModelFile) -> str:
    return str(file.meta.get("name") or PurePosixPath(str(source).partition("#")[0]).stem)
