"""Fixtures of the browser tests: they skip, saying why, where no Chromium is installed; CI fails instead."""

import os
from pathlib import Path

import pytest

from tests.browser.component import open_page
from tests.browser.harness import FLAGS, Lab, find_browser


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


def _missing(reason):
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(f"CI must run the browser tests: {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="module")
def chromium():
    """A running Chromium. One per module: Playwright's event loop must not live on while other tests run."""
    path = find_browser()
    if path is None:
        _missing("no Chromium or Chrome found (install chromium, or set CHROME to its path)")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        _missing("Playwright is not installed (pip install playwright)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """One JupyterLab server for the whole test session."""
    if find_browser() is None:
        _missing("no Chromium or Chrome found (install chromium, or set CHROME to its path)")
    with Lab(tmp_path_factory.mktemp("lab")) as server:
        yield server


@pytest.fixture(scope="session")
def shots(tmp_path_factory):
    """Where screenshots go: the folder GANEDIT_SCREENSHOTS, else a temporary one."""
    folder = Path(os.environ.get("GANEDIT_SCREENSHOTS") or tmp_path_factory.mktemp("screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def tab(chromium):
    """One page for the component tests of a module; a new page for each would cost them most of their time."""
    with open_page(chromium) as page:
        yield page


@pytest.fixture
def page(tab):
    """The module's page, blank again."""
    tab.goto("about:blank")
    return tab
