"""The crossover panel without a browser: parents, painting, groups, litters, the table."""

import io
import time

import numpy as np
import pytest
from PIL import Image

from ganedit_widgets.core.edits import Crossover, MoveAlong, Restore, Sample, run
from ganedit_widgets.core.image import read_image
from ganedit_widgets.core.probes import sefa
from ganedit_widgets.panels import CrossoverPanel, Frame, Session, TraversePanel
from ganedit_widgets.panels.sources import Choice
from tests.tiny import odd


@pytest.fixture
def panel(session):
    panel = CrossoverPanel(session)
    yield panel
    panel.close()


def paint(panel, *shares):
    """Paint as the browser does."""
    panel.strip.set_state({"shares": list(shares)})
    panel.session.wait(10)


def drag(panel, key, value):
    panel.knobs._receive(None, {"t": "input", "key": key, "value": value, "final": True, "stamp": ["a", 1]}, [])
    panel.session.wait(10)


def child(session, *shares, other=None):
    return run(session.generator, session.latent, Crossover(other or Sample(5, 0.7), shares))


def test_without_a_second_parent_nothing_can_be_painted_and_it_says_so(panel):
    assert panel.strip.disabled == panel.apply_button.tooltip == "Choose a parent B first"
    assert panel.apply_button.disabled and panel.edit() is None


def test_a_chosen_parent_is_seen_at_once(panel, session, drawn, until):
    panel.other.seed.value = "5"
    session.wait(10)
    assert panel.strip.disabled == "" and panel.strip.shares == [0, 0, 0, 1, 1, 1]
    assert np.array_equal(session.pixels, drawn(child(session, 0, 0, 0, 1, 1, 1)))
    until(lambda: panel.other.shown.layout.display is None)
    assert read_image(panel.other.shown.value).shape == (16, 16, 3)


def test_any_seed_can_be_typed_and_what_is_none_is_one_sentence(panel, session):
    panel.other.seed.value = "0"
    assert (panel.other.source.seed, panel.other.source.psi) == (0, 0.7)
    panel.other.take(Choice(session.latent, "step 1"))
    assert panel.other.seed.value == ""
    for typed in ("-1", "seven", str(2**32)):
        panel.other.seed.value = typed
        assert "is no seed: type a whole number" in session.message.text and panel.other.source is session.latent


def test_painting_shows_and_apply_records(panel, session, drawn):
    panel.other.take_seed(5)
    paint(panel, 0, 1, 0.5, 0, 0, 1)
    expected = drawn(child(session, 0, 1, 0.5, 0, 0, 1))
    assert np.array_equal(session.pixels, expected)
    panel.apply_button.click()
    session.wait(10)
    assert session.entries[-1].label == "× seed 5" and np.array_equal(session.pixels, expected)
    assert not any(panel.strip.shares) and panel.edit() is None  # A is the child now


def test_groups_and_layers_follow_each_other(panel, session):
    panel.other.take_seed(5)
    paint(panel, 0, 1, 0, 0, 0, 0)
    assert panel.knobs.values == {"coarse": 0.0, "middle": 0.5, "fine": 0.0}
    drag(panel, "fine", 0.25)
    assert panel.strip.shares == [0, 1, 0, 0.25, 0.25, 0.25]
    assert session.pending.blend == (0, 1, 0, 0.25, 0.25, 0.25)


def test_presets_have_a_share_for_each_layer_and_a_hint(panel):
    assert list(panel.strip.presets) == ["A", "coarse", "middle", "fine", "half", "B"]
    assert all(len(shares) == 6 for shares in panel.strip.presets.values())
    assert panel.strip.hints.keys() == panel.strip.presets.keys()


def test_reset_takes_the_preview_back(panel, session):
    before = session.pixels
    panel.other.take_seed(5)
    session.wait(10)
    panel.reset_button.click()
    session.wait(10)
    assert np.array_equal(session.pixels, before) and not any(panel.strip.shares)


# ---- where a parent comes from


def test_a_parent_from_the_history_is_chosen_in_the_gallery(panel, session, until, drawn):
    session.apply(MoveAlong(sefa(session.generator)[0], 2.0)).wait(10)
    moved = session.latent
    session.go_to(1).wait(10)
    panel.other.fold.opened = True
    gallery = panel.other.fold.content
    until(lambda: gallery.strip._stream.last is not None and len(gallery.strip._stream.last.cells) == 14)
    assert [cell.caption for cell in gallery.strip._stream.last.cells][:3] == ["step 1", "step 2", "seed 0"]
    gallery.strip._receive(None, {"t": "select", "id": "h2"}, [])
    session.wait(10)
    assert panel.edit().other is moved and panel.edit().note == "step 2"
    assert np.array_equal(session.pixels, drawn(child(session, 0, 0, 0, 1, 1, 1, other=moved)))


def test_other_seeds_are_offered(panel, until):
    panel.other.fold.opened = True
    gallery = panel.other.fold.content
    gallery.more_button.click()
    until(lambda: gallery.strip._stream.last and gallery.strip._stream.last.cells[-1].caption == "seed 23")


