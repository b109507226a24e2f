"""The morph panel without a browser: keyframes, scrubbing, baking, playing, exporting, code."""

import errno
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganedit_widgets.core.edits import MoveAlong, Sample, run
from ganedit_widgets.core.image import read_image
from ganedit_widgets.core.probes import sefa
from ganedit_widgets.panels import MorphPanel


@pytest.fixture
def panel(session):
    panel = MorphPanel(session)
    yield panel
    panel.close()


@pytest.fixture
def film(panel):
    """Seeds 0, 1 and 2, twelve pictures."""
    panel.keyframes.here_button.click()
    for _ in range(2):
        panel.keyframes.seed_button.click()
    panel.frames.value = 12
    return panel


def sent(widget):
    messages = []
    widget.send = lambda content, buffers=None: messages.append((content, buffers))
    return messages


def names(panel):
    return [choice.name for choice in panel.keyframes.choices]


def scrub(panel, *values):
    for i, value in enumerate(values):
        message = {"t": "input", "key": "time", "value": value, "final": value == values[-1], "stamp": ["a", i]}
        panel.scrubber._receive(None, message, [])
    panel.session.wait(10)


def pictures(panel, drawn):
    return [drawn(latent) for latent in panel.morph.latents(panel.session.generator)]


# ---- keyframes


def test_it_says_how_many_keyframes_are_missing(panel, session):
    assert panel.bake_button.disabled and panel.bake_button.tooltip == "Add 2 more keyframes first"
    scrub(panel, 0.5)
    assert session.message.text == "Add 2 more keyframes first." and session.pending is None
    panel.keyframes.seed_button.click()
    assert panel.bake_button.tooltip == "Add 1 more keyframe first"


def test_keyframes_are_added_moved_and_removed(film):
    keyframes = film.keyframes
    assert names(film) == ["seed 4", "seed 1", "seed 2"]
    keyframes.left_button.click()
    assert names(film) == ["seed 4", "seed 2", "seed 1"]
    keyframes.strip._receive(None, {"t": "select", "id": "k0"}, [])
    assert keyframes.left_button.disabled and keyframes.left_button.tooltip == "It is the first"
    keyframes.seed.value = 9
    keyframes.seed_button.click()  # behind the chosen one
    assert names(film) == ["seed 4", "seed 9", "seed 2", "seed 1"]
    keyframes.remove_button.click()
    keyframes.remove_button.click()
    assert names(film) == ["seed 4", "seed 1"]
    keyframes.right_button.click()
    assert keyframes.right_button.tooltip == "It is the last"


def test_a_ninth_keyframe_is_refused(film, session):
    for _ in range(9):
        film.keyframes.random_button.click()
    assert len(names(film)) == 8 and "8 is the most" in session.message.text
    assert film.keyframes.seed_button.disabled and "remove one first" in film.keyframes.seed_button.tooltip


def test_an_edited_picture_is_a_keyframe_and_has_no_z(film, session, until):
    session.preview(MoveAlong(sefa(session.generator)[0], 2.0)).wait(10)
    film.keyframes.here_button.click()
    until(lambda: len(names(film)) == 4)
    assert names(film)[3] == "step 2" and len(session.history) == 3
    film.path.value = "z"
    film.bake_button.click()
    assert "The z of keyframe 4 is not known" in session.message.text and session.message.level == "error"


def test_thumbnails_of_keyframes_are_drawn(film, until, drawn, session):
    until(lambda: film.keyframes.strip._stream.last.cells[2].pixels.std() > 0)
    cells = film.keyframes.strip._stream.last.cells
    assert np.array_equal(cells[1].pixels, drawn(session.generator.sample(1, 0.7)))
    assert [cell.caption for cell in cells] == ["seed 4", "seed 1", "seed 2"]


# ---- scrubbing


def test_scrubbing_shows_the_last_moment(film, session, drawn):
    scrub(film, *np.linspace(0, 0.5, 30))
    expected = run(session.generator, session.latent, film.morph.edit(session.generator, 0.5))
    assert np.array_equal(session.pixels, drawn(expected)) and not session.moving


def test_a_moment_is_kept_and_the_film_stays(film, session):
    scrub(film, 0.3)
    shown = session.pixels
    film.apply_button.click()
    session.wait(10)
    assert np.array_equal(session.pixels, shown) and session.entries[-1].label == "seed 4, × seed 1"
    assert film.edit() is None and len(names(film)) == 3


