"""The `.pt` files of the common PyTorch port of StyleGAN2: plain tensors under names of their own."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..errors import ModelError
from . import canonical
from .inert import TensorRecord
from .stored import ModelFile, Stored

Rule = tuple[str, Callable[[re.Match[str]], str], Callable[[np.ndarray], np.ndarray]]


def _first(x: np.ndarray) -> np.ndarray:
    return x[0]


def _same(x: np.ndarray) -> np.ndarray:
    return x


def _flat(x: np.ndarray) -> np.ndarray:
    return x.reshape(-1)


def _conv(match: re.Match[str]) -> str:
    """`conv1` is the first layer; of `convs.{i}`, even i are a block's first and odd i its second layer."""
    if match[1] == "conv1":
        return "synthesis.b4.conv1"
    i = int(match[2])
    return f"synthesis.b{2 ** (i // 2 + 3)}.conv{i % 2}"


def _torgb(match: re.Match[str]) -> str:
    return f"synthesis.b{4 if match[1] == 'to_rgb1' else 2 ** (int(match[2]) + 3)}.torgb"


def _noise(match: re.Match[str]) -> str:
    n = int(match[1])
    return "synthesis.b4.conv1" if n == 0 else f"synthesis.b{2 ** ((n + 5) // 2)}.conv{(n + 1) % 2}"


CONV, RGB = r"(conv1|convs\.(\d{1,2}))\.", r"(to_rgb1|to_rgbs\.(\d{1,2}))\."
GENERATOR: list[Rule] = [
    (r"style\.(\d{1,3})\.(weight|bias)$", lambda m: f"mapping.fc{int(m[1]) - 1}.{m[2]}", _same),
    (r"input\.input$", lambda m: "synthesis.b4.const", _first),
    (CONV + r"conv\.weight$", lambda m: f"{_conv(m)}.weight", _first),
    (CONV + r"conv\.modulation\.(weight|bias)$", lambda m: f"{_conv(m)}.affine.{m[3]}", _same),
    (CONV + r"noise\.weight$", lambda m: f"{_conv(m)}.noise_strength", lambda x: x.reshape(())),
    (CONV + r"activate\.bias$", lambda m: f"{_conv(m)}.bias", _flat),
    (RGB + r"conv\.weight$", lambda m: f"{_torgb(m)}.weight", _first),
    (RGB + r"conv\.modulation\.(weight|bias)$", lambda m: f"{_torgb(m)}.affine.{m[3]}", _same),
    (RGB + r"bias$", lambda m: f"{_torgb(m)}.bias", _flat),
    (r"noises\.noise_(\d{1,2})$", lambda m: f"{_noise(m)}.noise_const", lambda x: x[0, 0]),
]
KERNEL = re.compile(r"(.*\.)?kernel$")  # blur filters: always [1, 3, 3, 1], with the gain of the layer


def is_rosinality(root: Mapping[Any, Any]) -> bool:
    """Tell whether a `.pt` file is one of these."""
    return isinstance(root.get("g_ema"), dict)


def read_rosinality(root: Mapping[Any, Any], container: str, file: str, key: str = "g_ema") -> ModelFile:
    """Return the generator under `key` and the discriminator, if there is one."""
    tensors = _arrays(root.get(key), file)
    if any(name.startswith("style.2.") for name in tensors) and "style.1.weight" not in tensors:
        raise ModelError(f"{file} was written by the very first version of its program: convert it there first.")
    state = _renamed(tensors, GENERATOR, file)
    without_average = not isinstance(root.get("latent_avg"), TensorRecord)
    state["mapping.w_avg"] = _average(root, state, without_average)
    _add_noise(state)
    generator = canonical.stylegan2(state)
    return ModelFile(
        f"PyTorch file ({container}) of the rosinality port",
        generator,
        _discriminator(root.get("d"), generator.cfg.resolution, file),
        without_average=without_average,
    )


def _arrays(network: object, file: str) -> dict[str, np.ndarray]:
    if not isinstance(network, dict):
        raise ModelError(f"{file} has no generator: give a .pt file of the StyleGAN2 port with 'g_ema'.")
    return {str(name): value.array() for name, value in network.items() if isinstance(value, TensorRecord)}


def _renamed(tensors: Mapping[str, np.ndarray], rules: list[Rule], file: str) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    for name, value in tensors.items():
        if KERNEL.match(name):
            continue
        for pattern, target, change in rules:
            match = re.match(pattern, name)
            if match:
                found[target(match)] = change(value)
                break
        else:
            raise ModelError(f"{file} has the tensor {name[:60]!r}, which no StyleGAN2 of this port has.")
    return found


def _average(root: Mapping[Any, Any], state: Mapping[str, np.ndarray], missing: bool) -> np.ndarray:
    width = canonical.shape_of(state, "mapping.fc0.weight", 2)[0]
    if missing:  # of a training file: estimated after the network is built
        return np.zeros(width, np.float32)
    average = root["latent_avg"].array()
    return average[0] if average.ndim == 2 else average  # type: ignore[no-any-return]


def _add_noise(state: dict[str, np.ndarray]) -> None:
    """Old files store no constant noise: give them some, the same at every load."""
    rng = np.random.default_rng(0)
    for name in [n for n in state if n.endswith(".noise_strength")]:
        r = int(re.findall(r"\.b(\d+)\.", name)[0])
        const = name.replace("noise_strength", "noise_const")
        if const not in state and r <= 2048:
            state[const] = rng.standard_normal((r, r), np.float32)


def _discriminator(network: object, size: int, file: str) -> Stored | None:
    """Return the discriminator, or None if there is none that this program knows; the generator works without it."""

    def block(match: re.Match[str], layer: str, name: str) -> str:
        return f"b{size >> (int(match[1]) - 1)}.{layer}.{name}"

    rules: list[Rule] = [
        (r"convs\.0\.0\.weight$", lambda m: f"b{size}.fromrgb.weight", _same),
        (r"convs\.0\.1\.bias$", lambda m: f"b{size}.fromrgb.bias", _flat),
        (r"convs\.(\d{1,2})\.conv1\.0\.weight$", lambda m: block(m, "conv0", "weight"), _same),
        (r"convs\.(\d{1,2})\.conv1\.1\.bias$", lambda m: block(m, "conv0", "bias"), _flat),
        (r"convs\.(\d{1,2})\.conv2\.1\.weight$", lambda m: block(m, "conv1", "weight"), _same),
        (r"convs\.(\d{1,2})\.conv2\.2\.bias$", lambda m: block(m, "conv1", "bias"), _flat),
        (r"convs\.(\d{1,2})\.skip\.1\.weight$", lambda m: block(m, "skip", "weight"), _same),
        (r"final_conv\.0\.weight$", lambda m: "b4.conv.weight", _same),
        (r"final_conv\.1\.bias$", lambda m: "b4.conv.bias", _flat),
        (r"final_linear\.0\.(weight|bias)$", lambda m: f"b4.fc.{m[1]}", _same),
        (r"final_linear\.1\.(weight|bias)$", lambda m: f"b4.out.{m[1]}", _same),
    ]
    if not isinstance(network, dict):
        return None
    try:
        return canonical.discriminator(_renamed(_arrays(network, file), rules, file), mbstd_group=4)
    except ModelError:
        return None
