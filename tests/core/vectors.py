"""The reference checkpoints: files of every container and what the original programs make of them."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from ganedit_widgets.core.errors import ModelError
from ganedit_widgets.core.generators.load import load_generator

FOLDER = Path(__file__).parents[1] / "data" / "vectors"
MANIFEST = json.loads((FOLDER / "manifest.json").read_text())
FILES = list(MANIFEST["checkpoints"])
REFUSED = list(MANIFEST["refuse"])


class Reference:
    """The arrays of one checkpoint as float32 tensors, and the generator read from it."""

    def __init__(self, file, path=None):
        with np.load(FOLDER / MANIFEST["checkpoints"][file]["reference"]["file"]) as arrays:
            self.arrays = dict(arrays)
        self.generator = load_generator(path or FOLDER / file, "cpu")
        self.network, self.discriminator = self.generator.network, self.generator.discriminator
        if "latent_avg_used" in self.arrays:  # the file has none; ours is an estimate
            self.network.mapping.w_avg.copy_(self["latent_avg_used"])

    def __getitem__(self, name):
        return torch.from_numpy(self.arrays[name]).float()

    def __contains__(self, name):
        return name in self.arrays

    @property
    def label(self):
        return self["c"] if self.arrays["c"].shape[1] else None

    @property
    def w(self):
        return self.network.mapping(self["z"], self.label)

    def ws(self, psi=1.0, cutoff=None):
        w = self.w[:, None].repeat(1, self.network.cfg.num_ws, 1)
        average = self.network.mapping.w_avg
        w[:, :cutoff] = average + psi * (w[:, :cutoff] - average)
        return w

    def check(self, name, found, tolerance=1e-4):
        expected = self.arrays[name]
        error = np.abs(found.detach().numpy() - expected).max() / np.abs(expected).max()
        assert found.shape == expected.shape and error <= tolerance, f"{name}: {error:.1e} of its range"


def outputs_of(module, run):
    """Call `run` and return sub-module name → its output; of a pair, the second is the picture."""
    found, hooks = {}, []

    def hook(name):
        def keep(_module, _inputs, output):
            x, img = output if isinstance(output, tuple) else (output, None)
            found[name] = x
            if img is not None:
                found[f"{name}.img"] = img

        return keep

    for name, child in module.named_modules():
        if name:
            hooks.append(child.register_forward_hook(hook(name)))
    try:
        run()
    finally:
        for handle in hooks:
            handle.remove()
    return found


def synthesis_features(network, ws):
    """Return the official module name → output of the generator."""
    synthesis = network.synthesis
    found = outputs_of(synthesis, lambda: synthesis(ws))
    for r in getattr(network.cfg, "blocks", ()):
        found[f"b{r}"] = found[f"b{r}.conv1"] + found.get(f"b{r}.skip", 0)
        found[f"b{r}.img"] = synthesis(ws, until=r)
    return found


def ported(name):
    """Return (canonical name, factor) of a module of the rosinality port; its blocks scale by √½ at the end only."""
    if name == "conv1":
        return "b4.conv1", 1
    if name == "to_rgb1":
        return "b4.img", 1
    if match := re.fullmatch(r"to_rgbs\.(\d)", name):
        return f"b{8 << int(match[1])}.img", 1
    i = int(re.fullmatch(r"convs\.(\d)", name)[1])
    return f"b{8 << (i // 2)}.conv{i % 2}", 1


def ported_critic(name, size=32):
    """Return (canonical name, factor) of a module of the rosinality port's discriminator."""
    if name in ("convs.0", "final_conv"):
        return {"convs.0": f"b{size}.fromrgb", "final_conv": "b4.conv"}[name], 1
    match = re.fullmatch(r"convs\.(\d)(?:\.(conv1|conv2|skip))?", name)
    own = {None: "", "conv1": ".conv0", "conv2": ".conv1", "skip": ".skip"}[match[2]]
    return f"b{size >> (int(match[1]) - 1)}{own}", 2**0.5 if match[2] in ("conv2", "skip") else 1


def refusal(path):
    """Return the message that refuses `path`: one sentence that names what to do or why."""
    with pytest.raises(ModelError) as caught:
        load_generator(path, "cpu")
    message = str(caught.value)
    assert message.endswith(".") and "\n" not in message and len(message) < 300
    return message
