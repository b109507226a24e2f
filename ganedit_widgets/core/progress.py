"""Progress with time left: a bar in a terminal, and where there is none a line every half minute."""

from __future__ import annotations

import contextlib
import sys
from typing import Any

from tqdm import tqdm

EVERY = 30.0  # seconds between lines, and until the first one: what is over sooner leaves a log file as it is
LINE = "{percentage:.0f} % ({n_fmt} of {total_fmt}), {elapsed} so far, {remaining} left{postfix}"


class _Lines:
    """A file in which every state is a line of its own: what would move the cursor is left out.

    A reader that is gone, or a full disk, does not end the work.
    """

    encoding = "utf-8"

    def __init__(self) -> None:
        self._last = ""

    def write(self, text: str) -> None:
        line = text.strip()
        if line and line != self._last:
            self._last = line
            with contextlib.suppress(OSError, ValueError):
                sys.stderr.write(f"{line}\n")

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.flush()


class Bar(tqdm):  # type: ignore[misc] # it has no types
    """A tqdm bar. Into a file or a pipe it writes lines, few of them; a notebook's kernel gets nothing.

    `disable`: True for processes that are not to speak.
    """

    def __init__(self, *args: Any, disable: bool = False, **kwargs: Any) -> None:
        self.lines, self._went = not _terminal(), False
        if self.lines:
            disable = disable or sys.stderr is None or "ipykernel" in sys.modules  # cells are not a log
            kwargs |= {"delay": EVERY, "mininterval": EVERY, "maxinterval": EVERY, "leave": True, "file": _Lines()}
            kwargs["smoothing"] = 0  # the mean rate: lines are too few for one that follows the last of them
        super().__init__(*args, disable=disable, **kwargs)

    def go_to(self, done: int) -> None:
        """Say how much is done in all. What was done before the first call has no part in the time left."""
        if self.disable:
            return
        if not self._went:
            self._went = True
            self.initial = self.n = self.last_print_n = done
        self.update(done - self.n)

    @property
    def format_dict(self) -> dict[str, Any]:
        """What the state is made of."""
        state: dict[str, Any] = super().format_dict
        if self.lines and state["total"]:
            state["bar_format"] = f"{{desc}}: {LINE}" if state["prefix"] else LINE
        return state

    def moveto(self, n: int) -> None:
        """Go to the bar's own line, where there are several; lines follow one another."""
        if not self.lines:
            super().moveto(n)


def _terminal() -> bool:
    isatty = getattr(sys.stderr, "isatty", None)
    return isatty is not None and bool(isatty())
