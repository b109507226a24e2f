"""Configurations told from the names and shapes of canonical tensors, whatever container they came from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import ModelError
from ..generators.discriminator import DiscriminatorConfig
from ..generators.stylegan2 import StyleGAN2Config
from ..ops import setup_filter
from ..ops.upfirdn2d import BINOMIAL
from .configs import checked
from .stored import Stored

Arrays = Mapping[str, np.ndarray]


def shape_of(tensors: Arrays, name: str, axes: int) -> tuple[int, ...]:
    """Return the shape of a tensor; raises `ModelError` if it is missing or has another number of axes."""
    if name not in tensors:
        raise ModelError(f"The model file lacks the tensor {name!r}: it is damaged or of an unknown variant.")
    if tensors[name].ndim != axes:
        raise ModelError(f"The tensor {name!r} has {tensors[name].ndim} axes instead of {axes}: the file is damaged.")
    return tensors[name].shape


def resolutions(tensors: Arrays, pattern: str) -> list[int]:
    """Return the resolutions r of the blocks whose names match `pattern`, coarse to fine."""
    found = {int(match[1]) for name in tensors if (match := re.match(pattern, name))}
    if not found or sorted(found) != [2**i for i in range(2, len(found) + 2)] or len(found) < 2:
        raise ModelError("The model file has no complete set of blocks from 4×4 on: it is of an unknown variant.")
    return sorted(found)


def mapping_options(tensors: Arrays, out: int) -> dict[str, Any]:
    """Return the options of a mapping network with `out` outputs."""
    layers = len({match[1] for name in tensors if (match := re.match(r"mapping\.fc(\d+)\.weight$", name))})
    first = shape_of(tensors, "mapping.fc0.weight", 2)
    embed, c_dim = shape_of(tensors, "mapping.embed.weight", 2) if "mapping.embed.weight" in tensors else (0, 0)
    return {
        "c_dim": c_dim,
        "z_dim": first[1] - embed,
        "mapping_layers": layers,
        "mapping_width": first[0] if layers > 1 and first[0] != out else None,
        "embed_width": embed if c_dim and embed != out else None,
    }


def stylegan2(tensors: dict[str, np.ndarray], **options: Any) -> Stored:
    """Return the generator made of canonical `tensors`; `options` are what shapes do not tell."""
    blocks = resolutions(tensors, r"synthesis\.b(\d+)\.conv1\.weight$")
    w_dim = shape_of(tensors, "synthesis.b4.conv1.affine.weight", 2)[1]
    architecture = "resnet" if "synthesis.b8.skip.weight" in tensors else "orig"
    cfg = StyleGAN2Config(
        resolution=blocks[-1],
        channels={r: shape_of(tensors, f"synthesis.b{r}.conv1.weight", 4)[0] for r in blocks},
        w_dim=w_dim,
        img_channels=shape_of(tensors, f"synthesis.b{blocks[-1]}.torgb.weight", 4)[0],
        architecture="skip" if "synthesis.b4.torgb.weight" in tensors else architecture,
        use_noise="synthesis.b4.conv1.noise_strength" in tensors,
        **{"resample_filter": take_filters(tensors, "synthesis.b4.resample_filter"), **options},
        **mapping_options(tensors, w_dim),
    )
    return Stored(checked(cfg), tensors)


def discriminator(tensors: dict[str, np.ndarray], mbstd_group: int | None, **options: Any) -> Stored:
    """Return the discriminator made of canonical `tensors`; `options` are what shapes do not tell."""
    blocks = resolutions({**tensors, "b4.conv0.weight": np.empty(0)}, r"b(\d+)\.conv0\.weight$")
    out, width = shape_of(tensors, "b4.out.weight", 2)
    mapping = mapping_options(tensors, out) if "mapping.embed.weight" in tensors else {"z_dim": 0}
    mapping.pop("z_dim")
    architecture = "resnet" if "b8.skip.weight" in tensors else "orig"
    cfg = DiscriminatorConfig(
        resolution=blocks[-1],
        channels={4: width} | {r: shape_of(tensors, f"b{r}.conv0.weight", 4)[0] for r in blocks[1:]},
        cmap_dim=out if mapping and out != width else None,
        img_channels=shape_of(tensors, f"b{blocks[-1]}.fromrgb.weight", 4)[1],
        architecture="skip" if "b4.fromrgb.weight" in tensors else architecture,
        mbstd_group=mbstd_group,
        mbstd_features=shape_of(tensors, "b4.conv.weight", 4)[1] - width,
        **{"resample_filter": take_filters(tensors, "b8.resample_filter"), **options},
        **mapping,
    )
    return Stored(checked(cfg), tensors)


def take_filters(tensors: dict[str, np.ndarray], name: str) -> tuple[float, ...] | None:
    """Return the taps of the filter `name` and take all filters out: the network makes them from its configuration.

    Layers that do not resample may store another, unused filter; some containers store none at all.
    """
    taps = taps_of(tensors[name]) if name in tensors else BINOMIAL
    for layer in [n for n in tensors if n.endswith(".resample_filter")]:
        del tensors[layer]
    return taps


def taps_of(stored: np.ndarray) -> tuple[float, ...] | None:
    """Return the taps that `setup_filter` turns into `stored`; raises `ModelError` if there are none."""
    if stored.shape in ((4, 4), (1, 1)):
        usual = BINOMIAL if stored.shape == (4, 4) else None
        if np.allclose(stored, setup_filter(usual).numpy(), atol=1e-6):
            return usual
    taps = stored.astype(np.float64) if stored.ndim == 1 else stored.astype(np.float64).sum(0)
    found = tuple(float(tap) for tap in taps)
    again = setup_filter(found).numpy()
    if again.shape != stored.shape or not np.allclose(again, stored, atol=1e-5):
        raise ModelError("The model file has a resampling filter that is not separable: it is of an unknown variant.")
    return found
