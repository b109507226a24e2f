"""The few tensor operations that StyleGAN networks are made of, each with its plain-torch reference."""

from .bias_act import bias_act
from .upfirdn2d import downsample2d, filter2d, setup_filter, upfirdn2d, upsample2d

__all__ = ["bias_act", "downsample2d", "filter2d", "setup_filter", "upfirdn2d", "upsample2d"]
