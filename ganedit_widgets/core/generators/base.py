"""What an edit may ask of a generator, whatever its family."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import LatentError, ModelError
from ..latent import Latent
from .told import offsets_of, told

if TYPE_CHECKING:
    from ..conditioning.schema import Schema
    from ..encoder import Encoder

W_SAMPLES = 2000  # mapped z for the statistics of W: enough for a covariance of 512 numbers with shrinkage


def require_own(generator: Generator, latent: Latent) -> None:
    """Raise `LatentError` if `latent` is none, or belongs to another checkpoint than `generator`."""
    if not isinstance(latent, Latent):
        raise LatentError(f"{type(latent).__name__} was given where a latent is needed: try generator.sample(seed).")
    if latent.fingerprint != generator.fingerprint:
        raise LatentError(
            f"This latent belongs to checkpoint {latent.fingerprint}, the generator is {generator.fingerprint}: "
            "embed the picture again with this generator."
        )


def fingerprint_of(network: nn.Module) -> str:
    """Return 12 hexadecimal digits that depend on the network's configuration and on every weight."""
    digest = hashlib.sha256(json.dumps(asdict(network.cfg), sort_keys=True, default=str).encode())  # type: ignore[arg-type, call-overload]
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().float().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:12]


class Generator:
    """A frozen generator network: samples latents and draws them.

    Built by `load_generator`; `network` is a `StyleGAN2` or `StyleGAN3`. Drawing is differentiable in the latent.
    """

    def __init__(
        self, network: nn.Module, discriminator: nn.Module | None = None, name: str = "", code: str = ""
    ) -> None:
        self.network = network.eval().requires_grad_(False)
        self.discriminator = None if discriminator is None else discriminator.eval().requires_grad_(False)
        self.name = name or type(network).__name__
        self.code = code or "generator"  # the Python expression that loads it again
        self.cfg: Any = network.cfg
        self.fingerprint = fingerprint_of(network)
        self.origin = self.fingerprint  # that of the checkpoint it was tuned from, if it was
        self.encoder_file: Path | None = None  # where its encoder would lie

    def __repr__(self) -> str:
        h, w = self.size
        return f"Generator({self.name!r}, {h}×{w}, {self.fingerprint})"

    # ---- what it is

    @property
    def family(self) -> str:
        """Which networks it is made of: "stylegan2", "stylegan3-t", "stylegan3-r" or "self_conditioned"."""
        return str(self.cfg.family)

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of its pictures, in pixels."""
        return (self.cfg.resolution, self.cfg.resolution)

    @property
    def latent_shape(self) -> tuple[int, int]:
        """(L, D): the shape of W+."""
        return (self.cfg.num_ws, self.cfg.w_dim)

    @property
    def z_dim(self) -> int:
        """The number of entries of z."""
        return int(self.cfg.z_dim)

    @property
    def c_dim(self) -> int:
        """The number of entries of the label that the mapping network takes; 0 for an unconditional generator."""
        return int(self.cfg.c_dim)

    @property
    def schema(self) -> Schema | None:
        """What the labels of a self-conditioned generator are about; None for every other."""
        return getattr(self.cfg, "schema", None)

    @property
    def label_dim(self) -> int:
        """The number of entries of a latent's label: one for each attribute of a self-conditioned generator."""
        return self.c_dim if self.schema is None else len(self.schema)

    @property
    def device(self) -> torch.device:
        """Where it draws."""
        return next(self.network.parameters()).device

    @cached_property
    def style_layers(self) -> dict[str, int]:
        """Style layer → its index into W+, in the order of computation."""
        return {name: i for name, (i, _) in self.network.synthesis.style_layers().items()}  # type: ignore[union-attr, operator]

    @cached_property
    def encoder(self) -> Encoder | None:
        """What guesses latents from pictures, read when first asked for; None if there is no such file.

        Raises `ModelError` if the file beside the model is damaged or belongs to another model.
        """
        if self.encoder_file is None or not self.encoder_file.is_file():
            return None
        from ..encoder import load_encoder  # needs this module

        return load_encoder(self.encoder_file, self)

    # ---- latents

    def z(self, seed: int) -> Tensor:
        """Return z (1, z_dim) of a seed: the field's convention, `RandomState(seed).randn`.

        Raises `LatentError` if the seed is no whole number from 0 to 2³² − 1.
        """
        if not isinstance(seed, int | np.integer) or not 0 <= seed < 2**32:
            raise LatentError(f"{seed!r} was given as a seed: give a whole number from 0 to {2**32 - 1}.")
        values = np.random.RandomState(seed).randn(1, self.z_dim)
        return torch.from_numpy(values).float().to(self.device)

    def map(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        """Return w (N, D) for z (N, z_dim); `label` (N, K) or (K,), zeros if not given."""
        if self.c_dim:
            label = torch.zeros(self.c_dim) if label is None else label
            label = label.to(z).expand(len(z), -1)
        return self.network.mapping(z, label)  # type: ignore[operator, no-any-return]

    @property
    def w_avg(self) -> Tensor:
        """The average w (D,)."""
        return self.network.mapping.w_avg  # type: ignore[union-attr, return-value]

    def latent(self, w: Tensor, label: Tensor | None = None) -> Latent:
        """Wrap w (D,), (1, D), (L, D) or (1, L, D) as a Latent of this generator."""
        rows, columns = self.latent_shape
        w = w.reshape(-1, w.shape[-1]) if w.ndim else w
        if w.ndim != 2 or w.shape[1] != columns or w.shape[0] not in (1, rows):
            raise LatentError(
                f"A latent of shape {tuple(w.shape)} was given, this generator needs ({columns},) or "
                f"({rows}, {columns}): it may belong to another model."
            )
        return Latent(w.detach().expand(rows, -1).clone().float(), self.fingerprint, label=label)

    def sample(self, seed: int, psi: float = 1.0, label: Tensor | None = None) -> Latent:
        """Return the latent of a seed, truncated: w_avg + ψ·(w − w_avg) (Karras et al. 2019, section B).

        Raises `LatentError` for what is no seed, or a ψ that is not finite.
        """
        if not math.isfinite(psi):
            raise LatentError(f"A truncation ψ of {psi} was given: give a finite number, 1 for none.")
        with torch.no_grad():
            w = self.map(self.z(seed), label)
            return self.latent(self.w_avg + psi * (w - self.w_avg), label)

    def average(self) -> Latent:
        """Return the latent of the average picture."""
        return self.latent(self.w_avg)

    @cached_property
    def w_samples(self) -> Tensor:
        """(2000, D) mapped z of fixed seeds: what W looks like, for scales and statistics."""
        z = torch.from_numpy(np.random.RandomState(0).randn(W_SAMPLES, self.z_dim)).float()
        with torch.no_grad():
            return self.map(z.to(self.device))

    # ---- pictures

    def half(self, on: bool = True) -> None:
        """Draw in float16 where the checkpoint allows it (its fine layers), on CUDA only; elsewhere nothing changes.

        Faster on large pictures, and less exact: embed and compare in float32.
        """
        self.network.synthesis.use_half(on)  # type: ignore[union-attr, operator]

    def draw(self, latent: Latent, noise: str | int = "const", until: int | None = None) -> Tensor:
        """Return the picture (1, 3, H, W), nominally within [-1, 1]; differentiable in the latent's tensors.

        `noise`: "const", "none", or a seed. `until`: stop at the block of this resolution, for quick previews; it is
        ignored where the architecture has no picture there.
        """
        return self.draw_many([latent], noise, until)

    def draw_many(
        self,
        latents: Sequence[Latent],
        noise: str | int = "const",
        until: int | None = None,
        taps: Mapping[str, Callable[[Tensor], object]] | None = None,
    ) -> Tensor:
        """Return the pictures (N, 3, H, W) of several latents; `taps`: layer → called with its output (N, C, h, w)."""
        for latent in latents:
            require_own(self, latent)
        ws = torch.stack([latent.w for latent in latents]).to(self.device)
        picture: Tensor = self.network.synthesis(  # type: ignore[operator]
            ws, **told(self, latents, noise), taps=taps, until=until
        )
        return picture if picture.shape[1] == 3 else picture[:, :1].expand(-1, 3, -1, -1)

    def styles(self, latent: Latent) -> dict[str, Tensor]:
        """Return style layer → (C,): the styles after the affine maps, offsets included (S space)."""
        require_own(self, latent)
        styles = self.network.synthesis.styles(latent.w[None].to(self.device), offsets_of(self, [latent]))  # type: ignore[union-attr, operator]
        return {name: style[0] for name, style in styles.items()}

    def features(self, latent: Latent, layers: Sequence[str]) -> dict[str, Tensor]:
        """Return layer → its output (1, C, h, w) while `latent` is drawn."""
        unknown = set(layers) - set(self.style_layers)
        if unknown:
            raise ModelError(f"There is no layer {sorted(unknown)[0]!r}; there are {', '.join(self.style_layers)}.")
        found: dict[str, Tensor] = {}

        def keep(name: str) -> Callable[[Tensor], None]:
            return lambda x: found.__setitem__(name, x)

        require_own(self, latent)
        self.network.synthesis(  # type: ignore[operator]
            latent.w[None].to(self.device), **told(self, [latent]), taps={name: keep(name) for name in layers}
        )
        return found
