"""Tuning a copy of the model until it draws one picture exactly: a button, its steps, and the file it goes into."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import ipywidgets as ipw

from ganedit_widgets.core.errors import ModelError
from ganedit_widgets.core.generators import Generator
from ganedit_widgets.core.image import Picture
from ganedit_widgets.core.latent import Latent
from ganedit_widgets.core.tuning import Tuning, carry, save_tuned, tune

from .controls import button, named, row
from .session import Session
from .turn import Turn
from .worker import Steps, in_thread

STEPS = 60

Tuned = Callable[[Generator, Latent, Tuning, Path], Any]


class Tuner(ipw.VBox):
    """Tunes to what `wanted()` returns: a picture, and the latent that stands for it. Stop keeps the best so far.

    `tuned(generator, latent, tuning, path)` is called, in a thread of its own, with the new model, the latent as one of
    the new model, and the file that holds it; `say(text)` with how far it is.
    """

    def __init__(
        self,
        session: Session,
        label: str,
        wanted: Callable[[], tuple[Picture, Latent]],
        tuned: Tuned,
        say: Callable[[str], Any],
    ) -> None:
        self.session, self._wanted, self._tuned, self._say = session, wanted, tuned, say
        self._written: set[Path] = set()  # files of our own, which may be written again
        self.tune_button = button(label, session.guarded(self.tune))
        self.steps = named(ipw.BoundedIntText(STEPS, 1, 5000, layout={"width": "64px"}), "Steps of the tuning")
        self.file = named(ipw.Text("tuned.safetensors", layout={"width": "140px"}), "File of the tuned model")
        super().__init__([row("", self.tune_button, self.steps, ipw.HTML("steps, into"), self.file)])

    def tune(self) -> Turn:
        """Tune a copy of the model, and write it to its file.

        Raises `ModelError` if there is no such folder, or, the first time, if a file is there that is not of here.
        """
        picture, pivot = self._wanted()
        path, count, generator = self.path, self.steps.value, self.session.generator
        self._require_place(path)
        best: list[Tuning] = []

        def steps() -> Steps:
            for reached in tune(generator, pivot, picture, count):
                best[:] = [reached]
                self._say(f"Tuning, step {reached.step} of {count}: {reached.psnr:.1f} dB")
                yield

        def keep() -> None:
            made = best[0].generator()
            save_tuned(path, made)
            self._written.add(path)
            self._tuned(made, carry(pivot, generator, made), best[0], path)

        turn = self.session.task("tuning the model", steps, count)
        turn.on_end(lambda _: in_thread(self.session.guarded(keep)) if best else None)
        return turn

    def _require_place(self, path: Path) -> None:
        if not path.parent.is_dir():
            raise ModelError(f"There is no folder {path.parent}: choose another file for the tuned model.")
        if path.is_file() and path not in self._written:
            self._written.add(path)
            raise ModelError(f"There is a file {path} already: choose another name, or press again to replace it.")

    @property
    def path(self) -> Path:
        """The file that the tuned model goes into."""
        return Path(self.file.value.strip() or "tuned.safetensors").expanduser()
