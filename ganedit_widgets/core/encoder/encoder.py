"""The encoder of one generator, and its file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from ..errors import ModelError
from ..generators.base import Generator
from ..latent import Latent
from ..probes.whitening import Whitening
from ..readers.own import as_stored, write_tensors
from .network import EncoderConfig, EncoderNetwork, config_for, shapes_of

KEY, VERSION = "ganedit.encoder", 1


class Encoder:
    """Guesses the latents of pictures: w̄ + Σ^(½)·(u + r), near W because r was kept small in training."""

    def __init__(self, network: EncoderNetwork, generator: Generator, about: Mapping[str, Any] | None = None) -> None:
        self.network = network.eval().requires_grad_(False).to(generator.device)
        self.white = Whitening.of(generator)
        self.fingerprint = generator.fingerprint
        self.about = dict(about or {})

    def __repr__(self) -> str:
        return f"Encoder({self.network.cfg.resolution}×{self.network.cfg.resolution}, of {self.fingerprint})"

    def __call__(self, pictures: Tensor) -> Tensor:
        """Return w (N, L, D) for pictures (N, 3, H, W) in [-1, 1], as the generator's size has them."""
        point, residual = self.network(pictures.to(self.white.average))
        return self.white.to_w(point[:, None] + residual)

    def latents(self, pictures: Tensor) -> list[Latent]:
        """Return the guessed latent of each picture (N, 3, H, W) in [-1, 1]."""
        with torch.inference_mode(False), torch.no_grad():
            return [Latent(w.clone(), self.fingerprint) for w in self(pictures.clone())]


def save_encoder(path: str | Path, encoder: Encoder, half: bool = True) -> None:
    """Write an encoder to a `.safetensors` file, whole or not at all; `half` stores large weights as float16.

    It is found by `load_generator` if it is called `<stem>_encoder.safetensors` and lies beside the model.
    Raises `ModelError` if the place cannot be written to.
    """
    path = Path(path)
    header = {
        "version": VERSION,
        "fingerprint": encoder.fingerprint,
        "config": asdict(encoder.network.cfg),
        "about": encoder.about,
    }
    tensors = {name: as_stored(name, tensor, half) for name, tensor in encoder.network.state_dict().items()}
    try:
        write_tensors(path, tensors, {KEY: json.dumps(header)})
    except OSError as error:
        raise ModelError(f"The encoder cannot be written to {path} ({error.strerror}): choose another place.") from None


def load_encoder(path: str | Path, generator: Generator) -> Encoder:
    """Return the encoder in a file that `save_encoder` wrote, for `generator`, or for the one it was tuned from.

    Raises `ModelError` if it is missing, damaged, of a newer version, or was trained for another model.
    """
    path = Path(path)
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {})[KEY])
            if int(header["version"]) > VERSION:
                raise ModelError(f"{path.name} was written by a newer version of this library: upgrade it.")
            _require_own(path, header["fingerprint"], generator)
            config, about = _config(header["config"]), dict(header["about"])
            if config != config_for(generator):
                raise ValueError("its sizes do not fit its model")
            tensors = {name: file.get_tensor(name).float() for name in file.keys()}
        network = _network(config, tensors)
    except FileNotFoundError:
        raise ModelError(f"There is no encoder {path}: train one with `ganedit train encoder`.") from None
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, RuntimeError, AttributeError) as error:
        raise ModelError(f"{path.name} is damaged or no encoder ({error}): train or fetch it again.") from None
    return Encoder(network, generator, about)


def _config(record: Mapping[str, Any]) -> EncoderConfig:
    return EncoderConfig(**{**record, "widths": tuple(record["widths"])})


def _network(config: EncoderConfig, tensors: Mapping[str, Tensor]) -> EncoderNetwork:
    if {name: tensor.shape for name, tensor in tensors.items()} != shapes_of(config):
        raise ValueError("its weights are not those that its header tells of")
    with torch.inference_mode(False):
        network = EncoderNetwork(config)
        network.load_state_dict({name: tensor.clone() for name, tensor in tensors.items()})
    return network


def _require_own(path: Path, fingerprint: str, generator: Generator) -> None:
    if fingerprint not in (generator.fingerprint, generator.origin):
        raise ModelError(
            f"The encoder {path.name} was trained for checkpoint {fingerprint}, the generator is "
            f"{generator.fingerprint}: train one with `ganedit train encoder`."
        )
