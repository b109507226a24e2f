"""Films: what a reader of the GIF sees."""

import errno
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganedit_widgets.core.errors import ImageError
from ganedit_widgets.core.film import KINDS, encode, film, gif, save_film, steps_of, write_film
from ganedit_widgets.core.film_cost import estimate, in_frames, require_bearable, require_memory
from ganedit_widgets.core.sheet import tile


def frames_of(film):
    picture = Image.open(io.BytesIO(film))
    found = []
    for i in range(picture.n_frames):
        picture.seek(i)
        found.append(np.asarray(picture.convert("RGB")))
    return found, picture.info


def test_a_film_shows_its_frames_in_order_and_back():
    frames = [np.full((8, 12, 3), 80 * i, np.uint8) for i in range(4)]
    found, info = frames_of(gif(frames, milliseconds=50))
    assert [int(f.mean().round()) for f in found] == pytest.approx([0, 80, 160, 240, 160, 80], abs=2)
    assert info["duration"] == 50 and info["loop"] == 0


def test_a_film_may_run_one_way():
    frames = [np.full((8, 8, 3), 60 * i, np.uint8) for i in range(3)]
    assert len(frames_of(gif(frames, back=False))[0]) == 3


def test_colors_come_from_the_whole_film():
    red, blue = np.zeros((8, 8, 3), np.uint8), np.zeros((8, 8, 3), np.uint8)
    red[..., 0], blue[..., 2] = 255, 255
    found, _ = frames_of(gif([red, red, blue], back=False))
    assert found[0][0, 0].tolist() == [255, 0, 0] and found[-1][0, 0].tolist() == [0, 0, 255]


def test_a_film_without_pictures_is_refused():
    with pytest.raises(ImageError, match="at least one"):
        gif([])


# ---- every kind


def moving(count=5):
    """Pictures of 12×16 pixels with more colors than a GIF has, none like another."""
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (12, 16, 3), np.uint8) for _ in range(count)]


@pytest.mark.parametrize("kind", ["gif", "webp", "apng"])
def test_animations_have_every_frame_their_pace_and_no_end(kind):
    found, info = frames_of(film(moving(), kind, milliseconds=80))
    assert len(found) == 5 and info["loop"] == 0 and info["duration"] == pytest.approx(80)
    assert len(frames_of(film(moving(), kind, back=True))[0]) == 8
    if kind == "apng":
        assert all(np.array_equal(x, y) for x, y in zip(found, moving(), strict=True))


def shades(count=4, height=33, width=48):
    """Smooth pictures of odd height, each brighter than the one before."""
    ramp = np.linspace(0, 150, width)[None, :, None] + np.linspace(0, 60, height)[:, None, None]
    return [np.repeat(ramp + 12 * i, 3, 2).astype(np.uint8) for i in range(count)]


def test_a_video_has_every_frame_and_its_pace():
    import av

    for back, count in ((False, 4), (True, 6)):
        with av.open(io.BytesIO(film(shades(), "mp4", milliseconds=200, back=back))) as container:
            found = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
            assert container.streams.video[0].average_rate == 5
        assert len(found) == count and found[0].shape == (34, 48, 3)
        for wanted, frame in zip(shades(), found, strict=False):
            assert np.abs(frame[:33].astype(int) - wanted).mean() < 4


def test_what_cannot_become_a_video_is_refused():
    with pytest.raises(ImageError, match="16 pixels at least"):
        film(moving(), "mp4")


def test_a_strip_and_an_archive_hold_the_pictures_exactly():
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(film(moving(), "strip")))), np.hstack(moving()))
    sheet = np.asarray(Image.open(io.BytesIO(film(moving(), "sheet"))))
    assert np.array_equal(sheet, tile(moving()))  # three in a row; the sixth place is white
    archive = zipfile.ZipFile(io.BytesIO(film(moving(), "frames")))
    assert archive.namelist() == [f"frame-000{i}.png" for i in range(5)]
    assert np.array_equal(np.asarray(Image.open(archive.open("frame-0003.png"))), moving()[3])


def test_a_folder_of_pictures_appears_when_all_are_written(tmp_path):
    for _ in write_film(tmp_path / "film", moving(), "frames"):
        assert not (tmp_path / "film").exists()
    assert [p.name for p in sorted((tmp_path / "film").iterdir())] == [f"frame-000{i}.png" for i in range(5)]
    with pytest.raises(ImageError, match="exists already"):
        list(write_film(tmp_path / "film", moving(), "frames"))


