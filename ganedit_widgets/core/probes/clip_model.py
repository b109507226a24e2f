"""A CLIP model for directions of words: open_clip's network, with weights that the user has as a file."""

from __future__ import annotations

import logging
import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from ..errors import ModelError

ARCHITECTURE = "ViT-B-32"
ENDINGS = (".safetensors", ".pt", ".pth", ".bin")


class ClipModel:
    """A `TextModel` of open_clip; nothing is downloaded, and nothing in the file is executed.

    >>> model = ClipModel("open_clip_model.safetensors")
    """

    def __init__(self, weights: str | Path, architecture: str = ARCHITECTURE, device: str = "cpu") -> None:
        """Open weights of `architecture`, a name of open_clip's (OpenAI's own weights: "ViT-B-32-quickgelu").

        Raises `ModelError` if open_clip is not installed, or the file is missing, damaged or of another architecture.
        """
        path = Path(weights)
        state = _weights(path)
        library = _library()
        before = logging.root.manager.disable
        logging.disable(logging.WARNING)  # it warns of weights that are random, which they are for a moment only
        try:
            network = library.create_model(architecture, pretrained=None)
            network.load_state_dict(state)
        except (RuntimeError, KeyError, ValueError) as error:
            why = str(error).strip().splitlines()[0]
            raise ModelError(
                f"{path.name} holds no weights of {architecture} ({why}): name its architecture."
            ) from None
        finally:
            logging.disable(before)
        self.name = f"{architecture} ({path.name})"
        self.network = network.eval().requires_grad_(False).to(device)
        self.device = torch.device(device)
        self._tokens = library.get_tokenizer(architecture)
        size = network.visual.image_size
        self.size = (size, size) if isinstance(size, int) else tuple(size)
        self.mean, self.std = (
            torch.tensor(x, device=device)[:, None, None]
            for x in (library.OPENAI_DATASET_MEAN, library.OPENAI_DATASET_STD)
        )

    def pictures(self, pictures: Tensor) -> Tensor:
        """Return (N, F) for pictures (N, 3, H, W) in [-1, 1], of any size."""
        x = pictures.to(self.device).clamp(-1, 1) / 2 + 0.5
        x = F.interpolate(x, self.size, mode="bicubic", antialias=True).clamp(0, 1)
        return self.network.encode_image((x - self.mean) / self.std)  # type: ignore[no-any-return]

    def texts(self, texts: Sequence[str]) -> Tensor:
        """Return (N, F) for N texts."""
        return self.network.encode_text(self._tokens(list(texts)).to(self.device))  # type: ignore[no-any-return]


def _library() -> Any:
    try:
        import open_clip
    except ImportError:
        raise ModelError(
            "Directions of words need open_clip, which is not installed: pip install ganedit_widgets[text]."
        ) from None
    return open_clip


def _weights(path: Path) -> Mapping[str, Tensor]:
    """Return name → tensor of a file, whichever program of the field wrote it."""
    if path.suffix not in ENDINGS or not path.is_file():
        raise ModelError(f"There is no file of weights {path} ({', '.join(ENDINGS)}): name one that you have.")
    try:
        held: Any = load_file(path) if path.suffix == ".safetensors" else torch.load(path, "cpu", weights_only=True)
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, OSError, ValueError, EOFError, KeyError) as error:
        why = str(error).strip().splitlines()[0]
        raise ModelError(
            f"{path.name} is damaged, or more than plain weights ({why}): get a .safetensors file."
        ) from None
    held = held.get("state_dict", held) if isinstance(held, Mapping) else {}
    if not held or not all(isinstance(x, Tensor) for x in held.values()):
        raise ModelError(f"{path.name} holds no weights of a network: name a file of open_clip's.")
    return {str(name).removeprefix("module."): x for name, x in held.items()}
