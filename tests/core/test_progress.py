"""Progress where there is no terminal: few lines, each by itself, and none for what is soon over."""

import sys
import time

import pytest

from ganedit_widgets.core import progress
from ganedit_widgets.core.progress import Bar


@pytest.fixture(autouse=True)
def no_kernel(monkeypatch):
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)


def test_what_is_soon_over_says_nothing(capsys):
    assert list(Bar(range(5), "quick")) == list(range(5))
    assert capsys.readouterr().err == ""


def test_a_long_job_writes_lines_with_the_time_left(capsys, monkeypatch):
    monkeypatch.setattr(progress, "EVERY", 0.02)
    with Bar(total=4, desc="training", unit="picture") as bar:
        for _ in range(4):
            time.sleep(0.03)
            bar.set_postfix_str("loss 0.5", refresh=False)
            bar.update()
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) >= 3 and not any("\r" in line or "\x1b" in line for line in lines)
    assert lines[0].startswith("training: 25 % (1 of 4), 00:00 so far, 00:00 left, loss 0.5")
    assert "100 %" in lines[-1]


def test_bars_within_bars_are_lines_one_after_the_other(capsys, monkeypatch):
    monkeypatch.setattr(progress, "EVERY", 0.0)
    for _ in Bar(range(2), "outer"):
        for _ in Bar(range(2), "inner", leave=False):
            time.sleep(0.01)
    text = capsys.readouterr().err
    assert "\n\n" not in text and {line.split(":")[0] for line in text.splitlines()} == {"outer", "inner"}


def test_how_much_there_is_need_not_be_known(capsys, monkeypatch):
    monkeypatch.setattr(progress, "EVERY", 0.0)
    for _ in Bar(iter(range(2)), "some"):
        time.sleep(0.01)
    assert "2it" in capsys.readouterr().err


@pytest.mark.parametrize("reason", ["kernel", "asked"])
def test_a_notebook_and_whoever_is_not_to_speak_write_nothing(capsys, monkeypatch, reason):
    monkeypatch.setattr(progress, "EVERY", 0.0)
    if reason == "kernel":
        monkeypatch.setitem(sys.modules, "ipykernel", sys)
    for _ in Bar(range(2), disable=reason == "asked"):
        time.sleep(0.01)
    assert capsys.readouterr().err == ""


def test_a_terminal_gets_a_bar(monkeypatch):
    written = []

    class Terminal:
        encoding = "utf-8"

        def isatty(self):
            return True

        def write(self, text):
            written.append(text)

        def flush(self):
            pass

    monkeypatch.setattr(sys, "stderr", Terminal())
    list(Bar(range(3), "bar"))
    assert any(text.startswith("\r") for text in written)
