"""What guesses a latent from a picture in one pass: the quick start of an embedding."""

from .encoder import Encoder, load_encoder, save_encoder
from .network import EncoderConfig, EncoderNetwork, config_for

__all__ = ["Encoder", "EncoderConfig", "EncoderNetwork", "config_for", "load_encoder", "save_encoder"]
