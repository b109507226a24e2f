"""Index maps: what a brush, a polygon and a fill cover, and that every step can be taken back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ganedit_widgets.core.errors import ImageError
from ganedit_widgets.core.painting import (
    IndexMap,
    Label,
    brush,
    colored,
    connected,
    counts,
    heated,
    labels_of,
    polygon,
    same_label,
    tiles_of,
)
from ganedit_widgets.core.painting.regions import bounds
from ganedit_widgets.core.painting.tiles import LINES

SHAPE = (24, 31)
place = st.tuples(st.floats(-8, 40), st.floats(-8, 32))
places = st.lists(place, min_size=1, max_size=6)
masks = arrays(np.uint8, st.tuples(st.integers(1, 14), st.integers(1, 14)), elements=st.integers(0, 2))
few = settings(max_examples=60, deadline=None)


def slowly(points, size):
    """The brush's rule, pixel by pixel."""
    hits = np.zeros(SHAPE, bool)
    r = max(size, 1.0) / 2
    if r < 1:
        points = [(np.floor(x) + 0.5, np.floor(y) + 0.5) for x, y in points]
    for a, b in zip(points[:1] + points, points, strict=False):
        a, b = np.array(a), np.array(b)
        for y in range(SHAPE[0]):
            for x in range(SHAPE[1]):
                c, d = np.array([x + 0.5, y + 0.5]), b - a
                t = np.clip((c - a) @ d / (d @ d), 0, 1) if d @ d > 0 else 0
                hits[y, x] |= ((c - a - t * d) ** 2).sum() <= r * r + 1e-9
    return hits


@settings(max_examples=15, deadline=None)
@given(places, st.floats(1, 12))
def test_a_brush_covers_the_centers_within_its_radius(points, size):
    exact, close = brush(points, size, SHAPE), slowly(points, size)
    assert not (exact & ~close).any()
    assert (close & ~exact).sum() <= (close & ~brush(points, size + 1e-6, SHAPE)).sum()


@few
@given(places, places, st.floats(0.5, 9))
def test_a_longer_stroke_never_loses_pixels(first, second, size):
    assert (brush(first + second, size, SHAPE) | ~brush(first, size, SHAPE)).all()


@given(st.integers(0, 30), st.integers(0, 23), st.floats(0, 0.999), st.floats(0, 0.999))
def test_a_brush_of_one_pixel_covers_the_pixel_it_points_at(x, y, dx, dy):
    hits = brush([(x + dx, y + dy)], 1, SHAPE)
    assert hits.sum() == 1 and hits[y, x]


@few
@given(st.tuples(st.floats(0, 30), st.floats(0, 23)), st.tuples(st.floats(0, 30), st.floats(0, 23)))
def test_the_thinnest_line_has_no_gaps(a, b):
    hits = brush([a, b], 1, SHAPE)
    rows, columns = np.nonzero(hits)
    long = max(abs(int(b[0]) - int(a[0])), abs(int(b[1]) - int(a[1])))
    assert max(len(set(rows)), len(set(columns))) == long + 1


def test_pressure_makes_a_stroke_thinner():
    thick, thin = (brush([(15, 12, p), (20, 12, p)], 10, SHAPE).sum() for p in (1.0, 0.4))
    assert thin < thick / 1.8


def test_a_stroke_beside_the_picture_covers_nothing():
    assert not brush([(-50, -50), (-40, 90)], 6, SHAPE).any()


def test_a_rectangle_as_polygon_is_a_rectangle():
    hits = polygon([(3, 4), (10, 4), (10, 9), (3, 9)], SHAPE)
    assert hits.sum() == 35 and hits[4:9, 3:10].all()


@few
@given(st.lists(place, min_size=3, max_size=7), st.integers(0, 6))
def test_a_polygon_does_not_depend_on_where_it_begins(points, shift):
    shift %= len(points)
    assert np.array_equal(polygon(points, SHAPE), polygon(points[shift:] + points[:shift], SHAPE))


