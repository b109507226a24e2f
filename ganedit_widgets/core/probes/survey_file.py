"""Keep a survey of style channels in a file: it takes hours for a large model, and then answers every text at once."""

from __future__ import annotations

import json
from pathlib import Path

from safetensors import SafetensorError, safe_open
from torch import Tensor

from ..errors import DirectionError
from ..readers.own import write_tensors
from .text import ChannelSurvey

KEY, VERSION = "ganedit.channels", 1


def save_survey(path: str | Path, survey: ChannelSurvey) -> None:
    """Write a survey to a .safetensors file, whole or not at all. Raises `DirectionError` if it cannot be written."""
    header = {"version": VERSION, "model": survey.model, "fingerprint": survey.fingerprint}
    tensors = {layer: x.cpu().float().contiguous() for layer, x in survey.effects.items()}
    try:
        write_tensors(Path(path), tensors, {KEY: json.dumps(header)})
    except (OSError, SafetensorError) as error:
        raise DirectionError(f"The survey cannot be written to {path} ({error}): choose another place.") from None


def load_survey(path: str | Path) -> ChannelSurvey:
    """Return what `save_survey` wrote. Raises `DirectionError` if it is missing, damaged, or something else."""
    try:
        with safe_open(Path(path), framework="pt") as file:
            header = json.loads((file.metadata() or {})[KEY])
            effects: dict[str, Tensor] = {name: file.get_tensor(name) for name in file.keys()}
        if int(header["version"]) > VERSION:
            raise DirectionError(f"{path} was written by a newer version of this library: upgrade it.")
        return ChannelSurvey(effects, str(header["model"]), str(header["fingerprint"]))
    except FileNotFoundError:
        raise DirectionError(f"There is no file {path}: check the name.") from None
    except (OSError, SafetensorError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DirectionError(f"{path} is damaged or no survey of channels ({error}): make one again.") from None