def test_settings_change_the_moment_on_show(film, session):
    scrub(film, 0.3)
    before = session.pixels
    film.easing.value = "rest"
    session.wait(10)
    assert not np.array_equal(session.pixels, before)


def test_layers_may_be_late(film, session):
    assert film.morph.timing is None
    film.delays_fold.opened = True
    message = {"t": "input", "key": "fine", "value": 0.5, "final": True, "stamp": ["a", 1]}
    film.delays_fold.content._receive(None, message, [])
    assert film.morph.timing == {"fine": 0.5}


# ---- baking and playing


def test_baking_renders_every_picture_and_sends_it_once(film, session, drawn):
    messages = sent(film.player)
    film.player._receive(None, {"t": "ready"}, [])
    film.bake().wait(20)
    expected = pictures(film, drawn)
    assert all(np.array_equal(x, y) for x, y in zip(film.baked, expected, strict=True)) and film.player.done
    kinds = [message["t"] for message, _ in messages if "t" in message]
    assert kinds == ["begin"] + ["picture"] * 12
    assert messages[0][0]["count"] == 12
    one = read_image(messages[-1][1][0])
    assert np.abs(one.astype(int) - expected[-1]).mean() < 12  # as JPEG


def test_a_page_opened_later_gets_the_whole_film(film):
    film.bake().wait(20)
    messages = sent(film.player)
    film.player._receive(None, {"t": "ready"}, [])
    assert [m["t"] for m, _ in messages] == ["begin"] + ["picture"] * 12


def test_an_even_speed_shows_before_anything_is_baked(film, session, drawn, until):
    scrub(film, 0.3)
    uneven = session.pixels
    film.constant.value = True
    until(lambda: film.pace.value.startswith("The speed is even"))
    session.wait(10)
    assert film.baked == [] and film.reel.speed is not None
    even = film.morph.edit(session.generator, 0.3, film.reel.speed)
    expected = drawn(run(session.generator, session.latent, even))
    until(lambda: np.array_equal(session.pixels, expected))
    assert not np.array_equal(session.pixels, uneven)
    film.bake().wait(20)
    frames = film.morph.latents(session.generator, film.reel.speed)
    assert all(np.array_equal(x, drawn(y)) for x, y in zip(film.baked, frames, strict=True))
    film.constant.value = False
    until(lambda: film.pace.value == "")


def test_the_speed_is_measured_once_and_again_for_another_film(film, session, until):
    film.constant.value = True
    until(lambda: film.pace.value.startswith("The speed is even"))
    assert film.steps == film.reel.steps == 12
    film.easing.value = "rest"
    assert film.reel.speed is None and film.steps == 12 + 33
    until(lambda: film.pace.value.startswith("The speed is even"))


def test_baking_measures_the_speed_itself_if_it_is_first(film, session):
    film.constant.value = True
    film.bake().wait(20)
    assert len(film.baked) == 12 and film.reel.speed is not None


def test_a_film_that_cannot_be_made_says_so_where_its_speed_is_told(film, session, until):
    session.preview(MoveAlong(sefa(session.generator)[0], 2.0)).wait(10)
    film.keyframes.here_button.click()
    until(lambda: len(names(film)) == 4)
    film.constant.value = True
    film.path.value = "z"
    until(lambda: film.pace.value.startswith("The z of keyframe 4 is not known"))


def test_baking_can_be_stopped(film, session, until):
    film.frames.value = 2000
    turn = film.bake()
    until(lambda: session.progress and session.progress.step > 3)
    session.stop()
    turn.wait(10)
    assert film.baked == [] and not film.player.done and "stopped" in session.message.text


def test_what_was_baked_before_a_stop_is_not_drawn_again(film, session, until, monkeypatch):
    film.frames.value = 400
    turn = film.bake()
    until(lambda: session.progress and session.progress.step > 30)
    session.stop()
    turn.wait(10)
    kept = 400 - film.reel.steps
    assert kept >= 30
    drawn, draw = [], session.generator.draw
    monkeypatch.setattr(session.generator, "draw", lambda *a, **o: drawn.append(1) or draw(*a, **o))
    film.bake().wait(20)
    others = 20  # thumbnails and the stage may be drawn meanwhile
    assert len(film.baked) == 400 and len(drawn) <= 400 - kept + others


def test_a_film_larger_than_memory_is_refused_with_its_size(film, session, monkeypatch):
    monkeypatch.setattr("ganedit_widgets.core.film_cost.LARGEST", 5000)
    film.bake_button.click()
    assert "12 pictures of 16×16 would take 0.0 MB of memory" in session.message.text
    assert session.message.level == "error" and session.busy == ""


