"""What the browser tests of several panels do alike: begin, open a tab, press, wait for the picture."""

TIMEOUT = 12_000  # milliseconds: a wrong selector should not take half a minute
CANVAS = """() => { const c = document.querySelector('.ge-pane-result canvas');
    return [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data].filter((_, i) => i % 4 < 3) }"""
OUTSIDE = """() => { const f = document.querySelector('.ge-studio').getBoundingClientRect();
    return [...document.querySelectorAll('.ge-studio *')]
        .filter(n => n.getClientRects().length && !n.closest('.ge-list, pre'))
        .filter(n => n.getBoundingClientRect().right > f.right + 1).map(n => n.className || n.tagName) }"""


def healthy(notebook):
    """Whether nothing of ours complains in the browser's console."""
    return not [error for error in notebook.errors if "ganedit" in error or "anywidget" in error]


def begin(notebook, selector=".ge-studio .ge-has-picture"):
    notebook.run_all()
    notebook.page.wait_for_selector(selector)
    notebook.page.set_default_timeout(TIMEOUT)


def settled(notebook):
    """Wait until Python is at rest and the page shows exactly its picture; return it."""
    notebook.until("studio.session._turns[-1].finished and not studio.session.moving")
    wanted = notebook.python("studio.session.pixels.ravel().tolist()")
    notebook.page.wait_for_function(
        f"w => {{ const p = ({CANVAS})(); return w.length === p.length && w.every((v, i) => v === p[i]) }}", arg=wanted
    )
    return wanted


def tab(notebook, name):
    notebook.page.get_by_role("tab", name=name).click()
    notebook.until(f"getattr(studio._panels.get(studio.head.tab), 'title', '') == {name!r}")  # it is made first
    notebook.page.wait_for_function("document.querySelectorAll('.ge-side > .ge-panel').length > 0")
    notebook.page.wait_for_timeout(300)


def press(notebook, name):
    notebook.page.locator(".ge-panel:visible").get_by_role("button", name=name, exact=True).first.click()


def labels(notebook):
    return notebook.python("[entry.label for entry in studio.session.entries]")


def shoot(page, path):
    page.wait_for_timeout(900)
    page.locator(".ge-studio").screenshot(path=path)
