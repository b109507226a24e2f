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


CLASSES = {  # our class -> the official one
    "StyleGAN2": "Generator",
    "Mapping": "MappingNetwork",
    "Synthesis": "SynthesisNetwork",
    "Block": "SynthesisBlock",
    "ToRGB": "ToRGBLayer",
    "Dense": "FullyConnectedLayer",
    "Skip": "Conv2dLayer",
    "Conv": "Conv2dLayer",
    "Epilogue": "DiscriminatorEpilogue",
}


def official(network, strides="plain"):
    """Return the record of a StyleGAN2 generator or discriminator, with the attributes that official files have."""
    return _module(network, network.cfg, "", strides)


def _module(module, cfg, path, strides):
    kind = CLASSES.get(type(module).__name__, type(module).__name__)
    children = {name: _module(child, cfg, f"{path}.{name}", strides) for name, child in module.named_children()}
    frozen = path.startswith(f".b{cfg.resolution}")  # as Freeze-D leaves it: parameters among the buffers
    own = {name: _tensor(value.detach(), strides) for name, value in module.named_parameters(recurse=False)}
    buffers = {name: _tensor(value, strides) for name, value in module.named_buffers(recurse=False)}
    attributes = {
        "conv_clamp": cfg.conv_clamp if hasattr(module, "clamp") else None,
        "activation": getattr(module, "act", "linear"),
    }
    attributes |= {"bias_gain": getattr(module, "lr", 1), "use_fp16": _is_half(module, cfg)}
    if kind == "DiscriminatorEpilogue":
        children["mbstd"] = record("MinibatchStdLayer", group_size=cfg.mbstd_group, num_channels=cfg.mbstd_features)
    parameters = {"_parameters": {}, "_buffers": own | buffers} if frozen else {"_parameters": own, "_buffers": buffers}
    return record(kind, children, **parameters, **attributes)


def _is_half(module, cfg):
    half = getattr(cfg, "num_half_res", 0)
    return type(module).__name__ == "Block" and module.resolution * 2**half > cfg.resolution


def _tensor(value, strides):
    if strides == "channels last" and value.ndim == 4:
        value = value.to(memory_format=torch.channels_last)
    if strides == "offset":  # as views of a larger storage are saved
        larger = torch.cat([torch.full((3,), torch.nan), value.flatten()])
        return tensor(larger, 3, value.shape, value.contiguous().stride())
    return tensor(value)


def ported(network):
    """Return the state dict that the rosinality port would have for a StyleGAN2 generator of architecture "skip"."""
    found = {}
    for name, value in network.state_dict().items():
        block, *layer = name.split(".")[1:]
        if name.startswith("mapping.fc"):
            found[f"style.{int(block[2:]) + 1}.{layer[0]}"] = value
        elif layer == ["const"]:
            found["input.input"] = value[None]
        elif layer and layer[0] == "torgb":
            found |= _ported_torgb(int(block[1:]).bit_length() - 3, ".".join(layer[1:]), value)
        elif layer and layer[0].startswith("conv"):
            found |= _ported_conv(int(block[1:]).bit_length() - 3, int(layer[0][4]), ".".join(layer[1:]), value)
    return found


def _ported_torgb(level, name, value):
    prefix = f"to_rgbs.{level - 1}" if level else "to_rgb1"
    if name == "bias":
        return {f"{prefix}.bias": value.reshape(1, -1, 1, 1)}
    return _ported_modulation(prefix, name, value)


def _ported_conv(level, second, name, value):
    index = 2 * (level - 1) + second
    prefix = f"convs.{index}" if level else "conv1"
    if name == "bias":
        return {f"{prefix}.activate.bias": value}
    if name == "noise_strength":
        return {f"{prefix}.noise.weight": value.reshape(1)}
    if name == "noise_const":
        return {f"noises.noise_{index + 1 if level else 0}": value[None, None]}
    if name == "resample_filter":
        return {} if second else {f"{prefix}.conv.blur.kernel": value * 4}
    return _ported_modulation(prefix, name, value)


def _ported_modulation(prefix, name, value):
    own = {"weight": "weight", "affine.weight": "modulation.weight", "affine.bias": "modulation.bias"}[name]
    return {f"{prefix}.conv.{own}": value[None] if name == "weight" else value}
