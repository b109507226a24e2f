"""Catalogs of parts, and borrowing a part from another picture."""

import json
from dataclasses import replace

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from ganedit_widgets.core import LatentError, edits
from ganedit_widgets.core.edits.borrow import Borrow, counted
from ganedit_widgets.core.parts.build import build_catalog, clusterable, count, default_layer
from ganedit_widgets.core.parts.catalog_file import KEY, load_catalog, save_catalog
from ganedit_widgets.core.parts.entering import entering
from ganedit_widgets.core.parts.queries import soft_query
from tests.tiny import odd, tiny, tiny3

MODELS = {"stylegan2": tiny, "odd": odd, "stylegan3": tiny3}


def make(generator, **options):
    *_, last = build_catalog(generator, **{"k": 4, "seeds": range(6), "psi": 1.0, "restarts": 2, **options})
    return last.catalog


@pytest.fixture(scope="module", params=list(MODELS))
def made(request):
    generator = MODELS[request.param]()
    return generator, make(generator)


def run(generator, latent, **options):
    return edits.run(generator, latent, Borrow(**options))


# ---- catalogs


def test_what_enters_a_layer_has_a_channel_for_each_number_of_its_style(made):
    generator, catalog = made
    latent = generator.sample(0)
    styles, tensors = generator.styles(latent), entering(generator, [latent])
    assert set(tensors) == set(catalog.contributions) == set(styles) - {"input"}
    for name, x in tensors.items():
        assert x.shape[1] == len(styles[name]) == catalog.contributions[name].shape[1]


def test_the_parts_of_every_channel_sum_to_one(made):
    _, catalog = made
    for m in catalog.contributions.values():
        assert torch.allclose(m.sum(0), torch.ones(m.shape[1]), atol=1e-5)


def test_contributions_are_the_average_of_those_of_single_pictures(made):
    generator, catalog = made
    alone = [count(generator, catalog, [generator.sample(seed)]) for seed in range(6)]
    for name, m in catalog.contributions.items():
        assert torch.allclose(torch.stack([a[name] for a in alone]).mean(0), m, atol=1e-5)


def test_maps_cover_the_picture_with_parts(made):
    generator, catalog = made
    latents = [generator.sample(seed) for seed in range(3)]
    found = catalog.part_map(generator, latents)
    assert found.shape == (3, *generator.size)
    assert set(found.unique().tolist()) <= set(range(4))
    assert len(found.unique()) > 1


def test_the_same_seeds_give_the_same_catalog(generator):
    first, again = make(generator), make(generator)
    assert torch.equal(first.clusters.centers, again.clusters.centers)


def test_the_default_layer_is_in_the_middle(generator):
    assert default_layer(generator) == "b8.conv1"
    assert clusterable(generator)["b16.conv1"] == 16


def test_progress_ends_with_the_catalog(generator):
    steps = list(build_catalog(generator, k=3, seeds=range(4), restarts=1))
    assert [s.step for s in steps] == sorted(s.step for s in steps)
    assert steps[-1].step == steps[-1].total
    assert [s.catalog is None for s in steps] == [True] * (len(steps) - 1) + [False]


def test_a_layer_that_is_not_there_is_refused(generator):
    with pytest.raises(LatentError, match="no layer 'b99'"):
        next(build_catalog(generator, layer="b99"))


def test_merging_adds_and_splitting_takes_apart_again(generator):
    catalog = make(generator)
    merged = catalog.merged(["part 1", "part 3"], into="hair")
    assert [p.name for p in merged.parts] == ["hair", "part 2", "part 4"]
    for layer, m in merged.m("hair").items():
        assert torch.allclose(m, catalog.m("part 1")[layer] + catalog.m("part 3")[layer])
    split = merged.split("hair")
    assert [p.name for p in split.parts] == ["hair 1", "hair 2", "part 2", "part 4"]
    assert [p.clusters for p in split.parts] == [(0,), (2,), (1,), (3,)]
    assert [p.name for p in catalog.parts] == [f"part {i}" for i in (1, 2, 3, 4)]  # the first one is as it was


