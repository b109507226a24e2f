"""Progressive resolutions: carry the weights of a smaller GAN over to a larger one and fade the new layers in."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ..generators import Discriminator, StyleGAN2
from ..ops import downsample2d


def carry_over(network: nn.Module, state: Mapping[str, Tensor]) -> int:
    """Copy the tensors of `state` that fit by name and shape into `network`; return how many did."""
    own = network.state_dict()
    fitting = {k: v for k, v in state.items() if k in own and own[k].shape == v.shape}
    network.load_state_dict(fitting, strict=False)
    return len(fitting)


def grow_generator(larger: StyleGAN2, state: Mapping[str, Tensor]) -> None:
    """Start `larger` from a smaller generator: at first it draws the old picture, enlarged."""
    carry_over(larger, state)
    top = larger.synthesis.block(larger.cfg.resolution)
    nn.init.zeros_(top.torgb.weight)
    nn.init.zeros_(top.torgb.bias)


def grow_discriminator(larger: Discriminator, smaller: Discriminator) -> FadeIn:
    """Start `larger` from a smaller discriminator; the result blends the old entrance with the new one."""
    state = smaller.state_dict()
    entrance = f"b{smaller.cfg.resolution}.fromrgb."
    carry_over(larger, {k: v for k, v in state.items() if not k.startswith(entrance)})
    return FadeIn(larger, getattr(smaller, f"b{smaller.cfg.resolution}").fromrgb)


class FadeIn(nn.Module):
    """A discriminator whose new first block fades in: α·new(x) + (1 − α)·old entrance (Karras et al. 2018)."""

    def __init__(self, network: Discriminator, entrance: nn.Module | None = None) -> None:
        super().__init__()
        self.network, self.entrance = network, entrance
        self.alpha = 1.0 if entrance is None else 0.0

    def forward(self, img: Tensor, dtypes: Mapping[int, torch.dtype] | None = None) -> Tensor:
        """Return the scores (N, 1) of pictures (N, 3, R, R); `dtypes` as in `Discriminator.dtypes`."""
        net = self.network
        dtypes = net.dtypes if dtypes is None else dtypes
        top, *rest = net.cfg.blocks
        first = getattr(net, f"b{top}")
        x, _ = first(None, img, dtypes.get(top, torch.float32))
        if self.alpha < 1 and self.entrance is not None:
            x = self.alpha * x + (1 - self.alpha) * self.entrance(downsample2d(img, first.resample_filter)).to(x.dtype)
        for r in rest:
            x, _ = getattr(net, f"b{r}")(x, None, dtypes.get(r, torch.float32))
        return net.b4(x, None)  # type: ignore[operator, no-any-return]
