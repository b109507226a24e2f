"""Ground floor: open a picture, find its latent, edit it, draw it. No Jupyter here; torch comes with the first verb."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .code import code_for, files_for
    from .codec import recordable
    from .errors import (
        DirectionError,
        GanEditError,
        ImageError,
        LabelError,
        LatentError,
        ModelError,
        RecipeError,
        SegmentError,
        TrainingError,
    )
    from .film import save_film
    from .generators.load import load_generator
    from .history import History
    from .image import Picture, read_image, save_image, to_pixels, to_tensor
    from .latent import Latent
    from .morph import Morph
    from .recipe import Recipe, load_recipe, save_png, save_recipe

_HOMES = {
    "code": "code_for files_for",
    "codec": "recordable",
    "errors": (
        "DirectionError GanEditError ImageError LabelError LatentError ModelError RecipeError SegmentError "
        "TrainingError"
    ),
    "film": "save_film",
    "history": "History",
    "image": "Picture read_image save_image to_pixels to_tensor",
    "latent": "Latent",
    "morph": "Morph",
    "recipe": "Recipe load_recipe save_png save_recipe",
    "generators.load": "load_generator",
}
_HOME = {name: module for module, names in _HOMES.items() for name in names.split()}

__all__ = [
    "DirectionError",
    "GanEditError",
    "History",
    "ImageError",
    "LabelError",
    "Latent",
    "LatentError",
    "ModelError",
    "Morph",
    "Picture",
    "Recipe",
    "RecipeError",
    "SegmentError",
    "TrainingError",
    "code_for",
    "files_for",
    "load_generator",
    "load_recipe",
    "read_image",
    "recordable",
    "save_film",
    "save_image",
    "save_png",
    "save_recipe",
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
