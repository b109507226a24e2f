"""First floor: Jupyter widgets around the editing core. Nothing is imported until it is asked for."""

from importlib import import_module
from typing import Any

_HOMES = {
    "BorrowPanel": "borrow",
    "CrossoverPanel": "crossover",
    "EmbedPanel": "embed",
    "ExpressionPanel": "expression",
    "Filmstrip": "filmstrip",
    "Frame": "frame",
    "Knobs": "knobs",
    "LayerStrip": "layer_strip",
    "MaskEditPanel": "mask_edit",
    "MaskPainter": "mask_painter",
    "MorphPanel": "morph",
    "Panel": "panel",
    "PartView": "part_view",
    "PartsPanel": "parts",
    "Player": "player",
    "SegmentTrainPanel": "segment_train",
    "SelfConditionedPanel": "self_conditioned",
    "Session": "session",
    "Stage": "stage",
    "Studio": "studio",
    "TrainingPanel": "training",
    "TraversePanel": "traverse",
    "Turn": "turn",
    "VectorLibraryPanel": "vector_library",
    "Worker": "worker",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    """Import a class when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"There is no panel {name!r}; there are {', '.join(__all__)}.")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
