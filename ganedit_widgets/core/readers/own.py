"""Our own container: a `.safetensors` file whose header says how to build the networks again."""

from __future__ import annotations

import errno
import json
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from ..errors import ModelError
from .configs import config_from
from .stored import ModelFile, Stored

VERSION = 1
KEY = "ganedit"  # of the header's metadata; its value is JSON
PREFIXES = {"generator": "generator.", "discriminator": "discriminator."}
SMALL = 1024  # tensors up to this size stay float32 in a half-precision file: filters, biases, averages


def save_model(
    path: str | Path,
    generator_network: nn.Module | None,
    discriminator_network: nn.Module | None = None,
    meta: Mapping[str, Any] | None = None,
    half: bool = False,
) -> None:
    """Write networks into one `.safetensors` file, atomically.

    `generator_network` is a `StyleGAN2` or `StyleGAN3` and may be None for a file with a discriminator only. `meta`
    is free and must be JSON: a model card, a licence. `half` stores large weights as float16, half the size; they
    are loaded as float32 again, with a relative error of 5e-4. Raises `ModelError` if a weight does not fit float16.
    """
    networks = {"generator": generator_network, "discriminator": discriminator_network}
    header: dict[str, Any] = {"version": VERSION, "meta": dict(meta or {})}
    tensors: dict[str, Tensor] = {}
    for role, network in networks.items():
        if network is None:
            continue
        header[role] = asdict(network.cfg)  # type: ignore[call-overload, arg-type]
        for name, tensor in network.state_dict().items():
            tensors[PREFIXES[role] + name] = as_stored(name, tensor, half)
    write_tensors(Path(path), tensors, {KEY: json.dumps(header)})


def as_stored(name: str, tensor: Tensor, half: bool) -> Tensor:
    """Return a weight as it is written: float32, or float16 if it is large and `half` is asked for."""
    tensor = tensor.detach().float().cpu().contiguous()
    if not half or tensor.numel() <= SMALL:
        return tensor
    small = tensor.half()
    if not bool(torch.isfinite(small).all()):
        raise ModelError(f"The weights {name!r} are too large for half precision: save the model with half=False.")
    return small


def write_tensors(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
    """Write a `.safetensors` file beside `path`, then rename: a process that has mapped the old file keeps it.

    Raises `OSError` if there is no place for it, such as on a full disk; the old file is then still there.
    """
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, f"the folder {path.parent} does not exist", str(path))
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    os.close(handle)
    try:
        save_file(tensors, temporary, metadata)
        Path(temporary).chmod(0o644)  # mkstemp makes files that only their owner may read
        Path(temporary).replace(path)
    except SafetensorError as error:  # our tensors are sound: it is the disk
        code = re.search(r"os error (\d+)", str(error))
        number = int(code[1]) if code else errno.EIO
        raise OSError(number, os.strerror(number), str(path)) from None
    finally:
        Path(temporary).unlink(missing_ok=True)


def read_own(path: Path) -> ModelFile:
    """Read our own container; the weights stay in the mapped file until they are used."""
    try:
        with safe_open(path, framework="pt") as file:
            header = _header(path, file.metadata())
            tensors = {name: file.get_tensor(name) for name in file.keys()}
    except SafetensorError as error:
        raise ModelError(f"{path.name} is a damaged or truncated safetensors file: fetch it again.") from error
    found = {role: _part(path, header, role, tensors) for role in PREFIXES}
    meta = header.get("meta")
    meta = meta if isinstance(meta, dict) else {}
    return ModelFile("safetensors (ganedit)", found["generator"], found["discriminator"], meta)


def _header(path: Path, metadata: Mapping[str, str] | None) -> dict[str, Any]:
    text = (metadata or {}).get(KEY)
    if text is None:
        raise ModelError(
            f"{path.name} is a safetensors file of another program: only files written by `save_model` or "
            "`ganedit convert` can be opened."
        )
    try:
        header = json.loads(text)
        version = int(header["version"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelError(f"The header of {path.name} is damaged: fetch the file again.") from error
    if version > VERSION:
        raise ModelError(f"{path.name} has format version {version}, this program knows up to {VERSION}: update it.")
    return dict(header)


def _part(path: Path, header: dict[str, Any], role: str, tensors: Mapping[str, Tensor]) -> Stored | None:
    if header.get(role) is None:
        return None
    prefix = PREFIXES[role]
    own = {name[len(prefix) :]: tensor for name, tensor in tensors.items() if name.startswith(prefix)}
    return Stored(config_from(header[role], path.name), own)
