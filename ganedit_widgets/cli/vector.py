"""List, import, mix and measure edit vectors."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .options import add_model, require_place, seeds

if TYPE_CHECKING:
    from ..core.vectors import EditVector

EXAMPLES = """\
  ganedit vector list mine.safetensors smile
  ganedit vector import mine.safetensors wheel_enlarge.npy --model cars.pkl --classes wheel
  ganedit vector combine mine.safetensors happy smile=0.8 "raised brows=0.5"
  ganedit vector average mine.safetensors smile "smile 1" "smile 2" "smile 3"
  ganedit vector without mine.safetensors "pure smile" smile "open mouth"
  ganedit vector calibrate mine.safetensors smile --segmenter parts.safetensors --seeds 0-7

What is made is added to the file, in place of a vector of the same name."""
ACTIONS = ("list", "import", "combine", "average", "without", "calibrate")


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    add_model(command)
    command.add_argument("action", choices=ACTIONS, help="what to do")
    command.add_argument("file", metavar="FILE", type=Path, help="a file of edit vectors")
    command.add_argument("names", metavar="NAME", nargs="*", help="as in the examples")
    command.add_argument("--classes", default="", help="that an imported vector is about: a,b")
    command.add_argument("--segmenter", default="demo", metavar="FILE", help="to calibrate with")
    command.add_argument("--seeds", type=seeds, default=list(range(8)), help="pictures to calibrate on (0-7)")


def run(options: argparse.Namespace) -> None:
    """Do what was asked."""
    from ..core.errors import DirectionError

    if options.action != "list":
        require_place(options.file, DirectionError)
    {"list": _list, "import": _import, "calibrate": _calibrate}.get(options.action, _mix)(options)


def scaled(known: Mapping[str, EditVector], words: Sequence[str]) -> list[tuple[EditVector, float]]:
    """Return (vector, scale) for words such as smile or smile=0.5. Raises `DirectionError` for what is not there."""
    from ..core.errors import DirectionError

    found = []
    for word in words:
        name, _, scale = (word, "", "") if word in known else word.rpartition("=") if "=" in word else (word, "", "")
        if name not in known:
            raise DirectionError(f"There is no edit vector {name!r}; there are {', '.join(known) or 'none'}.")
        try:
            found.append((known[name], float(scale or 1)))
        except ValueError:
            raise DirectionError(f"{scale!r} is no scale for {name!r}: write {name}=0.5.") from None
    return found


def named(known: Mapping[str, EditVector], words: Sequence[str]) -> list[EditVector]:
    """Return the vectors of these names. Raises `DirectionError` for what is not there, and for a scale."""
    from ..core.errors import DirectionError

    pairs = scaled(known, words)
    for (vector, _), word in zip(pairs, words, strict=True):
        if word != vector.name:
            raise DirectionError(f"{word!r} has a scale, which means nothing here: write {vector.name}.")
    return [vector for vector, _ in pairs]


def add_to(path: Path, *vectors: EditVector) -> None:
    """Write `vectors` into a file of edit vectors, beside those it has, and say so."""
    from ..core.vectors import load_vectors, save_vectors

    known = load_vectors(path) if path.exists() else {}
    save_vectors(path, {**known, **{vector.name: vector for vector in vectors}}.values())
    print(f"wrote {path}: {', '.join(vector.name for vector in vectors)}")


def _list(options: argparse.Namespace) -> None:
    from ..core.vectors import load_vectors, nearest, search

    known, text = load_vectors(options.file).values(), " ".join(options.names)
    found = search(known, text)
    if not found and text:
        found = nearest(known, text)
        print(f"nothing is called {text}{'; the nearest:' if found else ''}")
    for vector in found:
        low, high = vector.direction.range
        about = ", ".join(f"{key}: {value}" for key, value in vector.about.items())
        print(f"{vector.name:20} {low:g} … {high:g}  of {vector.direction.fingerprint}  "
              f"about {', '.join(vector.classes) or 'no class'}  ({about})")  # fmt: skip


def _import(options: argparse.Namespace) -> None:
    from ..core import load_generator
    from ..core.vectors import import_npy

    classes = [name.strip() for name in options.classes.split(",") if name.strip()]
    generator = load_generator(options.model, options.device)
    add_to(options.file, *(import_npy(generator, array, classes=classes) for array in _some(options.names)))


def _mix(options: argparse.Namespace) -> None:
    from ..core import load_generator
    from ..core.vectors import average, combine, load_vectors, project_out

    new, *words = _some(options.names)
    known = load_vectors(options.file)
    pairs = scaled(known, _some(words))
    vectors = [vector for vector, _ in pairs] if options.action == "combine" else named(known, words)
    if options.action == "without":
        made = project_out(*vectors).renamed(new)
    else:
        generator = load_generator(options.model, options.device)
        made = combine(generator, pairs, new) if options.action == "combine" else average(generator, vectors, new)
    add_to(options.file, made)


def _calibrate(options: argparse.Namespace) -> None:
    from ..core import load_generator
    from ..core.progress import Bar
    from ..core.segment import load_segmenter
    from ..core.vectors import calibrate, load_vectors
    from ..core.vectors.calibrate import LEAST

    vectors = named(load_vectors(options.file), _some(options.names))
    generator = load_generator(options.model, options.device)
    segmenter = load_segmenter(options.segmenter, generator)
    latents = [generator.sample(seed, 0.7) for seed in options.seeds]
    for vector in vectors:
        *_, last = Bar(calibrate(generator, vector, segmenter, latents), unit="picture")
        found = last.calibration
        assert found is not None  # the last one has it
        print(f"{vector.name}, mean over {len(latents)} picture{'s' * (len(latents) > 1)}:")
        print("scale  labels changed  outside its region")
        for scale, changed, psnr in zip(found.scales, found.changed, found.psnr, strict=True):
            print(f"{scale:5g}  {100 * changed:12.1f} %  {psnr:15.1f} dB{'' if psnr >= LEAST else '  too little'}")
        print(_ranged(vector.direction.range, found.vector.direction.range, LEAST))
        add_to(options.file, found.vector)


def _ranged(before: tuple[float, float], after: tuple[float, float], least: float) -> str:
    """Say what became of a vector's range."""
    old, new = (f"{low:g} … {high:g}" for low, high in (before, after))
    why = f"the scales at which {least:g} dB or more are left of the rest"
    return f"its range stays {old}: {why}" if before == after else f"its range was {old} and is now {new}: {why}"


def _some(words: Sequence[str]) -> Sequence[str]:
    from ..core.errors import DirectionError

    if not words:
        raise DirectionError("A name is missing: `ganedit vector --help` shows examples.")
    return words