def test_merged_parts_are_one_on_the_map(generator):
    catalog, latent = make(generator), generator.sample(1)
    before = catalog.part_map(generator, [latent])
    after = catalog.merged(["part 1", "part 2"], "both").part_map(generator, [latent])
    assert torch.equal(after == 0, (before == 0) | (before == 1))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda c: c.renamed("part 1", " "), "empty or taken"),
        (lambda c: c.renamed("part 1", "part 2"), "empty or taken"),
        (lambda c: c.renamed("nose", "mouth"), "no part 'nose'"),
        (lambda c: c.merged(["part 1", "part 1"], "x"), "two parts or more"),
        (lambda c: c.split("part 1"), "single cluster"),
    ],
)
def test_changes_that_make_no_sense_are_refused(generator, change, says):
    with pytest.raises(LatentError, match=says):
        change(make(generator))


def test_a_catalog_is_kept_exactly(generator, tmp_path):
    catalog = make(generator).renamed("part 2", "eyes")
    save_catalog(tmp_path / "parts.safetensors", catalog)
    again = load_catalog(tmp_path / "parts.safetensors")
    assert again.parts == catalog.parts and again.layer == catalog.layer
    assert torch.equal(again.clusters.centers, catalog.clusters.centers)
    for layer, m in catalog.contributions.items():
        assert torch.equal(again.contributions[layer], m)


def test_files_that_hold_no_catalog_say_so(generator, tmp_path):
    path = tmp_path / "parts.safetensors"
    with pytest.raises(LatentError, match="no file"):
        load_catalog(path)
    path.write_bytes(b"nothing")
    with pytest.raises(LatentError, match="damaged"):
        load_catalog(path)
    save_file({"x": torch.zeros(1)}, path)
    with pytest.raises(LatentError, match="no catalog"):
        load_catalog(path)
    save_catalog(path, make(generator))
    with safe_open(path, "pt") as file:
        header = json.loads(file.metadata()[KEY])
    header["parts"] = header["parts"][1:]
    save_file(load_file(path), path, {KEY: json.dumps(header)})
    with pytest.raises(LatentError, match="damaged"):
        load_catalog(path)


# ---- borrowing


def test_no_budget_leaves_the_picture_bit_for_bit(made):
    generator, catalog = made
    source, other = generator.sample(1), generator.sample(2)
    before = generator.draw(source)
    for options in (
        {"budget": 0.0},
        {"budget": 9.0, "protect": 1.0},
        {"budget": 0.0, "rule": "simple"},
        *({"budget": 0.0, "rule": rule} for rule in ("soft", "global")),
    ):
        after = run(generator, source, reference=other, part="part 1", catalog=catalog, **options)
        assert torch.equal(generator.draw(after), before), options


def test_everything_taken_from_everywhere_is_the_reference(made):
    generator, catalog = made
    source, other = generator.sample(1), generator.sample(2)
    options = {"rule": "global", "budget": 1.0, "colors": True}
    after = run(generator, source, reference=other, part="part 1", catalog=catalog, **options)
    if "input" in generator.style_layers:  # no channel of a part enters StyleGAN3's input: its pose stays
        after = replace(after, w=torch.cat([other.w[:1], after.w[1:]]))
    assert torch.allclose(generator.draw(after), generator.draw(other), atol=1e-4)


@pytest.mark.parametrize("keep_norm", [False, True])
def test_borrowing_from_itself_changes_nothing(generator, keep_norm):
    catalog, source = make(generator), generator.sample(1)
    options = {"reference": source, "part": "part 1", "catalog": catalog, "budget": 5.0, "keep_norm": keep_norm}
    after = run(generator, source, **options)
    assert torch.allclose(generator.draw(after), generator.draw(source), atol=1e-6)


def test_a_larger_budget_takes_more(generator):
    catalog = make(generator)
    taken = [
        sum(float(q.sum()) for q in Borrow(generator.sample(2), "part 1", catalog, budget, 0.0).queries().values())
        for budget in (0.0, 0.1, 0.3, 0.6, 1.1)
    ]
    assert taken == sorted(taken) and taken[0] == 0 < taken[-1]


def test_colors_and_single_layers_are_left_out_when_asked(generator):
    catalog, other = make(generator), generator.sample(2)
    plain = Borrow(other, "part 1", catalog, 2.0, 0.0)
    assert not any(name.endswith("torgb") for name in plain.queries())
    assert any(name.endswith("torgb") for name in replace(plain, colors=True).queries())
    assert not replace(plain, layers={"b8.conv0": 0.0}).queries()["b8.conv0"].any()


