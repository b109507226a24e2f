"""Frame and studio: what the browser's messages do, and what is told back; no browser."""

import io
import json
import subprocess
import sys
import zipfile

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

from ganedit_widgets.core.edits import Sample
from ganedit_widgets.core.image import read_image
from ganedit_widgets.core.recipe import load_recipe
from ganedit_widgets.panels import Frame, Studio, TraversePanel
from ganedit_widgets.panels.filmstrip import Filmstrip
from ganedit_widgets.panels.knobs import Knobs
from ganedit_widgets.panels.snapshot import replacing


@pytest.fixture
def studio(generator):
    studio = Studio(generator)
    studio.panel.ready.wait(10)
    yield studio
    studio.close()
    studio.session.close()


def sent(widget):
    """Catch what a widget sends to the browser."""
    messages = []
    widget.send = lambda content, buffers=None: messages.append((content, buffers))
    return messages


def press(widget, name):
    widget._receive(None, {"t": "action", "name": name}, [])


def order(studio, kind, **fields):
    studio.head._receive(None, {"t": kind, **fields}, [])
    studio.session.wait(10)


def test_a_studio_shows_a_picture_at_once(studio):
    assert np.array_equal(studio.stage.pixels, studio.session.pixels)
    assert [text for text, _ in studio.head.chips] == ["tiny", "16 × 16", "cpu"]
    assert studio.head.tabs[0] == "Traverse"


def test_keys_and_buttons_undo_redo_and_stop(studio):
    session = studio.session
    first = session.pixels
    session.apply(Sample(5)).wait(10)
    press(studio.stage, "undo")
    session.wait(10)
    assert np.array_equal(session.pixels, first)
    press(studio.strip, "redo")  # wherever the focus is
    session.wait(10)
    assert not np.array_equal(session.pixels, first)
    assert "redo" in studio.stage.disabled and "undo" not in studio.stage.disabled
    press(studio.foot, "stop")


def test_keys_work_from_the_controls_of_a_panel_too(studio):
    studio.session.apply(Sample(5)).wait(10)
    press(studio.panel.knobs, "undo")
    studio.session.wait(10)
    assert len(studio.session.history.edits) == 1


def test_enter_applies_the_panel_on_show(studio):
    studio.panel.seeds.go_to(3)
    press(studio.stage, "apply")
    studio.session.wait(10)
    assert studio.session.history.edits[-1].seed == 3


def test_the_history_strip_shows_every_step_and_goes_there(studio):
    studio.session.apply(Sample(5)).wait(10)
    strip = studio.strip._stream.last
    assert [cell.caption for cell in strip.cells] == ["average", "seed 4", "seed 5"] and strip.current == 2
    studio.strip._receive(None, {"t": "select", "id": 1}, [])
    studio.session.wait(10)
    assert studio.session.history.index == 1 and studio.strip._stream.last.undone == {2}


def test_what_runs_is_told_with_the_time_left(studio, until):
    seen = []
    studio.foot.observe(lambda change: seen.append(change["new"]), "busy")

    def steps():
        for _ in range(10):
            yield

    studio.session.task("looking around", steps, 10).wait(10)
    assert seen == ["looking around", ""] and studio.foot.progress == {}


def test_errors_are_in_the_message_strip_with_details_for_bugs(studio):
    def broken():
        raise ZeroDivisionError("no")
        yield

    with pytest.raises(ZeroDivisionError):
        studio.session.task("x", broken).wait(10)
    assert studio.foot.level == "bug" and "Traceback" in studio.foot.details


def test_code_is_written_while_its_drawer_is_open(studio):
    assert studio.head.code == ""
    studio.head._receive(None, {"t": "drawer", "name": "code"}, [])
    assert "Sample(4" in studio.head.code
    studio.session.apply(Sample(5)).wait(10)
    assert "Sample(5" in studio.head.code


def test_the_png_given_to_the_user_holds_the_picture_and_its_recipe(studio):
    messages = sent(studio.head)
    order(studio, "download", what="png", to="page 1")
    ((message, (contents,)),) = messages
    assert message == {"t": "file", "name": "edited.png", "mime": "image/png", "to": "page 1"}
    assert np.array_equal(read_image(contents), studio.session.pixels)
    assert load_recipe(contents).edits[0].seed == 4