@few
@given(place, place, place, st.floats(0.1, 0.9))
def test_two_parts_of_a_triangle_make_it_up_without_overlap(a, b, c, part):
    cut = (b[0] + part * (c[0] - b[0]), b[1] + part * (c[1] - b[1]))
    one, two, whole = polygon([a, b, cut], SHAPE), polygon([a, cut, c], SHAPE), polygon([a, b, c], SHAPE)
    assert not (one & two).any() and ((one | two) != whole).sum() <= 1  # the cut's own rounding


def test_two_points_are_no_polygon():
    assert not polygon([(1, 1), (9, 9)], SHAPE).any()


@few
@given(masks, st.data())
def test_a_contiguous_fill_is_what_walking_reaches(mask, data):
    height, width = mask.shape
    x, y = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    reached, waiting = np.zeros(mask.shape, bool), [(x, y)]
    while waiting:
        i, j = waiting.pop()
        if 0 <= i < width and 0 <= j < height and not reached[j, i] and mask[j, i] == mask[y, x]:
            reached[j, i] = True
            waiting += [(i + 1, j), (i - 1, j), (i, j + 1), (i, j - 1)]
    assert np.array_equal(connected(mask, x, y), reached)
    assert np.array_equal(connected(mask, x, y) | same_label(mask, x, y), mask == mask[y, x])


@given(masks)
def test_counts_add_up(mask):
    assert counts(mask, 4).sum() == mask.size and counts(mask, 4)[3] == 0


@given(arrays(bool, (7, 9)))
def test_bounds_hold_all_and_no_more(hits):
    box = bounds(hits)
    if box is None:
        assert not hits.any()
        return
    x, y, width, height = box
    inside = hits[y : y + height, x : x + width]
    assert inside.sum() == hits.sum() and inside[0].any() and inside[-1].any() and inside[:, 0].any()


@few
@given(st.data())
def test_any_number_of_steps_can_be_undone_and_redone(data):
    start = np.zeros((9, 11), np.uint8)
    index_map, seen = IndexMap(start.copy(), 4), [start]
    for _ in range(data.draw(st.integers(1, 12))):
        x, y = data.draw(st.integers(0, 6)), data.draw(st.integers(0, 5))
        patch = index_map.paint(data.draw(arrays(bool, (4, 5))), data.draw(st.integers(0, 3)), x, y)
        if patch is not None:
            assert np.array_equal(index_map.mask[patch.y :, patch.x :][: patch.box[3], : patch.box[2]], patch.after)
            seen.append(index_map.mask.copy())
    for before in seen[-2::-1]:
        index_map.undo()
        assert np.array_equal(index_map.mask, before)
    assert index_map.undo() is None
    for after in seen[1:]:
        index_map.redo()
        assert np.array_equal(index_map.mask, after)
    assert index_map.redo() is None


def test_a_step_that_changes_nothing_is_no_step():
    index_map = IndexMap(np.ones((3, 3), np.uint8), 2)
    assert index_map.paint(np.ones((2, 2), bool), 1) is None and index_map.done == []


def test_a_new_step_forgets_what_was_undone():
    index_map = IndexMap(np.zeros((3, 3), np.uint8), 3)
    index_map.paint(np.ones((1, 1), bool), 1)
    index_map.undo()
    index_map.paint(np.ones((1, 1), bool), 2)
    assert index_map.redo() is None and index_map.mask[0, 0] == 2


def test_the_history_is_bounded(monkeypatch):
    monkeypatch.setattr("ganedit_widgets.core.painting.index_map.MEMORY", 100)
    index_map = IndexMap(np.zeros((5, 5), np.uint8), 200)
    for label in range(1, 20):
        index_map.paint(np.ones((5, 5), bool), label)
    assert len(index_map.done) == 2


