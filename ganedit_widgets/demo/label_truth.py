"""The truth about a folder of portraits, as `ganedit label --truth` reads it.

python -m ganedit_widgets.demo.label_truth portraits/ truth.csv
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Sequence
from pathlib import Path

import torch

from ..core.conditioning.source import PictureSource
from ..core.errors import LabelError
from .portraits.attributes import sample_attributes

NUMBERS = ("yaw", "pitch", "smile", "mouth_open", "age", "glasses", "hair_length", "beard", "skin", "light")


def write_truth(folder: Path | str, path: Path | str, attributes: Sequence[str] = NUMBERS) -> int:
    """Write the attributes of each portrait in a folder that `build_cache` filled; return how many portraits.

    Raises `LabelError` if the folder was filled by something else.
    """
    try:
        note = json.loads((Path(folder) / "portraits.json").read_text(encoding="utf-8"))
        seed, size = int(note["seed"]), int(note["size"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LabelError(
            f"{folder} holds no drawn portraits ({error}): name the folder that they were drawn to."
        ) from None
    names = PictureSource(folder, (size, size)).names
    known = sample_attributes(torch.tensor([_number(name) for name in names]), seed)
    columns = [getattr(known, attribute).tolist() for attribute in attributes]
    with Path(path).open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["picture", *attributes])
        table.writerows(zip(names, *columns, strict=True))
    return len(names)


def _number(name: str) -> int:
    """Return the number of a portrait called ``portraits_0000500.npy#3``."""
    shard, _, row = name.partition(".npy#")
    return int(shard.removeprefix("portraits_")) + int(row)


def main() -> None:
    """Write what the command line asks for."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("folder", help="of portraits, as `ganedit train demo` draws them")
    options.add_argument("out", help="the CSV file to write")
    chosen = options.parse_args()
    write_truth(chosen.folder, chosen.out)


if __name__ == "__main__":
    main()
