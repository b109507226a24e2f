"""Low-pass filters of StyleGAN3, designed with numpy alone (Karras et al. 2021, section 3 and appendix C.1)."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def kaiser_beta(taps: int, width: float, rate: float) -> float:
    """Return the Kaiser window's β for a transition band of `width` at sampling rate `rate` (Kaiser 1974)."""
    attenuation = 2.285 * (taps - 1) * np.pi * (width / (rate / 2)) + 7.95
    if attenuation > 50:
        return float(0.1102 * (attenuation - 8.7))
    if attenuation > 21:
        return float(0.5842 * (attenuation - 21) ** 0.4 + 0.07886 * (attenuation - 21))
    return 0.0


def bessel_j1(x: np.ndarray) -> np.ndarray:
    """Return the Bessel function J₁ by its integral, mean of cos(θ − x·sin θ) over a period; exact for |x| < 100."""
    theta = np.linspace(0, 2 * np.pi, 256, endpoint=False)
    return np.cos(theta - x[..., None] * np.sin(theta)).mean(-1)  # type: ignore[no-any-return]


def lowpass(taps: int, cutoff: float, width: float, rate: float, radial: bool = False) -> Tensor | None:
    """Return a windowed low-pass filter, (taps,) or radial (taps, taps), sum 1; None for a single tap.

    `cutoff` and the transition band's `width` are in cycles per picture, `rate` in samples per picture.
    """
    if taps == 1:
        return None
    window = np.kaiser(taps, kaiser_beta(taps, width, rate))
    x = (np.arange(taps) - (taps - 1) / 2) / rate
    if radial:
        r = np.hypot(*np.meshgrid(x, x))
        with np.errstate(divide="ignore", invalid="ignore"):
            f = np.where(r > 0, bessel_j1(2 * np.pi * cutoff * r) / (np.pi * r), cutoff)
        f = f * np.outer(window, window)
    else:
        f = window * np.sinc(2 * cutoff * x)
    return torch.tensor(f / f.sum(), dtype=torch.float32, device="cpu")
