"""Ground floor: open a picture, find its latent, edit it, draw it. No Jupyter here; torch comes with the first verb."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .errors import (
        DirectionError,
        GanEditError,
        ImageError,
        LatentError,
        ModelError,
        RecipeError,
        TrainingError,
    )
    from .image import Picture, read_image, save_image, to_pixels, to_tensor
    from .latent import Latent

_HOMES = {
    "errors": "DirectionError GanEditError ImageError LatentError ModelError RecipeError TrainingError",
    "image": "Picture read_image save_image to_pixels to_tensor",
    "latent": "Latent",
    "generators.load": "load_generator",
}
_HOME = {name: module for module, names in _HOMES.items() for name in names.split()}

__all__ = [
    "DirectionError",
    "GanEditError",
    "ImageError",
    "Latent",
    "LatentError",
    "ModelError",
    "Picture",
    "RecipeError",
    "TrainingError",
    "load_generator",
    "read_image",
    "save_image",
    "to_pixels",
    "to_tensor",
]


def __getattr__(name: str) -> Any:
    """Import a public verb when it is first asked for, so that importing this module stays quick."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return __all__