def test_a_changed_setting_makes_the_film_stale(film):
    film.bake().wait(20)
    assert not film.player.stale
    film.loop.value = True
    assert film.player.stale and film.baked == []
    film.bake().wait(20)
    assert not film.player.stale and film.player.loop


def test_a_film_that_is_changed_while_it_is_baked_is_not_taken_for_the_new_one(film, session, until):
    film.frames.value = 300
    turn = film.bake()
    until(lambda: session.progress and session.progress.step > 3)
    film.loop.value = True
    turn.wait(20)
    assert film.baked == [] and film.player.stale and "changed" in session.message.text


def test_stopping_the_film_shows_that_picture_in_full(film, session):
    film.bake().wait(20)
    film.player._receive(None, {"t": "at", "index": 5}, [])
    session.wait(10)
    assert np.array_equal(session.pixels, film.baked[5])
    film.player._receive(None, {"t": "at", "index": 11}, [])
    session.wait(10)
    assert isinstance(session.pending, Sample) and session.pending.seed == 2


def test_no_frame_asks_anything_of_python(film):
    film.bake().wait(20)
    messages = sent(film.player)
    film.player.fps = 30.0  # the browser's own settings
    assert [m for m, _ in messages if m.get("t")] == []


# ---- export and code


@pytest.fixture
def export(film):
    film.export_fold.opened = True
    return film.export_fold.content


def download(film, export, kind):
    messages = sent(film.frame.head)
    export.kind.value = kind
    export.download().wait(20)
    message, buffers = next((m, b) for m, b in messages if m.get("t") == "file")
    return message, buffers[0]


@pytest.mark.parametrize(("kind", "frames"), [("gif", 22), ("webp", 22), ("apng", 22)])
def test_a_film_is_downloaded(film, export, kind, frames):
    message, contents = download(film, export, kind)
    picture = Image.open(io.BytesIO(contents))
    assert (message["name"], picture.n_frames, picture.size) == (f"morph.{kind}", frames, (16, 16))


def test_an_export_is_what_was_asked_for_whatever_is_chosen_meanwhile(film, export, session, until):
    messages = sent(film.frame.head)
    film.frames.value = 300
    turn = export.download()
    until(lambda: session.progress and session.progress.step > 3)
    export.kind.value, film.frames.value = "strip", 12
    turn.wait(20)
    message, buffers = next((m, b) for m, b in messages if m.get("t") == "file")
    with Image.open(io.BytesIO(buffers[0])) as picture:
        assert (message["name"], picture.format, picture.n_frames) == ("morph.gif", "GIF", 2 * 300 - 2)


def test_a_strip_and_all_pictures_are_the_baked_ones(film, export):
    film.bake().wait(20)
    _, contents = download(film, export, "strip")
    assert np.array_equal(read_image(contents), np.hstack(film.baked))
    _, contents = download(film, export, "frames")
    assert len(zipfile.ZipFile(io.BytesIO(contents)).namelist()) == 12


def test_a_loop_is_not_played_back(film, export):
    film.loop.value = True
    assert export.back.disabled and "loop" in export.back.tooltip
    assert Image.open(io.BytesIO(download(film, export, "gif")[1])).n_frames == 12


@pytest.mark.parametrize("constant", [False, True])
def test_a_folder_is_written_on_the_server_and_never_downloaded(film, export, tmp_path, constant):
    film.constant.value = constant
    export.kind.value = "folder"
    assert export.download_button.disabled and export.path.value == "morph"
    export.path.value = str(tmp_path / "film")
    export.save().wait(20)
    assert len(list((tmp_path / "film").iterdir())) == 12


def test_a_stopped_export_leaves_nothing_behind(film, export, session, tmp_path, until):
    film.frames.value = 2000
    export.kind.value = "folder"
    export.path.value = str(tmp_path / "film")
    turn = export.save()
    until(lambda: session.progress and session.progress.step > 5)
    session.stop()
    turn.wait(10)
    until(lambda: not list(tmp_path.iterdir()))


