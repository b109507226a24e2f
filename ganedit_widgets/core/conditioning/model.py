"""From a StyleGAN2 to a self-conditioned one: the same weights, and constants for both ends of each attribute."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, TypeVar

import torch
from torch import nn

from ..errors import ModelError, TrainingError
from ..generators.base import Generator
from ..generators.class_head import ClassHeadConfig, SelfConditionedDiscriminator
from ..generators.discriminator import Discriminator, DiscriminatorConfig
from ..generators.self_conditioned import SelfConditioned, SelfConditionedConfig
from ..generators.stylegan2 import StyleGAN2, StyleGAN2Config
from .schema import Schema

Net = TypeVar("Net", bound=nn.Module)
STARTS = ("zero", "copies")


def self_conditioned(source: Generator, schema: Schema, start: str = "zero") -> SelfConditioned:
    """Return a new network with the weights of `source` that takes the labels of `schema`; on the CPU.

    `start`: "zero" (Cₐ,low = Cₐ,high = 0: every label draws what `source` draws, bit for bit) or "copies" (both are
    C₀, as in the code of Liu et al. 2022: the input then is (1 + Σ(lₐ + hₐ))·C₀, up to A + 1 times as large).
    Raises `ModelError` if `source` is no unconditional StyleGAN2, `TrainingError` for another start.
    """
    if start not in STARTS:
        raise TrainingError(f"The start {start!r} is unknown: choose {' or '.join(map(repr, STARTS))}.")
    _require_plain(source)
    cfg = SelfConditionedConfig(**_options(source.cfg), schema=schema)
    network = _with_weights(SelfConditioned(cfg), source.network)
    if start == "copies":
        with torch.no_grad():
            for constants in (network.synthesis.low, network.synthesis.high):
                constants.copy_(network.synthesis.block(4).const.expand_as(constants))
    return network


def with_class_head(source: Generator, schema: Schema, projection: bool = False) -> SelfConditionedDiscriminator:
    """Return a copy of the discriminator of `source` with a new class head, on the CPU.

    `projection`: its scores may also depend on labels; at first they do not. The head's weights are random: seed torch.
    Raises `ModelError` if `source` has no discriminator, or one that takes labels.
    """
    _require_plain(source)
    old = source.discriminator
    if not isinstance(old, Discriminator):
        raise ModelError(
            f"{source.name} has no discriminator, which fine-tuning needs: give a checkpoint that holds both networks."
        )
    if type(old.cfg) is not DiscriminatorConfig or old.cfg.c_dim:
        raise ModelError(f"The discriminator of {source.name} takes labels: give an unconditional checkpoint.")
    cfg = ClassHeadConfig(**_options(old.cfg), schema=schema, projection=projection)
    return _with_weights(SelfConditionedDiscriminator(cfg), old)


def _require_plain(source: Generator) -> None:
    if source.schema is not None:
        raise ModelError(
            f"{source.name} is self-conditioned already ({', '.join(source.schema.names)}): start from the model that "
            "it was made of."
        )
    if type(source.network) is not StyleGAN2 or type(source.cfg) is not StyleGAN2Config:
        raise ModelError(
            f"{source.name} is a {source.family}, which has no constant that labels could change: give a StyleGAN2."
        )
    if source.c_dim:
        raise ModelError(
            f"{source.name} takes a label of {source.c_dim} numbers already: give an unconditional StyleGAN2."
        )


def _options(cfg: StyleGAN2Config | DiscriminatorConfig) -> dict[str, Any]:
    return {name: value for name, value in asdict(cfg).items() if name != "family"}


def _with_weights(network: Net, source: nn.Module) -> Net:
    """Fill `network` with the weights of `source`; what only `network` has stays as it is."""
    network.load_state_dict({**network.state_dict(), **source.state_dict()})
    return network