@pytest.mark.parametrize("name", ["film.gif", "film.webp", "film.apng", "film.png", "film.zip", "film"])
def test_the_name_says_what_to_write(name, tmp_path):
    save_film(tmp_path / name, moving())
    assert [p.name for p in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(("kind", "name"), [("gif", "a.gif"), ("frames", "a"), ("frames", "a.zip")])
def test_who_stops_reading_leaves_nothing_behind(kind, name, tmp_path):
    walk = write_film(tmp_path / name, moving(), kind)
    assert [next(walk), next(walk)] == [1, 2]
    walk.close()
    assert list(tmp_path.iterdir()) == []


class Full(io.BytesIO):
    """A file on a disk with room for 700 bytes."""

    def write(self, data):
        if self.tell() + len(data) > 700:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(data)


@pytest.mark.parametrize("kind", KINDS)
def test_a_full_disk_is_one_sentence_and_leaves_nothing_behind_but_the_old_film(kind, tmp_path, monkeypatch):
    path = tmp_path / f"a{KINDS[kind].ending}"
    path.write_bytes(b"the old one")
    open_file = Path.open

    def full(file, mode="r", *args, **options):
        open_file(file, mode, *args, **options).close()
        return Full()

    frames = [np.repeat(np.repeat(f, 2, 0), 2, 1) for f in moving(12)]
    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", full)
        with pytest.raises(ImageError, match=f"There is no space left for .*{path.name} after .*MB: free some"):
            list(write_film(path, frames, kind))
    assert path.read_bytes() == b"the old one" and list(tmp_path.iterdir()) == [path]


def test_a_full_disk_in_the_middle_of_a_folder_leaves_nothing_behind(tmp_path, monkeypatch):
    write, room = Path.write_bytes, [2]

    def full(path, contents):
        room[0] -= 1
        if room[0] > 0:
            return write(path, contents)
        write(path, contents[:10])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(ImageError, match=r"There is no space left for .*a after .*MB: free some"):
        list(write_film(tmp_path / "a", moving(), "frames"))
    assert list(tmp_path.iterdir()) == []


# ---- while it is encoded


@pytest.mark.parametrize("back", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_no_step_encodes_more_than_one_picture(kind, back, monkeypatch):
    """Whoever stops reading waits for one picture: counted by what Pillow and the video's encoder are given."""
    import av

    done = []
    for thing, name in ((Image, "fromarray"), (av.VideoFrame, "from_ndarray")):
        asked = getattr(thing, name)
        spy = lambda *a, _asked=asked, **o: done.append(1) or _asked(*a, **o)  # noqa: E731
        if thing is av.VideoFrame:
            monkeypatch.setattr(av, "VideoFrame", type("Spy", (), {name: staticmethod(spy)}))
        else:
            monkeypatch.setattr(thing, name, spy)
    counts, before = [], 0
    for _ in encode(io.BytesIO(), [np.repeat(f, 2, 0) for f in moving(9)], kind, 60, back):
        counts.append(len(done) - before)
        before = len(done)
    assert max(counts) <= 1 and (sum(counts) >= 7 or kind in ("sheet", "strip"))  # those two: our own, by rows
    assert len(counts) == pytest.approx(steps_of(kind, 9, back), abs=3)


@pytest.mark.parametrize("kind", KINDS)
def test_a_film_given_up_while_it_is_encoded_leaves_nothing_but_the_old_one(kind, tmp_path):
    path = tmp_path / f"a{KINDS[kind].ending}"
    path.write_bytes(b"the old one")
    walk = write_film(path, [np.repeat(f, 2, 0) for f in moving(9)], kind)
    for _ in range(steps_of(kind, 9) - 2):
        next(walk)
    assert len(list(tmp_path.iterdir())) == 2  # half written
    walk.close()
    assert path.read_bytes() == b"the old one" and list(tmp_path.iterdir()) == [path]


def test_pictures_are_taken_one_at_a_time_and_not_held():
    """Kinds that need no look ahead ask for the next picture after the last is written."""
    for kind in ("webp", "apng", "mp4", "frames"):
        asked = []
        frames = (asked.append(i) or np.repeat(frame, 2, 0) for i, frame in enumerate(moving(9)))
        walk = encode(io.BytesIO(), frames, kind)
        assert [next(walk), next(walk)] == [1, 2] and len(asked) == 2, kind


def test_a_film_that_grows_too_large_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr("ganedit_widgets.core.film.LARGEST", 3000)
    with pytest.raises(ImageError, match=r"has grown beyond 0.0 MB after \d pictures: take fewer"):
        list(write_film(tmp_path / "a.apng", moving(9), "apng"))
    assert list(tmp_path.iterdir()) == []


# ---- what it will cost


def test_a_film_that_nobody_can_bear_is_refused_with_its_estimate():
    large = np.array(Image.fromarray(moving(1)[0]).resize((512, 512), Image.Resampling.BICUBIC))
    large[::2, ::2] ^= 7  # some detail
    says = r"4000 pictures of 512×512 as animated GIF .* [GM]B and 3.1 GB of memory, and .*(minutes|hours); "
    with pytest.raises(ImageError, match=says + "2.0 GB is the most: take fewer pictures, or an MP4"):
        require_bearable(large, "gif", 4000, seconds=100.0)
    with pytest.raises(ImageError, match=r"take about \d.\d MB, and .*; 1.0 MB is the most: take fewer pictures"):
        require_bearable(large, "apng", 10, most=1_000_000)
    with pytest.raises(ImageError, match="40960 pixels wide"):
        require_bearable(large, "strip", 80)
    with pytest.raises(ImageError, match=r"4000 pictures of 512×512 would take 3.1 GB of memory, and 2.0 GB is"):
        require_memory(large, 4000)
    assert require_bearable(large, "gif", 20, seconds=5.0).seconds > 5


def test_a_failed_film_leaves_the_old_one_alone(tmp_path, monkeypatch):
    save_film(tmp_path / "a.gif", moving())
    old = (tmp_path / "a.gif").read_bytes()
    broken = (frame if i < 3 else 1 / 0 for i, frame in enumerate(moving()))
    with pytest.raises(ZeroDivisionError):
        save_film(tmp_path / "a.gif", broken)
    assert (tmp_path / "a.gif").read_bytes() == old and len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(("kind", "frames"), [("gif", 8), ("webp", 8), ("apng", 8), ("strip", 1)])
def test_the_frames_that_are_told_are_those_of_the_file(kind, frames):
    with Image.open(io.BytesIO(film(list(moving(5)), kind, back=True))) as picture:
        assert getattr(picture, "n_frames", 1) == frames
    told = "5 pictures" if kind == "strip" else f"{frames} frames (5 pictures there and back)"
    assert in_frames(5, kind, back=True) == told
    assert in_frames(5, kind) == "5 pictures" and in_frames(1, kind, back=True) == "1 picture"


def test_an_estimate_is_of_the_right_order():
    pictures = [np.repeat(np.repeat(f, 8, 0), 8, 1) for f in moving(10)]
    for kind in KINDS:
        told, made = estimate(pictures[0], kind, 10, seconds_per_picture=0.5), film(pictures, kind)
        assert len(made) / 4 < told.bytes < 4 * len(made), kind
        assert told.seconds > 5
    assert estimate(pictures[0], "apng", 10, back=True).bytes == 18 / 10 * estimate(pictures[0], "apng", 10).bytes


@pytest.mark.parametrize(
    ("act", "says"),
    [
        (lambda p: film(moving(), "avi"), "'avi' cannot be written: choose one of gif"),
        (lambda p: list(write_film(p / "a", moving(), "avi")), "'avi'"),
        (lambda p: save_film(p / "a.mov", moving()), "does not say what to write.*gif"),
        (lambda p: film([], "webp"), "at least one picture"),
        (lambda p: save_film(p / "a", []), "at least one picture"),
        (lambda p: film([np.zeros((8, 1000, 3), np.uint8)] * 40, "strip"), "40000 pixels wide"),
        (lambda p: save_film(p / "nowhere" / "a.gif", moving()), "cannot be written.*choose another place"),
        (lambda p: save_film(p / "nowhere" / "a", moving()), "cannot be written.*choose another place"),
    ],
    ids=range(8),
)
def test_says_in_a_sentence_what_is_wrong(act, says, tmp_path):
    with pytest.raises(ImageError, match=says):
        act(tmp_path)
    assert list(tmp_path.iterdir()) == []
