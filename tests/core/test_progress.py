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


def test_what_was_done_before_has_no_part_in_the_time_left(capsys, monkeypatch):
    monkeypatch.setattr(progress, "EVERY", 0.0)
    with Bar(total=1000, unit="picture") as bar:
        for done in (800, 801, 802):  # a run that goes on, 5 ms for each
            bar.go_to(done)
            time.sleep(0.2)
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("80 % (802 of 1000)") and "00:00 left" not in last


def test_a_total_may_come_later_or_without_its_name(capsys, monkeypatch):
    monkeypatch.setattr(progress, "EVERY", 0.0)
    with Bar(unit="picture") as bar:
        bar.total = 4
        bar.update(2)
    for _ in Bar(iter(range(2)), "seen", 2):
        time.sleep(0.01)
    text = capsys.readouterr().err
    assert "50 % (2 of 4)" in text and "seen: 100 % (2 of 2)" in text and "|" not in text


def test_no_line_is_written_twice(capsys, monkeypatch):
    monkeypatch.setattr(progress, "EVERY", 0.0)
    with Bar(total=1) as bar:
        bar.update()
        bar.refresh()
        bar.refresh()
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == len(set(lines))


class Gone:
    """A pipe whose reader is gone."""

    def write(self, text):
        raise BrokenPipeError(32, "Broken pipe")

    flush = close = lambda self: self.write("")


@pytest.mark.parametrize("stderr", [Gone(), None], ids=["a broken pipe", "none at all"])
def test_nobody_who_reads_is_no_reason_to_end(monkeypatch, stderr):
    monkeypatch.setattr(progress, "EVERY", 0.0)
    monkeypatch.setattr(sys, "stderr", stderr)
    with Bar(total=3) as bar:
        for _ in range(3):
            bar.update()
    assert bar.disable or bar.n == 3
