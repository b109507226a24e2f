"""The JavaScript and style sheets beside this file, joined into the one text a widget sends to the browser."""

from pathlib import Path

STATIC = Path(__file__).parent / "static"


def script(*names: str) -> str:
    """Join `static/<name>.js` in the given order; `base` comes first, the file with `export default` last."""
    return _join(names, ".js")


def style(*names: str) -> str:
    """Join `static/<name>.css` in the given order."""
    return _join(names, ".css")


def _join(names: tuple[str, ...], suffix: str) -> str:
    return "\n".join((STATIC / (name + suffix)).read_text(encoding="utf-8") for name in names)
