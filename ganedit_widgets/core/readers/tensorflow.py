"""The TensorFlow pickles of StyleGAN2 and StyleGAN2-ADA: three networks as lists of named arrays."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..errors import ModelError
from ..ops import setup_filter
from ..ops.upfirdn2d import BINOMIAL
from . import canonical
from .inert import Network, array_of, sequence
from .stored import ModelFile, Stored

DEEPEST = 4
STYLEGAN1, STYLEGAN2, ADA = 3, 4, 5  # the highest state version of each program
COMPARISONS = ("use_spectral_norm", "use_pagan", "adaptive_dropout")  # other methods, built into the same program


def read_tensorflow(root: tuple[Any, ...], file: str) -> ModelFile:
    """Return the averaged generator (the third network) and the discriminator (the second)."""
    if len(root) != 3 or not all(isinstance(network, Network) for network in root):
        raise ModelError(f"{file} is a pickle of something else: give a checkpoint (G, D, Gs) of StyleGAN2.")
    _, critic, average = root
    version = average.state.get("version")
    if type(version) is not int or version not in (STYLEGAN2, ADA):
        older = type(version) is int and version <= STYLEGAN1
        reason = "StyleGAN1, which is not supported" if older else f"an unknown version ({str(version)[:20]})"
        raise ModelError(f"{file} is a TensorFlow checkpoint of {reason}: give one of StyleGAN2 or StyleGAN2-ADA.")
    name = "StyleGAN2" if version == STYLEGAN2 else "StyleGAN2-ADA"
    return ModelFile(f"TensorFlow pickle of {name}", _generator(average, file), _discriminator(critic, version, file))


def variables_of(network: Network, prefix: str = "", depth: int = 0) -> dict[str, np.ndarray]:
    """Return full name → array, the components' variables included."""
    if depth > DEEPEST:
        raise ModelError(f"The networks of the model file are nested deeper than {DEEPEST}: it was refused.")
    found: dict[str, np.ndarray] = {}
    for item in sequence(network.state.get("variables")):
        if not isinstance(item, tuple | list) or len(item) != 2 or not isinstance(item[0], str):
            raise ModelError("The model file has a variable without a name: it is damaged.")
        found[prefix + item[0]] = array_of(item[1])
    for name, component in (network.state.get("components") or {}).items():
        if isinstance(component, Network):
            found |= variables_of(component, f"{prefix}{name}/", depth + 1)
    return found


def _options(network: Network, file: str) -> dict[str, Any]:
    options = network.state.get("static_kwargs")
    options = dict(options) if isinstance(options, dict) else {}
    for name in COMPARISONS:
        if options.get(name) not in (None, False):
            raise ModelError(f"{file} was trained with {name}, a method this program does not know.")
    for name, only in (("fmap_decay", 1), ("fmap_min", 1), ("score_max", 1), ("normalize_latents", True)):
        if options.get(name, only) != only:
            raise ModelError(f"{file} has {name}={options[name]!r}, which this program does not know.")
    return options


def _taps(options: Mapping[str, Any]) -> tuple[float, ...] | None:
    """Return the resampling filter in the form that `setup_filter` would be given for its stored buffer."""
    taps = options.get("resample_kernel", BINOMIAL)
    return canonical.taps_of(setup_filter(None if taps is None else sequence(taps)).numpy())


def _common(options: Mapping[str, Any], mapping_lr: float) -> dict[str, Any]:
    clamp = options.get("conv_clamp")
    return {
        "mapping_lr": float(options.get("mapping_lrmul", mapping_lr)),
        "conv_clamp": None if clamp is None else float(clamp),
        "activation": str(options.get("nonlinearity", "lrelu")),
        "resample_filter": _taps(options),
    }


# ---- names and axes: convolutions are stored [kh, kw, in, out], dense layers [in, out]


def _conv(x: np.ndarray) -> np.ndarray:
    return x.transpose(3, 2, 0, 1)


def _flipped(x: np.ndarray) -> np.ndarray:
    """TensorFlow's up-sampling layers store their kernel in the other orientation."""
    return x[::-1, ::-1].transpose(3, 2, 0, 1)


def _dense(x: np.ndarray) -> np.ndarray:
    return x.T


def _same(x: np.ndarray) -> np.ndarray:
    return x


def _plus_one(x: np.ndarray) -> np.ndarray:
    return x + np.float32(1)


