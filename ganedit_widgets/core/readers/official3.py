"""StyleGAN3 networks in official pickles: every layer's effective numbers are taken from its record."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from ..errors import ModelError
from ..generators.stylegan3 import Layer3, StyleGAN3Config
from .canonical import mapping_options, shape_of
from .configs import checked
from .inert import Record, attribute, sequence
from .stored import Stored


def stylegan3(
    modules: dict[str, Record], tensors: dict[str, np.ndarray], clamp: float | None, mapping_lr: float = 0.01
) -> Stored:
    """Return the generator whose modules and tensors are given by dotted names."""
    synthesis, source = modules["synthesis"].state, modules["synthesis.input"].state
    names = [str(name) for name in sequence(synthesis.get("layer_names"))]
    if not names or any(
        not re.fullmatch(r"L\d+_\d+_\d+", name) or f"synthesis.{name}" not in modules for name in names
    ):
        raise ModelError("The model file has no list of its layers: it is damaged or of an unknown variant.")
    layers = tuple(_layer(name, modules[f"synthesis.{name}"].state, tensors) for name in names)
    w_dim = shape_of(tensors, "synthesis.input.affine.weight", 2)[1]
    options = mapping_options(tensors, w_dim)
    cfg = StyleGAN3Config(
        resolution=_square(attribute(modules[f"synthesis.{names[-1]}"].state, "out_size")),
        layers=layers,
        input_size=_square(attribute(source, "size")),
        input_rate=float(attribute(source, "sampling_rate")),
        input_bandwidth=float(attribute(source, "bandwidth")),
        z_dim=options["z_dim"],
        c_dim=options["c_dim"],
        w_dim=w_dim,
        img_channels=layers[-1].n_out,
        mapping_layers=options["mapping_layers"],
        mapping_lr=mapping_lr,
        conv_clamp=clamp,
        output_scale=float(attribute(synthesis, "output_scale", 1)),
        family="stylegan3-r" if any(layer.radial for layer in layers) else "stylegan3-t",
    )
    return Stored(checked(cfg), tensors)


def _layer(name: str, state: dict[str, Any], tensors: dict[str, np.ndarray]) -> Layer3:
    n_out, n_in, kernel, _ = shape_of(tensors, f"synthesis.{name}.weight", 4)
    down = tensors.get(f"synthesis.{name}.down_filter")
    padding = [int(v) for v in sequence(attribute(state, "padding"))]
    if len(padding) != 4:
        raise ModelError(f"The layer {name} of the model file has no padding: it is of an unknown variant.")
    return Layer3(
        name=name,
        n_in=n_in,
        n_out=n_out,
        kernel=kernel,
        up=int(attribute(state, "up_factor")),
        down=int(attribute(state, "down_factor")),
        up_taps=int(attribute(state, "up_taps")),
        down_taps=int(attribute(state, "down_taps")),
        padding=(padding[0], padding[1], padding[2], padding[3]),
        rate=float(attribute(state, "tmp_sampling_rate")),
        in_cutoff=float(attribute(state, "in_cutoff")),
        in_half_width=float(attribute(state, "in_half_width")),
        out_cutoff=float(attribute(state, "out_cutoff")),
        out_half_width=float(attribute(state, "out_half_width")),
        radial=down is not None and down.ndim == 2,
        is_torgb=bool(attribute(state, "is_torgb")),
        half=bool(attribute(state, "use_fp16")),
    )


def _square(size: Any) -> int:
    if not isinstance(size, list | tuple) or len(size) != 2 or size[0] != size[1]:
        raise ModelError("The model file draws pictures that are not square: it is of an unknown variant.")
    return int(size[0])
