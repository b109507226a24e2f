"""The parts panel without a browser: finding, naming, merging, undoing, files, code; the board other panels read."""

import io
import threading
import time

import numpy as np
import pytest
import torch
from PIL import Image

from ganedit_widgets.core import LatentError
from ganedit_widgets.core.edits import Sample
from ganedit_widgets.core.parts import build_catalog, load_catalog, save_catalog, survey
from ganedit_widgets.panels import PartsPanel, Session
from ganedit_widgets.panels.part_view import PartView, Tile
from tests.tiny import odd, tiny


def make(generator, k=4):
    *_, last = build_catalog(generator, k=k, seeds=range(6), restarts=1)
    return last.catalog


@pytest.fixture(scope="module")
def catalog():
    return make(tiny())


@pytest.fixture
def panel(session, catalog):
    panel = PartsPanel(session)
    session.parts.take(catalog)
    yield panel
    panel.close()


def click(panel, *names):
    """Select parts as the browser does."""
    panel.view.set_state({"selected": list(names)})


def names(panel):
    return [part["name"] for part in panel.view.parts]


def type_name(panel, text):
    panel.editor.name.set_state({"value": text})


# ---- finding


def test_without_a_catalog_the_pictures_are_there_and_it_says_what_to_do(session, until):
    panel = PartsPanel(session)
    until(lambda: len(panel.view.tiles) == 5)
    assert "Find parts" in panel.view.hint and panel.view.parts == []
    assert all(tile.clusters is None for tile in panel.view.tiles)
    panel.close()


def test_found_parts_are_listed_and_laid_over_every_picture(session, until):
    panel = PartsPanel(session)
    panel.count.value, panel.samples.value = 5, 6
    panel.apply_button.click()
    until(lambda: session.busy == "" and session.parts.catalog is not None)
    assert names(panel) == [f"part {i}" for i in range(1, 6)]
    until(lambda: len(panel.view.tiles) == 5 and all(tile.clusters is not None for tile in panel.view.tiles))
    assert panel.view.tiles[0].main and np.array_equal(panel.view.tiles[0].pixels, session.pixels)
    assert "5 parts are found" in session.message.text and "Undo" not in session.message.text
    panel.close()


def test_progress_counts_to_its_total(panel, session):
    panel.samples.value = 4
    seen = []
    session.observe(lambda change: seen.append(change["new"]), "progress")
    panel.find().wait(20)
    last = [progress for progress in seen if progress is not None][-1]
    assert last.step == last.total


def test_stop_leaves_the_catalog_as_it_is(panel, session, catalog):
    panel.samples.value = 2000
    turn = panel.find()
    session.stop()
    turn.wait(10)
    assert session.parts.catalog is catalog and "stopped" in session.message.text


def test_every_layer_that_can_be_clustered_is_offered(panel, session, until):
    until(lambda: len(panel.layer.options) > 1)
    assert [value for _, value in panel.layer.options] == [
        "",
        "b4.conv1",
        "b8.conv0",
        "b8.conv1",
        "b16.conv0",
        "b16.conv1",
    ]
    panel.layer.value, panel.samples.value = "b4.conv1", 6
    panel.find().wait(20)
    assert session.parts.catalog.layer == "b4.conv1"
    assert session.parts.clusters(session.latent).shape == (4, 4)


def test_more_parts_than_places_is_one_sentence(panel, session, until, catalog):
    until(lambda: len(panel.layer.options) > 1)
    panel.layer.value, panel.samples.value, panel.count.value = "b4.conv1", 2, 64
    with pytest.raises(LatentError):
        panel.find().wait(20)
    assert session.message.level == "error" and "64 clusters" in session.message.text
    assert session.parts.catalog is catalog


def test_a_model_whose_activations_are_not_finite_is_one_sentence(catalog):
    generator = tiny(3)
    with torch.no_grad():
        generator.network.synthesis.style_layers()["b8.conv1"][1].weight.fill_(float("nan"))
    session = Session(tiny())
    panel = PartsPanel(session)
    session.generator = generator
    panel.samples.value = 2
    with pytest.raises(LatentError):
        panel.find().wait(20)
    assert session.message.level == "error" and "not finite" in session.message.text
    panel.close()
    session.close()


# ---- selecting and changing


def test_a_click_selects_and_everybody_knows(panel, session):
    click(panel, "part 2")
    assert session.parts.selected == ("part 2",) and panel.editor.name.value == "part 2"
    session.parts.selected = ("part 3",)
    assert panel.view.selected == ["part 3"]


def test_a_typed_name_is_the_part_s_and_undo_takes_it_back(panel, session):
    click(panel, "part 2")
    type_name(panel, "hair")
    assert names(panel) == ["part 1", "hair", "part 3", "part 4"] and panel.view.selected == ["hair"]
    panel.editor.undo_button.click()
    assert names(panel)[1] == "part 2"
    panel.editor.redo_button.click()
    assert names(panel)[1] == "hair"


