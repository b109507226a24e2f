"""The self-conditioned panel without a browser: sliders, both pictures, real pictures, other models, sheets."""

import io
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from ganedit_widgets.core import load_generator, load_recipe
from ganedit_widgets.core.conditioning.original import Original
from ganedit_widgets.core.edits import Embed, Sample, SetLabels, run
from ganedit_widgets.core.generators import Generator, load
from ganedit_widgets.core.generators.load import save_model
from ganedit_widgets.core.image import to_pixels
from ganedit_widgets.core.probes import save_directions
from ganedit_widgets.core.sheet import tile
from ganedit_widgets.panels import SelfConditionedPanel, Session, Studio
from ganedit_widgets.panels.labels_open import model_files
from ganedit_widgets.panels.pictures import data_url
from ganedit_widgets.panels.self_conditioned import HEIGHT
from tests.core.test_original import random_direction
from tests.tiny import labeled, tiny


@pytest.fixture(scope="module")
def source():
    return tiny()


@pytest.fixture(scope="module")
def yaw(source):
    return replace(random_direction(source, "yaw"), name="yaw")


@pytest.fixture
def session():
    session = Session(labeled())
    yield session
    session.close()


@pytest.fixture
def panel(session, source, yaw):
    panel = SelfConditionedPanel(session, source, [yaw])
    panel.ready.wait(10)
    yield panel
    panel.close()


def drag(panel, key, value, final=True):
    panel.knobs._receive(None, {"t": "input", "key": key, "value": value, "final": final, "stamp": ["a", 1]}, [])
    panel.session.wait(10)


def strips(panel):
    """Return slider → its film strip; None while an empty one keeps its place."""
    return {row["key"]: row["strip"] if "jpeg;" in (row["strip"] or "") else None for row in panel.knobs.rows}


def drawn(generator, latent):
    with torch.no_grad():
        return to_pixels(generator.draw(latent))


def test_a_slider_sets_its_attribute_and_both_pictures_follow(panel, session, source, yaw):
    drag(panel, "yaw", 0.9)
    wanted = run(session.generator, session.latent, SetLabels({"yaw": 0.9}))
    assert np.array_equal(session.pixels, drawn(session.generator, wanted))
    beside = Original.of(session.generator, source, [yaw]).latent(wanted)
    assert np.array_equal(panel.view.stage.pixels, drawn(source, beside))
    assert "<b>original</b>" in panel.view.caption.value and " σ" in panel.view.caption.value


def test_while_it_moves_both_pictures_are_of_the_same_moment(panel, session, source, yaw):
    original, pairs = Original.of(session.generator, source, [yaw]), []
    panel.watch(lambda change: pairs.append((session.shown, panel.view.stage.pixels)), "pixels")
    for value in (0.6, 0.7, 0.8, 0.85):
        drag(panel, "yaw", value, final=False)
    drag(panel, "yaw", 0.9)
    assert pairs and all(np.array_equal(pixels, drawn(source, original.latent(shown))) for shown, pixels in pairs)
    assert pairs[-1][0].label.tolist() == pytest.approx([0.5, 0.9])


def test_w_and_noise_stay_and_the_rest_of_the_labels_too(panel, session):
    start = session.latent
    drag(panel, "yaw", 0.9)
    drag(panel, "age", 0.2)
    assert panel.edit().values == {"age": 0.2, "yaw": 0.9}
    assert torch.equal(session.shown.w, start.w) and not session.shown.noise
    drag(panel, "yaw", 0.5)
    assert panel.edit().values == {"age": 0.2}


def test_beyond_its_range_a_slider_saturates(panel, session):
    row = panel.knobs.rows[0]
    assert row["min"] < row["warn"][0] == 0.0 and row["warn"][1] == 1.0 < row["max"]
    drag(panel, "age", 1.1)
    assert panel.edit().values == {"age": 1.0}
    panel.apply_button.click()
    session.wait(10)
    assert panel.knobs.values["age"] == 1.0 and session.entries[-1].label == "age 1.00"


def test_apply_records_and_undo_brings_the_sliders_back(panel, session):
    drag(panel, "yaw", 0.9)
    panel.apply_button.click()
    session.wait(10)
    assert len(session.history) == 3 and panel.edit() is None
    assert panel.knobs.values == pytest.approx({"age": 0.5, "yaw": 0.9})
    session.undo().wait(10)
    assert panel.knobs.values == {"age": 0.5, "yaw": 0.5}
    session.redo().wait(10)
    assert panel.knobs.values == pytest.approx({"age": 0.5, "yaw": 0.9})
    panel.reset_button.click()
    assert panel.apply_button.disabled and panel.apply_button.tooltip.startswith("There is nothing to apply")


