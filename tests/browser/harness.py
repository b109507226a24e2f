"""A real JupyterLab on a free port, a notebook in Chromium, and a second client on the notebook's kernel."""

from __future__ import annotations

import ast
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat

ROOT = Path(__file__).parents[2]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PLACES = ("/usr/lib/chromium/chromium", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
FLAGS = (
    "--no-sandbox",  # containers run as root
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
)
FOLDED = {"jupyter": {"source_hidden": True}}
IDLE = """() => { const w = window.jupyterapp?.shell.currentWidget;
    return w?.sessionContext?.session?.kernel?.status === 'idle' }"""
ALL_RUN = """() => [...window.jupyterapp.shell.currentWidget.content.model.cells].every(
    c => c.type !== 'code' || !c.sharedModel.getSource().trim() || c.executionCount !== null)"""
CELL_RUN = """(i) => { const c = window.jupyterapp.shell.currentWidget.content.widgets[i].model;
    return c.executionCount !== null && c.executionState !== 'running' }"""

SCENE = """() => ({ dialog: document.querySelector('.jp-Dialog')?.innerText, focus: document.activeElement?.className,
    hovered: [...document.querySelectorAll(':hover')].slice(-3).map(n => n.className || n.tagName),
    said: [...document.querySelectorAll('.ge-message')].map(n => n.innerText) })"""


def find_browser() -> str | None:
    """The browser named by CHROME, else the first that is installed, else None."""
    candidates = [os.environ.get("CHROME"), *PLACES, *(shutil.which(name) for name in NAMES)]
    return next((path for path in candidates if path and Path(path).exists()), None)


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Lab:
    """A JupyterLab server with folders of its own; nothing of the user's configuration is read or written."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.notebooks = folder, folder / "notebooks"
        self.token, self.port = f"t{time.time_ns()}", free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._count, self._dark = 0, False

    def __enter__(self) -> Lab:
        self.notebooks.mkdir(parents=True)
        self._setting(
            "@jupyterlab/apputils-extension", "notification", {"fetchNews": "false", "checkForUpdates": False}
        )
        self._log = (self.folder / "server.log").open("wb")
        command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1"]
        command += [f"--ServerApp.port={self.port}", f"--ServerApp.root_dir={self.notebooks}"]
        command += [f"--IdentityProvider.token={self.token}", "--LabApp.expose_app_in_browser=True"]
        command += ["--LabApp.extension_manager=readonly"]
        self._process = subprocess.Popen(
            command, env=self._environment(), stdout=self._log, stderr=self._log, start_new_session=True
        )
        self._await_start()
        return self

    def __exit__(self, *exc: object) -> None:
        with contextlib.suppress(OSError):
            for kernel in self.api("/api/kernels"):
                self.api(f"/api/kernels/{kernel['id']}", "DELETE")
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def _environment(self) -> dict[str, str]:
        places = {
            "JUPYTER_CONFIG_DIR": "config",
            "JUPYTER_DATA_DIR": "data",
            "JUPYTER_RUNTIME_DIR": "runtime",
            "IPYTHONDIR": "ipython",
            "JUPYTERLAB_SETTINGS_DIR": "settings",
            "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        }
        for name in places.values():
            (self.folder / name).mkdir(exist_ok=True)
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        own = {key: str(self.folder / name) for key, name in places.items()}
        return {
            **os.environ,
            **own,
            "PYTHONPATH": path,
            "JUPYTER_PLATFORM_DIRS": "1",
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        }

    def _setting(self, package: str, plugin: str, value: dict[str, Any]) -> None:
        folder = self.folder / "settings" / package
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{plugin}.jupyterlab-settings").write_text(json.dumps(value))

    def _await_start(self, seconds: float = 120) -> None:
        deadline = time.monotonic() + seconds
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.__exit__()
                raise RuntimeError(f"JupyterLab did not start:\n{(self.folder / 'server.log').read_text()[-3000:]}")
            time.sleep(0.1)

    def _answers(self) -> bool:
        with contextlib.suppress(OSError):
            return bool(self.api("/api/status"))
        return False

    def api(self, path: str, method: str = "GET") -> Any:
        """Ask the server's REST interface."""
        headers = {"Authorization": f"token {self.token}"}
        with urllib.request.urlopen(
            urllib.request.Request(self.url + path, method=method, headers=headers), timeout=10
        ) as r:
            text = r.read()
        return json.loads(text) if text else None

    @contextlib.contextmanager
    def notebook(
        self, chromium: Any, cells: list[str] | Path, *, dark: bool = False, **context: Any
    ) -> Iterator[Notebook]:
        """Open a new notebook made of `cells`, or a copy of one, in a page of its own; its kernel ends with the block.

        Given cells are folded, so that their outputs are on screen. `context` goes to Playwright's `new_context`:
        viewport, device_scale_factor, has_touch.
        """
        self._count += 1
        name = f"n{self._count}.ipynb"
        if isinstance(cells, Path):
            nb = nbformat.read(cells, as_version=4)
        else:
            nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text, metadata=FOLDED) for text in cells])
        nb.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(nb, str(self.notebooks / name))
        browser_context = chromium.new_context(**{"viewport": {"width": 1100, "height": 1000}, **context})
        notebook = Notebook(self, browser_context.new_page(), name)
        try:
            notebook.open()
            if dark != self._dark:  # the server remembers the theme
                notebook.command("apputils:change-theme", {"theme": f"JupyterLab {'Dark' if dark else 'Light'}"})
                self._dark = dark
            yield notebook
        finally:
            notebook.close()
            browser_context.close()
            for session in self.api("/api/sessions"):
                if session["path"] == name:
                    self.api(f"/api/sessions/{session['id']}", "DELETE")