@pytest.mark.parametrize("kind", ["gif", "webp", "apng", "mp4", "strip", "frames"])
def test_stop_is_heard_while_the_film_is_encoded(film, export, session, tmp_path, until, kind, monkeypatch):
    film.frames.value = 60
    film.bake().wait(20)
    monkeypatch.setattr("ganedit_widgets.core.film.WIDEST", 10**6)
    export.kind.value = kind
    export.path.value = str(tmp_path / f"film{export.path.value[-5:]}")
    steps = []

    def stop_late(change):
        if change["new"] and change["new"].step > 0.6 * change["new"].total:  # a GIF and a strip look ahead before
            steps.append(change["new"].step)
            session.stop()

    session.observe(stop_late, "progress")
    monkeypatch.setattr("ganedit_widgets.panels.running.PAUSE", 0.0)
    export.save().wait(20)
    session.unobserve(stop_late, "progress")
    until(lambda: not list(tmp_path.iterdir()))
    assert len(set(steps)) == 1 and "stopped" in session.message.text  # nothing was done after it


def test_an_export_that_nobody_can_bear_is_refused_before_anything_is_drawn(
    film, export, session, tmp_path, monkeypatch
):
    monkeypatch.setattr("ganedit_widgets.panels.film_steps.LARGEST", 4000)
    film.frames.value = 2000
    export.path.value = str(tmp_path / "film.gif")
    with pytest.raises(
        Exception, match=r"2000 pictures of 16×16 as animated GIF would take about .* MB, and .* is the most"
    ):
        export.save().wait(20)
    assert list(tmp_path.iterdir()) == [] and film.reel.steps == 2000


def test_a_full_disk_keeps_the_pictures_that_were_drawn(film, export, session, tmp_path, monkeypatch):
    def full(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    export.kind.value = "gif"
    export.path.value = str(tmp_path / "film.gif")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full)
        with pytest.raises(Exception, match="There is no space left for"):
            export.save().wait(20)
    assert session.message.level == "error" and len(film.baked) == 12 and list(tmp_path.iterdir()) == []
    export.save().wait(20)
    assert (tmp_path / "film.gif").exists()


def test_a_place_that_cannot_be_written_is_one_sentence(film, export, session, tmp_path):
    export.path.value = str(tmp_path / "nowhere" / "a.gif")
    with pytest.raises(Exception, match="choose another place"):
        export.save().wait(20)
    assert session.message.level == "error"


def test_a_file_of_somebody_else_is_replaced_when_asked_twice_and_ours_at_once(film, export, session, tmp_path):
    (tmp_path / "theirs.gif").write_bytes(b"precious")
    export.path.value = str(tmp_path / "theirs.gif")
    export.save_button.click()
    assert session.message.level == "error" and "press Save again to replace it" in session.message.text
    assert (tmp_path / "theirs.gif").read_bytes() == b"precious"
    export.save().wait(20)
    assert (tmp_path / "theirs.gif").read_bytes()[:3] == b"GIF"
    export.path.value = str(tmp_path / "ours.gif")
    sizes = []
    for frames in (12, 20):
        film.frames.value = frames
        export.save().wait(20)
        sizes.append((tmp_path / "ours.gif").stat().st_size)
    assert sizes[1] > sizes[0]


def test_size_and_time_are_estimated_before(film, export, until):
    until(lambda: export.about.value.startswith("About ") and " MB and " in export.about.value)


@pytest.mark.parametrize(("back", "says"), [(True, "22 frames (12 pictures there and back)"), (False, "12 pictures")])
def test_the_length_of_the_film_is_said_alike_before_and_after(film, export, session, until, back, says):
    export.back.value = back
    until(lambda: export.about.value.endswith(f" for {says}."))
    _, contents = download(film, export, "gif")
    with Image.open(io.BytesIO(contents)) as picture:
        assert says.startswith(f"{picture.n_frames} ")
    assert session.message.text.startswith(f"morph.gif: {says}, ")


def test_the_code_of_the_film_runs_and_makes_it(film, session, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    session.apply(MoveAlong(sefa(session.generator)[0], 2.0)).wait(10)
    film.keyframes.add_current()
    film.code_fold.opened = True
    shown = film.code_fold.content
    assert "Morph((Sample(4), Sample(1), Sample(2), load_recipe(" in film.code()
    messages = sent(film.frame.head)
    shown.files_button.click()
    zipfile.ZipFile(io.BytesIO(messages[-1][1][0])).extractall(tmp_path)
    exec(compile(film.code(), "shown", "exec"), {})
    with Image.open("morph.gif") as picture:
        assert picture.n_frames == 2 * 12 - 2


def test_seeds_need_no_files(film):
    film.code_fold.opened = True
    assert film.code_fold.content.files_button.disabled
    assert "seeds" in film.code_fold.content.files_button.tooltip
