"""The networks that draw, and the one interface edits see of them."""

from .base import Generator, fingerprint_of, require_own
from .class_head import ClassHeadConfig, SelfConditionedDiscriminator
from .discriminator import Discriminator, DiscriminatorConfig
from .self_conditioned import SelfConditioned, SelfConditionedConfig, soft_labels
from .stylegan2 import StyleGAN2, StyleGAN2Config, channels_for

__all__ = [
    "ClassHeadConfig",
    "Discriminator",
    "DiscriminatorConfig",
    "Generator",
    "SelfConditioned",
    "SelfConditionedConfig",
    "SelfConditionedDiscriminator",
    "StyleGAN2",
    "StyleGAN2Config",
    "channels_for",
    "fingerprint_of",
    "require_own",
    "soft_labels",
]
