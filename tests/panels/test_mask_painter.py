"""MaskPainter without a browser: steps are played as a page would send them, messages are written down."""

import base64
import io
import queue
import threading

import numpy as np
import pytest
from PIL import Image

from ganedit_widgets.core.errors import ImageError
from ganedit_widgets.core.image import as_png
from ganedit_widgets.core.painting import brush
from ganedit_widgets.panels import MaskPainter

SHAPE = (20, 30)


class Silent(MaskPainter):
    """A painter that keeps what it would send."""

    def __init__(self, *args, **kwargs):
        self.wire = []
        super().__init__(*args, **kwargs)

    def send(self, content, buffers=None):
        self.wire.append((content, buffers))

    def heard(self, kind):
        return [message for message, _ in self.wire if message["t"] == kind]


@pytest.fixture
def picture():
    return np.random.default_rng(0).integers(0, 255, (*SHAPE, 3), np.uint8)


@pytest.fixture
def painter(picture):
    painter = Silent(picture, ["none", "hair", "skin"])
    painter.wire.clear()
    yield painter
    painter.close()


def page(painter, kind, number, hits=None, x=0, y=0, label=1, name="p"):
    """A page sends a step."""
    message = {"t": kind, "id": f"{name}:{number}"}
    if hits is not None:
        message |= {"box": [x, y, hits.shape[1], hits.shape[0]], "label": label}
    painter._handle_custom_msg(message, [] if hits is None else [memoryview(hits.astype(np.uint8).tobytes())])


def test_what_a_page_paints_is_in_the_mask_to_the_pixel(painter):
    hits = np.random.default_rng(1).random((5, 7)) < 0.5
    page(painter, "paint", 1, hits, 4, 3, 2)
    wanted = np.zeros(SHAPE, np.uint8)
    wanted[3:8, 4:11][hits] = 2
    assert np.array_equal(painter.mask, wanted) and painter.mask.dtype == np.uint8
    assert painter.counts == {"none": 600 - int(hits.sum()), "hair": 0, "skin": int(hits.sum())}


def test_every_page_hears_what_changed_and_whose_step_it_was(painter):
    page(painter, "paint", 1, np.ones((2, 3), bool), 5, 6)
    ((message, (contents,)),) = painter.wire
    assert message["id"] == "p:1" and message["box"] == [5, 6, 3, 2] and message["depth"] == [1, 0]
    assert contents == bytes([1] * 6)
    page(painter, "undo", 2)
    message, (contents,) = painter.wire[-1]
    assert (message["kind"], message["seq"], message["depth"]) == ("undo", 2, [0, 1]) and contents == bytes(6)


def test_a_step_that_changes_nothing_is_answered_all_the_same(painter):
    page(painter, "undo", 1)
    page(painter, "paint", 2, np.zeros((2, 2), bool))
    assert [m["kind"] for m in painter.heard("patch")] == ["none", "none"]


def test_a_page_that_asks_gets_everything_and_what_was_heard_of_it(painter):
    page(painter, "paint", 7, np.ones((1, 1), bool))
    painter.wire.clear()
    painter._handle_custom_msg({"t": "ready", "first": True}, [])
    assert [m["t"] for m, _ in painter.wire] == ["looks", "base", "clusters", "state"]
    state, (contents,) = painter.wire[-1]
    assert state["heard"] == {"p": 7} and contents == painter.mask.tobytes()
    base = np.asarray(Image.open(io.BytesIO(painter.wire[1][1][0])).convert("RGB"))
    assert np.array_equal(base, painter.image)
    painter.wire.clear()
    painter._handle_custom_msg({"t": "ready"}, [])
    assert [m["t"] for m, _ in painter.wire] == ["state"]


