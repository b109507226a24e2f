"""The StyleGAN3 generator, configurations T and R (Karras et al. 2021)."""

from __future__ import annotations

import math
from collections.abc import Mapping as MappingType
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..ops import upfirdn2d
from .filters3 import lowpass
from .layers import Dense, Mapping, normal
from .stylegan2 import tapped


@dataclass(frozen=True)
class Layer3:
    """One synthesis layer; rates and bands in samples or cycles per picture."""

    name: str  # "L{i}_{size}_{channels}"
    n_in: int
    n_out: int
    kernel: int
    up: int
    down: int
    up_taps: int
    down_taps: int
    padding: tuple[int, int, int, int]  # left, right, top, bottom; negative crops
    rate: float  # of the signal between the filters
    in_cutoff: float
    in_half_width: float
    out_cutoff: float
    out_half_width: float
    radial: bool = False  # the down filter
    is_torgb: bool = False
    half: bool = False  # may run in half precision on CUDA


@dataclass(frozen=True)
class StyleGAN3Config:
    """What must be known beside the weights to build the networks again."""

    resolution: int
    layers: tuple[Layer3, ...]
    input_size: int  # of the Fourier features, in samples
    input_rate: float  # samples per picture
    input_bandwidth: float  # cycles per picture
    z_dim: int = 512
    c_dim: int = 0
    w_dim: int = 512
    img_channels: int = 3
    mapping_layers: int = 2
    mapping_lr: float = 0.01
    conv_clamp: float | None = 256.0
    output_scale: float = 0.25
    family: str = "stylegan3-t"  # or "stylegan3-r"

    @property
    def num_ws(self) -> int:
        """The number L of style vectors in W+."""
        return len(self.layers) + 1

    @property
    def channels(self) -> dict[str, int]:
        """Layer name → width."""
        return {layer.name: layer.n_out for layer in self.layers}

    @property
    def num_half_res(self) -> int:
        """How many layers may run in half precision on CUDA."""
        return sum(layer.half for layer in self.layers)


class FourierInput(nn.Module):
    """Fourier features, rotated and shifted as w says, then mixed (section 3.2)."""

    freqs: Tensor
    phases: Tensor
    transform: Tensor

    def __init__(self, cfg: StyleGAN3Config) -> None:
        super().__init__()
        self.size, self.rate, self.bandwidth = cfg.input_size, cfg.input_rate, cfg.input_bandwidth
        channels = cfg.layers[0].n_in
        freqs = torch.randn(channels, 2)
        radius = freqs.norm(dim=1, keepdim=True)
        self.affine = Dense(cfg.w_dim, 4)
        with torch.no_grad():
            self.affine.weight.zero_()
            self.affine.bias.copy_(torch.tensor([1.0, 0.0, 0.0, 0.0]))
        self.weight = nn.Parameter(normal(channels, channels))
        self.register_buffer("transform", torch.eye(3))  # inverse of what is to happen to the picture
        self.register_buffer("freqs", freqs / (radius * radius.square().exp().pow(0.25)) * self.bandwidth)
        self.register_buffer("phases", torch.rand(channels) - 0.5)

    def forward(self, style: Tensor) -> Tensor:
        """Return the features (N, C, size, size) for `style` (N, 4): a rotation's cosine and sine, and a shift."""
        style = style / style[:, :2].norm(dim=1, keepdim=True)
        m = self._matrix(style)
        phases = self.phases + (self.freqs @ m[:, :2, 2:]).squeeze(2)  # (N, C)
        freqs = self.freqs @ m[:, :2, :2]  # (N, C, 2)
        amplitude = 1 - (freqs.norm(dim=2) - self.bandwidth) / (self.rate / 2 - self.bandwidth)
        places = (torch.arange(self.size, device=style.device) + 0.5 - self.size / 2) / self.rate
        x = places[None, None, :, None] * freqs[:, None, None, :, 0]  # (N, 1, W, C)
        y = places[None, :, None, None] * freqs[:, None, None, :, 1]  # (N, H, 1, C)
        features = torch.sin(2 * math.pi * (x + y + phases[:, None, None]))
        features = features * amplitude.clamp(0, 1)[:, None, None]
        return (features @ (self.weight / math.sqrt(len(self.weight))).t()).permute(0, 3, 1, 2)

    def _matrix(self, t: Tensor) -> Tensor:
        zero, one = torch.zeros_like(t[:, 0]), torch.ones_like(t[:, 0])
        rotation = torch.stack([t[:, 0], -t[:, 1], zero, t[:, 1], t[:, 0], zero, zero, zero, one], 1)
        shift = torch.stack([one, zero, -t[:, 2], zero, one, -t[:, 3], zero, zero, one], 1)
        return rotation.view(-1, 3, 3) @ shift.view(-1, 3, 3) @ self.transform


