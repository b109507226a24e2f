"""The StyleGAN2 generator (Karras et al. 2020; also of StyleGAN2-ADA): any size, width and architecture."""

from __future__ import annotations

import math
from collections.abc import Mapping as MappingType
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..ops import bias_act, setup_filter, upsample2d
from .layers import ConvFn, Dense, Mapping, modulated_conv, normal


def channels_for(resolution: int, base: int = 32768, most: int = 512) -> dict[int, int]:
    """Return the paper's widths, resolution → channels: min(base // r, most)."""
    return {2**i: min(base // 2**i, most) for i in range(2, resolution.bit_length())}


@dataclass(frozen=True)
class StyleGAN2Config:
    """What must be known beside the weights to build the networks again; all sizes in pixels or channels."""

    resolution: int
    channels: dict[int, int]  # resolution of the block -> width
    z_dim: int = 512
    c_dim: int = 0
    w_dim: int = 512
    img_channels: int = 3
    architecture: str = "skip"  # or "resnet" or "orig"
    mapping_layers: int = 8
    mapping_lr: float = 0.01
    mapping_width: int | None = None  # of the hidden layers; None: w_dim
    embed_width: int | None = None  # of the label's embedding; None: w_dim
    conv_clamp: float | None = None
    resample_filter: tuple[float, ...] | None = (1.0, 3.0, 3.0, 1.0)
    use_noise: bool = True
    activation: str = "lrelu"
    num_half_res: int = 0  # blocks, counted from the finest, that may run in half precision on CUDA
    family: str = "stylegan2"

    @property
    def blocks(self) -> list[int]:
        """The resolutions of the blocks, coarse to fine."""
        return [2**i for i in range(2, self.resolution.bit_length())]

    @property
    def num_ws(self) -> int:
        """The number L of style vectors in W+."""
        return 2 * len(self.blocks)


class SynthesisLayer(nn.Module):
    """Modulated 3×3 convolution, noise, bias, activation."""

    def __init__(self, cfg: StyleGAN2Config, n_in: int, n_out: int, resolution: int, up: int = 1) -> None:
        super().__init__()
        self.resolution, self.up, self.act, self.clamp = resolution, up, cfg.activation, cfg.conv_clamp
        self.affine = Dense(cfg.w_dim, n_in, bias_init=1)
        self.weight = nn.Parameter(normal(n_out, n_in, 3, 3))
        self.bias = nn.Parameter(torch.zeros(n_out))
        self.register_buffer("resample_filter", setup_filter(cfg.resample_filter))
        if cfg.use_noise:
            self.register_buffer("noise_const", normal(resolution, resolution))
            self.noise_strength = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor, style: Tensor, noise: Tensor | None, gain: float = 1.0) -> Tensor:
        """Map (N, I, h, w) to (N, O, r, r); `style` (N, I); `noise` is added before bias and activation."""
        y = modulated_conv(x, self.weight, style, ConvFn(self.resample_filter, up=self.up, padding=1))  # type: ignore[arg-type]
        if noise is not None:
            y = y + (noise * self.noise_strength).to(y.dtype)
        return bias_act(y, self.bias, self.act, gain, self.clamp)


class ToRGB(nn.Module):
    """Modulated 1×1 convolution to colors, without demodulation."""

    def __init__(self, cfg: StyleGAN2Config, n_in: int) -> None:
        super().__init__()
        self.affine = Dense(cfg.w_dim, n_in, bias_init=1)
        self.weight = nn.Parameter(normal(cfg.img_channels, n_in, 1, 1))
        self.bias = nn.Parameter(torch.zeros(cfg.img_channels))
        self.clamp = cfg.conv_clamp

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """Map (N, C, r, r) to float32 colors (N, img_channels, r, r)."""
        style = style / math.sqrt(self.weight.shape[1])
        return bias_act(modulated_conv(x, self.weight, style, ConvFn(), False), self.bias, clamp=self.clamp).float()


class Skip(nn.Module):
    """The 1×1 convolution around a residual block."""

    def __init__(self, n_in: int, n_out: int, resample_filter: tuple[float, ...] | None, up: int = 1, down: int = 1):
        super().__init__()
        self.weight = nn.Parameter(normal(n_out, n_in, 1, 1))
        self.register_buffer("resample_filter", setup_filter(resample_filter))
        self.up, self.down = up, down

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, I, h, w) to (N, O, h·up/down, w·up/down), scaled by √½."""
        weight = self.weight.to(x.dtype) / math.sqrt(self.weight.shape[1])
        return ConvFn(self.resample_filter, self.up, self.down)(x, weight) * math.sqrt(0.5)  # type: ignore[arg-type]


class Block(nn.Module):
    """The layers of one resolution."""

    resample_filter: Tensor

    def __init__(self, cfg: StyleGAN2Config, resolution: int) -> None:
        super().__init__()
        self.resolution, self.architecture = resolution, cfg.architecture
        width = cfg.channels[resolution]
        self.register_buffer("resample_filter", setup_filter(cfg.resample_filter))
        if resolution == 4:
            self.const = nn.Parameter(normal(width, 4, 4))
        else:
            before = cfg.channels[resolution // 2]
            self.conv0 = SynthesisLayer(cfg, before, width, resolution, up=2)
            if cfg.architecture == "resnet":
                self.skip = Skip(before, width, cfg.resample_filter, up=2)
        self.conv1 = SynthesisLayer(cfg, width, width, resolution)
        if cfg.architecture == "skip" or resolution == cfg.resolution:
            self.torgb = ToRGB(cfg, width)


class Synthesis(nn.Module):
    """w+ → picture. Styles, noise and features of each layer can be read and changed on the way."""

    def __init__(self, cfg: StyleGAN2Config) -> None:
        super().__init__()
        self.cfg = cfg
        self.dtypes: dict[int, torch.dtype] = {}  # resolution -> dtype of that block; float32 where nothing is said
        for r in cfg.blocks:
            setattr(self, f"b{r}", Block(cfg, r))

    def block(self, resolution: int) -> Block:
        """Return the block of this resolution."""
        found = getattr(self, f"b{resolution}")
        assert isinstance(found, Block)  # built above
        return found

    def style_layers(self) -> dict[str, tuple[int, nn.Module]]:
        """Return style layer name → (index into W+, the layer), in the order of computation."""
        layers: dict[str, tuple[int, nn.Module]] = {}
        for i, r in enumerate(self.cfg.blocks):
            block = self.block(r)
            if r > 4:
                layers[f"b{r}.conv0"] = (2 * i - 1, block.conv0)
            layers[f"b{r}.conv1"] = (2 * i, block.conv1)
            if hasattr(block, "torgb"):
                layers[f"b{r}.torgb"] = (2 * i + 1, block.torgb)
        return layers

    def styles(self, ws: Tensor, offsets: MappingType[str, Tensor]) -> dict[str, Tensor]:
        """Return style layer → (N, C): affine(w) + offset (S space; Wu et al. 2021). `ws` is (N, L, D)."""
        found = {}
        for name, (i, layer) in self.style_layers().items():
            style = layer.affine(ws[:, i])  # type: ignore[operator]
            found[name] = style + offsets[name].to(style) if name in offsets else style
        return found

    def noise_for(self, layer: SynthesisLayer, name: str, batch: int, noise: object) -> Tensor | None:
        """Return the noise of `layer`: "const", "none", "random", or from a mapping to (r, r) or (N, 1, r, r)."""
        if not hasattr(layer, "noise_const") or noise == "none":
            return None
        if noise == "random":
            r = layer.resolution
            return torch.randn(batch, 1, r, r, device=layer.weight.device)
        if isinstance(noise, MappingType) and name in noise:
            return noise[name].to(layer.noise_const)  # type: ignore[no-any-return]
        return layer.noise_const  # type: ignore[return-value]

    def constant_noise(self) -> dict[str, Tensor]:
        """Return layer → its constant noise (r, r)."""
        layers = {name: layer for name, (_, layer) in self.style_layers().items()}
        return {name: layer.noise_const for name, layer in layers.items() if hasattr(layer, "noise_const")}  # type: ignore[misc]

    def seeded_noise(self, seed: int) -> dict[str, Tensor]:
        """Return layer → noise (r, r) that depends on the seed only, not on the device."""
        rng = torch.Generator().manual_seed(seed)
        return {
            name: torch.randn(const.shape, generator=rng).to(const.device)
            for name, const in self.constant_noise().items()
        }

    def use_half(self, on: bool = True) -> None:
        """Run the finest `cfg.num_half_res` blocks in float16 on CUDA, or all in float32."""
        cuda = on and next(self.parameters()).is_cuda
        fine = self.cfg.blocks[1:][::-1][: self.cfg.num_half_res] if cuda else []
        self.dtypes = dict.fromkeys(fine, torch.float16)

    def forward(
        self,
        ws: Tensor,
        noise: object = "const",
        offsets: MappingType[str, Tensor] | None = None,
        taps: MappingType[str, object] | None = None,
        until: int | None = None,
        styles: MappingType[str, Tensor] | None = None,
        start: Tensor | None = None,
    ) -> Tensor:
        """Draw (N, img_channels, R, R), nominally within [-1, 1] and not clipped.

        `ws` (N, L, D); `offsets` style layer → (C,) or (N, C), added to the styles; `styles` replaces them altogether.
        `taps`: layer name → called with the layer's output (N, C, r, r); what it returns, if not None, goes on in its
        place. `until`: the resolution to stop at, for previews (architecture "skip" only). `start` (N, C, 4, 4) is
        taken in place of the learned constant.
        """
        styles = self.styles(ws, offsets or {}) if styles is None else styles
        taps = taps or {}
        x, img = start, None
        for r in self.cfg.blocks:
            x, img = self._run_block(self.block(r), x, img, styles, noise, taps)
            if r == until and img is not None:
                break
        assert img is not None  # the last block always has a torgb
        return img

    def _run_block(
        self,
        block: Block,
        x: Tensor | None,
        img: Tensor | None,
        styles: MappingType[str, Tensor],
        noise: object,
        taps: MappingType[str, object],
    ) -> tuple[Tensor, Tensor | None]:
        r = block.resolution
        batch = next(iter(styles.values())).shape[0]
        dtype = self.dtypes.get(r, torch.float32)
        wide = torch.channels_last
        if x is None:
            x = block.const.to(dtype)[None].expand(batch, -1, -1, -1).contiguous(memory_format=wide)
        x = around = x.to(dtype, memory_format=wide)
        residual = block.architecture == "resnet" and r > 4
        for name in ("conv0", "conv1") if r > 4 else ("conv1",):
            layer, full = getattr(block, name), f"b{r}.{name}"
            gain = math.sqrt(0.5) if residual and name == "conv1" else 1.0
            x = layer(x, styles[full], self.noise_for(layer, full, batch, noise), gain)
            x = tapped(taps, full, x)
        if residual:
            x = block.skip(around) + x
        if hasattr(block, "torgb"):
            rgb = tapped(taps, f"b{r}.torgb", block.torgb(x, styles[f"b{r}.torgb"]))
            img = rgb if img is None else upsample2d(img, block.resample_filter) + rgb
        return x, img


def tapped(taps: MappingType[str, object], name: str, x: Tensor) -> Tensor:
    """Show the output `x` of a layer to its tap, if it has one; return what goes on in its place."""
    if name not in taps:
        return x
    changed = taps[name](x)  # type: ignore[operator]
    return x if changed is None else changed


class StyleGAN2(nn.Module):
    """Mapping and synthesis networks; the names of its tensors are those of the released checkpoints."""

    def __init__(self, cfg: StyleGAN2Config) -> None:
        super().__init__()
        self.cfg = cfg
        self.mapping = Mapping(
            cfg.z_dim,
            cfg.c_dim,
            cfg.w_dim,
            cfg.mapping_layers,
            cfg.mapping_lr,
            cfg.mapping_width,
            cfg.embed_width,
            cfg.activation,
        )
        self.synthesis = Synthesis(cfg)
