"""Fetch a file over https: bounded in size and time; plain http only from this machine."""

from __future__ import annotations

import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlsplit

from .errors import GanEditError, ImageError

LOOPBACK = ("localhost", "127.0.0.1", "::1")
MOST, PATIENCE = 100 * 2**20, 20.0  # bytes; seconds without an answer


def is_address(source: Any) -> bool:
    """Tell whether `source` is a string like "https://…"."""
    return isinstance(source, str) and "://" in source[:12]


def fetch(address: str, most: int = MOST, fault: type[GanEditError] = ImageError) -> bytes:
    """Return the bytes at `address`, at most `most` of them.

    Raises `fault` if the address is neither https nor on this machine, does not answer, or is too long.
    """
    try:
        return _fetch(address, most)
    except ImageError as error:
        raise fault(str(error)) from None


def _fetch(address: str, most: int) -> bytes:
    _check(address)
    request = urllib.request.Request(address, headers={"User-Agent": "ganedit_widgets"})
    try:
        with urllib.request.build_opener(_Careful).open(request, timeout=PATIENCE) as answer:
            contents: bytes = answer.read(most + 1)
    except urllib.error.HTTPError as error:
        error.close()
        raise ImageError(f"{address} answers {error.code} ({error.reason}): check the address.") from None
    except (OSError, ValueError) as error:
        why = getattr(error, "reason", error)
        raise ImageError(f"{address} cannot be reached ({why}): check the address and the network.") from None
    if len(contents) > most:
        raise ImageError(f"{address} is larger than {most // 2**20} MiB: download it and give a smaller file.")
    return contents


class _Careful(urllib.request.HTTPRedirectHandler):
    """Follow a redirection only to where one may go at all."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        """Check the new address first."""
        _check(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _check(address: str) -> None:
    try:
        parts = urlsplit(address)
        host = parts.hostname
    except ValueError:
        raise ImageError(f"{address} is not an address: it should look like https://example.org/face.jpg.") from None
    if not host or not (parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK)):
        raise ImageError(f"{address} is not fetched: only https:// addresses are; download the file and give its path.")
