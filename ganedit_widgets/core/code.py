"""The picture as a few lines of Python that make it again."""

from __future__ import annotations

import builtins
import hashlib
import io
import json
import math
import re
import tempfile
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .edits.base import Edit
from .edits.stack import Stack
from .expression import names_in
from .generators.base import Generator
from .image import Picture, as_png
from .latent import Latent
from .parts.catalog import PartCatalog
from .parts.catalog_file import catalog_bytes
from .probes.directions import Direction
from .probes.library import save_directions
from .recipe import Recipe, recipe_text
from .segment.files import segmenter_bytes
from .segment.segmenter import Segmenter

HOMES = tuple(
    f"ganedit_widgets.core{part}" for part in ("", ".edits", ".parts", ".probes", ".segment", ".vectors", ".align")
)
TUNING = "from ganedit_widgets.core.tuning import save_tuned, tune"
OUTSIDE = {"np": "import numpy as np", "torch": "import torch", "save_tuned": TUNING, "tune": TUNING}
VARIABLES = {"generator", "latent", "picture", "tuned", "_"}


def code_for(
    generator: Generator, edits: Sequence[Edit], original: Latent | None = None, target: str = "edited.png"
) -> str:
    """Return Python that loads the generator, makes `edits` from `original` (the average picture if None), and saves.

    Run in a folder with the `files_for` it names, it leaves the pixels in `picture`, the same as here.
    Edits before the last one that starts anew have no part in the picture and are left out.
    """
    return _Script(generator).text(edits, original, target)


def files_for(generator: Generator, edits: Sequence[Edit], original: Latent | None = None) -> dict[str, bytes]:
    """Return name → contents of the files that `code_for` reads: pictures, latents and vectors that only memory has."""
    script = _Script(generator)
    script.text(edits, original, "")
    return script.files


def tuning_code_for(
    generator: Generator, edits: Sequence[Edit], picture: Picture, steps: int, path: str, target: str = "edited.png"
) -> str:
    """Return the Python of `code_for`, which then tunes the model to `picture` at that latent and writes it to `path`.

    It needs the same files as `code_for` as long as `picture` is that of one of `edits`.
    """
    script = _Script(generator)
    call = f"tune(generator, latent, {script.expression(picture)}, {steps})"
    more = [f"*_, tuned = {call}", f"save_tuned({_quoted(path)}, tuned.generator())"]
    return script.text(edits, None, target, more)


def script_for(generator: Generator, name: str, record: Any, verbs: Sequence[str]) -> str:
    """Return Python that loads the generator, makes `record` under `name`, and does `verbs`, lines of code."""
    script = _Script(generator)
    body = [script._generator(), f"{name} = {script.expression(record)}", *verbs]
    return "\n".join([*_imports("\n".join(body), script.files, {name}), "", *body, ""])


def script_files(generator: Generator, record: Any) -> dict[str, bytes]:
    """Return name → contents of the files that `script_for` reads for `record`."""
    script = _Script(generator)
    script.expression(record)
    return script.files


