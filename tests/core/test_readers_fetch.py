"""Models from the network: fetched once, resumed, checked, and never half in the cache."""

import hashlib
import threading
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ganedit_widgets.core.errors import ModelError
from ganedit_widgets.core.generators.load import load_generator, save_model
from ganedit_widgets.core.readers import fetch as module
from ganedit_widgets.core.readers.fetch import cache_folder, fetch, is_address, require_safe, split_address
from tests.tiny import tiny


class Server:
    """Serves one file on loopback, with the faults that are asked for."""

    def __init__(self, content):
        self.content, self.requests = content, []
        self.break_after = []  # bytes after which the next answers break off
        self.status = []  # of the next answers, before good ones
        self.tag = '"one"'
        self.ranges, self.length, self.location = True, True, None

    @contextmanager
    def running(self):
        handler = partial(_Handler, self)
        httpd = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        self.address = f"http://127.0.0.1:{httpd.server_port}/models/tiny.safetensors"
        try:
            yield self
        finally:
            httpd.shutdown()
            httpd.server_close()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, server, *arguments):
        self.plan = server
        super().__init__(*arguments)

    def log_message(self, *_):
        pass

    def do_GET(self):
        plan = self.plan
        plan.requests.append(dict(self.headers))
        if plan.status:
            return self.answer(plan.status.pop(0), b"")
        if plan.location:
            return self.answer(302, b"", {"Location": plan.location})
        asked = self.headers.get("Range")
        if asked and plan.ranges and self.headers.get("If-Range") == plan.tag:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            return self.answer(206, plan.content[start:], {"Content-Range": f"bytes {start}-/{len(plan.content)}"})
        return self.answer(200, plan.content)

    def answer(self, status, body, headers=()):
        self.send_response(status)
        for name, value in dict(headers).items():
            self.send_header(name, value)
        if self.plan.length:
            self.send_header("Content-Length", str(len(body)))
        if self.plan.tag:
            self.send_header("ETag", self.plan.tag)
        self.end_headers()
        self.wfile.write(body[: self.plan.break_after.pop(0)] if self.plan.break_after and body else body)


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "tiny.safetensors"
    save_model(path, tiny().network, meta={"name": "tiny"})
    return path.read_bytes()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GANEDIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(module, "WAIT", 0.0)
    return tmp_path / "cache"


@pytest.fixture
def server(content, cache):
    with Server(content).running() as running:
        yield running


def files(cache):
    return sorted(path.name for path in cache.iterdir()) if cache.exists() else []


def test_a_model_is_fetched_once_and_then_read_from_the_cache(server, cache):
    generator = load_generator(server.address, "cpu")
    assert generator.fingerprint == tiny().fingerprint
    assert load_generator(server.address, "cpu").fingerprint == generator.fingerprint
    assert len(server.requests) == 1
    assert [name.endswith("-tiny.safetensors") for name in files(cache)] == [True]
    assert eval(generator.code, {"load_generator": load_generator}).fingerprint == generator.fingerprint


def test_progress_is_reported_up_to_the_whole(server, content, monkeypatch):
    monkeypatch.setattr(module, "CHUNK", 1000)
    seen = []
    fetch(server.address, lambda done, total: seen.append((done, total)))
    assert seen[-1] == (len(content), len(content))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen) and len(seen) > 10


def test_a_server_that_does_not_tell_the_length_is_believed(server, content):
    server.length = False
    seen = []
    assert fetch(server.address, lambda done, total: seen.append((done, total))).read_bytes() == content
    assert seen[-1] == (len(content), None)


def test_a_broken_transfer_goes_on_where_it_stopped(server, content):
    server.break_after = [5000, 7000]
    assert fetch(server.address).read_bytes() == content
    assert [r.get("Range") for r in server.requests] == [None, "bytes=5000-", "bytes=12000-"]
    assert server.requests[1]["If-Range"] == '"one"'


def test_a_server_without_ranges_sends_everything_again(server, content):
    server.break_after, server.ranges = [5000], False
    assert fetch(server.address).read_bytes() == content


def test_a_file_that_changed_meanwhile_is_fetched_from_the_start(server, content):
    server.break_after = [5000]
    original = _Handler.answer

    def changed(handler, *arguments):
        original(handler, *arguments)
        server.tag = '"two"'

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_Handler, "answer", changed)
        assert fetch(server.address).read_bytes() == content


def test_an_interrupted_download_goes_on_in_the_next_call(server, content, cache, monkeypatch):
    monkeypatch.setattr(module, "CHUNK", 1000)

    def interrupt(done, total):
        if done >= 9000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(server.address, interrupt)
    assert [name.endswith(".part") for name in files(cache)] == [True]
    assert fetch(server.address).read_bytes() == content
    assert server.requests[-1]["Range"] == "bytes=9000-"
    assert len(files(cache)) == 1


