"""From the header's JSON to a checked network configuration."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from ..errors import ModelError
from ..generators.discriminator import DiscriminatorConfig
from ..generators.stylegan2 import StyleGAN2Config
from ..ops.bias_act import ACTIVATIONS
from .stored import Config

FAMILIES: dict[str, type[Any]] = {"stylegan2": StyleGAN2Config, "stylegan2_discriminator": DiscriminatorConfig}
MOST_LAYERS = 64  # of a mapping network
MOST_PIXELS = 8192  # along an edge of a picture


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
    values["channels"] = {int(r): int(c) for r, c in values["channels"].items()}
    if values.get("resample_filter") is not None:
        values["resample_filter"] = tuple(map(float, values["resample_filter"]))
    return values


def checked(cfg: Config) -> Config:
    """Return `cfg`, or raise `ValueError` if no network can be built from it."""
    r = cfg.resolution
    if r & (r - 1) or not 8 <= r <= MOST_PIXELS:
        raise ValueError(f"the size {r} is not a power of two from 8 to {MOST_PIXELS}")
    if sorted(cfg.channels) != [2**i for i in range(2, r.bit_length())] or min(cfg.channels.values()) < 1:
        raise ValueError("the widths do not fit the size")
    if cfg.architecture not in ("skip", "resnet", "orig"):
        raise ValueError(f"the architecture {cfg.architecture!r} is unknown")
    if cfg.activation not in ACTIVATIONS:
        raise ValueError(f"the activation {cfg.activation!r} is unknown")
    if not 0 <= cfg.mapping_layers <= MOST_LAYERS:
        raise ValueError(f"{cfg.mapping_layers} mapping layers")
    return cfg