def test_a_name_that_is_taken_is_refused_and_the_old_one_stays(panel, session):
    click(panel, "part 2")
    type_name(panel, "part 1")
    assert session.message.level == "error" and "taken" in session.message.text
    assert panel.editor.name.value == "part 2" and names(panel)[1] == "part 2"


def test_merging_and_splitting_go_to_and_fro(panel, session):
    click(panel, "part 1", "part 3")
    type_name(panel, "face")
    panel.editor.merge_button.click()
    assert names(panel) == ["face", "part 2", "part 4"] and panel.view.selected == ["face"]
    assert panel.view.parts[0]["clusters"] == [0, 2]
    panel.editor.split_button.click()
    assert names(panel) == ["face 1", "face 2", "part 2", "part 4"] and panel.view.selected == ["face 1", "face 2"]
    panel.view._receive(None, {"t": "action", "name": "undo"}, [])  # Ctrl+Z on the picture
    assert names(panel) == ["face", "part 2", "part 4"]


def test_buttons_say_why_they_cannot_be_pressed(panel):
    editor = panel.editor
    assert editor.merge_button.disabled and "Shift" in editor.merge_button.tooltip
    assert editor.split_button.disabled and "Select one" in editor.split_button.tooltip
    click(panel, "part 1")
    assert "single cluster" in editor.split_button.tooltip
    assert editor.undo_button.disabled and editor.redo_button.disabled and editor.redo_button.tooltip


def test_a_new_catalog_can_be_undone_with_its_names(panel, session):
    click(panel, "part 1")
    type_name(panel, "hair")
    panel.samples.value, panel.count.value = 4, 3
    panel.find().wait(20)
    assert len(names(panel)) == 3 and panel.view.selected == []
    panel.editor.undo_button.click()
    assert names(panel)[0] == "hair"


def test_names_are_carried_over_to_a_new_catalog(panel, session, tmp_path, monkeypatch):
    assert panel.editor.carry_button.disabled and "names" in panel.editor.carry_button.tooltip
    click(panel, "part 1", "part 3")
    type_name(panel, "face")
    panel.editor.merge_button.click()
    before = session.parts.catalog.part_map(session.generator, [session.latent])
    panel.samples.value, panel.count.value = 8, 8
    panel.find().wait(20)
    assert "face" not in names(panel) and not panel.editor.carry_button.disabled
    assert "Undo brings the named parts back" in session.message.text
    panel.editor.carry_button.click()
    session._tasks[-1].wait(20)
    assert "face" in names(panel) and len(names(panel)) <= 3
    parts = session.parts.catalog.parts
    after = session.parts.catalog.part_map(session.generator, [session.latent])
    face = [part.name for part in parts].index("face")
    assert ((after == face) == (before == 0)).float().mean() > 0.7
    panel.code_fold.opened = True
    code = panel.code_fold.content
    (file,) = code.files().items()
    (tmp_path / file[0]).write_bytes(file[1])
    monkeypatch.chdir(tmp_path)
    exec(panel.code(), {})
    assert load_catalog("parts.safetensors").parts == parts


# ---- what others read


def test_the_selection_is_a_mask_of_any_picture(panel, session, catalog):
    assert session.parts.mask(session.latent) is None
    click(panel, "part 1", "part 2")
    mask = session.parts.mask(session.latent)
    found = catalog.part_map(session.generator, [session.latent])[0].numpy()
    assert mask.shape == session.generator.size and np.array_equal(mask, found < 2)


def test_the_tiles_follow_the_picture_on_show_and_a_hidden_panel_waits(panel, session, until):
    until(lambda: len(panel.view.tiles) == 5)
    session.preview(Sample(5)).wait(10)
    until(lambda: np.array_equal(panel.view.tiles[0].pixels, session.pixels))
    panel.layout.display = "none"
    before = panel.view.tiles
    session.preview(Sample(6)).wait(10)
    time.sleep(0.1)
    assert panel.view.tiles is before
    panel.layout.display = None
    until(lambda: np.array_equal(panel.view.tiles[0].pixels, session.pixels))


def test_other_samples_are_other_pictures(panel, until):
    until(lambda: len(panel.view.tiles) == 5)
    before = [tile.id for tile in panel.view.tiles]
    panel.more_button.click()
    until(lambda: {tile.id for tile in panel.view.tiles} & set(before) == {"here"})


def test_a_closed_panel_hears_nothing_any_more_and_may_be_closed_again(session, catalog):
    panel = PartsPanel(session)
    panel.close()
    session.parts.take(catalog)
    assert panel.view.parts == []
    panel.close()


# ---- files and code


@pytest.fixture
def files(panel):
    panel.files_fold.opened = True
    return panel.files_fold.content


