"""The expression panel without a browser."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from ganedit_widgets.core.edits import Sample, TransferExpression, drive, run
from ganedit_widgets.core.film import KINDS
from ganedit_widgets.core.identity import identity_kept
from ganedit_widgets.core.image import read_image
from ganedit_widgets.core.sheet import tile
from ganedit_widgets.core.vectors import vector_of
from ganedit_widgets.panels import ExpressionPanel
from tests.tiny import tiny


@pytest.fixture
def panel(session):
    panel = ExpressionPanel(session)
    yield panel
    panel.close()


def choose(panel, neutral=5, expressive=6):
    panel.neutral.take_seed(neutral)
    panel.expressive.take_seed(expressive)
    panel.session.wait(10)


def drag(panel, key, value):
    panel.knobs._receive(None, {"t": "input", "key": key, "value": value, "final": True, "stamp": ["a", 1]}, [])
    panel.session.wait(10)


def transferred(session, *args, **options):
    edit = TransferExpression(Sample(5), Sample(6), *args, **options)
    return run(session.generator, session.latent, edit)


def test_it_says_which_picture_is_missing(panel):
    assert panel.apply_button.tooltip == "Choose the neutral picture first"
    panel.neutral.take_seed(5)
    assert panel.apply_button.tooltip == "Choose the expressive picture first"
    assert panel.edit() is None


def test_why_it_cannot_be_applied_is_written_beside_the_button(panel):
    assert panel.why_line.value == "Choose the neutral picture first." and panel.why_line.layout.display is None
    choose(panel)
    assert panel.why_line.layout.display == "none"


# ---- a pair to begin with


@pytest.fixture
def offered(session):
    """A panel of a model whose smile is known."""
    delta = np.random.default_rng(2).normal(size=session.generator.latent_shape)
    smile = vector_of(session.generator, torch.from_numpy(delta).float(), "smile")
    session.vectors.add(vector_of(session.generator, torch.ones(8), "no beard"), smile)
    panel = ExpressionPanel(session)
    panel.smile = smile
    yield panel
    panel.close()


def test_where_a_smile_is_known_the_slider_alone_shows_it(offered, session):
    assert session.pending is None and offered.knobs.values["strength"] == 0
    assert (offered.neutral.choice.name, offered.expressive.choice.name) == ("average person", "smile")
    drag(offered, "strength", 0.5)
    expected = run(session.generator, session.latent, offered.smile.at(0.5))
    assert torch.allclose(session.shown.w, expected.w, atol=1e-5)
    offered.apply_button.click()
    session.wait(10)
    assert session.entries[-1].label == "like smile +0.5"


def test_a_neutral_picture_of_ones_own_needs_an_expressive_one(offered, session):
    offered.neutral.take_seed(5)
    session.wait(10)
    assert offered.expressive.choice is None and offered.edit() is None
    assert offered.why_line.value == "Choose the expressive picture first."
    offered.offer_button.click()
    session.wait(10)
    assert offered.expressive.choice.name == "smile" and offered.offer_button.disabled
    assert session.pending.strength == 1.0


def test_where_no_smile_is_known_none_is_offered(panel):
    assert panel.neutral.choice is None and panel._offer_row.layout.display == "none"


def test_a_vector_of_another_model_is_not_offered(session):
    session.vectors.add(vector_of(tiny(1), torch.ones(8), "smile"))
    panel = ExpressionPanel(session)
    assert panel.neutral.choice is None
    panel.close()


def test_every_edit_vector_is_a_ready_driver_of_the_average_person(offered, session, drawn):
    offered.drivers_fold.opened = True
    drivers = offered.drivers_fold.content
    drivers.list.ready_button.click()
    assert names(drivers) == ["no beard", "smile"]
    drivers.draw().wait(20)
    smiling = run(session.generator, session.latent, offered.smile.at())
    apart = np.abs(drivers.pictures[1].astype(int) - drawn(smiling))
    assert apart.max() <= 1 < np.abs(drivers.pictures[0].astype(int) - drawn(smiling)).max()


def test_where_no_edit_vector_is_known_no_drivers_are_ready(panel):
    panel.drivers_fold.opened = True
    assert panel.drivers_fold.content.list.ready_button.layout.display == "none"


# ---- its controls


def test_both_pictures_show_the_expression_at_once(panel, session, drawn):
    choose(panel)
    assert panel.knobs.values["strength"] == 1.0
    assert np.array_equal(session.pixels, drawn(transferred(session)))


def test_strength_threshold_and_layers_reach_the_picture(panel, session, drawn):
    choose(panel)
    drag(panel, "strength", 0.5)
    drag(panel, "threshold", 0.4)
    panel.toggles["middle"].value = False
    session.wait(10)
    assert panel.edit().layers == (0, 3, 4, 5)
    assert np.array_equal(session.pixels, drawn(transferred(session, 0.5, 0.4, (0, 3, 4, 5))))
    panel.toggles["middle"].value = True
    assert panel.edit().layers is None


def test_apply_records_and_the_pictures_stay_for_the_next_identity(panel, session):
    choose(panel)
    panel.apply_button.click()
    session.wait(10)
    assert session.entries[-1].label == "like seed 6 +1"
    assert panel.knobs.values["strength"] == 0 and panel.apply_button.tooltip == "Give it a strength first"
    drag(panel, "strength", -1.0)
    assert session.pending.strength == -1.0


def test_reset_shows_the_identity_again(panel, session):
    before = session.pixels
    choose(panel)
    panel.reset_button.click()
    session.wait(10)
    assert np.array_equal(session.pixels, before)


def test_how_much_of_the_person_is_kept_is_shown_as_a_meter_with_pictures(panel, session, until):
    choose(panel)
    until(lambda: panel.meter.kept is not None)
    strong = panel.meter.kept
    latents = (session.latent, transferred(session), *(session.generator.sample(seed, 0.7) for seed in (5, 6)))
    assert strong.share == pytest.approx(identity_kept(session.generator, *latents).share)
    page = panel.meter.value
    assert f'aria-valuenow="{100 * strong.share:.0f}"' in page and f"width: {100 * strong.share:.0f}%" in page
    assert page.count("<img") == 2 and "No network that knows people was asked" in page
    drag(panel, "strength", 0.05)
    until(lambda: panel.meter.kept is not strong)
    assert panel.meter.kept.share > strong.share
    panel.reset_button.click()
    until(lambda: panel.meter.kept is None)
    assert panel.meter.layout.display == "none"


def test_the_expression_of_the_picture_on_show_can_be_taken(panel, session, until):
    panel.neutral.take_seed(5)
    panel.expressive.here_button.click()
    until(lambda: panel.expressive.choice is not None)
    assert panel.expressive.source.seed == 4 and panel.expressive.choice.name == "seed 4"


# ---- many drivers


def sent(widget):
    messages = []
    widget.send = lambda content, buffers=None: messages.append((content, buffers))
    return messages


@pytest.fixture
def drivers(panel):
    panel.drivers_fold.opened = True
    return panel.drivers_fold.content


def names(drivers):
    return [choice.name for choice in drivers.list.choices]


def fill(panel, drivers, seeds="6, 7, 9-11"):
    panel.neutral.take_seed(5)
    drivers.list.seeds.value = seeds
    drivers.list.seeds_button.click()


def test_it_says_what_is_missing_for_many_drivers(panel, drivers):
    assert drivers.draw_button.tooltip == "Choose the neutral picture first"
    panel.neutral.take_seed(5)
    assert drivers.draw_button.tooltip == "Add drivers first" and drivers.results.layout.display == "none"
    fill(panel, drivers)
    assert not drivers.draw_button.disabled


def test_drivers_come_from_seeds_the_history_and_the_picture_on_show(panel, drivers, session, until):
    fill(panel, drivers)
    assert names(drivers) == ["seed 6", "seed 7", "seed 9", "seed 10", "seed 11"]
    drivers.list.here_button.click()
    until(lambda: len(names(drivers)) == 6)
    drivers.list.fold.opened = True
    gallery = drivers.list.fold.content
    gallery.strip._receive(None, {"t": "select", "id": "s3"}, [])
    assert names(drivers)[5:] == ["seed 4", "seed 3"]
    until(lambda: len(drivers.list.strip._stream.last.cells) == 7)
    drivers.list.strip._receive(None, {"t": "select", "id": "d1"}, [])
    drivers.list.remove_button.click()
    drivers.list.remove_button.click()  # its neighbor was chosen then
    assert names(drivers) == ["seed 6", "seed 10", "seed 11", "seed 4", "seed 3"]


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("cats", "no list of seeds"),
        ("", "no list of seeds"),
        ("9-3", "no list of seeds"),
        ("1-1000000", "more than 64"),
    ],
)
def test_what_is_no_list_of_seeds_is_refused(typed, says, panel, drivers, session):
    fill(panel, drivers, typed)
    assert says in session.message.text and session.message.level == "error" and names(drivers) == []


def test_more_than_sixty_four_drivers_are_refused(panel, drivers, session):
    fill(panel, drivers, "1-60")
    fill(panel, drivers, "1-5")
    assert "65 drivers: 64 is the most" in session.message.text and len(names(drivers)) == 60


def test_the_current_picture_does_what_every_driver_does(panel, drivers, session, drawn):
    fill(panel, drivers)
    drag(panel, "strength", 0.5)
    drag(panel, "threshold", 0.3)
    panel.toggles["middle"].value = False
    messages = sent(drivers.player)
    drivers.draw().wait(20)
    edits = drive(session.generator, Sample(5), [Sample(s) for s in (6, 7, 9, 10, 11)], 0.5, 0.3, (0, 3, 4, 5))
    expected = [drawn(run(session.generator, session.latent, edit)) for edit in edits]
    assert len(drivers.pictures) == 5
    assert all(np.array_equal(x, y) for x, y in zip(drivers.pictures, expected, strict=True))
    assert drivers.player.done and not drivers.player.stale
    assert [message["t"] for message, _ in messages if "t" in message] == ["begin"] + ["picture"] * 5
    assert [cell.caption.split("\n")[0] for cell in drivers.sheet._stream.last.cells] == names(drivers)
    panel.toggles["middle"].value = True
    assert drivers.player.stale


def test_below_every_driver_stands_how_much_of_the_person_is_kept(panel, drivers, session, until):
    fill(panel, drivers, "6, 7")
    drivers.draw().wait(20)

    def captions():
        return [cell.caption for cell in drivers.sheet._stream.last.cells]

    until(lambda: all("kept" in caption for caption in captions()))
    neutral, *others = (session.generator.sample(seed, 0.7) for seed in (5, 6, 7))
    for seed, expressive, caption in zip((6, 7), others, captions(), strict=True):
        after = run(session.generator, session.latent, TransferExpression(Sample(5), Sample(seed)))
        share = identity_kept(session.generator, session.latent, after, neutral, expressive).share
        assert caption == f"seed {seed}\n{100 * share:.0f} % kept"


def test_why_drivers_cannot_be_drawn_is_written_beside_the_button(panel, drivers):
    assert drivers.why_line.value == "Choose the neutral picture first."
    fill(panel, drivers)
    assert drivers.why_line.layout.display == "none"


def test_a_picture_of_the_sheet_is_gone_on_with(panel, drivers, session):
    fill(panel, drivers)
    drivers.draw().wait(20)
    assert panel.knobs.values["strength"] == 1.0  # the slider says what was drawn
    drivers.sheet._receive(None, {"t": "select", "id": 2}, [])
    session.wait(10)
    assert panel.expressive.source.seed == 9 and panel.knobs.values["strength"] == 1.0
    assert np.array_equal(session.pixels, drivers.pictures[2])


@pytest.mark.parametrize(("kind", "frames"), [("sheet", 1), ("gif", 5), ("webp", 5), ("strip", 1)])
def test_the_sheet_and_the_film_are_downloaded(kind, frames, panel, drivers):
    fill(panel, drivers)
    assert drivers.download_button.tooltip == "Draw them first"
    drivers.draw().wait(20)
    drivers.kind.value = kind
    messages = sent(panel.frame.head)
    drivers.download().wait(20)
    message, buffers = next((m, b) for m, b in messages if m.get("t") == "file")
    with Image.open(io.BytesIO(buffers[0])) as picture:
        assert message["name"] == f"expressions{KINDS[kind].ending}" and getattr(picture, "n_frames", 1) == frames
        if kind == "sheet":
            assert np.array_equal(np.asarray(picture), tile(drivers.pictures))


def test_it_is_saved_on_the_server_and_somebody_elses_file_is_not_lost(panel, drivers, session, tmp_path):
    fill(panel, drivers)
    drivers.draw().wait(20)
    drivers.path.value = str(tmp_path / "sheet.png")
    (tmp_path / "sheet.png").write_bytes(b"precious")
    drivers.save_button.click()
    assert "press Save again to replace it" in session.message.text
    assert (tmp_path / "sheet.png").read_bytes() == b"precious"
    drivers.save().wait(20)
    assert np.array_equal(read_image(tmp_path / "sheet.png"), tile(drivers.pictures))


def test_drawing_can_be_stopped_and_what_is_drawn_stays(panel, drivers, session):
    fill(panel, drivers, "1-64")

    add = drivers.player.add

    def stop(pixels):  # progress is told a few times a second only: all may be drawn before it is
        add(pixels)
        if len(drivers.pictures) == 4:
            session.stop()

    drivers.player.add = stop
    drivers.draw().wait(20)
    assert 3 < len(drivers.pictures) < 64 and "stopped" in session.message.text
    assert len(drivers.sheet._stream.last.cells) == len(drivers.pictures) == len(drivers.player._frames)
    assert drivers.player.done and not drivers.download_button.disabled