@dataclass
class _Script:
    """Writes values as expressions, and collects what they need beside them."""

    generator: Generator
    files: dict[str, bytes] = field(default_factory=dict)

    def text(self, edits: Sequence[Edit], original: Latent | None, target: str, more: Sequence[str] = ()) -> str:
        flat = _flat(edits)
        last = max((i for i, edit in enumerate(flat) if self._starts_anew(edit)), default=-1)
        if last >= 0:
            flat, original = flat[last:], None
        start = "generator.average()" if original is None or self._is_average(original) else self._latent(original)
        lines = ["generator", start, *(self.expression(edit) for edit in flat)]
        one = f"latent = run({', '.join(lines)})"
        many = "latent = run(\n" + "".join(f"    {line},\n" for line in lines) + ")"
        body = [
            self._generator(),
            one if len(one) <= 100 else many,
            "picture = to_pixels(generator.draw(latent))",
            f"save_image({_quoted(target)}, picture)",
            *more,
        ]
        return "\n".join([*_imports("\n".join(body), self.files), "", *body, ""])

    def _starts_anew(self, edit: Edit) -> bool:
        labeled = self.generator.label_dim and getattr(edit, "keeps_label", False)
        return bool(getattr(edit, "anew", False) and not labeled)

    def _generator(self) -> str:
        if self.generator.code == "generator":
            return "# generator: build it here, as in your notebook"
        return f"generator = {_double(self.generator.code)}"

    def _is_average(self, latent: Latent) -> bool:
        bare = not latent.offsets and not latent.noise and latent.label is None
        return bare and torch.equal(latent.w, self.generator.average().w.to(latent.w))

    def expression(self, value: Any) -> str:
        """Return a Python expression for `value`, which gives it again exactly."""
        if isinstance(value, Picture):
            return self._picture(value)
        if isinstance(value, Latent):
            return self._latent(value)
        if isinstance(value, Direction) and not value.code:
            return self._direction(value)
        if isinstance(getattr(value, "code", None), str) and value.code:
            return _double(value.code)
        if isinstance(value, PartCatalog):
            return f"load_catalog({self._file('parts', 'safetensors', catalog_bytes(value))})"
        if isinstance(value, Segmenter):
            return f"load_segmenter({self._file('segmenter', 'safetensors', segmenter_bytes(value))})"
        if isinstance(value, Tensor | np.ndarray):
            return self._array(value)
        if is_dataclass(value) and not isinstance(value, type):
            return self._record(value)
        if isinstance(value, tuple | list):
            items = ", ".join(self.expression(x) for x in value)
            return f"[{items}]" if isinstance(value, list) else f"({items}{',' * (len(value) == 1)})"
        if isinstance(value, Mapping):
            return "{" + ", ".join(f"{k!r}: {self.expression(x)}" for k, x in value.items()) + "}"
        if isinstance(value, float | np.floating):
            return repr(float(value)) if math.isfinite(value) else f"float('{float(value)}')"
        if isinstance(value, str):
            return _quoted(value)
        if callable(value):
            return getattr(value, "__name__", type(value).__name__)  # the imports say that it is defined elsewhere
        return repr(int(value) if isinstance(value, np.integer) else value)

    def _record(self, value: Any) -> str:
        """Return Name(first, …, field=…): by position what has no default, by name what is not at it."""
        arguments = []
        for f in fields(value):
            given = getattr(value, f.name)
            if f.default is MISSING and f.default_factory is MISSING:
                arguments.append(self.expression(given))
            elif not (given is f.default or (isinstance(given, str | int | float) and given == f.default)):
                arguments.append(f"{f.name}={self.expression(given)}")
        return f"{type(value).__name__}({', '.join(arguments)})"

    def _picture(self, picture: Picture) -> str:
        if picture.source is None:
            return self._pixels(picture.pixels)
        at_size = {None: "", self.generator.size: ", generator.size"}.get(picture.size, f", {picture.size}")
        if picture.box is not None:
            return f"crop(read_image({_quoted(picture.source)}), {self.expression(picture.box)}{at_size})"
        return f"read_image({_quoted(picture.source)}{at_size})"

    def _pixels(self, pixels: Any) -> str:
        return f"read_image({self._file('picture', 'png', as_png(pixels))})"

    def _latent(self, latent: Latent) -> str:
        text = recipe_text(Recipe(self.generator.fingerprint, self.generator.code, latent))
        return f"load_recipe({self._file('latent', 'json', text.encode())}).latent"

    def _direction(self, direction: Direction) -> str:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "direction.safetensors"
            save_directions(path, [direction])
            contents = path.read_bytes()
        slug = re.sub(r"\W+", "-", direction.name.lower()).strip("-")[:40] or "direction"
        return f"load_directions({self._file(slug, 'safetensors', contents)})[{_quoted(direction.name)}]"

    def _array(self, value: Any) -> str:
        if isinstance(value, np.ndarray) and value.dtype == np.uint8 and value.ndim == 3 and value.shape[2] == 3:
            return self._pixels(value)
        file = io.BytesIO()
        np.save(file, value.detach().cpu().numpy() if isinstance(value, Tensor) else value, allow_pickle=False)
        code = f"np.load({self._file('array', 'npy', file.getvalue())})"
        return f"torch.from_numpy({code})" if isinstance(value, Tensor) else code

    def _file(self, stem: str, ending: str, contents: bytes) -> str:
        """Enter a file under a name that depends on its contents, and return the name, quoted."""
        name = f"{stem}-{hashlib.sha256(contents).hexdigest()[:8]}.{ending}"
        self.files[name] = contents
        return _quoted(name)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _double(code: str) -> str:
    """Return `code` with double quotes, where they can be told from others."""
    return code if '"' in code or "\\" in code else code.replace("'", '"')


def _flat(edits: Sequence[Edit]) -> list[Edit]:
    """Return the edits with stacks taken apart."""
    return [e for edit in edits for e in (_flat(edit.edits) if isinstance(edit, Stack) else [edit])]


def _imports(body: str, files: Mapping[str, bytes], variables: AbstractSet[str] = frozenset()) -> list[str]:
    """Return the import lines for the names in `body`, and comments on what must be added by hand."""
    names = names_in(body) - VARIABLES - variables - set(dir(builtins))
    lines = list(dict.fromkeys(OUTSIDE[name] for name in sorted(names & OUTSIDE.keys())))
    names -= OUTSIDE.keys()
    for home in HOMES:
        here = sorted(names & set(import_module(home).__all__), key=lambda name: (name.lower(), name))
        lines += [f"from {home} import {', '.join(here)}"] if here else []
        names -= set(here)
    lines += [f"# {name} is defined in your notebook: define it here" for name in sorted(names)]
    lines += [f"# needs the file {name}" for name in files]
    return lines