def test_what_is_borrowed_stays_when_the_latent_moves_on(generator):
    catalog, source, other = make(generator), generator.sample(1), generator.sample(2)
    borrowed = run(generator, source, reference=other, part="part 1", catalog=catalog, budget=2.0, protect=0.0)
    step = torch.randn(8) * 0.1
    assert {k: v.tolist() for k, v in borrowed.moved(step).offsets.items()} == {
        k: v.tolist() for k, v in borrowed.offsets.items()
    }
    assert borrowed.offsets


def test_the_rest_of_the_budget_buys_a_share_of_one_more_channel_in_each_layer(generator):
    catalog, other = make(generator), generator.sample(2)
    whole = Borrow(other, "part 1", catalog, 0.3, 0.0).queries()
    parts = Borrow(other, "part 1", catalog, 0.3, 0.0, fraction=True).queries()
    for name, q in whole.items():
        more = parts[name] - q
        assert (more >= 0).all() and int((more > 0).sum()) <= 1
    assert any(bool((parts[name] > q).any()) for name, q in whole.items())


def test_the_soft_rule_goes_by_the_two_pictures_and_not_by_the_catalog(made):
    generator, catalog = made
    source, other = generator.sample(1), generator.sample(2)
    own = count(generator, catalog, [source, other])
    blind = replace(catalog, contributions={name: torch.zeros_like(m) for name, m in own.items()})
    before, wanted = generator.styles(source), generator.styles(other)
    taken = 0
    for number, part in enumerate(catalog.parts):
        after = run(generator, source, reference=other, part=part.name, catalog=blind, rule="soft", budget=1.0)
        found = generator.styles(after)
        for name, m in own.items():
            q = soft_query(m, number) * (not name.endswith("torgb"))
            assert torch.allclose(found[name], before[name] + q * (wanted[name] - before[name]), atol=1e-5)
            taken += int(q.sum())
    assert taken


def test_what_was_counted_once_is_counted_again_for_other_clusters(generator):
    source = generator.sample(1)
    for catalog in (make(generator, k=3), make(generator, k=5), make(generator, k=3)):
        for _ in range(2):
            found = counted(generator, catalog, [source])
            for name, m in count(generator, catalog, [source]).items():
                assert torch.equal(found[name], m)


def test_soft_parts_that_are_merged_take_at_least_what_each_took(generator):
    catalog, other = make(generator), generator.sample(2)
    merged = catalog.merged(["part 1", "part 2"], "both")
    alone = [Borrow(other, f"part {i}", catalog, 1.0, rule="soft").queries() for i in (1, 2)]
    both = Borrow(other, "both", merged, 1.0, rule="soft").queries()
    for name, q in both.items():
        assert (q >= torch.maximum(alone[0][name], alone[1][name])).all()


def test_taken_channels_have_the_length_of_what_they_replace(generator):
    catalog, source, other = make(generator), generator.sample(1), generator.sample(2)
    edit = Borrow(other, "part 1", catalog, 2.0, 0.0, keep_norm=True)
    after = edits.run(generator, source, edit)
    for name, q in edit.queries().items():
        if q.any():
            mine, now = generator.styles(source)[name], generator.styles(after)[name]
            assert float((q * now).norm()) == pytest.approx(float((q * mine).norm()), rel=1e-4)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"rule": "some"}, "choose one of"),
        ({"budget": -1.0}, "0 or more"),
        ({"protect": 2.0}, "0 to 1"),
        ({"part": "nose"}, "no part 'nose'"),
        ({"layers": {"b99": 1.0}}, "no style layer 'b99'"),
    ],
)
def test_what_makes_no_sense_is_refused(generator, options, says):
    known = {"reference": generator.sample(2), "part": "part 1", "catalog": make(generator)}
    with pytest.raises(LatentError, match=says):
        run(generator, generator.sample(1), **{**known, **options})


def test_a_catalog_or_reference_of_another_model_is_refused(generator):
    catalog, other = make(generator), tiny(1)
    with pytest.raises(LatentError, match="belongs to checkpoint"):
        run(generator, generator.sample(1), reference=other.sample(2), part="part 1", catalog=catalog)
    with pytest.raises(LatentError, match="catalog of parts belongs"):
        run(other, other.sample(1), reference=other.sample(2), part="part 1", catalog=catalog)