def test_a_saved_picture_may_be_a_parent_and_any_other_file_is_refused(panel, session, tmp_path):
    session.apply(Restore(session.generator.sample(9), "mine")).wait(10)
    session.save(tmp_path / "mine.png").wait(10)
    panel.other.fold.opened = True
    gallery = panel.other.fold.content
    gallery.path.value = str(tmp_path / "mine.png")
    gallery.open_button.click()
    assert panel.other.choice.name == "mine.png" and np.allclose(panel.other.source.w, session.latent.w)
    for path, says in ((str(tmp_path / "no.png"), "no.png"), ("", "Type the path")):
        gallery.path.value = path
        gallery.open_button.click()
        assert says in session.message.text and session.message.level == "error"


def test_the_picture_on_show_is_recorded_before_it_becomes_a_parent(panel, session, until):
    session.preview(Sample(3)).wait(10)
    panel.other.here_button.click()
    until(lambda: panel.other.choice is not None)
    assert isinstance(panel.other.source, Sample) and panel.other.source.seed == 3
    assert len(session.history) == 3


def test_a_parent_of_another_model_is_one_sentence(panel, session):
    panel.other.take(Choice(odd().sample(1), "a stranger"))
    with pytest.raises(Exception, match="checkpoint"):
        session.wait(10)
    assert session.message.level == "error" and "checkpoint" in session.message.text


# ---- litter and table


@pytest.fixture
def litter(panel, until):
    panel.other.take_seed(5)
    panel.litter_fold.opened = True
    litter = panel.litter_fold.content
    until(lambda: litter.strip._stream.last is not None and len(litter.strip._stream.last.cells) == 9)
    return litter


def test_a_child_of_the_litter_becomes_the_current_picture_with_its_lineage(litter, panel, session, drawn, until):
    key, edit = list(litter.children_edits.items())[4]
    expected = drawn(run(session.generator, session.latent, edit))
    litter.strip._receive(None, {"t": "select", "id": key}, [])
    session.wait(10)
    assert np.array_equal(session.pixels, expected)
    assert [entry.label for entry in session.entries] == ["average", "seed 4", "× seed 5"]
    until(lambda: key not in litter.children_edits and len(litter.children_edits) == 9)  # its own children
    litter.strip._receive(None, {"t": "select", "id": key}, [])  # a late click
    assert len(session.history) == 3


def test_a_new_litter_and_mutation_give_others(litter, until):
    def blends():
        return [getattr(child, "blend", None) for child in litter.children_edits.values()]

    before, keys = blends(), set(litter.children_edits)
    litter.new_button.click()
    until(lambda: len(litter.children_edits) == 9 and not keys & set(litter.children_edits))
    assert blends() != before
    message = {"t": "input", "key": "mutation", "value": 0.5, "final": True, "stamp": ["a", 1]}
    litter.knobs._receive(None, message, [])
    until(lambda: None in blends())


def test_a_litter_needs_a_second_parent(panel):
    panel.litter_fold.opened = True
    litter = panel.litter_fold.content
    assert litter.new_button.disabled and litter.strip.hint == "Choose a parent B first"
    assert litter.draw() is None


def test_the_table_begins_with_the_parents_and_is_downloaded(panel, session):
    messages = []
    panel.frame.head.send = lambda content, buffers=None: messages.append((content, buffers[0]))
    panel.other.take_seed(5)
    panel.table_fold.opened = True
    table = panel.table_fold.content
    assert table.download_button.disabled and "first" in table.download_button.tooltip
    table.count.value = 3
    left, top = table.parents()
    assert left[0].seed == 4 and top[0].seed == 5 and len(left) == len(top) == 3
    table.draw().wait(20)
    assert table.sheet.shape == (4 * 16 + 4, 4 * 16 + 4, 3) and "3 × 3" in session.message.text
    table.download_button.click()
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(messages[-1][1]))), table.sheet)


def test_a_table_can_be_stopped(panel, session, until, monkeypatch):
    draw = session.generator.draw
    monkeypatch.setattr(session.generator, "draw", lambda *a, **k: (time.sleep(0.02), draw(*a, **k))[1])
    panel.table_fold.opened = True
    turn = panel.table_fold.content.draw()
    until(lambda: session.progress and session.progress.step > 2)
    session.stop()
    turn.wait(10)
    assert "stopped" in session.message.text


def test_what_another_panel_has_on_show_is_built_on(session, until):
    frame = Frame(session, [TraversePanel, CrossoverPanel])
    frame.panel.ready.wait(10)
    frame.panel.seeds.go_to(7)
    frame.head.tab = 1
    frame.panel.other.take_seed(5)
    session.wait(10)
    assert [entry.label for entry in session.entries][-1] == "seed 7" and isinstance(session.pending, Crossover)


def test_an_odd_model_works():
    session = Session(odd())
    panel = CrossoverPanel(session)
    panel.other.take_seed(3)
    session.wait(10)
    assert len(panel.strip.shares) == 8 and session.pixels.shape == (32, 32, 3)
    session.close()
