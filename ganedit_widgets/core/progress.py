"""Progress with time left: a bar in a terminal, and where there is none a line every half minute."""

from __future__ import annotations

import sys
from typing import Any

from tqdm import tqdm

EVERY = 30.0  # seconds between lines, and until the first one: what is over sooner leaves a log file as it is
LINE = "{percentage:.0f} % ({n_fmt} of {total_fmt}), {elapsed} so far, {remaining} left{postfix}"


class _Lines:
    """A file in which every state is a line of its own: what would move the cursor is left out."""

    encoding = "utf-8"

    def write(self, text: str) -> None:
        if text.strip():
            sys.stderr.write(f"{text.strip()}\n")

    def flush(self) -> None:
        sys.stderr.flush()


class Bar(tqdm):  # type: ignore[misc] # it has no types
    """A tqdm bar. Into a file or a pipe it writes lines, few of them; a notebook's kernel gets nothing.

    `disable`: True for processes that are not to speak.
    """

    def __init__(self, *args: Any, disable: bool = False, **kwargs: Any) -> None:
        self.lines = not sys.stderr.isatty()
        if self.lines:
            disable = disable or "ipykernel" in sys.modules  # there, panels show what goes on
            kwargs |= {"delay": EVERY, "mininterval": EVERY, "maxinterval": EVERY, "leave": True, "file": _Lines()}
            if kwargs.get("total") is not None or (args and hasattr(args[0], "__len__")):
                named = kwargs.get("desc") or len(args) > 1
                kwargs["bar_format"] = f"{{desc}}: {LINE}" if named else LINE
        super().__init__(*args, disable=disable, **kwargs)

    def moveto(self, n: int) -> None:
        """Go to the bar's own line, where there are several; lines follow one another."""
        if not self.lines:
            super().moveto(n)
