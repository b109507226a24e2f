"""The PyTorch pickles of StyleGAN2-ADA and StyleGAN3: module records, walked as data."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np

from ..errors import ModelError
from . import canonical
from .inert import Record, array_of, attribute
from .official3 import stylegan3
from .stored import ModelFile, Stored

MOST_MODULES = 10_000
DEEPEST = 8
LAYERS = {"FullyConnectedLayer", "MappingNetwork", "Conv2dLayer"}
SYNTHESIS = {"SynthesisNetwork", "SynthesisBlock", "SynthesisLayer", "ToRGBLayer", "SynthesisInput"}
GENERATOR = LAYERS | SYNTHESIS | {"Generator"}
DISCRIMINATOR = LAYERS | {"Discriminator", "DiscriminatorBlock", "DiscriminatorEpilogue", "MinibatchStdLayer"}


def read_official(root: dict[Any, Any], file: str, key: str = "G_ema") -> ModelFile:
    """Return the generator under `key` (the moving average by default), and the discriminator if it is a known one."""
    record = root.get(key)
    if not isinstance(record, Record):
        raise ModelError(f"{file} has no network {key!r}: give a checkpoint of StyleGAN2-ADA or StyleGAN3.")
    generator, release = _generator(record, file)
    return ModelFile(f"PyTorch pickle of {release}", generator, _discriminator(root.get("D"), file))


def walk(record: Record, known: set[str], file: str) -> dict[str, Record]:
    """Return dotted name → module record; raises `ModelError` for a class that is not in `known`."""
    found = dict(islice(_walk(record, "", 0), MOST_MODULES))
    if len(found) == MOST_MODULES:
        raise ModelError(f"{file} has {MOST_MODULES} modules or more, which no model needs: it was refused.")
    for module in found.values():
        if module.class_name not in known:
            raise ModelError(
                f"{file} has a module of the class {module.class_name[:60]!r}, which is not of StyleGAN2 or StyleGAN3: "
                "this kind of network is not supported."
            )
    return found


def _walk(record: Record, name: str, depth: int) -> Iterator[tuple[str, Record]]:
    yield name, record
    if depth > DEEPEST:
        raise ModelError(f"The modules of the model file are nested deeper than {DEEPEST}: it was refused.")
    for child, module in record.modules().items():
        yield from _walk(module, f"{name}.{child}".lstrip("."), depth + 1)


def tensors_of(modules: dict[str, Record]) -> dict[str, np.ndarray]:
    """Return the state dictionary: parameters and buffers, as views of the file."""
    found: dict[str, np.ndarray] = {}
    for prefix, module in modules.items():
        for group in ("_parameters", "_buffers"):
            for name, value in (module.state.get(group) or {}).items():
                if value is not None:
                    found[f"{prefix}.{name}".lstrip(".")] = array_of(value)
    return found


def _generator(record: Record, file: str) -> tuple[Stored, str]:
    modules = walk(record, GENERATOR, file)
    tensors = tensors_of(modules)
    layers = [m.state for m in modules.values() if m.class_name in ("SynthesisLayer", "ToRGBLayer")]
    if "synthesis.input" in modules:
        return stylegan3(modules, tensors, clamp_of(layers), **mapping_of(modules)), "StyleGAN3"
    blocks = [m.state for m in modules.values() if m.class_name == "SynthesisBlock"]
    stored = canonical.stylegan2(
        tensors,
        **mapping_of(modules),
        conv_clamp=clamp_of(layers),
        activation=only(
            [s.get("activation") for n, m in modules.items() if (s := m.state) and _is_active(n)], "activation", "lrelu"
        ),
        num_half_res=sum(bool(attribute(block, "use_fp16")) for block in blocks),
    )
    release = "the StyleGAN3 release" if "num_fp16_res" in modules["synthesis"].state else "StyleGAN2-ADA"
    return stored, f"{release}, StyleGAN2 network" if "StyleGAN3" in release else release


def _is_active(name: str) -> bool:
    """Tell whether a layer has the network's activation, rather than none."""
    last = name.rpartition(".")[2]
    return last.startswith(("fc", "conv", "fromrgb"))


def _discriminator(record: object, file: str) -> Stored | None:
    """Return the discriminator, or None if there is none that this program knows; the generator works without it."""
    if not isinstance(record, Record):
        return None
    try:
        modules = walk(record, DISCRIMINATOR, file)
        layers = [m.state for n, m in modules.items() if m.class_name == "Conv2dLayer" and _has_clamp(n)]
        std = modules["b4.mbstd"].state if "b4.mbstd" in modules else {}
        group = attribute(std, "group_size", 4)
        return canonical.discriminator(
            tensors_of(modules),
            mbstd_group=None if group is None else int(group),
            **mapping_of(modules),
            conv_clamp=clamp_of(layers),
            activation=only(
                [m.state.get("activation") for n, m in modules.items() if _is_active(n)], "activation", "lrelu"
            ),
        )
    except ModelError:
        return None


def _has_clamp(name: str) -> bool:
    return not name.endswith(".skip") and name != "b4.fromrgb"


def mapping_of(modules: dict[str, Record]) -> dict[str, Any]:
    """Return the learning rate multiplier of the mapping network."""
    first = modules.get("mapping.fc0")
    return {} if first is None else {"mapping_lr": float(attribute(first.state, "bias_gain", 0.01))}


def clamp_of(layers: list[dict[str, Any]]) -> float | None:
    """Return the clamp that all layers have in common."""
    value = only([attribute(layer, "conv_clamp") for layer in layers], "clamp", None)
    return None if value is None or not math.isfinite(value) else float(value)


def only(values: list[Any], what: str, default: Any) -> Any:
    """Return the one value that all layers have; raises `ModelError` if they differ."""
    if any(isinstance(value, list | dict | tuple) for value in values) or len(set(values)) > 1:
        raise ModelError(f"The layers of the model file differ in their {what}: it is of an unknown variant.")
    return values[0] if values else default
