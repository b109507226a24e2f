"""Films: what a reader of the GIF sees."""

import io

import numpy as np
import pytest
from PIL import Image

from ganedit_widgets.core.errors import ImageError
from ganedit_widgets.core.film import gif


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
