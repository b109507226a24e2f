"""Flow control of what travels to the browser: few messages in flight, the newest wins, the last one arrives."""

import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

T = TypeVar("T")
Message = dict[str, Any]
Encoded = tuple[Message, list[bytes]]


@dataclass(frozen=True)
class StreamStats:
    """Counters of a FrameStream since it was made."""

    sent: int = 0
    acked: int = 0
    dropped: int = 0  # replaced by a newer one before they were sent
    failed: int = 0  # received, but the browser could not draw them
    round_trip_ms: float = 0.0  # of the last confirmed one, encoding not included


class FrameStream(Generic[T]):
    """Send the newest item whenever fewer than `window` earlier ones wait for their confirmation.

    One slot holds the newest item that may not go yet; an older one in it is dropped. Nothing is sent before
    the browser has said `ready` (`restart`), because messages to a page that is not there are lost. An item
    without confirmation for `timeout` seconds no longer counts as in flight, so a reloaded page or a busy
    kernel slows the stream down but never stops it. Every method may be called from any thread; none waits
    for the browser.
    """

    def __init__(
        self,
        encode: Callable[[T], Encoded],
        send: Callable[[Message, list[bytes]], None],
        *,
        window: int = 2,
        timeout: float = 0.5,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._encode, self._deliver, self._clock = encode, send, clock
        self.window, self.timeout = window, timeout
        self.stats = StreamStats()
        self._lock = threading.Lock()
        self._live = self._busy = False
        self._last: T | None = None
        self._waiting: T | None = None
        self._in_flight: dict[int, float] = {}  # sequence number -> time of sending
        self._seq = 0
        self._alarm: threading.Timer | None = None

    @property
    def last(self) -> T | None:
        """The newest item offered, sent or not."""
        return self._last

    @property
    def live(self) -> bool:
        """Whether a page has asked for pictures."""
        return self._live

    def offer(self, item: T) -> None:
        """Show `item` as soon as there is room; it replaces one that still waits."""
        with self._lock:
            self._last = item
            if not self._live:
                return
            if self._waiting is not None:
                self.stats = replace(self.stats, dropped=self.stats.dropped + 1)
            self._waiting = item
        self._pump()

    def restart(self, settle: Callable[[T], T] = lambda item: item) -> None:
        """A page is ready: forget what was in flight and send the last item again, as `settle` returns it."""
        with self._lock:
            self._live = True
            self._in_flight.clear()
            self._waiting = None if self._last is None else settle(self._last)
        self._pump()

    def confirm(self, seq: int, failed: bool = False) -> None:
        """The browser has drawn item `seq` (or failed to); every earlier one is confirmed with it."""
        with self._lock:
            sent_at = self._in_flight.get(seq)
            stats = replace(self.stats, acked=self.stats.acked + 1, failed=self.stats.failed + failed)
            if sent_at is not None:
                stats = replace(stats, round_trip_ms=1000 * (self._clock() - sent_at))
            self.stats = stats
            self._in_flight = {s: t for s, t in self._in_flight.items() if s > seq}
        self._pump()

    def close(self) -> None:
        """Send nothing any more."""
        with self._lock:
            self._live, self._waiting = False, None
            self._set_alarm(None)

    def _pump(self) -> None:
        """Send what may go. Only one thread is in here at a time; the others leave their item in the slot."""
        while (turn := self._take()) is not None:
            seq, item = turn
            try:
                message, buffers = self._encode(item)
                with self._lock:
                    self._in_flight[seq] = self._clock()
                    self.stats = replace(self.stats, sent=self.stats.sent + 1)
                self._deliver({**message, "seq": seq}, buffers)
            finally:
                with self._lock:
                    self._busy = False

    def _take(self) -> tuple[int, T] | None:
        with self._lock:
            if self._waiting is None or self._busy:
                return None
            now = self._clock()
            self._in_flight = {s: t for s, t in self._in_flight.items() if now - t < self.timeout}
            if len(self._in_flight) >= self.window:
                self._set_alarm(min(self._in_flight.values()) + self.timeout - now)
                return None
            self._set_alarm(None)
            item, self._waiting, self._busy = self._waiting, None, True
            self._seq += 1
            return self._seq, item

    def _set_alarm(self, delay: float | None) -> None:
        """Look again after `delay` seconds, in case no confirmation ever comes; None calls it off."""
        if delay is None:
            if self._alarm is not None:
                self._alarm.cancel()
            self._alarm = None
        elif self._alarm is None:
            self._alarm = threading.Timer(max(delay, 0.001), self._on_alarm)
            self._alarm.daemon = True
            with contextlib.suppress(RuntimeError):  # no threads in a browser's Python: the next call looks again
                self._alarm.start()

    def _on_alarm(self) -> None:
        with self._lock:
            self._alarm = None
        self._pump()
