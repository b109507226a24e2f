"""The stairs go one way, the doors are light, and nothing grows beyond what can be read."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import ganedit_widgets

ROOT = Path(ganedit_widgets.__file__).parent
UPSTAIRS = {"ipywidgets", "ipycanvas", "IPython", "traitlets", "anywidget", "ipykernel", "panels"}
FILES = sorted(p for p in ROOT.rglob("*.py") if "notebooks" not in p.parts)
GROUND = [p for p in FILES if p.relative_to(ROOT).parts[0] in ("core", "demo")]

MOST_FILE, MOST_FUNCTION, MOST_CLASS = 300, 50, 200  # lines, docstrings included
EXCEPTIONS: dict[str, str] = {}  # "path::name" -> why it may be longer

each_file = pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))


def names_imported(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (part for alias in node.names for part in alias.name.split("."))
        elif isinstance(node, ast.ImportFrom):
            yield from (node.module or "").split(".")
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize("path", GROUND, ids=lambda p: str(p.relative_to(ROOT)))
def test_the_ground_floor_imports_nothing_from_upstairs(path):
    assert UPSTAIRS.isdisjoint(names_imported(path))


@pytest.mark.parametrize("name", ["ganedit_widgets", "ganedit_widgets.core"])
def test_importing_the_package_imports_neither_torch_nor_jupyter(name):
    asked = f"import sys, {name}; print([m for m in ('torch', 'numpy', 'IPython', 'ipywidgets') if m in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True, cwd=ROOT.parent)
    assert answer.stdout.strip() == "[]"


@each_file
def test_the_device_is_chosen_and_never_assumed(path):
    assert ".cuda(" not in path.read_text()


@each_file
def test_only_the_command_line_prints(path):
    tree = ast.parse(path.read_text())
    prints = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and getattr(n.func, "id", "") == "print"]
    assert not prints or "cli" in path.relative_to(ROOT).parts[0]


@each_file
def test_no_except_is_bare(path):
    handlers = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.ExceptHandler)]
    assert all(handler.type is not None for handler in handlers)


@each_file
def test_every_module_says_in_a_sentence_what_it_is(path):
    first = (ast.get_docstring(ast.parse(path.read_text())) or "").split("\n\n")[0]
    assert 10 < len(first) < 250


@each_file
def test_nothing_is_longer_than_its_budget(path):
    source, name = path.read_text(), str(path.relative_to(ROOT))
    found = [(name, source.count("\n"), MOST_FILE)]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            most = MOST_CLASS if isinstance(node, ast.ClassDef) else MOST_FUNCTION
            found.append((f"{name}::{node.name}", node.end_lineno - node.lineno + 1, most))
    assert not [(what, lines) for what, lines, most in found if lines > most and what not in EXCEPTIONS]


def test_every_exception_has_a_reason_and_a_place():
    for what, reason in EXCEPTIONS.items():
        path, _, name = what.partition("::")
        assert len(reason) > 20 and name in (ROOT / path).read_text()
