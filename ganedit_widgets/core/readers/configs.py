"""From the header's JSON to a checked network configuration."""

from __future__ import annotations

import json
import math
import re
from dataclasses import fields
from typing import Any

from ..errors import ModelError
from ..generators.class_head import ClassHeadConfig
from ..generators.discriminator import DiscriminatorConfig
from ..generators.self_conditioned import SelfConditionedConfig
from ..generators.stylegan2 import StyleGAN2Config
from ..generators.stylegan3 import Layer3, StyleGAN3Config
from ..ops.bias_act import ACTIVATIONS
from .stored import Config

FAMILIES: dict[str, type[Any]] = {
    "stylegan2": StyleGAN2Config,
    "stylegan3-t": StyleGAN3Config,
    "stylegan3-r": StyleGAN3Config,
    "stylegan2_discriminator": DiscriminatorConfig,
    "self_conditioned": SelfConditionedConfig,
    "self_conditioned_discriminator": ClassHeadConfig,
}
MOST_LAYERS = 64  # of a mapping network
MOST_PIXELS = 8192  # along an edge of a picture
MOST_WIDTH = 1 << 17  # of a layer
MOST_TAPS = 128  # of a filter


def config_from(record: dict[str, Any], file: str) -> Config:
    """Return the configuration that `record`, read from the header of `file`, describes; or raise `ModelError`."""
    kind = FAMILIES.get(str(record.get("family"))) if isinstance(record, dict) else None
    if kind is None:
        raise ModelError(f"{file} holds a network of an unknown family: update this program.")
    unknown = set(record) - {f.name for f in fields(kind)}
    if unknown:
        raise ModelError(f"{file} has the unknown option {sorted(unknown)[0]!r}: update this program.")
    try:
        return checked(kind(**_decoded(record)))
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError) as error:
        raise ModelError(f"The configuration in {file} is damaged: {error}.") from error


def _decoded(record: dict[str, Any]) -> dict[str, Any]:
    """Undo what JSON does to dictionaries with numbers as keys and to tuples."""
    values = dict(record)
    if "schema" in values:
        from ..conditioning.schema import VERSION, Schema  # its package reads model files

        values["schema"] = Schema.from_json(json.dumps({"version": VERSION, **values["schema"]}))
    if "layers" in values:
        values["layers"] = tuple(Layer3(**{**layer, "padding": tuple(layer["padding"])}) for layer in values["layers"])
        return values
    values["channels"] = {int(r): int(c) for r, c in values["channels"].items()}
    if values.get("resample_filter") is not None:
        values["resample_filter"] = tuple(values["resample_filter"])
    return values


def checked(cfg: Config) -> Config:
    """Return `cfg`, or raise `ModelError` if no network can be built from it."""
    try:
        _check_common(cfg)
        if isinstance(cfg, StyleGAN3Config):
            _check_layers(cfg)
        else:
            _check_blocks(cfg)
    except (TypeError, ValueError, AttributeError, OverflowError) as error:
        raise ModelError(f"The model file describes an impossible network: {error}.") from error
    return cfg


def _check_common(cfg: Config) -> None:
    _check_types(cfg)
    if cfg.resolution & (cfg.resolution - 1) or not 8 <= cfg.resolution <= MOST_PIXELS:
        raise ValueError(f"its size {cfg.resolution} is not a power of two from 8 to {MOST_PIXELS}")
    if cfg.mapping_layers > MOST_LAYERS:
        raise ValueError(f"{cfg.mapping_layers} mapping layers")


def _check_types(record: Any) -> None:
    """Compare the plain fields with their annotations; every whole number is a size."""
    for f in fields(record):
        value, kinds = vars(record)[f.name], str(f.type).split(" | ")
        if value is None and "None" in kinds:
            continue
        if "int" in kinds and (type(value) is not int or not 0 <= value <= MOST_WIDTH):
            raise ValueError(f"{f.name} is no whole number from 0 to {MOST_WIDTH}")
        if "float" in kinds and (type(value) not in (int, float) or not abs(value) < math.inf):
            raise ValueError(f"{f.name} is no number")
        if kinds in (["str"], ["bool"]) and type(value).__name__ != kinds[0]:
            raise ValueError(f"{f.name} is of another type")


def _check_blocks(cfg: StyleGAN2Config | DiscriminatorConfig) -> None:
    r = cfg.resolution
    if sorted(cfg.channels) != [2**i for i in range(2, r.bit_length())] or min(cfg.channels.values()) < 1:
        raise ValueError("its widths do not fit its size")
    if cfg.architecture not in ("skip", "resnet", "orig"):
        raise ValueError(f"its architecture {cfg.architecture!r} is unknown")
    if cfg.activation not in ACTIVATIONS:
        raise ValueError(f"its activation {cfg.activation!r} is unknown")
    if max(cfg.channels.values()) > MOST_WIDTH:
        raise ValueError(f"it is wider than {MOST_WIDTH} channels")
    taps = cfg.resample_filter or ()
    if len(taps) > MOST_TAPS or not all(abs(tap) < math.inf for tap in taps):
        raise ValueError("its filter is too long or has no numbers")


def _check_layers(cfg: StyleGAN3Config) -> None:
    if not 2 <= len(cfg.layers) <= MOST_LAYERS:
        raise ValueError(f"it has {len(cfg.layers)} layers")
    for layer in cfg.layers:
        _check_types(layer)
        if not re.fullmatch(r"L\d+_\d+_\d+", layer.name):
            raise ValueError(f"a layer is called {layer.name[:40]!r}")
        if not (1 <= layer.up <= 16 and 1 <= layer.down <= 16 and 1 <= layer.kernel <= 7):
            raise ValueError(f"the layer {layer.name} has an impossible size")
        if not (1 <= layer.up_taps <= MOST_TAPS and 1 <= layer.down_taps <= MOST_TAPS and layer.rate > 0):
            raise ValueError(f"the layer {layer.name} has an impossible filter")
        if max(map(abs, layer.padding)) > MOST_PIXELS or not 0 < cfg.input_size <= MOST_PIXELS:
            raise ValueError(f"the layer {layer.name} has an impossible padding")
