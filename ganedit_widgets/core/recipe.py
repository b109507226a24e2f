"""How a picture was made, kept inside its PNG file: the model, every edit, and the latent after each."""

from __future__ import annotations

import io
import json
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from .. import __version__
from .codec import UnknownRecordError, decode, encode
from .codec_table import Table
from .edits.base import Edit
from .edits.sample import Restore
from .errors import RecipeError
from .expression import is_harmless
from .generators.base import Generator
from .history import History
from .image import Pixels
from .latent import Latent
from .short import short

KEYWORD, VERSION = "ganedit_widgets", 2  # version 1 has no table "shared"
SIGNATURE = b"\x89PNG\r\n\x1a\n"
MOST = 2**29  # bytes of a file that is read


class NoRecipeError(RecipeError):
    """The file is no PNG, or one without a recipe: a picture from elsewhere."""


@dataclass(frozen=True, eq=False)
class Recipe:
    """The path to a picture. Each step keeps its latent, so that undo works after loading, without computing again."""

    fingerprint: str  # of the checkpoint
    model: str  # the Python expression that loads it
    original: Latent
    steps: tuple[tuple[Edit, Latent], ...] = ()

    __repr__ = short

    @classmethod
    def of(cls, generator: Generator, history: History) -> Recipe:
        """Return the path to where `history` stands; what was undone is left out."""
        done = history.entries[1 : history.index + 1]
        steps = tuple((entry.edit, entry.latent) for entry in done if entry.edit is not None)
        return cls(generator.fingerprint, generator.code, history.entries[0].latent, steps)

    @property
    def latent(self) -> Latent:
        """The latent of the picture."""
        return self.steps[-1][1] if self.steps else self.original

    @property
    def edits(self) -> list[Edit]:
        """What was done, in order."""
        return [edit for edit, _ in self.steps]

    def history(self, generator: Generator) -> History:
        """Return the path to go on from. Raises `RecipeError` if `generator` is another checkpoint."""
        if self.fingerprint != generator.fingerprint:
            raise RecipeError(
                f"This recipe was made with checkpoint {self.fingerprint} ({self.model or 'unknown'}), the generator "
                f"is {generator.fingerprint}: open that model first."
            )
        generator.latent(self.latent.w)  # refuses another shape
        history = History(self.original)
        for edit, latent in self.steps:
            history.push(edit, latent)
        return history


def save_png(file: str | Path | BinaryIO, pixels: Pixels, recipe: Recipe | None = None) -> None:
    """Write pixels (H, W, 3) uint8 as a PNG, exactly, with its recipe inside.

    Pictures that were embedded travel in the recipe: keep in mind whose they are before you pass the file on.
    """
    info = PngInfo()
    if recipe is not None:  # not compressed as a whole: readers limit that to 1 MiB; its arrays are
        info.add_itxt(KEYWORD, recipe_text(recipe))
    try:
        Image.fromarray(pixels).save(file, "PNG", pnginfo=info)
    except OSError as error:
        raise RecipeError(
            f"The picture cannot be written to {file} ({error.strerror}): choose another place."
        ) from None


def save_recipe(path: str | Path, recipe: Recipe) -> None:
    """Write the recipe alone, as JSON; `load_recipe` reads it too."""
    try:
        Path(path).write_text(recipe_text(recipe), encoding="ascii")
    except OSError as error:
        raise RecipeError(f"The recipe cannot be written to {path} ({error.strerror}): choose another place.") from None