def test_a_picture_is_saved_on_the_server_and_opened_again(studio, tmp_path):
    path = tmp_path / "mine.png"
    shown = studio.session.pixels
    order(studio, "save", path=str(path))
    assert studio.head.path == str(path)
    studio.session.apply(Sample(5)).wait(10)
    order(studio, "open", path=str(path))
    assert np.array_equal(studio.session.pixels, shown)


def test_a_png_given_by_the_user_is_opened(studio):
    file = io.BytesIO()
    shown = studio.session.pixels
    studio.session.save(file).wait(10)
    studio.session.apply(Sample(5)).wait(10)
    studio.head._receive(None, {"t": "upload", "name": "a.png", "size": 1}, [memoryview(file.getvalue())])
    studio.session.wait(10)
    assert np.array_equal(studio.session.pixels, shown)


def test_a_file_that_cannot_be_opened_is_one_sentence(studio, tmp_path):
    with pytest.raises(Exception, match="cannot be opened"):
        order(studio, "open", path=str(tmp_path / "none.png"))
    assert studio.foot.level == "error" and studio.foot.text.count(".") <= 3


def test_files_beside_the_code_come_as_one_archive(studio, photo):
    messages = sent(studio.head)
    order(studio, "download", what="files", to="")
    ((message, (contents,)),) = messages
    assert message["name"] == "files.zip" and zipfile.ZipFile(io.BytesIO(contents)).namelist() == []


def test_studios_of_one_name_share_one_picture(generator):
    first, second = Studio(generator, session="shared"), Studio(session="shared")
    try:
        assert first.session is second.session
        first.session.apply(Sample(5)).wait(10)
        assert np.array_equal(second.stage.pixels, first.session.pixels)
    finally:
        first.session.close()


def test_a_studio_opens_a_file(generator, tmp_path):
    from ganedit_widgets.core.generators.load import save_model

    save_model(tmp_path / "m.safetensors", generator.network)
    studio = Studio(tmp_path / "m.safetensors")
    assert studio.session.generator.fingerprint == generator.fingerprint


def test_its_output_holds_a_still_picture_for_those_without_widgets(studio):
    bundle = studio._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert bundle["image/png"].startswith("iVBOR") and len(json.dumps(bundle)) < 200_000


def test_a_closed_frame_no_longer_listens(session):
    frame = Frame(session, [TraversePanel])
    shown = frame.stage.pixels
    frame.close()
    session.apply(Sample(5)).wait(10)
    assert frame.stage.pixels is shown


def test_a_cell_run_again_closes_what_it_showed_before():
    class Shown:
        open = True

        def close(self):
            self.open = False

    first, second, both, third = (Shown() for _ in range(4))
    shown = {}
    for frame, cell in [
        (first, ("a", "1")),
        (second, ("a", "1")),  # a cell may show several
        (both, ("a", "1")),
        (both, ("b", "2")),
        (third, None),  # not every front end tells the cell
        (second, ("a", "3")),  # shown again
    ]:
        replacing(lambda cell=cell: cell, shown, frame)
    assert [frame.open for frame in (first, second, both, third)] == [False, True, True, True]


def test_every_widget_that_knows_keys_is_connected(studio):
    studio.panel.find_fold.opened = True  # made only now
    knowing = [w for w in _all(studio) if isinstance(w, Knobs | Filmstrip)]
    assert len(knowing) == 3
    assert all(w._on_action.callbacks for w in knowing)


def _all(widget):
    for child in getattr(widget, "children", ()):
        yield child
        yield from _all(child)


def test_a_notebook_without_a_browser_runs_and_keeps_the_picture():
    cells = [
        "from tests.tiny import tiny\nfrom ganedit_widgets.panels import Studio\nstudio = Studio(tiny())\nstudio",
        "from ganedit_widgets.core.edits import Sample\nstudio.session.apply(Sample(3)).wait(20)\n"
        "await studio.session.undo()\nstudio.session.history",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in cells])
    NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    first, still = notebook.cells[0].outputs
    assert "application/vnd.jupyter.widget-view+json" in first["data"]
    assert "image/png" in still["data"] and "image/png" not in first["data"]
    assert notebook.cells[1].outputs[-1]["data"]["text/plain"] == "History(1 of 2: Sample(4))"


def test_importing_the_first_floor_imports_no_jupyter_until_a_class_is_asked_for():
    script = (
        "import sys, ganedit_widgets.panels as p; assert 'Studio' in dir(p); assert 'ipywidgets' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