def test_recipe_and_shown_code_make_the_picture_again(panel, session, tmp_path):
    drag(panel, "yaw", 0.9)
    drag(panel, "age", 0.1)
    session.save(tmp_path / "edited.png").wait(10)
    assert np.array_equal(drawn(session.generator, load_recipe(tmp_path / "edited.png").latent), session.pixels)
    assert "SetLabels({'age': 0.1, 'yaw': 0.9})" in session.code()
    for name, contents in session.code_files().items():
        (tmp_path / name).write_bytes(contents)
    script = f"import sys; sys.path[:0] = {sys.path!r}; exec({session.code()!r})"
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True, timeout=120)
    assert np.array_equal(np.asarray(Image.open(tmp_path / "edited.png")), session.pixels)


def test_the_measures_say_what_the_class_head_reads_in_both(panel, session, until):
    assert panel.measures.value == ""
    drag(panel, "yaw", 0.9)
    until(lambda: set(panel.measures.changes) == {"original", "self-conditioned"})
    for change in panel.measures.changes.values():
        assert set(change.after) == {"age", "yaw"} and change.look > 0
    assert "<th>yaw</th><td>0.90</td>" in panel.measures.value
    drag(panel, "yaw", 0.5)
    until(lambda: panel.measures.value == "")


def test_the_persons_own_labels_show_the_original_unmoved(panel, session, source):
    assert np.array_equal(panel.view.stage.pixels, drawn(source, panel.original.latent(session.latent)))
    panel.own_button.click()
    session.wait(10)
    own = panel.original.own(session.latent)
    assert panel.knobs.values == pytest.approx(own) and own["age"] == 0.5 != own["yaw"]
    assert not panel.original.strengths(session.shown) and "σ" not in panel.view.caption.value


def test_sliders_begin_at_what_is_typical(source, yaw):
    made = labeled()
    attributes = tuple(replace(a, typical=0.3) for a in made.schema.attributes)
    made.network.cfg = replace(made.network.cfg, schema=replace(made.schema, attributes=attributes))
    session = Session(Generator(made.network, made.discriminator))
    panel = SelfConditionedPanel(session)
    assert panel.knobs.values == pytest.approx({"age": 0.3, "yaw": 0.3})
    assert all(row["value"] == row["default"] for row in panel.knobs.rows)  # to the last bit: nothing to put back
    assert panel.edit() is None and "Open the original model" in panel.own_button.tooltip
    panel.close()
    session.close()


def test_another_person_keeps_the_labels_and_is_one_edit(panel, session):
    drag(panel, "yaw", 0.9)
    panel.seeds.go_to(7)
    session.wait(10)
    edit = panel.edit()
    assert [type(each) for each in edit.edits] == [Sample, SetLabels] and edit.edits[1].values == {"yaw": 0.9}
    assert np.array_equal(session.pixels, drawn(session.generator, run(session.generator, session.latent, edit)))
    panel.apply_button.click()
    session.wait(10)
    assert panel.knobs.values["yaw"] == pytest.approx(0.9) and panel.seeds.seed.value == 7 and panel.edit() is None
    panel.seeds.go_to(8)
    session.wait(10)
    panel.reset_button.click()
    session.wait(10)
    assert session.pending is None and panel.edit() is None


def test_the_sliders_show_what_another_panel_previews(panel, session, until):
    drag(panel, "yaw", 0.9)
    other = object()
    session.preview(Sample(11), by=other).wait(10)
    until(lambda: panel.knobs.values["yaw"] == 0.5)
    assert panel.edit() is None and panel.apply_button.disabled
    session.preview(SetLabels({"age": 0.2}), by=other).wait(10)
    until(lambda: panel.knobs.values["age"] == pytest.approx(0.2))
    session.preview(None, by=other).wait(10)
    until(lambda: panel.knobs.values == panel._label)
    assert panel.edit() is None


def test_an_attribute_without_a_direction_says_so_and_stays_beside(panel, session):
    before = panel.view.stage.pixels
    drag(panel, "age", 1.0)
    assert np.array_equal(panel.view.stage.pixels, before)
    assert "no direction of age" in panel.view.caption.value


