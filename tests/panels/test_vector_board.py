"""The shared library of edit vectors and the shared segmenter, without widgets."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from ganedit_widgets.core.errors import DirectionError, SegmentError
from ganedit_widgets.core.segment import Labeled, SegmentPlan, train_segmenter
from ganedit_widgets.core.segment.files import save_segmenter
from ganedit_widgets.core.vectors import files, illustrated, nearest, save_vectors, vector_of
from ganedit_widgets.panels import vector_board
from ganedit_widgets.panels.segment_board import SegmentBoard
from ganedit_widgets.panels.vector_board import VectorBoard
from tests.tiny import tiny


@pytest.fixture
def board(generator):
    return VectorBoard(generator)


def vector(generator, name, seed=0):
    return vector_of(generator, torch.randn(6, 8, generator=torch.Generator().manual_seed(seed)), name, ("left",))


def names(board):
    return [found.name for found in board.vectors]


def test_a_taken_name_gets_a_number_and_numbers_stay(generator, board):
    first, second = board.add(vector(generator, "smile"), vector(generator, "smile"))
    assert names(board) == ["smile", "smile 2"] and board.find(second).name == "smile 2"
    board.rename(first, " grin ")
    assert names(board) == ["grin", "smile 2"] and board.find(first).name == "grin"
    with pytest.raises(DirectionError, match="Another edit vector is called “grin”"):
        board.rename(second, "grin")
    with pytest.raises(DirectionError, match="needs a name"):
        board.rename(second, " ")


def test_a_twin_has_the_same_name_and_the_same_numbers(generator, board):
    smile = vector(generator, "smile")
    (number,) = board.add(smile)
    saved = next(iter(files.load_vectors(files.vectors_bytes([smile])).values()))
    assert board.twin(saved) == number
    calibrated = replace(saved, direction=replace(saved.direction, range=(-1.0, 1.0)))
    for other in (saved.renamed("grin"), vector(generator, "smile", 1), calibrated):
        assert board.twin(other) is None


def test_what_is_mistyped_has_a_nearest_and_what_is_like_nothing_has_none(generator):
    known = [vector(generator, name) for name in ("smile", "glasses on", "bigger nose", "glass")]
    found = [[v.name for v in nearest(known, text)] for text in ("glases", "BIGER nouse", "glases nose", "xyz", " ")]
    assert found == [["glasses on", "glass"], ["bigger nose"], [], [], []]
    assert len(nearest(known, "lefft", 2)) == 2  # a class


def test_every_change_is_undone_and_done_again(generator, board):
    (number,) = board.add(vector(generator, "smile"))
    board.rename(number, "grin")
    board.remove(number)
    assert names(board) == [] and board.find(number) is None
    seen = []
    for step in (board.undo, board.undo, board.undo, board.undo, board.redo, board.redo):
        step()
        seen.append(names(board))
    assert seen == [["grin"], ["smile"], [], [], ["smile"], ["grin"]]
    assert board.can_undo and board.can_redo
    board.add(vector(generator, "nose"))
    assert not board.can_redo


def test_a_thumbnail_is_added_to_every_version_and_is_no_change(generator, board, latent):
    (number,) = board.add(vector(generator, "smile"))
    board.rename(number, "grin")
    board.illustrate(number, illustrated(generator, latent, board.find(number)))
    assert board.find(number).thumbnail.shape == (16, 32, 3)
    board.undo()
    assert names(board) == ["smile"] and board.find(number).thumbnail is not None


def test_what_is_of_another_model_may_be_kept_and_says_so(generator, board):
    strange = vector(tiny(seed=1), "smile")
    board.add(strange)
    assert f"learned with the model {strange.direction.fingerprint}" in board.foreign(strange)
    assert board.foreign(vector(generator, "nose")) == ""


def test_what_ships_comes_to_what_was_added_before_and_once(generator, board, tmp_path, monkeypatch):
    save_vectors(tmp_path / "shipped.safetensors", [vector(generator, "smile"), vector(generator, "gaze", 1)])
    for place in (vector_board, files):
        monkeypatch.setattr(place, "SHIPPED", tmp_path / "shipped.safetensors")
    board.add(vector(generator, "smile", 2))
    board.begin()
    board.begin()
    assert names(board) == ["smile", "smile 2", "gaze"]
    board.undo()
    assert names(board) == ["smile", "gaze"] and not board.can_undo
    stranger = VectorBoard(tiny(seed=1))
    stranger.begin()
    assert names(stranger) == []


def test_a_model_that_nothing_ships_for_begins_with_nothing(generator, board):
    board.begin()
    assert board.entries == () and not board.can_undo
    segments = SegmentBoard(generator)
    segments.begin()
    with pytest.raises(SegmentError, match="no segmenter of this model yet"):
        segments.require()


def test_a_segmenter_is_opened_and_another_models_is_refused(generator, tmp_path):
    left = (np.indices((16, 16))[1] < 8).astype(np.uint8)
    *_, last = train_segmenter(generator, [Labeled(generator.sample(0), left)], ("a", "b"), SegmentPlan(2, models=2))
    save_segmenter(tmp_path / "x.safetensors", last.segmenter())
    segments = SegmentBoard(generator)
    segments.open(tmp_path / "x.safetensors")
    assert segments.require().classes == ("a", "b")
    with pytest.raises(SegmentError, match="trained for checkpoint"):
        SegmentBoard(tiny(seed=1)).open(tmp_path / "x.safetensors")