def test_another_picture_begins_with_its_mask_and_nothing_to_undo(painter, picture):
    page(painter, "paint", 1, np.ones((3, 3), bool))
    painter.wire.clear()
    mask = np.full(SHAPE, 2, np.uint8)
    painter.begin(255 - picture, mask)
    assert np.array_equal(painter.mask, mask) and np.array_equal(painter.image, 255 - picture)
    (state,) = painter.heard("state")
    assert state["depth"] == [0, 0] and state["heard"] == {"p": 1} and painter.heard("base")
    painter.undo()
    page(painter, "paint", 2, np.ones((2, 2), bool))
    assert (painter.mask == 1).sum() == 4 and painter.heard("patch")[-1]["seq"] == state["seq"] + 1
    with pytest.raises(ImageError, match="same size"):
        painter.begin(picture[:10], mask)
    assert (painter.mask == 1).sum() == 4


@pytest.mark.parametrize(
    "change", [{"label": 3}, {"label": -1}, {"box": [29, 0, 2, 2]}, {"box": [0, 0, 9, 9]}, {"box": [0, 0, 0, 2]}]
)
def test_a_step_that_makes_no_sense_is_said_and_changes_nothing(painter, change):
    page(painter, "paint", 1, np.ones((2, 2), bool))
    before, message = painter.mask, {"t": "paint", "id": "p:2", "box": [29, 0, 2, 2], "label": 1} | change
    painter._handle_custom_msg(message, [memoryview(bytes([1] * 4))])
    assert painter.notice["level"] == "error" and np.array_equal(painter.mask, before)
    painter.undo()
    assert not painter.mask.any()


def test_scripts_use_the_same_tools(painter, picture):
    painter.stroke([(3, 3), (20, 12)], "hair", size=5)
    assert np.array_equal(painter.mask == 1, brush([(3, 3), (20, 12)], 5, SHAPE))
    painter.polygon([(22, 2), (28, 2), (28, 8), (22, 8)], 2)
    assert painter.counts["skin"] == 36
    painter.fill(29, 19, "skin")
    assert painter.counts["none"] < 600 - painter.counts["hair"] - 36
    painter.undo()
    painter.undo()
    painter.redo()
    assert painter.counts["skin"] == 36
    with pytest.raises(ImageError, match="no label “ear”: there are none, hair, skin"):
        painter.fill(0, 0, "ear")
    with pytest.raises(ImageError, match="outside the picture of 30×20"):
        painter.fill(30, 0)
    with pytest.raises(ImageError, match="between pixels: give whole numbers"):
        painter.fill(1.5, 2)


def test_locked_labels_keep_their_pixels(painter):
    painter.stroke([(5, 5)], "hair", 6)
    kept = painter.mask
    painter.locked = [1]
    painter.fill(0, 0, "skin")
    assert np.array_equal(painter.mask == 1, kept == 1) and painter.counts["none"] == 0


def test_a_mask_goes_out_and_comes_in_as_a_file(painter, tmp_path):
    painter.stroke([(5, 5), (20, 9)], "skin")
    mask = painter.mask
    painter.save(tmp_path / "mask.png")
    painter._handle_custom_msg({"t": "export", "to": "p"}, [])
    assert painter.wire[-1][1][0] == (tmp_path / "mask.png").read_bytes()
    painter.mask = np.zeros(SHAPE, np.uint8)
    painter.load(tmp_path / "mask.png")
    assert np.array_equal(painter.mask, mask)
    painter.undo()
    assert not painter.mask.any()


def test_a_place_that_cannot_be_written_to_is_refused_with_a_sentence(painter, tmp_path):
    with pytest.raises(ImageError, match=r"cannot be written to .*: choose another place"):
        painter.save(tmp_path / "missing" / "mask.png")


