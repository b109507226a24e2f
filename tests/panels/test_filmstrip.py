"""Filmstrip without a browser: thumbnails travel once."""

import io

import numpy as np
import pytest
from PIL import Image

from ganedit_widgets.core.errors import ImageError
from ganedit_widgets.panels.filmstrip import Filmstrip


class SilentStrip(Filmstrip):
    """A Filmstrip that keeps what it would send, and confirms it at once."""

    def __init__(self, **traits):
        self.wire = []
        super().__init__(**traits)

    def send(self, content, buffers=None):
        self.wire.append((content, buffers))

    def hear(self, **message):
        self._handle_custom_msg(message, [])

    def confirm(self):
        self.hear(t="ack", seq=self.wire[-1][0]["seq"])


@pytest.fixture
def strip():
    strip = SilentStrip()
    strip.hear(t="ready")
    yield strip
    strip.close()


def cells(*ids, level=100):
    return [(i, np.full((8, 12, 3), level, np.uint8), f"step {i}") for i in ids]


def test_only_new_thumbnails_are_sent(strip):
    strip.show(cells(0, 1, 2), current=2)
    strip.confirm()
    strip.show(cells(0, 1, 2, 3), current=3)
    message, buffers = strip.wire[-1]
    assert [cell["buffer"] for cell in message["cells"]] == [None, None, None, 0]
    assert len(buffers) == 1 and message["current"] == 3
    assert Image.open(io.BytesIO(buffers[0])).size == (12, 8)


def test_a_changed_thumbnail_is_sent_again(strip):
    strip.show(cells(0, 1))
    strip.confirm()
    strip.show(cells(0) + cells(1, level=200))
    assert [cell["buffer"] for cell in strip.wire[-1][0]["cells"]] == [None, 0]


def test_a_new_page_gets_everything(strip):
    strip.show(cells(0, 1), current=1, undone=[0])
    strip.confirm()
    strip.hear(t="ready")
    message, buffers = strip.wire[-1]
    assert len(buffers) == 2
    assert [cell["undone"] for cell in message["cells"]] == [True, False]


def test_a_thumbnail_that_left_and_came_back_is_sent_again(strip):
    for ids in ((0, 1), (0,), (0, 1)):
        strip.show(cells(*ids))
        strip.confirm()
    assert [cell["buffer"] for cell in strip.wire[-1][0]["cells"]] == [None, 0]


def test_choosing_is_told(strip):
    chosen = []
    strip.on_select(chosen.append)
    strip.hear(t="select", id="a")
    strip.hear(t="select", id=3)
    assert chosen == ["a", 3]


def test_marks_are_kept_and_told(strip):
    told = []
    strip.on_mark(lambda *args: told.append(args))
    for id, mark in ((1, "+"), (2, "-"), (1, ""), (3, "?")):
        strip.hear(t="mark", id=id, mark=mark)
    assert strip.marks == {2: "-"}
    assert told == [(1, "+"), (2, "-"), (1, "")]


def test_a_mark_set_in_python_is_shown(strip):
    strip.show(cells(0, 1))
    strip.confirm()
    strip.mark(1, "+")
    message, buffers = strip.wire[-1]
    assert [cell["mark"] for cell in message["cells"]] == ["", "+"] and buffers == []


def test_pixels_of_another_shape_are_refused(strip):
    with pytest.raises(ImageError):
        strip.show([(0, np.zeros((8, 8)), "grey")])