def test_a_catalog_is_saved_and_opened_again(panel, session, files, tmp_path):
    click(panel, "part 1")
    type_name(panel, "hair")
    files.path.value = str(tmp_path / "mine.safetensors")
    files.save_button.click()
    assert load_catalog(tmp_path / "mine.safetensors").parts[0].name == "hair"
    panel.editor.undo_button.click()
    files.open_button.click()
    assert names(panel)[0] == "hair" and "in use" in session.message.text


def test_a_file_of_another_model_or_none_is_one_sentence(panel, session, files, tmp_path, catalog):
    save_catalog(tmp_path / "other.safetensors", make(odd()))
    (tmp_path / "notes.txt").write_text("no catalog")
    for name, says in (("other.safetensors", "checkpoint"), ("notes.txt", "damaged"), ("nothing", "no file")):
        files.path.value = str(tmp_path / name)
        files.open_button.click()
        assert session.message.level == "error" and says in session.message.text and "\n" not in session.message.text
    assert session.parts.catalog is catalog


def test_the_code_finds_changes_and_saves_the_same_catalog(session, tmp_path, monkeypatch):
    panel = PartsPanel(session)
    panel.samples.value, panel.count.value = 4, 3
    panel.find().wait(20)
    click(panel, "part 1", "part 3")
    type_name(panel, "it's hair")
    panel.editor.merge_button.click()
    panel.code_fold.opened = True
    monkeypatch.chdir(tmp_path)
    exec(panel.code(), {})
    made, mine = load_catalog("parts.safetensors"), session.parts.catalog
    assert made.parts == mine.parts and torch.equal(made.clusters.centers, mine.clusters.centers)
    assert "merged" in panel.code_fold.content.text.value
    panel.close()


def test_the_figure_has_the_pictures_their_parts_and_names(panel, files, until):
    messages = []
    panel.frame.head.send = lambda content, buffers=None: messages.append((content, buffers[0]))
    until(lambda: len(panel.view.tiles) == 5 and all(tile.clusters is not None for tile in panel.view.tiles))
    panel.view.opacity = 1.0
    files.figure_button.click()
    figure = Image.open(io.BytesIO(messages[-1][1]))
    tile, catalog = panel.view.tiles[0], panel.board.catalog
    assert figure.width == 5 * (256 + 8) + 8 and figure.height > 2 * 264
    assert figure.getpixel((9, 265 + 8)) == catalog.parts[tile.clusters[0, 0]].color


# ---- which layer, how many


def test_layers_and_numbers_are_tried_and_the_best_is_taken(panel, session, until):
    until(lambda: panel.sizes)
    panel.survey_fold.opened = True
    survey = panel.survey_fold.content
    assert survey.best.disabled and survey.layers() == ["b8.conv0", "b8.conv1"]
    survey.try_button.click()
    until(lambda: len(survey.points) == 14 and session.busy == "", 60)
    best = max((p for p in survey.points if p.layer == "b8.conv1"), key=lambda point: point.silhouette)
    assert survey.plot.value.count("<circle") == 14 and survey.plot.value.count("<polyline") == 2
    survey.best.index = 2
    assert (panel.layer.value, panel.count.value) == (best.layer, best.k)


def test_trying_is_stopped_and_keeps_what_it_found(panel, session, until, monkeypatch):
    opened = threading.Event()

    def waiting(*arguments):
        for progress in survey(*arguments):
            yield progress
            if len(panel.survey_fold.content.points) > 2:
                opened.wait(10)

    monkeypatch.setattr("ganedit_widgets.panels.part_survey.survey", waiting)
    until(lambda: panel.sizes)
    panel.survey_fold.opened = True
    plot = panel.survey_fold.content
    turn = plot.run()
    until(lambda: len(plot.points) > 2)
    session.stop()
    opened.set()
    turn.wait(10)
    assert 2 < len(plot.points) < 14 and "stopped" in session.message.text


# ---- the widget


def test_a_picture_the_page_has_is_not_sent_again():
    view, sent = PartView(), []
    view.send = lambda message, buffers: sent.append((message, buffers))
    view._receive(None, {"t": "ready"}, [])
    pixels, map_ = np.zeros((8, 8, 3), np.uint8), np.ones((2, 3), np.uint8)
    view.show([Tile("a", "", pixels, None, True)])
    view._receive(None, {"t": "ack", "seq": sent[-1][0]["seq"]}, [])
    view.show([Tile("a", "", pixels, map_, True)])
    (first, _), (second, buffers) = sent
    assert first["tiles"][0]["picture"] == 0 and first["tiles"][0]["map"] is None
    assert second["tiles"][0]["picture"] is None and (second["tiles"][0]["h"], second["tiles"][0]["w"]) == (2, 3)
    assert bytes(buffers[0]) == b"\1" * 6
    view._receive(None, {"t": "ready"}, [])
    assert len(sent[-1][1]) == 2  # a reloaded page has nothing
    view.close()