@pytest.mark.parametrize(
    ("contents", "sentence"),
    [
        (b"no picture at all", "not a PNG file"),
        (as_png(np.zeros((9, 9), np.uint8)), "9×9 pixels, the picture 30×20"),
        (as_png(np.full(SHAPE, 7, np.uint8)), "labels 0 to 2"),
    ],
    ids=["no PNG", "size", "label"],
)
def test_a_file_that_does_not_fit_is_one_sentence_in_the_widget_and_nothing_is_lost(painter, contents, sentence):
    painter.stroke([(5, 5)])
    before = painter.mask
    painter._handle_custom_msg({"t": "upload", "name": "x.png"}, [memoryview(contents)])
    assert painter.notice["level"] == "error" and sentence in painter.notice["text"]
    number = painter.notice["number"]
    painter._handle_custom_msg({"t": "upload", "name": "x.png"}, [memoryview(contents)])
    assert painter.notice["number"] == number + 1  # said again
    assert np.array_equal(painter.mask, before)


@pytest.mark.parametrize(
    "make",
    [
        lambda p: MaskPainter(p, ["a"]),
        lambda p: MaskPainter(p, mask=np.zeros((4, 4), np.uint8)),
        lambda p: MaskPainter(p, mask=np.full(SHAPE, 2)),
        lambda p: MaskPainter(p, clusters=np.zeros((4, 4), np.uint8)),
        lambda p: MaskPainter(p, clusters=np.zeros(SHAPE)),
        lambda p: setattr(MaskPainter(p), "image", np.zeros((9, 9, 3), np.uint8)),
        lambda p: MaskPainter(p).show_heat(np.zeros((3, 3))),
    ],
    ids=["labels", "mask size", "mask value", "clusters size", "clusters kind", "image", "heat"],
)
def test_what_does_not_fit_is_refused(picture, make):
    with pytest.raises(ImageError):
        make(picture)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("label", 3, "no label 3 for `label`: there are 0 to 2"),
        ("label", -1, "no label -1"),
        ("locked", [1, 77], "no label 77 for `locked`"),
        ("hidden", [-4], "no label -4 for `hidden`"),
        ("view", [], r"The view is \[\]: give"),
        ("view", [0.5, 0.0, 0.0], "zoom 1 or more"),
        ("view", [2.0, float("nan"), 0.0], "The view is"),
    ],
)
def test_a_trait_that_makes_no_sense_is_refused_and_keeps_its_value(painter, picture, name, value, sentence):
    before = getattr(painter, name)
    with pytest.raises(ImageError, match=sentence):
        setattr(painter, name, value)
    with pytest.raises(ImageError, match=sentence):
        painter.set_state({name: value})  # as a page would
    assert getattr(painter, name) == before
    with pytest.raises(ImageError, match=sentence):
        MaskPainter(picture, ["none", "hair", "skin"], **{name: value})


def test_looks_are_told_when_they_change(painter):
    painter.hidden = [2]
    painter.opacity = 0.3
    assert [m["look"] for m in painter.heard("looks")] == [[0.6, True, [2]], [0.3, True, [2]]]
    painter.show_heat(np.ones(SHAPE))
    assert painter.wire[-1][0]["t"] == "base"


def test_the_still_picture_shows_the_mask_and_hidden_labels_are_not_in_it(painter, picture):
    painter.opacity, painter.patterns = 1.0, False
    painter.stroke([(5, 5)], "hair", 7)
    data, _ = painter._repr_mimebundle_()
    still = np.asarray(Image.open(io.BytesIO(base64.b64decode(data["image/png"]))))
    hit = painter.mask == 1
    assert np.array_equal(still[~hit], picture[~hit]) and (still[hit] == painter.labels[1].color).all()
    painter.hidden = [1]
    assert np.array_equal(painter.preview, picture)


class Output:
    """An output of a notebook that takes its time over each picture."""

    def __init__(self):
        self.pictures, self.free = queue.Queue(), threading.Semaphore(0)

    def update(self, bundle, **kwargs):
        self.pictures.put(np.asarray(Image.open(io.BytesIO(base64.b64decode(bundle["image/png"])))))
        self.free.acquire(timeout=5)


@pytest.fixture
def output(painter, monkeypatch):
    monkeypatch.setattr("ganedit_widgets.panels.snapshot.PAUSE", 0)
    painter._still._handle = output = Output()
    return output