def load_recipe(source: str | Path | bytes) -> Recipe:
    """Return the recipe inside a PNG or JSON file, given by its path or its bytes.

    Nothing in the file is executed. An edit of a class that is not installed here becomes a `Restore` of its latent.
    Raises `RecipeError` if there is no recipe, if it is damaged, or if a newer version of the library wrote it.
    """
    name = "the file" if isinstance(source, bytes) else str(source)
    contents = source if isinstance(source, bytes) else _read(Path(source))
    text = contents if contents[:1] == b"{" else _find(contents, name)
    try:
        data = json.loads(text)
        version = data["version"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise RecipeError(f"The recipe in {name} is damaged: use the original file.") from None
    if not isinstance(version, int) or version > VERSION:
        raise RecipeError(f"A newer version of this library made {name} ({data.get('made_by')}): upgrade the library.")
    return _recipe(data)


def recipe_text(recipe: Recipe) -> str:
    """Return the recipe as JSON, in ASCII; what its steps share, such as a segmenter, is in it once."""
    table = Table()
    data = {
        "version": VERSION,
        "made_by": f"ganedit_widgets {__version__}",
        "fingerprint": recipe.fingerprint,
        "model": recipe.model,
        "original": encode(recipe.original, table),
        "steps": [_step(edit, latent, table) for edit, latent in recipe.steps],
        "shared": table.entries,
    }
    return json.dumps(data, allow_nan=False)


def _step(edit: Edit, latent: Latent, table: Table) -> dict[str, Any]:
    entries = len(table.entries)
    try:
        record = encode(edit, table)
    except UnknownRecordError:  # an edit written in a notebook: its result is kept, and how it reads
        table.back_to(entries)
        record = None
    return {"line": repr(edit), "edit": record, "latent": encode(latent, table)}


def _recipe(data: Any) -> Recipe:
    try:
        model = str(data["model"])
        table = Table(data.get("shared"))
        steps = tuple(_restore(step, table) for step in data["steps"])
        original = decode(data["original"], table)
        recipe = Recipe(str(data["fingerprint"]), model if is_harmless(model) else "", original, steps)
    except (KeyError, TypeError, AttributeError) as error:
        raise RecipeError(f"The recipe is damaged (it lacks {error}): use the original file.") from None
    latents = [original, *(latent for _, latent in steps)]
    if not all(isinstance(la, Latent) and la.fingerprint == recipe.fingerprint for la in latents):
        raise RecipeError("The recipe is damaged (its latents are of several checkpoints): use the original file.")
    return recipe


def _restore(step: Any, table: Table) -> tuple[Edit, Latent]:
    latent = decode(step["latent"], table)
    try:
        edit = decode(step["edit"], table)
    except UnknownRecordError:
        edit = None
    return (edit if hasattr(edit, "steps") else Restore(latent, note=str(step["line"])[:200])), latent


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MOST:
            raise RecipeError(f"{path} is larger than {MOST // 2**20} MiB: it is no picture of this library.")
        return path.read_bytes()
    except OSError as error:
        raise RecipeError(f"{path} cannot be opened ({error.strerror}): check the name.") from None


def _find(contents: bytes, name: str) -> bytes:
    """Return the text of our iTXt chunk in the bytes of a PNG."""
    if not contents.startswith(SIGNATURE):
        raise NoRecipeError(f"What is in {name} is not a PNG: only one saved by this library holds a recipe.")
    for kind, body in _chunks(contents, name):
        if kind == b"iTXt" and body.startswith(KEYWORD.encode() + b"\0"):
            flag, rest = body[len(KEYWORD) + 1 : len(KEYWORD) + 2], body[len(KEYWORD) + 3 :]  # a method is between
            text = rest.split(b"\0", 2)[-1]  # after language and translated keyword
            return zlib.decompressobj().decompress(text, MOST) if flag == b"\1" else text
    raise NoRecipeError(f"There is no recipe in {name}: other programs and screenshots drop it; use the original file.")


def _chunks(contents: bytes, name: str) -> Iterator[tuple[bytes, bytes]]:
    """Yield the (type, body) of each chunk; sums are checked."""
    file = io.BytesIO(contents[len(SIGNATURE) :])
    while head := file.read(8):
        size, kind = struct.unpack(">I4s", head) if len(head) == 8 else (0, b"")
        body, tail = file.read(size), file.read(4)
        if len(body) < size or tail != struct.pack(">I", zlib.crc32(kind + body)):
            raise RecipeError(f"The PNG in {name} is damaged or cut off: use the original file.")
        yield kind, body
        if kind == b"IEND":  # some programs write more after it
            return
