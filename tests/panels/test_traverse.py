"""The traverse panel without a browser: seeds, sliders, finding directions, films."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from ganedit_widgets.core.edits import MoveAlong, Sample, Stack
from ganedit_widgets.core.errors import ImageError
from ganedit_widgets.core.image import read_image
from ganedit_widgets.core.probes import channel, new_direction
from ganedit_widgets.panels import TraversePanel
from ganedit_widgets.panels.library import FOUND, SAMPLES
from tests.tiny import odd


@pytest.fixture
def panel(session):
    panel = TraversePanel(session)
    panel.ready.wait(10)
    yield panel
    panel.close()


def drag(panel, key, *values):
    """Move a slider as the browser does: the last value is final."""
    for i, value in enumerate(values):
        last = i == len(values) - 1
        panel.knobs._receive(None, {"t": "input", "key": key, "value": value, "final": last, "stamp": ["a", i]}, [])
    panel.session.wait(10)


def strips(panel):
    """Return direction → its film strip; None while an empty one keeps its place."""
    return {row["key"]: row["strip"] if "jpeg;" in (row["strip"] or "") else None for row in panel.knobs.rows[1:]}


def result(session, *edits):
    latent = session.latent
    for edit in edits:
        latent = next(iter(edit.steps(session.generator, latent)))
    return latent


def test_it_begins_with_sliders_for_directions_found_on_the_spot(panel):
    assert list(panel.knobs.values) == ["psi", "SeFa 1", "SeFa 2", "SeFa 3", "SeFa 4"]
    assert "PCA 1" in panel.add_box.options and "SeFa 1" not in panel.add_box.options


def test_dragging_shows_the_last_value(panel, session, drawn):
    drag(panel, "SeFa 1", *np.linspace(0, 2, 40))
    assert np.array_equal(session.pixels, drawn(result(session, MoveAlong(panel.library["SeFa 1"], 2.0))))
    assert not session.moving


def test_a_slider_dragged_through_zero_stays_in_the_hand(panel, session, drawn):
    drag(panel, "SeFa 1", 1.0)
    panel.knobs.set("SeFa 1", 2.0)  # the hand has gone on
    session.preview(None, by=panel).wait(10)  # and only now the zero it passed is looked at
    assert panel.knobs.values["SeFa 1"] == 2.0
    assert session.pending is None and np.array_equal(session.pixels, drawn(session.latent))


def test_sliders_add_up_to_one_edit(panel, session, drawn):
    drag(panel, "SeFa 1", 2.0)
    drag(panel, "SeFa 2", -1.0)
    edit = panel.edit()
    assert isinstance(edit, Stack) and len(edit.edits) == 2
    moves = [MoveAlong(panel.library["SeFa 1"], 2.0), MoveAlong(panel.library["SeFa 2"], -1.0)]
    assert np.array_equal(session.pixels, drawn(result(session, *moves)))
    panel.apply()
    session.wait(10)
    assert session.history.index == 2 and set(panel.knobs.values.values()) == {0.7, 0.0}


def test_layers_restrict_a_direction(panel, session, drawn):
    drag(panel, "SeFa 1", 2.0)
    panel.knobs._receive(None, {"t": "layers", "key": "SeFa 1", "value": [0, 2], "final": True, "stamp": ["a", 9]}, [])
    session.wait(10)
    moved = result(session, MoveAlong(panel.library["SeFa 1"], 2.0, range(0, 2)))
    assert np.array_equal(session.pixels, drawn(moved))
    assert panel.edit().layers == range(0, 2)


def test_all_layers_are_not_written_down(panel):
    drag(panel, "SeFa 1", 2.0)
    assert panel.edit().layers is None


def test_a_removed_slider_takes_its_move_with_it(panel, session):
    before = session.pixels
    drag(panel, "SeFa 1", 2.0)
    panel.knobs._receive(None, {"t": "remove", "key": "SeFa 1"}, [])
    session.wait(10)
    assert np.array_equal(session.pixels, before)
    assert "SeFa 1" in panel.add_box.options


def test_choosing_in_the_list_adds_a_slider(panel):
    panel.add_box.value = "PCA 1"
    assert "PCA 1" in panel.knobs.values and panel.add_box.value == panel.add_box.options[0]


def test_seeds_are_browsed_without_filling_the_history(panel, session, drawn):
    for press in (panel.seeds.next_button, panel.seeds.next_button, panel.seeds.previous_button):
        press.click()
    session.wait(10)
    assert np.array_equal(session.pixels, drawn(session.generator.sample(5, 0.7)))
    assert session.history.index == 1
    panel.seeds.random_button.click()
    panel.apply_button.click()
    session.wait(10)
    assert isinstance(session.history.edits[-1], Sample) and session.history.index == 2
    assert panel.edit() is None  # the seed is recorded, not asked for again


def test_truncation_belongs_to_the_seed(panel, session, drawn):
    panel.seeds.go_to(7)
    drag(panel, "psi", 0.3)
    assert np.array_equal(session.pixels, drawn(session.generator.sample(7, 0.3)))


def test_sliders_stay_while_seeds_are_browsed(panel, session, drawn):
    drag(panel, "SeFa 1", 2.0)
    panel.seeds.go_to(7)
    session.wait(10)
    moved = result(session, Sample(7, 0.7), MoveAlong(panel.library["SeFa 1"], 2.0))
    assert np.array_equal(session.pixels, drawn(moved))


@pytest.mark.parametrize("seed", [-1, 2**40])
def test_an_impossible_seed_is_brought_into_range(panel, seed):
    panel.seeds.go_to(seed)
    assert 0 <= panel.seeds.seed.value < 2**32


def test_film_strips_are_of_the_seed_that_was_chosen(panel, session, until):
    until(lambda: all(strips(panel).values()))
    before = strips(panel)
    panel.seeds.go_to(5)
    session.wait(10)
    until(lambda: all(strips(panel)[name] != before[name] for name in before))
    chosen = strips(panel)
    panel.apply()
    session.wait(10)
    assert strips(panel) == chosen


def test_an_empty_strip_keeps_the_place_of_one_that_is_not_drawn_yet(panel, session):
    panel.layout.display = "none"  # nothing is drawn meanwhile
    panel.add(new_direction(session.generator, torch.ones(8), "mine"))
    height, width = session.generator.size
    strip = panel.knobs.rows[-1]["strip"]
    assert strip.startswith("data:image/svg") and f"width='{round(7 * 28 * width / height)}' height='28'" in strip


def test_reset_draws_the_film_strips_of_the_picture_again(panel, session, until):
    until(lambda: all(strips(panel).values()))
    before = strips(panel)
    panel.seeds.go_to(5)
    until(lambda: all(strips(panel)[name] != before[name] for name in before))
    panel.clear()
    until(lambda: strips(panel) == before)


def test_the_seed_says_what_the_history_shows(panel, session, until):
    for seed, psi in ((5, 0.5), (8, 0.9)):
        session.apply(Sample(seed, psi)).wait(10)
    until(lambda: panel.seeds.seed.value == 8 and panel.knobs.values["psi"] == 0.9)
    session.undo().wait(10)
    until(lambda: panel.seeds.seed.value == 5 and panel.knobs.values["psi"] == 0.5)
    assert not panel.seeds.chosen and panel.edit() is None


def test_film_strips_follow_the_picture(panel, session, until):
    until(lambda: all(strips(panel).values()))
    before = strips(panel)
    session.apply(Sample(9)).wait(10)
    until(lambda: all(strips(panel)[name] != before[name] for name in before))


def test_own_directions_are_offered_instead(session):
    own = new_direction(session.generator, torch.ones(8), "mine", layers=range(2, 4))
    panel = TraversePanel(session, [own, channel(session.generator, "b8.conv1", 0)])
    panel.ready.wait(10)
    rows = {row["key"]: row for row in panel.knobs.rows}
    assert list(rows) == ["psi", "mine", "b8.conv1[0]"]
    assert rows["mine"]["layers"] == [2, 4] and rows["b8.conv1[0]"]["layers"] is None
    drag(panel, "b8.conv1[0]", 2.0)
    assert session.pending.direction.space == "s"


def test_directions_are_found_by_sefa_in_chosen_layers(panel, session):
    assert panel.finder.layers.label == "all layers"
    panel.finder.layers.label = "coarse"
    panel.finder.find().wait(20)
    assert "SeFa 1 coarse" in panel.knobs.values  # the strongest gets a slider, the others are offered
    assert "SeFa 2 coarse" in panel.add_box.options
    assert session.message.text.startswith(f"{FOUND} directions found")


def test_pca_says_why_layers_do_not_matter(panel):
    panel.finder.method.value = "pca"
    assert panel.finder.layers.disabled and "no layers" in panel.finder.layers.tooltip
    panel.finder.find().wait(20)


def mark(panel, **marks):
    seeds = list(panel.finder._cells)
    for i, (_, value) in enumerate(marks.items()):
        panel.finder.gallery._receive(None, {"t": "mark", "id": seeds[i], "mark": value}, [])


def test_a_direction_is_made_of_ticked_pictures(panel, session):
    finder = panel.finder
    panel.find_fold.opened = True
    finder.draw().wait(20)
    assert finder.make_button.disabled and "at least two" in finder.make_button.tooltip
    mark(panel, a="+", b="+", c="-", d="-")
    assert not finder.make_button.disabled
    finder.name.value = "bright"
    finder.make().wait(20)
    assert "bright" in panel.knobs.values and panel.library["bright"].kind == "boundary"
    drag(panel, "bright", 1.0)
    assert session.pending.direction.name == "bright"


def test_more_pictures_keep_the_ticked_ones(panel):
    finder = panel.finder
    finder.draw().wait(20)
    first = list(finder._cells)
    mark(panel, a="+", b="-")
    finder.draw().wait(20)
    assert list(finder._cells)[:2] == first[:2] and len(finder._cells) == SAMPLES
    assert not set(list(finder._cells)[2:]) & set(first)


def export(panel, kind, frames):
    messages = []
    panel.frame.head.send = lambda content, buffers=None: messages.append((content, buffers[0]))
    panel.exporter.kind.value, panel.exporter.frames.value = kind, frames
    panel.exporter.frames.value = frames
    panel.exporter.download().wait(20)
    return messages[-1]


def test_a_traversal_is_exported_as_a_strip(panel, session, drawn):
    drag(panel, "SeFa 2", 1.0)  # the others stay as they are
    message, contents = export(panel, "strip", 5)
    strip = read_image(contents)
    assert message["name"] == "traversal.png" and strip.shape == (16, 5 * 16, 3)
    moves = [MoveAlong(panel.library["SeFa 2"], 1.0), MoveAlong(panel.library["SeFa 1"], -3.0)]
    assert np.array_equal(strip[:, :16], drawn(result(session, *moves)))
    assert "5 pictures" in session.message.text


def test_a_traversal_is_exported_as_a_video(panel):
    message, contents = export(panel, "mp4", 4)
    assert message["name"] == "traversal.mp4" and message["mime"] == "video/mp4" and contents[4:8] == b"ftyp"


def test_a_traversal_is_exported_as_a_film_that_goes_there_and_back(panel):
    message, contents = export(panel, "gif", 6)
    film = Image.open(io.BytesIO(contents))
    assert message["mime"] == "image/gif" and (film.n_frames, film.size) == (10, (16, 16))


def test_a_film_is_written_to_a_path_and_a_bad_path_is_refused(panel, session, tmp_path):
    panel.exporter.path.value = str(tmp_path / "a.gif")
    panel.exporter.save().wait(20)
    assert (tmp_path / "a.gif").read_bytes()[:3] == b"GIF"
    (tmp_path / "b.gif").write_bytes(b"precious")
    panel.exporter.path.value = str(tmp_path / "b.gif")
    with pytest.raises(ImageError, match="press Save again"):
        panel.exporter.save()
    assert (tmp_path / "b.gif").read_bytes() == b"precious"
    panel.exporter.path.value = str(tmp_path / "nowhere" / "a.gif")
    with pytest.raises(Exception, match="choose another place"):
        panel.exporter.save().wait(20)
    assert session.message.level == "error"


def test_an_export_can_be_stopped(panel, session, until):
    panel.exporter.frames.value = 200
    turn = panel.exporter.download()
    until(lambda: session.progress and session.progress.step > 0)
    session.stop()
    turn.wait(10)
    assert "stopped" in session.message.text


def test_an_odd_model_works():
    from ganedit_widgets.panels import Session

    session = Session(odd())
    panel = TraversePanel(session)
    panel.ready.wait(10)
    drag(panel, "SeFa 1", 2.0)
    assert session.pixels.shape == (32, 32, 3)
    session.close()
