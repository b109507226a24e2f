"""The tensors between the layers: what a layer puts out, and what its style acts on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

import torch
from torch import Tensor

from ..errors import LatentError
from ..generators.base import Generator
from ..latent import Latent


def entering(generator: Generator, latents: Sequence[Latent]) -> dict[str, Tensor]:
    """Return style layer → the tensor (N, C, h, w) that its style multiplies, while `latents` are drawn.

    A style of StyleGAN2 modulates the *input* channels of its convolution, so that its contributions are those of
    what enters it. Layers that no tensor enters (the Fourier input of StyleGAN3) are left out, and the margin that
    StyleGAN3 draws around its pictures is cut off.
    """
    found: dict[str, Tensor] = {}

    def keep(name: str) -> Callable[[Any, tuple[Any, ...]], None]:
        def hook(module: Any, inputs: tuple[Any, ...]) -> None:
            if isinstance(inputs[0], Tensor) and inputs[0].ndim == 4:
                spec = getattr(module, "spec", None)
                found[name] = without_margin(inputs[0].detach(), None if spec is None else spec.rate / spec.up)

        return hook

    layers: dict[str, Any] = {n: layer for n, (_, layer) in generator.network.synthesis.style_layers().items()}  # type: ignore[union-attr, operator]
    with ExitStack() as hooks, torch.no_grad():
        for name, layer in layers.items():
            hooks.callback(layer.register_forward_pre_hook(keep(name)).remove)
        generator.draw_many(latents)
    return found


def putting_out(generator: Generator, latent: Latent, layers: Sequence[str]) -> dict[str, Tensor]:
    """Return layer → its output (1, C, h, w), without the margin that StyleGAN3 draws around its pictures.

    Raises `LatentError` if it is not finite, `ModelError` for an unknown layer.
    """
    with torch.no_grad():
        found = generator.features(latent, layers)
    modules: Any = dict(generator.network.synthesis.style_layers())  # type: ignore[union-attr, operator]
    for name, x in found.items():
        if not x.isfinite().all():
            raise LatentError(
                f"What {name} puts out is not finite: undo the edit that went too far, or try another model."
            )
        spec = getattr(modules[name][1], "spec", None)
        found[name] = without_margin(x, None if spec is None else spec.rate / spec.down)
    return found


def without_margin(x: Tensor, samples: float | None) -> Tensor:
    """Return the middle of x (N, C, h, w) that is the picture's, of so many samples; None: all of it."""
    margin = 0 if samples is None else (x.shape[-1] - round(samples)) // 2
    return x[..., margin : x.shape[-2] - margin, margin : x.shape[-1] - margin] if margin > 0 else x
