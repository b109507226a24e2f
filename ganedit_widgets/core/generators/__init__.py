"""The networks that draw, and the one interface edits see of them."""

from .base import Generator, fingerprint_of, require_own
from .discriminator import Discriminator, DiscriminatorConfig
from .stylegan2 import StyleGAN2, StyleGAN2Config, channels_for

__all__ = [
    "Discriminator",
    "DiscriminatorConfig",
    "Generator",
    "StyleGAN2",
    "StyleGAN2Config",
    "channels_for",
    "fingerprint_of",
    "require_own",
]
