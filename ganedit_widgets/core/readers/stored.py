"""A network as it lies in a file, and the checks before it is built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import ModelError
from ..generators.class_head import ClassHeadConfig, SelfConditionedDiscriminator
from ..generators.discriminator import Discriminator, DiscriminatorConfig
from ..generators.self_conditioned import SelfConditioned, SelfConditionedConfig
from ..generators.stylegan2 import StyleGAN2, StyleGAN2Config
from ..generators.stylegan3 import StyleGAN3, StyleGAN3Config
from ..ops import setup_filter

Config = StyleGAN2Config | StyleGAN3Config | DiscriminatorConfig
NETWORKS: dict[type[Any], type[nn.Module]] = {
    StyleGAN2Config: StyleGAN2,
    StyleGAN3Config: StyleGAN3,
    DiscriminatorConfig: Discriminator,
    SelfConditionedConfig: SelfConditioned,
    ClassHeadConfig: SelfConditionedDiscriminator,
}


@dataclass(frozen=True, eq=False)
class Stored:
    """One network in a file: its configuration, and its tensors as views of the mapped file, not yet copied."""

    cfg: Config
    tensors: Mapping[str, np.ndarray | Tensor]

    def build(self) -> nn.Module:
        """Return the network in float32 on the CPU; raises `ModelError` if a tensor is missing or has another shape.

        Names and shapes are compared before any weight is read; each weight is copied at most once.
        """
        with torch.device("meta"):
            network = NETWORKS[type(self.cfg)](self.cfg)
        expected = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
        tensors: dict[str, np.ndarray | Tensor] = {**self._filters(expected), **self.tensors}
        check_shapes(expected, {name: tuple(tensor.shape) for name, tensor in tensors.items()})
        network.load_state_dict({name: as_float32(tensors[name]) for name in expected}, assign=True)
        return network.eval().requires_grad_(False)

    def _filters(self, expected: Mapping[str, tuple[int, ...]]) -> dict[str, Tensor]:
        """Return the resampling filters: the configuration says what they are, whether the file has them or not.

        Layers that do not resample have the usual filter, and make no use of it.
        """
        names = [name for name in expected if name.endswith(".resample_filter")]
        if isinstance(self.cfg, StyleGAN3Config):
            return {}
        own, usual = setup_filter(self.cfg.resample_filter), setup_filter()
        return {name: (own if expected[name] == tuple(own.shape) else usual).clone() for name in names}


@dataclass(frozen=True, eq=False)
class ModelFile:
    """What a reader found in a file."""

    container: str  # in words, e.g. "PyTorch pickle (StyleGAN2-ADA)"
    generator: Stored | None = None
    discriminator: Stored | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)
    without_average: bool = False  # the file has no average w: it is to be estimated


def check_shapes(expected: Mapping[str, tuple[int, ...]], found: Mapping[str, tuple[int, ...]]) -> None:
    """Raise `ModelError` unless the names and shapes are the same."""
    for name, shape in expected.items():
        if name not in found:
            raise ModelError(f"The model file lacks the tensor {name!r}: it is damaged or of an unknown variant.")
        if found[name] != shape:
            raise ModelError(
                f"The tensor {name!r} of the model file has shape {found[name]}, its configuration asks for {shape}: "
                "the file is damaged or of an unknown variant."
            )
    left = sorted(set(found) - set(expected))
    if left:
        raise ModelError(f"The model file holds an unknown tensor {left[0]!r}: it is of an unknown variant.")


def as_float32(value: np.ndarray | Tensor) -> Tensor:
    """Return a float32 tensor: the same memory if `value` is such a tensor, else one copy."""
    if isinstance(value, Tensor):
        return value.float()
    return torch.from_numpy(np.array(value, dtype=np.float32, order="C"))
