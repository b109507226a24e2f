"""A widget on a bare page in Chromium, with a fake model instead of Jupyter: real pixels, no server."""

import base64
import contextlib
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from ganedit_widgets.panels.transport import FrameStream

HIDDEN = {"_esm", "_css", "layout", "comm", "keys", "log"}
MOUNT = """async ([esm, css, state, views, dark]) => {
  document.head.append(Object.assign(document.createElement('style'), { textContent: css }));
  document.body.style.cssText = 'margin: 16px; background: ' + (dark ? '#111' : '#fff');
  const heard = {};
  window.sent = []; window.saved = [];
  const model = window.model = {
    get: key => state[key],
    set: (key, value) => {
      state[key] = value;
      saved.push([key, value]);
      (heard['change:' + key] || []).slice().forEach(f => f());
    },
    save_changes() {},
    on: (name, f) => (heard[name] ??= []).push(f),
    off: (name, f) => { heard[name] = (heard[name] || []).filter(g => g !== f); },
    send: message => sent.push(structuredClone(message)),
  };
  window.push = (message, buffers) => {
    const bytes = buffers.map(b => new DataView(Uint8Array.from(atob(b), c => c.charCodeAt(0)).buffer));
    (heard['msg:custom'] || []).slice().forEach(f => f(message, bytes));
  };
  window.listeners = () => Object.values(heard).flat().length;
  const url = URL.createObjectURL(new Blob([esm], { type: 'text/javascript' }));
  const widget = await (await import(url)).default();
  const endModel = await widget.initialize?.({ model });
  const ends = [];
  window.addView = async () => {
    const el = document.createElement('div');
    el.className = 'view';
    document.body.append(el);
    ends.push(await widget.render({ model, el }));
  };
  window.endAll = () => { ends.splice(0).forEach(f => f()); endModel?.(); };
  window.endView = () => ends.shift()();
  for (let i = 0; i < views; i++) await addView();
}"""
PIXELS = """slot => { const c = document.querySelector(`.ge-pane-${slot} canvas`);
  const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
  return [c.width, c.height, [...d].filter((_, i) => i % 4 < 3)] }"""
DARK = """:root { --jp-ui-font-color1: rgba(255,255,255,.87); --jp-ui-font-color2: rgba(255,255,255,.6);
  --jp-ui-font-color3: rgba(255,255,255,.38); --jp-layout-color1: #212121; --jp-layout-color2: #424242;
  --jp-border-color2: #616161; --jp-brand-color1: #2196f3; --jp-error-color1: #f44336 }"""


@contextlib.contextmanager
def open_page(chromium: Any, **context: Any) -> Iterator[Any]:
    """A blank page in a context of its own; `context` goes to Playwright's `new_context`."""
    own = chromium.new_context(**{"viewport": {"width": 900, "height": 700}, **context})
    try:
        yield own.new_page()
    finally:
        own.close()


class Bench:
    """Join a Python widget and its page by hand: messages wait until `sync` carries them over."""

    def __init__(self, page: Any, widget: Any, views: int = 1, dark: bool = False) -> None:
        self.page, self.widget = page, widget
        self.outbox: list[tuple[dict[str, Any], list[bytes]]] = []
        self.errors: list[str] = []
        widget.send = lambda content, buffers=None: self.outbox.append((content, buffers or []))
        page.on("pageerror", lambda e: self.errors.append(str(e)))
        state = {k: v for k, v in widget.get_state().items() if k not in HIDDEN}
        page.evaluate(MOUNT, [widget._esm, widget._css + (DARK if dark else ""), state, views, dark])
        self._read = 0

    def sent(self, kind: str | None = None) -> list[dict[str, Any]]:
        """Messages the page has sent so far, of one kind or all."""
        return [m for m in self.page.evaluate("sent") if kind in (None, m["t"])]

    def push(self, message: dict[str, Any], *buffers: bytes) -> None:
        """Give the page a message as if Python had sent it."""
        self.page.evaluate("([m, b]) => push(m, b)", [message, [base64.b64encode(b).decode() for b in buffers]])

    def set(self, **traits: Any) -> None:
        """Change synced traits on both sides."""
        for name, value in traits.items():
            setattr(self.widget, name, value)
            self.page.evaluate("([k, v]) => model.set(k, v)", [name, self.widget.get_state(name)[name]])

    def sync(self, seconds: float = 0.08) -> None:
        """Carry messages both ways until nothing has moved for a while and every picture is confirmed."""
        quiet = time.monotonic()
        while time.monotonic() - quiet < (3 if self._in_flight() else seconds):
            for message, buffers in self._take_outbox():
                self.push(message, *buffers)
                quiet = time.monotonic()
            messages = self.page.evaluate("sent")
            for message in messages[self._read :]:
                self.widget._handle_custom_msg(message, [])
                quiet = time.monotonic()
            self._read = len(messages)
            self.page.wait_for_timeout(10)

    def _in_flight(self) -> bool:
        return any(isinstance(s, FrameStream) and s._in_flight for s in vars(self.widget).values())

    def _take_outbox(self) -> list[tuple[dict[str, Any], list[bytes]]]:
        taken, self.outbox[:] = list(self.outbox), []
        return taken


def noise(height=40, width=60, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def drawn(page, slot="result"):
    width, height, values = page.evaluate(PIXELS, slot)
    return np.array(values, np.uint8).reshape(height, width, 3)