def test_a_stroke_while_the_still_picture_is_being_made_is_in_the_next_one(painter, output):
    painter.stroke([(5, 5)], "hair", 7)
    first = output.pictures.get(timeout=5)
    painter.stroke([(20, 9)], "skin", 7)  # the first is still being put into the notebook
    output.free.release(2)
    second = output.pictures.get(timeout=5)
    assert np.array_equal(second, painter.preview) and not np.array_equal(first, second)


def test_the_still_picture_follows_looks_and_the_picture_below(painter, output, picture):
    output.free.release(9)
    painter.stroke([(5, 5)], "hair", 7)
    output.pictures.get(timeout=5)
    painter.opacity = 0.2
    assert np.array_equal(output.pictures.get(timeout=5), painter.preview)
    painter.image = 255 - picture
    assert np.array_equal(output.pictures.get(timeout=5), painter.preview)


def test_a_closed_painter_makes_no_still_picture(painter, output, monkeypatch):
    monkeypatch.setattr("ganedit_widgets.panels.snapshot.PAUSE", 60)
    painter.stroke([(5, 5)])
    timer = painter._later._waiting
    painter.close()
    timer.join(timeout=5)
    assert not timer.is_alive()
    painter.stroke([(20, 9)])
    assert painter._later._waiting is timer and output.pictures.empty()


def test_observers_hear_of_every_step_and_may_read_the_mask_from_any_thread(painter):
    heard = []
    painter.on_change(lambda: heard.append(int(painter.mask.sum())))
    threads = [threading.Thread(target=painter.stroke, args=([(3 * i + 2, 9)], 1, 1)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(heard) == 8 and painter.mask.sum() == 8 and max(heard) == 8
    seqs = [m["seq"] for m in painter.heard("patch")]
    assert seqs == sorted(seqs)


def test_the_surface_gets_exact_colors_once_a_page_is_there(painter, picture, monkeypatch):
    put = []
    monkeypatch.setattr(painter._surface, "_put", lambda layer, rgba, x, y: put.append((layer, rgba, x, y)))
    painter._surface.restart()
    painter.stroke([(5, 5)], "hair", 1)
    (_, base, *_), (_, whole, *_), (layer, piece, x, y) = put
    assert np.array_equal(base[..., :3], picture) and not whole.any()
    assert (layer, x, y) == (1, 5, 5) and piece.shape == (1, 1, 4)


def test_two_painters_draw_through_one_queue(picture):
    one, two = MaskPainter(picture), MaskPainter(picture)
    for painter in (one, two):
        painter._surface.restart()
        painter.stroke([(4, 4), (9, 9)])
        painter.close()
        painter.stroke([(1, 1)])  # a closed painter still has its mask
    assert np.array_equal(one.mask, two.mask) and one.mask[1, 1] == 1


def test_on_ipycanvas_alone_a_stroke_is_one_step_with_the_same_pixels(painter):
    plain, drawn = painter.plain(), []
    painter._surface.live = True
    painter.size = 5.0
    painter._surface._put = lambda layer, rgba, x, y: drawn.append((x, y, rgba.shape[:2]))
    for event, x, y in (("mouse_down", 3, 3), ("mouse_move", 10, 9), ("mouse_move", 20, 9), ("mouse_out", 20, 9)):
        painter.surface._canvases[-1]._handle_frontend_event(None, {"event": event, "x": x, "y": y}, [])
        if event != "mouse_out":
            assert not painter.mask.any() and drawn  # shown, not yet a step
    assert np.array_equal(painter.mask == 1, brush([(3, 3), (10, 9), (20, 9)], 5, SHAPE))
    assert len(painter._link.map.done) == 1
    plain.tool.value = "fill"
    plain.label.value = 1
    plain.press((29.7, 19.2))
    assert painter.counts["none"] == 0
    plain.tool.value = "eraser"
    plain.press((5, 5))
    plain.release()
    assert painter.counts["none"] > 10
