"""Model files from the network: fetched once into a cache, resumed, checked, never half."""

from __future__ import annotations

import hashlib
import http.client
import os
import re
import shutil
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..errors import ModelError
from .open import kind_of

Progress = Callable[[int, "int | None"], None]  # bytes so far, bytes in all (None: the server does not say)
ATTEMPTS = 4
WAIT = 1.0  # seconds before the second attempt; doubles each time
TIMEOUT = 30.0  # seconds without a byte
ABANDONED = 120.0  # seconds without a byte, after which a download may be taken over
CHUNK = 1 << 20
LOOPBACK = {"localhost", "127.0.0.1", "::1"}
TRANSIENT = {408, 425, 429, 500, 502, 503, 504}
NETWORK_ERRORS = (urllib.error.URLError, http.client.HTTPException, OSError)


def is_address(source: str | Path) -> bool:
    """Tell whether `source` is an address rather than a path."""
    return isinstance(source, str) and re.match(r"[a-z][a-z0-9+.-]+://", source, re.IGNORECASE) is not None


def cache_folder() -> Path:
    """Return the folder for fetched files: GANEDIT_CACHE, or the user's cache folder of the platform."""
    chosen = os.environ.get("GANEDIT_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "ganedit" / "Cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "ganedit"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ganedit"


def fetch(address: str, progress: Progress | None = None, sha256: str | None = None) -> Path:
    """Return the local copy of the model file at `address`, fetched if it is not in the cache yet.

    `address` is https:// (http:// only on this machine) and may end in `#sha256=` and 64 hexadecimal digits, which are
    checked like the argument `sha256`, also against a copy in the cache. Raises `ModelError`.
    """
    url, expected = split_address(address, sha256)
    folder = cache_folder()
    kept = folder / f"{hashlib.sha256(url.encode()).hexdigest()[:16]}-{_file_name(url)}"
    if not kept.exists():
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ModelError(f"The cache folder {folder} cannot be made: set GANEDIT_CACHE to another.") from error
        _Download(url, kept, expected, progress or (lambda done, total: None)).run()
    elif expected and _digest(kept) != expected:
        raise ModelError(
            f"The cached copy of {url} has another SHA-256 than asked for: delete {kept.name} and try again."
        )
    return kept


def split_address(address: str, sha256: str | None = None) -> tuple[str, str | None]:
    """Return the address without its fragment, and the SHA-256 that the file must have; raises `ModelError`."""
    url, fragment = urllib.parse.urldefrag(address)
    named = re.fullmatch(r"sha256=(.*)", fragment)
    digests = {digest.lower() for digest in (named[1] if named else None, sha256) if digest}
    if len(digests) > 1 or any(not re.fullmatch(r"[0-9a-f]{64}", digest) for digest in digests):
        raise ModelError("The SHA-256 asked for is not one number of 64 hexadecimal digits: copy it again.")
    require_safe(url)
    return url, next(iter(digests), None)


def require_safe(url: str) -> None:
    """Raise `ModelError` unless `url` is https, or http on this machine."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme == "http" and parts.hostname in LOOPBACK:
        return
    raise ModelError(f"{parts.scheme}:// addresses can be changed on the way: give an https:// address.")


def _file_name(url: str) -> str:
    name = urllib.parse.unquote(urllib.parse.urlsplit(url).path).rpartition("/")[2]
    return re.sub(r"[^A-Za-z0-9._-]", "_", name)[-80:] or "model"


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    """Follow redirects to safe addresses only."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        try:
            require_safe(newurl)
        except ModelError:
            fp.close()
            raise
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class _Download:
    """One file on its way into the cache; what has arrived survives an interruption if the server can resume."""

    def __init__(self, url: str, kept: Path, expected: str | None, progress: Progress) -> None:
        self.url, self.kept, self.expected, self.progress = url, kept, expected, progress
        self.folder = kept.with_name(f"{kept.name}.{uuid.uuid4().hex[:8]}.part")  # ours alone
        self.data, self.tag = self.folder / "data", self.folder / "tag"
        local = urllib.parse.urlsplit(url).hostname in LOOPBACK
        self.opener = urllib.request.build_opener(_SafeRedirects, *[urllib.request.ProxyHandler({})] * local)

    def run(self) -> None:
        """Fetch, check, move into place; or raise `ModelError` and leave nothing that looks like the file."""
        self._adopt()
        try:
            self._attempts()
            self._check()
            self.data.replace(self.kept)
        finally:
            self._leave()

    def _adopt(self) -> None:
        """Take over what is left of an earlier download; renaming gives it to one process only."""
        for left in self.kept.parent.glob(f"{self.kept.name}.*.part"):
            with suppress(OSError):  # another process was quicker
                if time.time() - (left / "data").stat().st_mtime > ABANDONED:
                    left.rename(self.folder)
                    return
        self.folder.mkdir()
        self.data.touch()

    def _leave(self) -> None:
        """Keep what has arrived for the next call if it can go on from there."""
        if self.data.exists() and self.data.stat().st_size and self.tag.exists() and self.tag.read_text():
            os.utime(self.data, (0, 0))  # abandoned at once
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _attempts(self) -> None:
        for attempt in range(ATTEMPTS):
            try:
                return self._receive()
            except urllib.error.HTTPError as error:
                error.close()  # it is also the open answer
                if error.code == 416 and self.data.stat().st_size:  # what is left does not fit the file any more
                    self.data.write_bytes(b"")
                elif error.code not in TRANSIENT:
                    raise ModelError(f"The server answers {error.code} for {self.url}: check the address.") from error
                last: Exception = error
            except NETWORK_ERRORS as error:
                last = error
            if attempt + 1 < ATTEMPTS:
                time.sleep(WAIT * 2**attempt)
        raise ModelError(f"{self.url} could not be fetched ({last}): check the connection and try again.") from last

    def _receive(self) -> None:
        have = self.data.stat().st_size
        tag = self.tag.read_text() if self.tag.exists() else ""
        headers = {"User-Agent": "ganedit"} | ({"Range": f"bytes={have}-", "If-Range": tag} if have and tag else {})
        with self.opener.open(urllib.request.Request(self.url, headers=headers), timeout=TIMEOUT) as answer:
            done = have if answer.status == 206 else 0
            if done and not str(answer.headers.get("Content-Range")).startswith(f"bytes {have}-"):
                self.tag.write_text("")  # start anew
                raise http.client.HTTPException("the server resumes at another place")
            self.tag.write_text(_strong_tag(answer.headers))
            length = str(answer.headers.get("Content-Length"))
            total = done + int(length) if length.isdigit() else None
            with self.data.open("ab" if done else "wb") as file:
                while chunk := answer.read(CHUNK):
                    file.write(chunk)
                    done += len(chunk)
                    self.progress(done, total)
        if total is not None and done != total:
            raise http.client.IncompleteRead(b"", total - done)

    def _check(self) -> None:
        """Raise `ModelError` and forget the file if it is not the one asked for, or no model at all."""
        try:
            found = _digest(self.data) if self.expected else None
            if found != self.expected:
                raise ModelError(f"{self.url} has the SHA-256 {found}: it is not the file that was asked for.")
            kind_of(self.data, self.url)
        except ModelError:
            self.data.unlink()
            raise


def _strong_tag(headers: Any) -> str:
    """Return what identifies this very file on the server; weak tags do not."""
    tag = str(headers.get("ETag") or "")
    return tag if tag.startswith('"') else str(headers.get("Last-Modified") or "")
