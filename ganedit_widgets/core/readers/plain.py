"""Plain pickles: the PyTorch checkpoints of StyleGAN2-ADA and StyleGAN3, and the TensorFlow ones before them."""

from __future__ import annotations

from typing import Any

from ..errors import ModelError
from . import inert
from .names import NUMPY, TENSORS, Allowed, Pair
from .official import read_official
from .pickles import Pickle
from .stored import ModelFile
from .tensorflow import read_tensorflow
from .torch_stream import load_from_bytes

NAMES: dict[Pair, Allowed] = {
    **TENSORS,
    **NUMPY,
    ("torch.storage", "_load_from_bytes"): Allowed(load_from_bytes),
    ("torch_utils.persistence", "_reconstruct_persistent_obj"): Allowed(inert.persistent_object),
    ("dnnlib.util", "EasyDict"): Allowed(new=inert.InertDict),
    ("builtins", "set"): Allowed(inert.plain_set),
    ("dnnlib.tflib.network", "Network"): Allowed(new=inert.Network),
}


def read_plain(data: memoryview, file: str) -> ModelFile:
    """Read a plain pickle; which family it is follows from what is in it."""
    root: Any = Pickle(data, NAMES, file).load()
    if isinstance(root, tuple):
        return read_tensorflow(root, file)
    if isinstance(root, dict):
        return read_official(root, file)
    raise ModelError(f"{file} is a pickle of something else: give a checkpoint of a StyleGAN.")