def test_a_download_that_another_process_is_at_is_left_alone(server, content, cache):
    kept = fetch(server.address)
    kept.unlink()
    busy = cache / f"{kept.name}.00000000.part"
    busy.mkdir()
    (busy / "data").write_bytes(b"something else")
    (busy / "tag").write_text('"one"')
    assert fetch(server.address).read_bytes() == content
    assert (busy / "data").read_bytes() == b"something else" and "Range" not in server.requests[-1]


@pytest.mark.parametrize("status", [500, 503, 429])
def test_passing_faults_of_the_server_are_waited_for(status, server, content):
    server.status = [status, status]
    assert fetch(server.address).read_bytes() == content


@pytest.mark.parametrize(("status", "reason"), [(404, "answers 404"), (403, "answers 403"), (401, "answers 401")])
def test_other_faults_are_told_at_once(status, reason, server, cache):
    server.status = [status]
    with pytest.raises(ModelError, match=reason):
        fetch(server.address)
    assert len(server.requests) == 1 and files(cache) == []


def test_a_lasting_fault_ends_with_one_sentence_and_an_empty_cache(server, cache):
    server.status = [503] * module.ATTEMPTS
    with pytest.raises(ModelError, match="could not be fetched"):
        fetch(server.address)
    assert files(cache) == []


def test_no_server_at_all_ends_with_one_sentence(content, cache):
    with Server(content).running() as gone:
        address = gone.address
    with pytest.raises(ModelError, match="could not be fetched") as caught:
        load_generator(address, "cpu")
    assert "\n" not in str(caught.value) and files(cache) == []


@pytest.mark.parametrize("body", [b"<!DOCTYPE html><html>Sign in first</html>", b"", b"\xff\xd8\xff\xe0 picture"])
def test_what_is_no_model_does_not_get_into_the_cache(body, server, cache):
    server.content = body
    with pytest.raises(ModelError, match="not a model"):
        fetch(server.address)
    assert files(cache) == []


def test_the_sha256_is_checked_on_arrival_and_in_the_cache(server, content, cache):
    good, bad = hashlib.sha256(content).hexdigest(), "0" * 64
    with pytest.raises(ModelError, match="SHA-256"):
        fetch(f"{server.address}#sha256={bad}")
    assert files(cache) == []
    path = fetch(f"{server.address}#sha256={good.upper()}")
    assert fetch(server.address, sha256=good) == path and len(server.requests) == 2
    with pytest.raises(ModelError, match="cached copy"):
        fetch(server.address, sha256=bad)


def test_redirects_to_unsafe_addresses_are_refused(server, cache):
    server.location = "http://example.com/model.pkl"
    with pytest.raises(ModelError, match="https"):
        fetch(server.address)
    assert files(cache) == []


def test_a_cache_that_cannot_be_made_is_named(server, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("GANEDIT_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(ModelError, match="GANEDIT_CACHE"):
        fetch(server.address)


# ---- addresses, without a network


@pytest.mark.parametrize(
    "url", ["https://example.com/m.pkl", "http://localhost:8000/m", "http://127.0.0.1/m", "http://[::1]/m"]
)
def test_safe_addresses_are_accepted(url):
    require_safe(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/m.pkl",
        "http://127.0.0.1.example.com/m.pkl",
        "http://localhost@example.com/m.pkl",
        "ftp://example.com/m.pkl",
        "file:///etc/passwd",
        "https:///m.pkl",
    ],
)
def test_unsafe_addresses_are_refused(url):
    with pytest.raises(ModelError, match="https://"):
        load_generator(url, "cpu")


def test_paths_are_no_addresses(tmp_path):
    assert is_address("https://example.com/m.pkl") and is_address("HTTPS://example.com") and is_address("file:///x")
    assert not is_address("models/m.pkl") and not is_address("C:\\models\\m.pkl") and not is_address(tmp_path)


def test_the_fragment_names_the_digest():
    digest = "ab" * 32
    assert split_address(f"https://example.com/m.pkl#sha256={digest}") == ("https://example.com/m.pkl", digest)
    assert split_address("https://example.com/m.pkl#top") == ("https://example.com/m.pkl", None)
    for wrong in ("12", "xy" * 32):
        with pytest.raises(ModelError, match="64 hexadecimal"):
            split_address(f"https://example.com/m.pkl#sha256={wrong}")
    with pytest.raises(ModelError, match="one number"):
        split_address(f"https://example.com/m.pkl#sha256={digest}", "cd" * 32)


def test_the_cache_folder_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("GANEDIT_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("GANEDIT_CACHE")
    monkeypatch.setattr(module.sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "ganedit"
