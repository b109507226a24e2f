"""Crossover: whose layers are whose, exactly; litters, and the table of mixed styles."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ganedit_widgets.core import LatentError, code_for, to_pixels
from ganedit_widgets.core.edits import (
    Crossover,
    Sample,
    Stack,
    group_blend,
    latent_of,
    litter,
    paper_split,
    run,
    split_at,
    style_mixing_table,
)
from ganedit_widgets.core.groups import layer_groups, layer_sizes
from tests.tiny import conditional, odd, tiny, tiny3

TINY = tiny()
A, B = TINY.sample(1), TINY.sample(2)
SHARES = st.lists(st.floats(0, 1), min_size=6, max_size=6).map(tuple)


def cross(blend, a=A, b=B):
    return run(TINY, a, Crossover(b, tuple(blend)))


# ---- layers


def test_layers_of_share_zero_and_one_are_copies():
    child = cross((0, 1, 0, 0, 1, 1))
    for row, share in enumerate((0, 1, 0, 0, 1, 1)):
        assert torch.equal(child.w[row], (B if share else A).w[row])


def test_all_of_one_parent_is_that_parent():
    a = replace(A.shifted({"b8.conv0": torch.randn(8)}), noise={"b8.conv0": torch.randn(8, 8)})
    b = replace(B.shifted({"b16.conv0": torch.randn(8)}), noise={"b16.conv0": torch.randn(16, 16)})
    for share, parent in ((0.0, a), (1.0, b)):
        child = cross((share,) * 6, a, b)
        assert torch.equal(child.w, parent.w)
        assert child.offsets.keys() == parent.offsets.keys() and child.noise.keys() == parent.noise.keys()
        assert torch.equal(TINY.draw(child), TINY.draw(parent))


@settings(deadline=None, max_examples=40)
@given(SHARES)
def test_a_crossover_with_itself_changes_nothing(blend):
    assert torch.equal(cross(blend, A, A).w, A.w)


@settings(deadline=None, max_examples=40)
@given(SHARES)
def test_every_number_lies_between_the_parents_and_the_order_of_parents_is_the_opposite_share(blend):
    child, mirrored = cross(blend), cross(tuple(1 - share for share in blend), B, A)
    low, high = torch.minimum(A.w, B.w), torch.maximum(A.w, B.w)
    assert (child.w >= low - 1e-5).all() and (child.w <= high + 1e-5).all()
    assert torch.allclose(child.w, mirrored.w, atol=1e-5)


def test_style_offsets_mix_with_their_layer():
    b = B.shifted({"b8.conv0": torch.ones(8), "b16.conv1": torch.ones(8)})  # rows 1 and 4
    child = cross((0, 0.25, 0, 0, 0, 1), A, b)
    assert torch.equal(child.offsets["b8.conv0"], torch.full((8,), 0.25))
    assert "b16.conv1" not in child.offsets


def test_noise_comes_whole_from_the_larger_share():
    b = replace(B, noise={"b8.conv0": torch.randn(8, 8), "b16.conv1": torch.randn(16, 16)})
    child = cross((0, 0.6, 0, 0, 0.4, 0), A, b)
    assert list(child.noise) == ["b8.conv0"] and torch.equal(child.noise["b8.conv0"], b.noise["b8.conv0"])


def test_a_label_comes_from_the_larger_part():
    model = conditional()
    a, b = (model.sample(1, label=torch.eye(3)[i]) for i in (0, 2))
    assert run(model, a, Crossover(b, (1.0,) * 4 + (0.0,) * 2)).label.tolist() == [0, 0, 1]
    assert run(model, a, Crossover(b, (1.0,) * 2 + (0.0,) * 4)).label.tolist() == [1, 0, 0]


def test_a_seed_may_be_given_instead_of_a_latent_and_reads_well_in_code():
    edit = Crossover(Sample(2, 1.0), paper_split(TINY))
    assert torch.equal(run(TINY, A, edit).w, cross(paper_split(TINY)).w)
    assert "Crossover(Sample(2, psi=1.0), (0.0, 0.0, 0.0, 1.0, 1.0, 1.0))" in code_for(TINY, [edit])


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (Crossover(B, (1.0,) * 9), "9 shares were given, this model has 6 layers"),
        (Crossover(B, (0.0,) * 5 + (1.5,)), "A share of 1.5"),
        (Crossover(B, (0.0,) * 5 + (float("nan"),)), "A share of nan"),
        (Crossover(replace(B, w=B.w[:, :5]), (1.0,) * 6), r"shape \(6, 5\)"),
        (Crossover("B", (1.0,) * 6), "A str was given as a picture"),
        (Crossover(Sample(-1), (1.0,) * 6), "Seed -1"),
    ],
    ids=range(6),
)
def test_says_in_a_sentence_what_is_wrong(edit, says):
    with pytest.raises(LatentError, match=says):
        run(TINY, A, edit)


# ---- presets


@pytest.mark.parametrize("model", [tiny(), odd(), tiny3()], ids=["tiny", "odd", "tiny3"])
def test_presets_fit_any_number_of_layers(model):
    rows = model.latent_shape[0]
    groups = layer_groups(model)
    assert [row for layers in groups.values() for row in layers] == list(range(rows))
    assert set(groups) == {"coarse", "middle", "fine"}
    assert paper_split(model) == (0.0,) * (rows // 2) + (1.0,) * (rows - rows // 2)
    assert split_at(model, 0) == (1.0,) * rows and split_at(model, rows) == (0.0,) * rows
    blend = group_blend(model, {"middle": 0.5, "fine": 1})
    assert [blend[group.start] for group in groups.values()] == [0, 0.5, 1]


class Sizes:
    """What `layer_groups` asks of a generator, for sizes too large to build in a test."""

    def __init__(self, names, rows):
        self.style_layers, self.latent_shape = names, (rows, 512)


def stylegan2(size):
    names = {"b4.conv1": 0, "b4.torgb": 1}
    for i in range(3, size.bit_length()):
        names |= {f"b{2**i}.conv0": 2 * i - 5, f"b{2**i}.conv1": 2 * i - 4, f"b{2**i}.torgb": 2 * i - 3}
    return Sizes(names, max(names.values()) + 1)


@pytest.mark.parametrize(("size", "ends"), [(1024, [3, 7, 18]), (256, [3, 7, 14]), (128, [3, 7, 12]), (64, [3, 7, 10]),
                                            (32, [3, 5, 8]), (16, [1, 3, 6]), (8, [2, 3, 4]), (4, [1, 2])])  # fmt: skip
def test_groups_go_by_the_size_at_which_a_layer_works(size, ends):
    assert [layers.stop for layers in layer_groups(stylegan2(size)).values()] == ends


def test_the_size_of_a_layer_is_that_of_its_convolution_and_never_falls():
    assert layer_sizes(tiny()) == [4, 8, 8, 16, 16, 16]
    assert layer_sizes(tiny3()) == [36, 36, 36, 52, 52, 52, 52]


def test_a_split_or_a_group_that_is_not_there_is_refused():
    with pytest.raises(LatentError, match="layer 7 was asked for: choose one from 0 to 6"):
        split_at(TINY, 7)
    with pytest.raises(LatentError, match="'rough': choose among coarse, middle, fine"):
        group_blend(TINY, {"rough": 1.0})


# ---- litters


def blends(children):
    return [(child.edits[0] if isinstance(child, Stack) else child).blend for child in children]


def test_a_litter_is_the_same_for_the_same_seed_and_another_for_another():
    assert blends(litter(TINY, B, 5)) == blends(litter(TINY, B, 5)) != blends(litter(TINY, B, 6))
    one, two = (run(TINY, A, litter(TINY, B, 5, mutation=0.5)[3]) for _ in range(2))
    assert torch.equal(one.w, two.w)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**40))
def test_children_have_both_parents_in_few_runs_and_differ(seed):
    children = blends(litter(TINY, B, seed))
    assert len(children) == 9 == len(set(children))
    for blend in children:
        assert set(blend) == {0.0, 1.0}
        assert sum(one != two for one, two in pairwise(blend)) <= 3


def test_without_mutation_every_layer_is_a_parents():
    for child in litter(TINY, B, 1):
        w = run(TINY, A, child).w
        assert all(torch.equal(w[i], A.w[i]) or torch.equal(w[i], B.w[i]) for i in range(6))


def test_mutations_keep_the_masks_and_grow_with_their_strength():
    plain, weak, strong = (litter(TINY, B, 3, mutation=m) for m in (0.0, 0.2, 2.0))
    assert blends(plain) == blends(weak) == blends(strong)
    base, *others = ([run(TINY, A, child).w for child in children] for children in (plain, weak, strong))
    near, far = (sum(float((w - b).norm()) for w, b in zip(other, base, strict=True)) for other in others)
    assert 0 < 5 * near < far


@pytest.mark.parametrize(("count", "mutation"), [(0, 0.0), (9, -1.0), (9, float("nan"))])
def test_an_impossible_litter_is_refused(count, mutation):
    with pytest.raises(LatentError, match="at least one"):
        litter(TINY, B, 1, count, mutation)


# ---- the table


def test_the_table_has_parents_at_the_rim_and_their_children_between():
    rows, columns = [A, Sample(3)], [B, Sample(4), Sample(5)]
    sheets = list(style_mixing_table(TINY, rows, columns))
    assert len(sheets) == 2 + 3 + 6
    sheet, gap = sheets[-1], 4
    assert sheet.shape == (3 * 16 + gap, 4 * 16 + gap, 3) and (sheet[:16, :16] == 255).all()
    assert np.array_equal(sheet[16 + gap : 32 + gap, :16], to_pixels(TINY.draw(A)))
    assert np.array_equal(sheet[:16, 16 + gap : 32 + gap], to_pixels(TINY.draw(B)))
    child = run(TINY, latent_of(TINY, rows[1]), Crossover(columns[2], paper_split(TINY)))
    assert np.array_equal(sheet[32 + gap :, 48 + gap :], to_pixels(TINY.draw(child)))


def test_a_table_can_be_smaller_split_elsewhere_and_abandoned():
    table = style_mixing_table(TINY, [A], [B], split=6, side=8)
    first, *_, last = table
    assert last.shape == (20, 20, 3) and (first[:8, 12:] == 255).all()
    small = list(style_mixing_table(TINY, [A], [B], split=6))[-1]
    assert np.array_equal(small[20:, 20:], small[20:, :16])  # nothing is taken from the column


def test_a_table_without_pictures_is_refused():
    with pytest.raises(LatentError, match="at least one picture at the left"):
        next(style_mixing_table(TINY, [], [B]))