Rule = tuple[str, str, Callable[[np.ndarray], np.ndarray]]  # pattern, canonical name, what happens to the axes
LAYER = r"synthesis/(\d+)x\1/{}/{}$"
GENERATOR: list[Rule] = [
    (r"dlatent_avg$", "mapping.w_avg", _same),
    (r"mapping/Dense(\d+)/weight$", r"mapping.fc\1.weight", _dense),
    (r"mapping/Dense(\d+)/bias$", r"mapping.fc\1.bias", _same),
    (r"mapping/LabelEmbed/weight$", "mapping.embed.weight", _dense),
    (r"mapping/LabelEmbed/bias$", "mapping.embed.bias", _same),
    (r"synthesis/4x4/Const/const$", "synthesis.b4.const", lambda x: x[0]),
    *(
        (LAYER.format(layer, source), rf"synthesis.b\1.{own}.{target}", change)
        for layer, own, weight in (
            ("Conv", "conv1", _conv),
            ("Conv0_up", "conv0", _flipped),
            ("Conv1", "conv1", _conv),
            ("ToRGB", "torgb", _conv),
        )
        for source, target, change in (
            ("weight", "weight", weight),
            ("bias", "bias", _same),
            ("mod_weight", "affine.weight", _dense),
            ("mod_bias", "affine.bias", _plus_one),
            ("noise_strength", "noise_strength", _same),
        )
    ),
    (LAYER.format("Skip", "weight"), r"synthesis.b\1.skip.weight", _flipped),
]
DISCRIMINATOR: list[Rule] = [
    (r"(\d+)x\1/FromRGB/weight$", r"b\1.fromrgb.weight", _conv),
    (r"(\d+)x\1/FromRGB/bias$", r"b\1.fromrgb.bias", _same),
    (r"(\d+)x\1/Conv0/weight$", r"b\1.conv0.weight", _conv),
    (r"(\d+)x\1/Conv0/bias$", r"b\1.conv0.bias", _same),
    (r"(\d+)x\1/Conv1_down/weight$", r"b\1.conv1.weight", _conv),
    (r"(\d+)x\1/Conv1_down/bias$", r"b\1.conv1.bias", _same),
    (r"(\d+)x\1/Skip/weight$", r"b\1.skip.weight", _conv),
    (r"4x4/Conv/weight$", "b4.conv.weight", _conv),
    (r"4x4/Conv/bias$", "b4.conv.bias", _same),
    (r"4x4/Dense0/weight$", "b4.fc.weight", _dense),
    (r"4x4/Dense0/bias$", "b4.fc.bias", _same),
    (r"Output/weight$", "b4.out.weight", _dense),
    (r"Output/bias$", "b4.out.bias", _same),
    (r"LabelEmbed/weight$", "mapping.embed.weight", _dense),
    (r"LabelEmbed/bias$", "mapping.embed.bias", _same),
    (r"Mapping(\d+)/weight$", r"mapping.fc\1.weight", _dense),
    (r"Mapping(\d+)/bias$", r"mapping.fc\1.bias", _same),
]


def _renamed(variables: Mapping[str, np.ndarray], rules: list[Rule], file: str) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    for name, value in variables.items():
        if name == "lod":  # how far a progressive training has come
            continue
        for pattern, target, change in rules:
            match = re.match(pattern, name)
            if match:
                found[match.expand(target)] = _changed(change, value, name)
                break
        else:
            raise ModelError(f"{file} has the variable {name[:60]!r}, which this program does not know.")
    return found


def _changed(change: Callable[[np.ndarray], np.ndarray], value: np.ndarray, name: str) -> np.ndarray:
    try:
        return change(value)
    except (ValueError, IndexError) as error:
        raise ModelError(f"The variable {name[:60]!r} of the model file has an impossible shape.") from error


def _generator(network: Network, file: str) -> Stored:
    options = _options(network, file)
    variables = variables_of(network)
    noise = {name: variables.pop(name) for name in list(variables) if re.match(r"synthesis/noise\d+$", name)}
    tensors = _renamed(variables, GENERATOR, file)
    for name, value in noise.items():
        n = int(name.removeprefix("synthesis/noise"))
        layer = "b4.conv1" if n == 0 else f"b{2 ** ((n + 5) // 2)}.conv{(n + 1) % 2}"
        tensors[f"synthesis.{layer}.noise_const"] = _changed(lambda x: x[0, 0], value, name)
    if options.get("mapping_nonlinearity", "lrelu") != options.get("nonlinearity", "lrelu"):
        raise ModelError(f"{file} has two different activations, which this program does not know.")
    halves = int(options.get("num_fp16_res") or 0)
    blocks = sum(name.endswith(".conv1.weight") for name in tensors)
    return canonical.stylegan2(tensors, **_common(options, 0.01), num_half_res=max(0, min(halves, blocks - 1)))


def _discriminator(network: Network, version: int, file: str) -> Stored | None:
    """Return the discriminator, or None if there is none that this program knows; the generator works without it."""
    try:
        options = _options(network, file)
        tensors = _renamed(variables_of(network), DISCRIMINATOR, file)
        group = options.get("mbstd_group_size", 4 if version == STYLEGAN2 else None)
        return canonical.discriminator(tensors, None if group is None else int(group), **_common(options, 0.1))
    except ModelError:
        return None
