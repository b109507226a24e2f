"""Refining an embedded picture without a browser: noise after W+, a tuned copy of the model, and how to go on."""

import html

import numpy as np
import pytest
import torch

from ganedit_widgets.core import load_generator, save_image, to_pixels
from ganedit_widgets.core.edits import Embed, FitNoise, Sample
from ganedit_widgets.core.image import to_tensor
from ganedit_widgets.core.perceptual import psnr
from ganedit_widgets.panels import EmbedPanel, Frame, Session
from tests.tiny import tiny3


@pytest.fixture
def panel(session):
    panel = EmbedPanel(session)
    yield panel
    panel.close()


def refine(panel):
    panel.refine_fold.opened = True
    return panel.refine_fold.content


def embed(panel, photo, steps=5):
    panel.take(photo)
    panel.iterations.value = steps
    panel.apply()
    panel.session.wait(30)
    return refine(panel)


def tune(panel, path, steps=4):
    controls = refine(panel)
    controls.tuner.steps.value, controls.tuner.file.value = steps, str(path)
    controls.tuner.tune_button.click()
    return controls


def likeness(pixels, panel):
    return psnr(to_tensor(pixels), to_tensor(panel.target.pixels))


def test_there_is_nothing_to_refine_before_a_picture_is_embedded(panel, photo):
    assert panel.refine_fold.layout.display == "none"
    panel.take(photo)
    assert panel.refine_fold.layout.display == "none"
    assert embed(panel, photo) is not None
    assert panel.refine_fold.layout.display is None


def test_the_noise_is_fitted_after_w_plus_which_stays_as_it_is(panel, session, photo):
    controls = embed(panel, photo, 20)
    found, before = session.latent, likeness(session.pixels, panel)
    controls.fit_steps.value = 30
    controls.fit_button.click()
    session.wait(30)
    edit = session.history.edits[-1]
    assert isinstance(edit, FitNoise) and edit.iterations == 30
    assert torch.equal(session.latent.w, found.w) and session.latent.noise
    assert likeness(session.pixels, panel) > before + 0.1
    assert "step 30 of 30 · PSNR" in panel.numbers.value and "distance" not in panel.numbers.value


def test_the_card_and_the_way_back_into_the_original_count_from_the_noise(panel, session, photo, until):
    controls = embed(panel, photo)
    until(lambda: panel.card.card is not None)
    first = panel.card.card
    controls.fit_steps.value = 20
    controls.fit()
    session.wait(30)
    until(lambda: panel.card.card is not None and panel.card.card is not first)
    assert panel.card.card.psnr > first.psnr
    assert panel.original.embedded is session.latent
    assert panel.scrubber.layout.display == "none"  # its steps belong to the search in W+


def test_noise_is_fitted_where_the_picture_was_matched_only(panel, session, photo):
    panel.take(photo)
    panel.hole_fold.opened = True
    panel.hole_fold.content.painter.polygon([(0, 0), (8, 0), (8, 16), (0, 16)], "left out")
    controls = embed_here(panel)
    controls.fit_steps.value = 3
    controls.fit()
    session.wait(30)
    where = session.history.edits[-1].where
    assert where[:, 10:].all() and not where[:, :8].any()
    assert controls.tuner.tune_button.disabled and "left out" in controls.tuner.tune_button.tooltip


def embed_here(panel, steps=3):
    panel.iterations.value = steps
    panel.apply()
    panel.session.wait(30)
    return refine(panel)


def test_an_edited_picture_is_not_refined_until_one_goes_back(panel, session, photo, until):
    controls = embed(panel, photo)
    session.apply(Sample(3)).wait(10)
    until(lambda: controls.fit_button.disabled)
    assert "edited since" in controls.fit_button.tooltip and controls.tuner.tune_button.disabled
    controls.fit()
    assert "edited since" in session.message.text and not isinstance(session.history.edits[-1], FitNoise)
    session.undo().wait(10)
    until(lambda: not controls.fit_button.disabled)


def test_stop_keeps_the_best_noise_so_far(panel, session, photo, until):
    controls = embed(panel, photo)
    controls.fit_steps.value = 5000
    controls.fit()
    until(lambda: session.progress and session.progress.step >= 3)
    assert controls.fit_button.disabled and "Stop" in controls.fit_button.tooltip
    panel.stop_button.click()
    session.wait(10)
    assert 3 <= session.history.edits[-1].total < 5000
    until(lambda: not controls.fit_button.disabled)


