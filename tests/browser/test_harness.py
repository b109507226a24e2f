"""The harness itself: it finds the browser, and its absence is a skip here and a failure in CI."""

import sys

import pytest

from tests.browser import conftest, harness


def test_the_browser_named_by_the_environment_comes_first(monkeypatch):
    monkeypatch.setenv("CHROME", sys.executable)
    assert harness.find_browser() == sys.executable


def test_without_any_browser_none_is_found(monkeypatch):
    monkeypatch.setenv("CHROME", "/nowhere/chrome")
    monkeypatch.setattr(harness, "PLACES", ())
    monkeypatch.setenv("PATH", "")
    assert harness.find_browser() is None


def test_a_missing_browser_skips_here_and_fails_in_ci(monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no Chromium"):
        conftest._missing("no Chromium")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="no Chromium"):
        conftest._missing("no Chromium")
