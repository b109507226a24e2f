"""Films as tasks of a session: picture by picture, so that Stop is heard within one; to the user, or to a file."""

from __future__ import annotations

import io
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from ganedit_widgets.core.errors import ImageError
from ganedit_widgets.core.film import KINDS, LARGEST, encode, in_bytes, steps_of, write_film
from ganedit_widgets.core.film_cost import LARGEST_DOWNLOAD, in_frames, require_bearable
from ganedit_widgets.core.image import Pixels

from .session import Session
from .turn import Turn
from .worker import Steps

Source = Iterator[Pixels | None]  # pictures, and None for steps without one


@dataclass(frozen=True, eq=False)
class Film:
    """Which film is asked for. `draw()` yields its pictures, and None while something else is found out."""

    draw: Callable[[], Source]
    count: int
    kind: str  # one of `core.film.KINDS`
    milliseconds: int = 60
    back: bool = False
    seconds: float = 0.0  # of drawing all pictures, as far as is known
    before: int = 0  # steps without a picture

    def download(self, session: Session, name: str, give: Callable[[str, str, bytes], Any]) -> Turn:
        """Make it and `give(name, MIME type, contents)`."""

        def steps() -> Steps:
            self._require(session, LARGEST_DOWNLOAD)
            yield
            file, count = io.BytesIO(), 0
            frames = yield from _begun(self.draw())
            for count in encode(file, frames, self.kind, self.milliseconds, self.back):  # noqa: B007
                yield
            give(name, KINDS[self.kind].mime, file.getvalue())
            return f"{name}: {in_frames(count, self.kind, self.back)}, {in_bytes(file.tell())}."

        return self._task(session, name, steps)

    def save(self, session: Session, path: Path, done: Callable[[], Any]) -> Turn:
        """Make it and write it to `path`, whole or not at all; then call `done()`."""

        def steps() -> Steps:
            self._require(session, LARGEST)
            yield
            count = 0
            frames = yield from _begun(self.draw())
            for count in write_film(path, frames, self.kind, self.milliseconds, self.back):  # noqa: B007
                yield
            done()
            return f"{path}: {in_frames(count, self.kind, self.back)} are written."

        return self._task(session, path.name, steps)

    def _require(self, session: Session, most: int) -> None:
        """Raise `ImageError`, with the estimate, if nobody could bear this film."""
        if self.kind != "frames" or most < LARGEST:  # a folder, or an archive of single pictures, may be large
            require_bearable(session.pixels, self.kind, self.count, self.back, self.seconds, most)

    def _task(self, session: Session, name: str, steps: Callable[[], Steps]) -> Turn:
        total = 1 + self.before + steps_of(self.kind, self.count, self.back)
        return session.task(f"exporting {name}", steps, total)


def require_free(path: Path, own: set[Path]) -> None:
    """Raise `ImageError`, but only once, if a file is at `path` that is not one of our `own`: it would be lost."""
    if path.is_file() and path not in own:
        own.add(path)
        raise ImageError(f"There is a file {path} already: choose another name, or press Save again to replace it.")


def _begun(source: Source) -> Generator[None, None, Iterator[Pixels]]:
    """Yield until the first picture is drawn; return all of them."""
    first = next(source)
    while first is None:
        yield
        first = next(source)
    return chain([first], (pixels for pixels in source if pixels is not None))
