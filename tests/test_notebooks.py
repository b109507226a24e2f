"""Every notebook runs from top to bottom, ends in pictures, and holds nothing of the machine it was made on."""

import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)


def outputs(notebook):
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


def test_there_is_a_tour():
    assert next(path.name for path in NOTEBOOKS) == "00_tour.ipynb"


@each_notebook
def test_it_runs_from_top_to_bottom(path, tmp_path):
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert not [output for output in outputs(notebook) if output.output_type == "error"]
    assert not [output for output in outputs(notebook) if output.get("name") == "stderr"]


@each_notebook
def test_it_is_saved_with_its_pictures(path):
    notebook = nbformat.read(path, as_version=4)
    pictures = [output for output in outputs(notebook) if {"image/png", "image/jpeg"} & set(output.get("data", {}))]
    assert len(pictures) >= 3
    assert path.stat().st_size < 2_000_000


@each_notebook
def test_it_holds_no_path_of_a_machine_and_no_widget_state(path):
    text = path.read_text(encoding="utf-8")
    for folder in (Path.home(), Path(__file__).parents[1], Path(sys.prefix)):
        assert f"{folder}/" not in text
    assert "/home/" not in text
    assert "application/vnd.jupyter.widget-state+json" not in text
