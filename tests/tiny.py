"""Generators small enough to test with, of the real code: a millisecond a picture."""

import torch

from ganedit_widgets.core.conditioning import Attribute, Schema
from ganedit_widgets.core.conditioning.model import self_conditioned, with_class_head
from ganedit_widgets.core.generators import (
    Discriminator,
    DiscriminatorConfig,
    Generator,
    StyleGAN2,
    StyleGAN2Config,
)
from ganedit_widgets.core.generators.schedule3 import stylegan3_config
from ganedit_widgets.core.generators.stylegan3 import StyleGAN3

CHANNELS = {4: 8, 8: 8, 16: 8}


def tiny(seed: int = 0) -> Generator:
    """16×16 pixels, 8 channels, w of 8 numbers, 6 style layers in W+, with a discriminator."""
    cfg = StyleGAN2Config(resolution=16, channels=CHANNELS, z_dim=8, w_dim=8, mapping_layers=2)
    return _generator(cfg, seed, f"tiny({seed})", DiscriminatorConfig(resolution=16, channels=CHANNELS))


def odd(seed: int = 0) -> Generator:
    """32×32 pixels, another width in each block, z of 5 and w of 6 numbers, residual, without a discriminator."""
    channels = {4: 12, 8: 10, 16: 6, 32: 4}
    cfg = StyleGAN2Config(32, channels, z_dim=5, w_dim=6, mapping_layers=3, architecture="resnet")
    return _generator(cfg, seed, f"odd({seed})")


def conditional(seed: int = 0) -> Generator:
    """Like `tiny`, with a label of 3 numbers."""
    cfg = StyleGAN2Config(16, CHANNELS, z_dim=8, w_dim=8, c_dim=3, mapping_layers=2)
    critic = DiscriminatorConfig(resolution=16, channels=CHANNELS, c_dim=3)
    return _generator(cfg, seed, f"conditional({seed})", critic)


def labeled(seed: int = 0, names=("yaw", "age"), projection: bool = False) -> Generator:
    """Like `tiny`, self-conditioned: each attribute changes the picture, and is mirrored as yaw is, or is not."""
    source = tiny(seed)
    schema = Schema(tuple(Attribute(n, -2.0, 2.0, mirror="opposite" if n == "yaw" else "same") for n in names))
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        network = self_conditioned(source, schema)
        for constants in (network.synthesis.low, network.synthesis.high):
            constants.normal_(0, 0.5)
        critic = with_class_head(source, schema, projection)
    code = f'__import__("importlib").import_module("tests.tiny").labeled({seed}, {tuple(names)!r})'
    return Generator(network, critic, name="labeled", code=code)


def tiny3(family="stylegan3-t", seed=0, **options):
    """A StyleGAN3 of 32×32 pixels, 7 style layers in W+, without a discriminator."""
    options = {"z_dim": 6, "w_dim": 5} | options
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        network = StyleGAN3(stylegan3_config(32, family, num_layers=5, channel_base=256, channel_max=8, **options))
        for layer in network.synthesis.children():
            layer.affine.weight.normal_(0, 0.3)
    code = f"tiny3({family!r}, {seed}, **{options!r})"
    return Generator(network, name="tiny3", code=f'__import__("importlib").import_module("tests.tiny").{code}')


def _generator(cfg, seed, code, critic=None):
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        network = StyleGAN2(cfg)
        for layer in network.modules():
            if hasattr(layer, "noise_strength"):
                layer.noise_strength.fill_(0.1)
        z, label = torch.randn(200, cfg.z_dim), torch.zeros(200, cfg.c_dim)
        network.mapping.w_avg.copy_(network.mapping(z, label).mean(0))
        discriminator = None if critic is None else Discriminator(critic)
    code = f'__import__("importlib").import_module("tests.tiny").{code}'  # runs in a fresh namespace
    return Generator(network, discriminator, name="tiny", code=code)