def test_a_model_without_noise_offers_none(photo):
    session = Session(tiny3())
    panel = EmbedPanel(session)
    controls = embed(panel, photo, 2)
    assert controls.fit_button not in [w for child in controls.children for w in getattr(child, "children", ())]
    assert not controls.tuner.tune_button.disabled
    panel.close()
    session.close()


def test_the_numbers_of_other_searches_are_not_taken_for_its_own(panel, session, photo):
    embed(panel, photo)
    frames, numbers = list(panel.scrubber.frames), panel.numbers.value
    session.apply(FitNoise(photo, 4)).wait(20)
    assert panel.scrubber.frames == frames and panel.numbers.value == numbers


# ---- the tuned model


def test_the_model_is_tuned_around_the_picture_and_the_code_makes_it_again(
    panel, session, photo, until, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    save_image("photo.png", photo)
    controls = embed(panel, "photo.png", 10)
    assert controls.tuned.layout.display == "none"
    tune(panel, "tuned.safetensors", 6)
    until(lambda: controls.tuned.layout.display is None)
    assert "Tuned to" in controls.said.value and "tuned.safetensors" in controls.said.value
    tuned, latent = controls.tuned.made
    assert load_generator("tuned.safetensors", "cpu").fingerprint == tuned.fingerprint
    assert tuned.fingerprint != session.generator.fingerprint
    assert likeness(to_pixels(tuned.draw(latent)), panel) > likeness(session.pixels, panel)
    code = controls.tuned.shown.value.removeprefix("<pre>").removesuffix("</pre>")
    (tmp_path / "tuned.safetensors").unlink()
    exec(html.unescape(code), {})
    assert load_generator("tuned.safetensors", "cpu").fingerprint == tuned.fingerprint


def test_a_studio_with_the_tuned_model_opens_below_and_is_edited(session, photo, until, tmp_path):
    frame = Frame(session, [EmbedPanel])
    panel = frame.panel
    embed(panel, photo)
    controls = tune(panel, tmp_path / "tuned.safetensors")
    until(lambda: controls.tuned.made is not None)
    controls.tuned.open_button.click()
    until(lambda: controls.tuned.studio is not None)
    studio = controls.tuned.studio
    assert studio in frame.children and studio.session.generator is controls.tuned.made[0]
    assert np.array_equal(studio.session.pixels, to_pixels(controls.tuned.made[0].draw(controls.tuned.made[1])))
    studio.panel.ready.wait(20)
    studio.session.apply(Sample(2)).wait(10)
    assert len(session.history) == 3  # this one's history is its own
    panel.close()
    assert studio not in frame.children
    frame.close()


def test_stop_keeps_the_best_tuning_so_far(panel, session, photo, until, tmp_path):
    embed(panel, photo)
    controls = tune(panel, tmp_path / "tuned.safetensors", 5000)
    until(lambda: session.progress is not None and session.progress.step >= 2)
    assert session.busy == "tuning the model" and session.progress.total == 5000
    session.stop()
    until(lambda: controls.tuned.made is not None)
    assert (tmp_path / "tuned.safetensors").exists()


def test_a_tuning_that_ends_during_another_search_is_kept_in_its_file(panel, session, photo, until, tmp_path):
    embed(panel, photo)
    tune(panel, tmp_path / "tuned.safetensors", 5000)
    until(lambda: session.progress is not None and session.progress.step >= 2)
    panel.iterations.value = 5000
    panel.apply()  # it does not end the tuning
    until(lambda: panel.scrubber.frames)
    session.stop()
    until(lambda: "is written to" in session.message.text)
    assert (tmp_path / "tuned.safetensors").exists() and session.message.level == "info"


def test_another_search_forgets_the_tuned_model(panel, session, photo, until, tmp_path):
    embed(panel, photo)
    controls = tune(panel, tmp_path / "tuned.safetensors")
    until(lambda: controls.tuned.made is not None and not session.busy)
    embed_here(panel)
    assert controls.tuned.made is None and controls.tuned.layout.display == "none"


def test_a_file_that_cannot_be_written_is_refused_before_the_tuning(panel, session, photo, tmp_path):
    embed(panel, photo)
    tune(panel, tmp_path / "nowhere" / "tuned.safetensors")
    assert "There is no folder" in session.message.text and session.message.level == "error"
    (tmp_path / "mine.safetensors").write_bytes(b"mine")
    tune(panel, tmp_path / "mine.safetensors")
    assert "press again to replace it" in session.message.text
    assert (tmp_path / "mine.safetensors").read_bytes() == b"mine"


def test_embed_s_own_edit_is_what_is_recorded(panel, session, photo):
    embed(panel, photo)
    assert isinstance(session.history.edits[-1], Embed) and panel.found.latents == [session.latent]