class Notebook:
    """One notebook in one browser page."""

    def __init__(self, lab: Lab, page: Any, name: str) -> None:
        self.lab, self.page, self.name = lab, page, name
        self.errors: list[str] = []
        self._talk: tuple[str, Any] | None = None  # the kernel's id and a client of it
        page.on("console", lambda m: self.errors.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda e: self.errors.append(str(e)))

    def open(self) -> None:
        """Load, or load again, the page and wait for its kernel."""
        self.page.goto(f"{self.lab.url}/lab/tree/{self.name}?token={self.lab.token}&reset")
        self.page.wait_for_function(
            "window.jupyterapp && document.querySelector('.jp-NotebookPanel .jp-Cell')", timeout=60_000
        )
        self.page.wait_for_function(IDLE, timeout=60_000)
        with contextlib.suppress(Exception):
            self.command("application:toggle-left-area")

    def command(self, name: str, args: dict[str, Any] | None = None) -> Any:
        """Run a command of JupyterLab."""
        return self.page.evaluate(
            "([n, a]) => window.jupyterapp.commands.execute(n, a || {}).then(() => null)", [name, args]
        )

    def run_all(self, timeout: float = 60) -> None:
        """Run every cell and wait for the last."""
        # the command's own promise is not awaited: it hangs where a cell asks something
        self.page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells') }")
        self.page.wait_for_function(ALL_RUN, timeout=1000 * timeout)
        self.page.wait_for_function(IDLE, timeout=1000 * timeout)

    def run_cell(self, index: int, timeout: float = 30, wait: bool = True) -> None:
        """Run one cell."""
        self.page.evaluate(
            """(i) => { const nb = window.jupyterapp.shell.currentWidget.content; nb.activeCellIndex = i;
            nb.deselectAll(); window.jupyterapp.commands.execute('notebook:run-cell') }""",
            index,
        )
        if wait:
            self.page.wait_for_function(CELL_RUN, arg=index, timeout=1000 * timeout)

    def box(self, selector: str, nth: int = 0) -> dict[str, float]:
        """Scroll an element into view and return its x, y, width and height on the page, once it stays there.

        After a run JupyterLab goes on scrolling to the last cell for a while, and cells that come into view take
        their true height only then.
        """
        element = self.page.locator(selector).nth(nth)
        places: list[Any] = []
        while len(places) < 3 or any(place != places[-1] for place in places[-3:]):
            if len(places) == 100:
                raise TimeoutError(f"{selector} does not come to rest; it was last at {places[-3:]}")
            element.scroll_into_view_if_needed()
            places.append(element.bounding_box())
            self.page.wait_for_timeout(60)
        return places[-1]

    def save(self) -> None:
        """Save the notebook file."""
        self.page.evaluate("() => window.jupyterapp.shell.currentWidget.context.save()")

    def python(self, expression: str, timeout: float = 60) -> Any:
        """Evaluate a Python expression in the notebook's kernel; the answer travels as JSON."""
        client = self._client()
        ask = {"r": f"__import__('json').dumps({expression}, default=float)"}
        sent = client.execute("", store_history=False, user_expressions=ask)
        reply = self._reply(client, sent, timeout)["content"]["user_expressions"]["r"]
        if reply["status"] != "ok":
            raise RuntimeError(f"{reply['ename']}: {reply['evalue']}")
        return json.loads(ast.literal_eval(reply["data"]["text/plain"]))

    def until(self, expression: str, timeout: float = 30) -> None:
        """Wait until a Python expression in the kernel is true."""
        deadline = time.monotonic() + timeout
        while not self.python(f"bool({expression})"):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{expression} did not become true in {timeout} s; {self.page.evaluate(SCENE)}")
            time.sleep(0.05)

    def close(self) -> None:
        """Let the kernel go, with every socket to it: many notebooks would use up the process's open files."""
        if self._talk is not None:
            client, self._talk = self._talk[1], None
            client.stop_channels()
            client.context.destroy(linger=0)

    def _client(self) -> Any:
        from jupyter_client import BlockingKernelClient

        (session,) = [s for s in self.lab.api("/api/sessions") if s["path"] == self.name]
        kernel = session["kernel"]["id"]
        if self._talk is None or self._talk[0] != kernel:
            self.close()
            client = BlockingKernelClient(connection_file=str(self.lab.folder / "runtime" / f"kernel-{kernel}.json"))
            client.load_connection_file()
            client.start_channels(iopub=False, stdin=False, hb=False, control=False)
            self._talk = kernel, client
        return self._talk[1]

    @staticmethod
    def _reply(client: Any, sent: str, timeout: float) -> dict[str, Any]:
        deadline = time.monotonic() + timeout
        while True:
            message = client.get_shell_msg(timeout=max(0.1, deadline - time.monotonic()))
            if message["parent_header"].get("msg_id") == sent:
                return message


def drag(page: Any, points: list[tuple[float, float]], pause_ms: float = 8) -> None:
    """Press at the first point, move along the others, release at the last."""
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point)
        time.sleep(pause_ms / 1000)
    page.mouse.up()
