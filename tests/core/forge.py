"""Makes pickles that name functions and classes which are not installed: model files as other programs write them."""

import io
import pickle

import torch


class Call:
    """Pickles as the call `module.name(*arguments)`, with a state if one is given."""

    def __init__(self, pair, *arguments, state=None):
        self.pair, self.arguments, self.state = pair, arguments, state


class _Writer(pickle._Pickler):
    def save(self, obj, save_persistent_id=True):
        if not isinstance(obj, Call):
            return super().save(obj, save_persistent_id)
        if id(obj) in self.memo:
            return self.write(self.get(self.memo[id(obj)][0]))
        self.write(b"c" + "\n".join(obj.pair).encode() + b"\n")
        self.save(obj.arguments)
        self.write(b"R")
        self.memoize(obj)
        if obj.state is not None:
            self.save(obj.state)
            self.write(b"b")


def forge(root, protocol=4):
    """Return the pickle of `root`."""
    stream = io.BytesIO()
    _Writer(stream, protocol).dump(root)
    return stream.getvalue()


def record(name="Generator", modules=(), version=6, **state):
    """Return a persistent object of an official pickle."""
    state = {"_parameters": {}, "_buffers": {}, "_modules": dict(modules)} | state
    meta = {"type": "class", "version": version, "module_src": "raise SystemExit", "class_name": name, "state": state}
    return Call(("torch_utils.persistence", "_reconstruct_persistent_obj"), meta)


def storage(tensor):
    """Return the nested stream that holds the numbers of `tensor`."""
    stream = io.BytesIO()
    torch.save(tensor._typed_storage(), stream, _use_new_zipfile_serialization=False)
    return Call(("torch.storage", "_load_from_bytes"), stream.getvalue())


def tensor(values, offset=0, size=None, stride=None):
    """Return a tensor of an official pickle; offset, size and stride may be wrong."""
    size = values.shape if size is None else size
    stride = values.stride() if stride is None else stride
    return Call(("torch._utils", "_rebuild_tensor_v2"), storage(values), offset, tuple(size), tuple(stride), False, {})