def test_without_an_original_the_panel_works_and_one_can_be_opened(session, source, yaw, tmp_path, until):
    panel = SelfConditionedPanel(session)
    panel.ready.wait(10)
    drag(panel, "yaw", 0.9)
    assert panel.original is None and "made of" in panel.view.stage.status
    save_model(tmp_path / "source.safetensors", source.network)
    save_directions(tmp_path / "directions.safetensors", [yaw])
    panel.model_fold.opened = True
    form = panel.model_fold.content
    form.directions_path.value = str(tmp_path / "directions.safetensors")
    form.opener.path.value = str(tmp_path / "source.safetensors")
    form.opener.open_button.click()
    until(lambda: panel.original is not None and panel.view.stage.pixels is not None)
    assert "directions of yaw" in session.message.text
    assert list(panel.original.directions) == ["yaw"]
    assert ">-2<" in panel.model_fold.content.children[-1].value
    panel.close()


# ---- models


def test_a_model_without_labels_gets_one_sentence_and_a_place_to_open_one(generator, tmp_path, until):
    session = Session(generator)
    panel = SelfConditionedPanel(session)
    assert "ganedit train self-conditioned" in panel.children[0].value and panel.view is None
    (last,) = (child for child in panel.children if panel.apply_button in getattr(child, "children", ()))
    assert last.layout.display == "none" and panel.why_line in last.children and panel.edit() is None
    assert panel.frame is not None and panel.opener.path.value == ""
    panel.opener.open_button.click()
    assert "Type the path" in session.message.text
    save_model(tmp_path / "plain.safetensors", generator.network)
    panel.opener.path.value = str(tmp_path / "plain.safetensors")
    panel.opener.open_button.click()
    until(lambda: "takes no labels either" in session.message.text)
    made = labeled()
    save_model(tmp_path / "steered.safetensors", made.network, made.discriminator)
    panel.opener.path.value = str(tmp_path / "steered.safetensors")
    panel.opener.open_button.click()
    until(lambda: panel.below.panel is not None and panel.below.panel.frame in panel.frame.children)
    drag(panel.below.panel, "yaw", 0.9)
    assert panel.below.panel.session.pending is not None and session.pending is None
    panel.close()
    session.close()


def test_below_the_demo_its_self_conditioned_model_opens_by_itself(generator, tmp_path, until, monkeypatch):
    monkeypatch.setattr(load, "DEMO", tmp_path)
    made = labeled()
    save_model(tmp_path / "generator.safetensors", generator.network)
    save_model(tmp_path / "self_conditioned.safetensors", made.network, made.discriminator)
    session = Session(load_generator("demo", "cpu"))
    panel = SelfConditionedPanel(session)
    frame = panel.frame
    until(lambda: panel.below.panel is not None and panel.below.panel.frame in frame.children)
    assert panel.below.panel.session.generator.schema.names == made.schema.names
    panel.close()
    session.close()


def test_a_studio_has_it_among_its_tabs(session):
    studio = Studio(session=session)
    studio.head.tab = studio.head.tabs.index("Self-conditioned")
    assert studio._pictures.children[-1] is studio.panel.view
    studio.close()


def test_files_that_may_be_models_are_offered(tmp_path):
    (tmp_path / "runs").mkdir()
    for name in ("a.safetensors", "runs/b.pt", "notes.txt"):
        (tmp_path / name).touch()
    assert [name.rsplit("/", 1)[-1] for name in model_files(tmp_path)] == ["a.safetensors", "b.pt"]


# ---- real pictures


def test_a_real_picture_gets_its_labels_from_the_class_head_and_is_brought_in(panel, session, photo, until):
    panel.photo_fold.opened = True
    real = panel.photo_fold.content
    assert real.bring_button.disabled and real.tuner.tune_button.disabled
    real.take(photo)
    until(lambda: "yaw 0." in real.said.value)
    assert set(real.read) == {"age", "yaw"}
    real.steps.value = 3
    real.bring_button.click()
    session.wait(20)
    stack = session.history.entries[-1].edit
    assert [type(edit) for edit in stack.edits] == [SetLabels, Embed]
    assert panel.knobs.values == pytest.approx(real.read, abs=1e-6)  # to be corrected by hand
    assert panel.edit() is None and not real.tuner.tune_button.disabled


def test_a_picture_that_was_embedded_elsewhere_gets_its_labels_too(panel, session, photo, until):
    panel.photo_fold.opened = True
    real = panel.photo_fold.content
    assert real.embedded_button.disabled
    session.apply(Embed(photo, iterations=2)).wait(20)
    session.apply(SetLabels({"yaw": 0.6})).wait(20)
    until(lambda: not real.embedded_button.disabled)
    real.embedded_button.click()
    until(lambda: real.read is not None and not real.bring_button.disabled)
    assert np.array_equal(real.picture.pixels, photo)


