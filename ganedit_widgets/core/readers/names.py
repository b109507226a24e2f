"""The names that may occur in a model file, and the inert stand-in for each: exact pairs, never resolved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from . import inert

Pair = tuple[str, str]  # (module, name) as written in the file


@dataclass(frozen=True, eq=False)
class Allowed:
    """What a name may be used for; None refuses that use."""

    call: Callable[..., object] | None = None  # REDUCE
    new: Callable[[], object] | None = None  # NEWOBJ, without arguments
    itself: object = None  # as an argument of another name


def _tag(dtype: str = "") -> Allowed:
    return Allowed(itself=inert.Tag(dtype))


STORAGES: dict[Pair, Allowed] = {
    (module, f"{name}Storage"): _tag(dtype)
    for module in ("torch", "torch.cuda")
    for name, dtype in {"Float": "<f4", "Half": "<f2", "Double": "<f8", "Long": "<i8", "Int": "<i4"}.items()
}
TENSORS: dict[Pair, Allowed] = {
    ("torch._utils", "_rebuild_parameter"): Allowed(inert.rebuilt_parameter),
    ("torch._utils", "_rebuild_tensor_v2"): Allowed(inert.rebuilt_tensor),
    ("collections", "OrderedDict"): Allowed(inert.InertDict, inert.InertDict),
}
NUMPY: dict[Pair, Allowed] = {
    ("numpy", "dtype"): Allowed(inert.Dtype),
    ("numpy", "ndarray"): _tag(),
    ("numpy.core.multiarray", "scalar"): Allowed(inert.scalar),
    ("numpy.core.multiarray", "_reconstruct"): Allowed(inert.reconstructed_array),
    ("numpy._core.multiarray", "scalar"): Allowed(inert.scalar),
    ("numpy._core.multiarray", "_reconstruct"): Allowed(inert.reconstructed_array),
}
TORCH_FILE: dict[Pair, Allowed] = {  # .pt, zip or old container
    **STORAGES,
    **TENSORS,
    **NUMPY,
    ("argparse", "Namespace"): Allowed(new=inert.Namespace),
}
