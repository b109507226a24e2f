"""Stage without a browser: messages are written down, confirmations are played."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from ganedit_widgets.core.errors import ImageError
from ganedit_widgets.panels import pictures
from ganedit_widgets.panels.stage import Stage


class SilentStage(Stage):
    """A Stage that keeps what it would send."""

    def __init__(self, **traits):
        self.wire = []
        super().__init__(**traits)

    def send(self, content, buffers=None):
        self.wire.append((content, buffers))

    def hear(self, **message):
        self._handle_custom_msg(message, [])

    def picture(self, index=-1):
        return np.asarray(Image.open(io.BytesIO(self.wire[index][1][0])).convert("RGB"))


@pytest.fixture
def stage():
    stage = SilentStage()
    yield stage
    stage.close()


def noise(height=48, width=64, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_a_picture_at_rest_arrives_exactly(stage):
    stage.hear(t="ready")
    stage.show(noise())
    assert np.array_equal(stage.picture(), noise())


def test_a_moving_picture_is_a_jpeg_of_fewer_bytes(stage):
    stage.hear(t="ready")
    stage.show(noise(), moving=True)
    stage.show(noise())
    (moving, small), (rest, large) = stage.wire
    assert moving["mime"] == "image/jpeg" and rest["mime"] == "image/webp"
    assert len(small[0]) < len(large[0])


def test_a_large_exact_picture_gives_way_to_a_good_jpeg(stage):
    stage.hear(t="ready")
    stage.show(noise(700, 700))
    assert stage.wire[0][0]["mime"] == "image/jpeg"
    mime, _ = pictures.exact(noise(700, 700), limit=1 << 24)
    assert mime == "image/webp"


def test_nothing_is_sent_before_ready_and_ready_sends_the_last_one_exactly(stage):
    stage.show(noise(seed=1))
    stage.show(noise(seed=2), moving=True)
    assert stage.wire == []
    stage.hear(t="ready")
    assert np.array_equal(stage.picture(), noise(seed=2))
    stage.hear(t="ack", slot="result", seq=1)
    stage.hear(t="ready")
    assert np.array_equal(stage.picture(), noise(seed=2))


def test_the_picture_before_travels_in_a_slot_of_its_own(stage):
    stage.show(noise(seed=1))
    stage.show_before(noise(seed=2))
    stage.hear(t="ready")
    assert [message["slot"] for message, _ in stage.wire] == ["before", "result"]


def test_confirmations_open_the_window(stage):
    stage.hear(t="ready")
    for seed in range(5):
        stage.show(noise(seed=seed), moving=True)
    assert len(stage.wire) == 2
    stage.hear(t="ack", slot="result", seq=1)
    assert len(stage.wire) == 3
    assert (stage.stats.sent, stage.stats.acked, stage.stats.dropped) == (3, 1, 2)


def test_a_picture_the_browser_could_not_draw_is_counted(stage):
    stage.hear(t="ready")
    stage.show(noise())
    stage.hear(t="ack", slot="result", seq=1, error="EncodingError")
    assert stage.stats.failed == 1


def test_the_array_may_be_overwritten_after_show(stage):
    pixels = noise()
    stage.show(pixels)
    pixels[:] = 0
    stage.hear(t="ready")
    assert np.array_equal(stage.picture(), noise())


@pytest.mark.parametrize(
    "pixels",
    [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((3, 4, 4), np.uint8), np.zeros((0, 4, 3), np.uint8)],
    ids=["grey", "float", "channels first", "empty"],
)
def test_other_arrays_are_refused_with_a_sentence(stage, pixels):
    with pytest.raises(ImageError, match="height, width, 3"):
        stage.show(pixels)


def test_actions_reach_python_by_name_and_nothing_else_does(stage):
    names = []
    stage.on_action(names.append)
    for name in ("undo", "redo", "stop", "save", "apply", "eval"):
        stage.hear(t="action", name=name)
    stage.on_action(names.append, remove=True)
    stage.hear(t="action", name="undo")
    assert names == ["undo", "redo", "stop", "save", "apply"]


def test_a_still_picture_lies_beside_the_live_view(stage):
    data, _ = stage._repr_mimebundle_()
    assert "image/png" not in data
    stage.show(noise())
    data, _ = stage._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    still = Image.open(io.BytesIO(base64.b64decode(data["image/png"])))
    assert np.array_equal(np.asarray(still), noise())
    stage.show(noise(400, 400))
    assert "image/jpeg" in stage._repr_mimebundle_()[0]


def test_a_closed_stage_is_silent(stage):
    stage.hear(t="ready")
    stage.close()
    stage.show(noise())
    assert stage.wire == []