def test_a_model_tuned_to_a_real_picture_opens_below(panel, session, photo, until, tmp_path):
    panel.photo_fold.opened = True
    real = panel.photo_fold.content
    real.take(photo)
    until(lambda: real.read is not None)
    real.steps.value, real.tuner.steps.value, real.tuner.file.value = 2, 4, str(tmp_path / "tuned.safetensors")
    real.bring().wait(20)
    until(lambda: real.pivot is not None)
    real.tuner.tune_button.click()
    until(lambda: panel.below.panel is not None and panel.below.panel.frame in panel.frame.children)
    tuned = load_generator(tmp_path / "tuned.safetensors", "cpu")
    assert tuned.fingerprint == panel.below.panel.session.generator.fingerprint != session.generator.fingerprint
    assert panel.below.panel.knobs.values == pytest.approx(real.read, abs=1e-6)
    assert "dB" in real.said.value


def test_tuning_can_be_stopped_and_keeps_the_best(panel, session, photo, until, tmp_path):
    panel.photo_fold.opened = True
    real = panel.photo_fold.content
    real.take(photo)
    until(lambda: real.read is not None)
    real.steps.value, real.tuner.steps.value, real.tuner.file.value = 2, 5000, str(tmp_path / "tuned.safetensors")
    real.bring().wait(20)
    until(lambda: real.pivot is not None)
    turn = real.tuner.tune()
    until(lambda: "Tuning, step 2" in real.said.value)
    assert not real.stop_button.disabled
    real.stop_button.click()
    turn.wait(20)
    until(lambda: panel.below.panel is not None)
    assert (tmp_path / "tuned.safetensors").exists()


def test_a_model_without_a_class_head_says_that_labels_are_set_by_hand(photo, until):
    session = Session(Generator(labeled().network))
    panel = SelfConditionedPanel(session)
    panel.photo_fold.opened = True
    real = panel.photo_fold.content
    real.take(photo)
    until(lambda: real.read is not None)
    assert "set the labels by hand" in real.said.value
    assert isinstance(real.edit(), Embed)
    drag(panel, "yaw", 0.9)
    until(lambda: "no class head" in panel.measures.value)
    panel.close()
    session.close()


# ---- the sheet


def test_a_sheet_of_two_attributes_is_drawn_and_given(panel, session, until):
    panel.sheet_fold.opened = True
    sheet = panel.sheet_fold.content
    assert sheet.save_button.disabled
    sheet.values.value = 3
    sheet.draw().wait(20)
    until(lambda: not sheet.save_button.disabled)
    picture = np.asarray(Image.open(io.BytesIO(sheet.contents)))
    assert picture.shape == (48, 48, 3)
    corner = run(session.generator, session.latent, SetLabels({"age": 1.0, "yaw": 0.0}))
    assert np.array_equal(picture[:16, 32:], drawn(session.generator, corner))
    sheet.down.value = "people"
    sheet.draw().wait(20)
    assert np.asarray(Image.open(io.BytesIO(sheet.contents))).shape == (4 * 16, 48, 3)
    assert sheet.name == "labels_people_age.png"


def test_another_picture_brings_its_own_labels(panel, session):
    drag(panel, "yaw", 0.9)
    session.apply(Sample(7)).wait(10)
    assert panel.knobs.values == {"age": 0.5, "yaw": 0.5}


def test_film_strips_show_the_person_at_every_label(panel, session, until):
    until(lambda: all(strips(panel).values()))
    average = strips(panel)
    panel.seeds.go_to(5)
    until(lambda: all(strips(panel)[name] != average[name] for name in average))
    chosen = strips(panel)
    panel.clear()  # the seed is given up
    until(lambda: strips(panel) == average)
    panel.seeds.go_to(5)
    until(lambda: strips(panel) == chosen)
    for name in chosen:
        panel.knobs.set_strip(name, None)
    panel.apply()
    until(lambda: strips(panel) == chosen)  # drawn once more
    generator, name = session.generator, panel.knobs.rows[0]["key"]
    latents = [run(generator, session.latent, SetLabels({name: v})) for v in np.linspace(0, 1, 6).tolist()]
    assert chosen[name] == data_url(tile([session.thumbnail(latent, HEIGHT) for latent in latents], 6))


def test_a_panel_that_is_not_on_show_draws_no_strips(session, source, yaw, until):
    panel = SelfConditionedPanel(session, source, [yaw])
    until(lambda: all(strips(panel).values()))
    panel.layout.display = "none"
    before = strips(panel)
    session.apply(Sample(9)).wait(10)
    session.in_background("last", lambda: iter(())).wait(10)
    assert strips(panel) == before
    panel.layout.display = None
    until(lambda: all(strips(panel)[name] != before[name] for name in before))
    panel.close()