class SynthesisLayer3(nn.Module):
    """Modulated convolution, bias, and a nonlinearity between two low-pass filters (section 3.1)."""

    magnitude_ema: Tensor
    up_filter: Tensor | None
    down_filter: Tensor | None

    def __init__(self, cfg: StyleGAN3Config, layer: Layer3) -> None:
        super().__init__()
        self.spec, self.clamp = layer, cfg.conv_clamp
        self.affine = Dense(cfg.w_dim, layer.n_in, bias_init=1)
        self.weight = nn.Parameter(normal(layer.n_out, layer.n_in, layer.kernel, layer.kernel))
        self.bias = nn.Parameter(torch.zeros(layer.n_out))
        self.register_buffer("magnitude_ema", torch.ones(()))
        device = self.bias.device
        for name, taps, cutoff, half_width, radial in (
            ("up_filter", layer.up_taps, layer.in_cutoff, layer.in_half_width, False),
            ("down_filter", layer.down_taps, layer.out_cutoff, layer.out_half_width, layer.radial),
        ):
            f = lowpass(taps, cutoff, 2 * half_width, layer.rate, radial)
            self.register_buffer(name, None if f is None else f.to(device))

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """Map (N, I, h, w) to (N, O, H, W); `style` (N, I)."""
        spec = self.spec
        x = self._convolved(x, style) + self.bias.to(x.dtype)[:, None, None]
        x = upfirdn2d(x, self.up_filter, spec.up, pad=spec.padding, gain=spec.up**2)
        if not spec.is_torgb:
            x = F.leaky_relu(x, 0.2) * math.sqrt(2)
        if self.clamp is not None:
            x = x.clamp(-self.clamp, self.clamp)
        return upfirdn2d(x, self.down_filter, down=spec.down)

    def _convolved(self, x: Tensor, style: Tensor) -> Tensor:
        """Modulate the input, convolve with one shared weight, demodulate the output and undo the input's magnitude.

        Weights and styles are normalized first, which demodulation cancels, so that half precision cannot overflow.
        """
        weight: Tensor = self.weight
        gain = self.magnitude_ema.rsqrt()
        pad = self.spec.kernel - 1
        if self.spec.is_torgb:
            scaled = style * (gain / math.sqrt(weight[0].numel()))
            return F.conv2d(x * scaled.to(x.dtype)[:, :, None, None], weight.to(x.dtype), padding=pad)
        weight = weight * weight.square().mean((1, 2, 3), keepdim=True).rsqrt()
        style = style * style.square().mean(1, keepdim=True).rsqrt()
        y = F.conv2d(x * style.to(x.dtype)[:, :, None, None], weight.to(x.dtype), padding=pad)
        energy = style.square() @ weight.square().sum((2, 3)).t()
        return y * ((energy + 1e-8).rsqrt() * gain).to(y.dtype)[:, :, None, None]


class Synthesis3(nn.Module):
    """w+ → picture. Styles and features of each layer can be read and changed on the way; there is no noise."""

    def __init__(self, cfg: StyleGAN3Config) -> None:
        super().__init__()
        self.cfg = cfg
        self.dtypes: dict[str, torch.dtype] = {}  # layer -> dtype; float32 where nothing is said
        self.input = FourierInput(cfg)
        for layer in cfg.layers:
            setattr(self, layer.name, SynthesisLayer3(cfg, layer))

    def style_layers(self) -> dict[str, tuple[int, nn.Module]]:
        """Return style layer name → (index into W+, the layer), in the order of computation."""
        named = {layer.name: (i + 1, getattr(self, layer.name)) for i, layer in enumerate(self.cfg.layers)}
        return {"input": (0, self.input), **named}

    def styles(self, ws: Tensor, offsets: MappingType[str, Tensor]) -> dict[str, Tensor]:
        """Return style layer → (N, C): affine(w) + offset (S space). `ws` is (N, L, D)."""
        found = {}
        for name, (i, layer) in self.style_layers().items():
            style = layer.affine(ws[:, i])  # type: ignore[operator]
            found[name] = style + offsets[name].to(style) if name in offsets else style
        return found

    def constant_noise(self) -> dict[str, Tensor]:
        """Return nothing: StyleGAN3 has no noise."""
        return {}

    def seeded_noise(self, seed: int) -> dict[str, Tensor]:
        """Return nothing: StyleGAN3 has no noise."""
        return {}

    def use_half(self, on: bool = True) -> None:
        """Run the layers that the checkpoint marks for it in float16 on CUDA, or all in float32."""
        cuda = on and self.input.weight.is_cuda
        self.dtypes = {layer.name: torch.float16 for layer in self.cfg.layers if layer.half} if cuda else {}

    def forward(
        self,
        ws: Tensor,
        noise: object = "const",
        offsets: MappingType[str, Tensor] | None = None,
        taps: MappingType[str, object] | None = None,
        until: int | None = None,
        styles: MappingType[str, Tensor] | None = None,
    ) -> Tensor:
        """Draw (N, img_channels, R, R), nominally within [-1, 1] and not clipped.

        `ws` (N, L, D); `offsets`, `taps` and `styles` as for StyleGAN2. `noise` and `until` have no meaning here.
        """
        styles = self.styles(ws, offsets or {}) if styles is None else styles
        taps = taps or {}
        x = tapped(taps, "input", self.input(styles["input"]))
        for layer in self.cfg.layers:
            x = x.to(self.dtypes.get(layer.name, torch.float32))
            x = tapped(taps, layer.name, getattr(self, layer.name)(x, styles[layer.name]))
        return x.float() * self.cfg.output_scale


class StyleGAN3(nn.Module):
    """Mapping and synthesis networks; the names of its tensors are those of the released checkpoints."""

    def __init__(self, cfg: StyleGAN3Config) -> None:
        super().__init__()
        self.cfg = cfg
        self.mapping = Mapping(cfg.z_dim, cfg.c_dim, cfg.w_dim, cfg.mapping_layers, cfg.mapping_lr)
        self.synthesis = Synthesis3(cfg)
