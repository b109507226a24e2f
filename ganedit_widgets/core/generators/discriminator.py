"""The StyleGAN2 discriminator; its features also serve as an offline perceptual metric."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..ops import bias_act, downsample2d, setup_filter
from .layers import ConvFn, Dense, Mapping, normal
from .stylegan2 import Skip


@dataclass(frozen=True)
class DiscriminatorConfig:
    """What must be known beside the weights to build the discriminator again."""

    resolution: int
    channels: dict[int, int]  # resolution of the block -> width
    c_dim: int = 0
    cmap_dim: int | None = None  # None: the width at 4×4
    img_channels: int = 3
    architecture: str = "resnet"  # or "skip" or "orig"
    conv_clamp: float | None = None
    resample_filter: tuple[float, ...] | None = (1.0, 3.0, 3.0, 1.0)
    mbstd_group: int | None = 4  # None: the whole batch
    mbstd_features: int = 1
    mapping_layers: int = 8
    mapping_lr: float = 0.01
    mapping_width: int | None = None
    embed_width: int | None = None
    activation: str = "lrelu"
    family: str = "stylegan2_discriminator"

    @property
    def blocks(self) -> list[int]:
        """The resolutions of the blocks before the epilogue, fine to coarse."""
        return [2**i for i in range(self.resolution.bit_length() - 1, 2, -1)]


class Conv(nn.Module):
    """Equalized convolution, bias, activation."""

    def __init__(
        self,
        n_in: int,
        n_out: int,
        kernel: int,
        act: str = "lrelu",
        clamp: float | None = None,
        resample_filter: tuple[float, ...] | None = (1.0, 3.0, 3.0, 1.0),
        down: int = 1,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(normal(n_out, n_in, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(n_out))
        self.register_buffer("resample_filter", setup_filter(resample_filter))
        self.act, self.clamp, self.down = act, clamp, down

    def forward(self, x: Tensor, gain: float = 1.0) -> Tensor:
        """Map (N, I, H, W) to (N, O, H/down, W/down)."""
        weight = self.weight.to(x.dtype) / math.sqrt(self.weight[0].numel())
        conv = ConvFn(self.resample_filter, down=self.down, padding=weight.shape[-1] // 2)  # type: ignore[arg-type]
        return bias_act(conv(x, weight), self.bias, self.act, gain, self.clamp)


class DiscriminatorBlock(nn.Module):
    """The layers of one resolution: features (N, C(r), r, r) → (N, C(r/2), r/2, r/2)."""

    resample_filter: Tensor

    def __init__(self, cfg: DiscriminatorConfig, resolution: int) -> None:
        super().__init__()
        self.resolution, self.architecture = resolution, cfg.architecture
        width, out = cfg.channels[resolution], cfg.channels[resolution // 2]
        args = (cfg.activation, cfg.conv_clamp)
        self.register_buffer("resample_filter", setup_filter(cfg.resample_filter))
        if resolution == cfg.resolution or cfg.architecture == "skip":
            self.fromrgb = Conv(cfg.img_channels, width, 1, *args)
        self.conv0 = Conv(width, width, 3, *args)
        self.conv1 = Conv(width, out, 3, *args, resample_filter=cfg.resample_filter, down=2)
        if cfg.architecture == "resnet":
            self.skip = Skip(width, out, cfg.resample_filter, down=2)

    def forward(self, x: Tensor | None, img: Tensor | None, dtype: torch.dtype) -> tuple[Tensor, Tensor | None]:
        """Return the features and, for architecture "skip", the smaller picture."""
        if x is not None:
            x = x.to(dtype, memory_format=torch.channels_last)
        if img is not None and hasattr(self, "fromrgb"):
            colors = self.fromrgb(img.to(dtype, memory_format=torch.channels_last))
            x = colors if x is None else x + colors
            img = downsample2d(img, self.resample_filter) if self.architecture == "skip" else None
        assert x is not None  # the first block has a fromrgb
        if self.architecture == "resnet":
            return self.skip(x) + self.conv1(self.conv0(x), math.sqrt(0.5)), img
        return self.conv1(self.conv0(x)), img


def minibatch_std(x: Tensor, group: int | None, features: int) -> Tensor:
    """Append `features` channels with the deviation within groups of the batch (Karras et al. 2018, section 3).

    A group of size G is made of the samples n, n + N/G, n + 2N/G, …
    """
    n, c, h, w = x.shape
    g = n if group is None else min(group, n)
    y = x.reshape(g, n // g, features, c // features, h, w)
    y = (y - y.mean(0)).square().mean(0).add(1e-8).sqrt().mean((2, 3, 4))
    return torch.cat([x, y.repeat(g, 1)[:, :, None, None].expand(-1, -1, h, w)], 1)


class Epilogue(nn.Module):
    """The last layers, at 4×4, always in float32."""

    def __init__(self, cfg: DiscriminatorConfig, cmap_dim: int) -> None:
        super().__init__()
        self.group, self.features = cfg.mbstd_group, cfg.mbstd_features
        width = cfg.channels[4]
        if cfg.architecture == "skip":
            self.fromrgb = Conv(cfg.img_channels, width, 1, cfg.activation)
        self.conv = Conv(width + self.features, width, 3, cfg.activation, cfg.conv_clamp)
        self.fc = Dense(width * 16, width, cfg.activation)
        self.out = Dense(width, cmap_dim or 1)

    def forward(self, x: Tensor, img: Tensor | None) -> Tensor:
        """Map (N, C, 4, 4) to (N, 1) scores, or (N, cmap_dim) if there are labels."""
        return self.out(self.hidden(x, img))  # type: ignore[no-any-return]

    def hidden(self, x: Tensor, img: Tensor | None) -> Tensor:
        """Map (N, C, 4, 4) to the (N, C) vector before the scores."""
        return self.fc(self.convolved(x, img))  # type: ignore[no-any-return]

    def convolved(self, x: Tensor, img: Tensor | None, alone: bool = False) -> Tensor:
        """Map (N, C, 4, 4) to (N, C·16), the last convolution; `alone`: whatever else is in the batch."""
        x = x.float()
        if img is not None and hasattr(self, "fromrgb"):
            x = x + self.fromrgb(img.float())
        if self.features:
            x = minibatch_std(x, 1 if alone else self.group, self.features)
        return self.conv(x).flatten(1)  # type: ignore[no-any-return]


class Discriminator(nn.Module):
    """Picture (and label) → score; the names of its tensors are those of the released checkpoints."""

    def __init__(self, cfg: DiscriminatorConfig) -> None:
        super().__init__()
        self.cfg = cfg
        self.dtypes: dict[int, torch.dtype] = {}  # resolution -> dtype of that block; float32 where nothing is said
        self.cmap_dim = (cfg.cmap_dim or cfg.channels[4]) if cfg.c_dim else 0
        for r in cfg.blocks:
            setattr(self, f"b{r}", DiscriminatorBlock(cfg, r))
        if cfg.c_dim:
            self.mapping = Mapping(
                0,
                cfg.c_dim,
                self.cmap_dim,
                cfg.mapping_layers,
                cfg.mapping_lr,
                cfg.mapping_width,
                cfg.embed_width,
                cfg.activation,
                average=False,
            )
        self.b4 = Epilogue(cfg, self.cmap_dim)

    def features(self, img: Tensor) -> list[Tensor]:
        """Return the output of each block, fine to coarse: (N, C(r/2), r/2, r/2)."""
        return self._trunk(img)[0]

    def forward(self, img: Tensor, c: Tensor | None = None) -> Tensor:
        """Return the scores (N, 1) of pictures (N, img_channels, R, R) in [-1, 1]."""
        features, small = self._trunk(img)
        y = self.b4(features[-1], small)
        if not self.cmap_dim:
            return y  # type: ignore[no-any-return]
        return (y * self.mapping(None, c)).sum(1, keepdim=True) / math.sqrt(self.cmap_dim)  # type: ignore[no-any-return]

    def _trunk(self, img: Tensor) -> tuple[list[Tensor], Tensor | None]:
        found: list[Tensor] = []
        x: Tensor | None = None
        left: Tensor | None = img
        for r in self.cfg.blocks:
            x, left = getattr(self, f"b{r}")(x, left, self.dtypes.get(r, torch.float32))
            assert x is not None
            found.append(x)
        return found, left