@pytest.mark.parametrize(("label", "x", "y"), [(3, 0, 0), (-1, 0, 0), (1.5, 0, 0), (1, 2, 0), (1, 0, -1)])
def test_what_does_not_fit_is_refused_and_changes_nothing(label, x, y):
    index_map = IndexMap(np.zeros((3, 3), np.uint8), 3)
    with pytest.raises(ImageError):
        index_map.paint(np.ones((2, 2), bool), label, x, y)
    assert not index_map.mask.any() and not index_map.done


@pytest.mark.parametrize("points", [[[np.nan, 1]], [[1, 2], [3]], ["a"], [1, 2, 3], np.zeros((2, 4)), [[np.inf, 0, 1]]])
def test_what_are_no_points_is_refused_with_a_sentence(points):
    for draw in (lambda: brush(points, 3, SHAPE), lambda: polygon(points, SHAPE)):
        with pytest.raises(ImageError, match=r"[Pp]oints?.*: give"):
            draw()


def test_a_brush_without_a_size_is_refused():
    with pytest.raises(ImageError, match="size nan"):
        brush([(1, 1)], float("nan"), SHAPE)


def test_labels_come_from_names_colors_and_numbers():
    plain = labels_of(["sky", "sea"])
    assert [label.name for label in plain] == ["sky", "sea"] and plain[0].color is None and plain[1].color is not None
    assert (
        labels_of({"sky": None, "sea": "#0010ff"})[1].color
        == (0, 16, 255)
        == labels_of({"a": 0, "sea": (0, 16, 255)} | {"a": None})[1].color
    )
    assert len(labels_of(5)) == 5 and labels_of()[1].name == "inside"
    assert labels_of([Label("a"), Label("b", (1, 2, 3), "dots")])[1].pattern == "dots"
    assert labels_of(plain) == plain


def test_no_two_of_256_labels_look_alike():
    labels = labels_of(256)
    assert len({label.color for label in labels}) == 256
    assert {label.pattern for label in labels} == set(LINES)


@pytest.mark.parametrize(
    "given", [1, 257, ["a", "a"], {"a": None, "b": "#12"}, {"a": None, "b": (1, 2, 999)}, "hair", b"hair", 2.5]
)
def test_labels_that_make_no_sense_are_refused_with_a_sentence(given):
    with pytest.raises(ImageError, match=r":"):
        labels_of(given)


def test_a_label_is_refused_for_what_is_no_color_and_no_pattern():
    assert Label("b", "#ff0000").color == (255, 0, 0)
    with pytest.raises(ImageError, match="'red' is no color: give"):
        Label("b", "red")
    with pytest.raises(ImageError, match="no pattern 'zigzag': choose one of solid"):
        Label("b", (1, 2, 3), "zigzag")


def test_a_mask_is_colored_by_its_tiles_wherever_the_piece_lies():
    labels = labels_of(4)
    mask = np.random.default_rng(0).integers(0, 4, (20, 30), np.uint8)
    tiles = tiles_of(labels, 0.5, hidden=[2])
    whole = colored(mask, tiles)
    assert np.array_equal(colored(mask[3:9, 5:16], tiles, 5, 3), whole[3:9, 5:16])
    assert not whole[(mask == 0) | (mask == 2)].any() and set(whole[mask == 1][:, 3]) == {128}
    assert {
        tuple(c[:3]) for c in colored(np.ones((8, 8), np.uint8), tiles_of(labels, patterns=False)).reshape(-1, 4)
    } == {labels[1].color}


def test_heat_leaves_cold_pixels_alone():
    picture = np.random.default_rng(0).integers(0, 255, (4, 4, 3), np.uint8)
    heat = np.zeros((4, 4))
    heat[0, 0] = 1
    shown = heated(picture, heat)
    assert np.array_equal(shown[1:], picture[1:]) and not np.array_equal(shown[0, 0], picture[0, 0])
    assert heated(picture, None) is picture
