"""Self-conditioned networks: the formulas, both starts, order and names, files, and what is refused."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from ganedit_widgets.core import (
    History,
    LabelError,
    LatentError,
    ModelError,
    Recipe,
    RecipeError,
    TrainingError,
    load_generator,
    load_recipe,
    save_recipe,
)
from ganedit_widgets.core.conditioning import Attribute, Schema
from ganedit_widgets.core.conditioning.grid import label_grid, label_rows, save_label_grid
from ganedit_widgets.core.conditioning.model import self_conditioned, with_class_head
from ganedit_widgets.core.conditioning.reading import labels_in, read_labels
from ganedit_widgets.core.edits import Embed, MoveAlong, Sample, SetLabels, run
from ganedit_widgets.core.edits.sources import mixed
from ganedit_widgets.core.encoder import load_encoder
from ganedit_widgets.core.encoder.training import EncoderPlan, train_encoder
from ganedit_widgets.core.generators import Generator, soft_labels
from ganedit_widgets.core.generators.load import convert, describe, save_model
from ganedit_widgets.core.image import save_image, to_pixels
from ganedit_widgets.core.probes import sefa
from ganedit_widgets.core.tuning import tune
from tests.tiny import conditional, labeled, odd, tiny, tiny3

SCHEMA = Schema((Attribute("yaw", mirror="opposite"), Attribute("age", -3.0, 8.0, "older", mirror="same")))


def drawn(generator, label, seed=1):
    latent = generator.sample(seed)
    return generator.draw(replace(latent, label=None if label is None else torch.tensor(label)))


# ---- soft labels


@pytest.mark.parametrize(
    ("v", "expected"),
    [
        (-3.0, (1, 0, 0)),
        (0.0, (1, 0, 0)),
        (0.25, (0.5, 0.5, 0)),
        (0.5, (0, 1, 0)),
        (0.75, (0, 0.5, 0.5)),
        (1.0, (0, 0, 1)),
        (1.5, (0, 0, 1)),
    ],
)
def test_soft_labels_are_those_of_the_table(v, expected):
    assert soft_labels(torch.tensor(v)).tolist() == pytest.approx(expected)


def test_soft_labels_add_up_to_one_for_any_number_of_attributes():
    soft = soft_labels(torch.rand(5, 4, generator=torch.Generator().manual_seed(0)))
    assert soft.shape == (5, 4, 3)
    torch.testing.assert_close(soft.sum(-1), torch.ones(5, 4))


# ---- the input


@pytest.mark.parametrize("names", [("age",), ("yaw", "age"), ("yaw", "age", "glasses", "smile")])
def test_the_input_is_that_of_the_formula(names):
    synthesis = labeled(names=names).network.synthesis
    v = torch.rand(3, len(names), generator=torch.Generator().manual_seed(0)) * 1.4 - 0.2
    low, high = (1 - 2 * v).clamp(0, 1).double(), (2 * v - 1).clamp(0, 1).double()
    expected = synthesis.b4.const.double() + torch.einsum("na,achw->nchw", low, synthesis.low.double())
    expected += torch.einsum("na,achw->nchw", high, synthesis.high.double())
    assert float((synthesis.constant(v) - expected).abs().max()) < 1e-6


def test_in_the_middle_the_input_is_exactly_the_constant_and_the_picture_that_without_labels():
    generator = labeled()
    synthesis = generator.network.synthesis
    assert torch.equal(synthesis.constant(torch.full((2, 2), 0.5))[1], synthesis.b4.const)
    assert torch.equal(drawn(generator, [0.5, 0.5]), drawn(generator, None))


def test_labels_change_the_picture_and_neither_w_nor_noise_nor_styles():
    generator = labeled()
    latent = generator.sample(1)
    changed = run(generator, latent, SetLabels({"age": 1.0}))
    assert torch.equal(changed.w, latent.w) and not changed.noise and not changed.offsets
    for one, other in zip(generator.styles(latent).values(), generator.styles(changed).values(), strict=True):
        assert torch.equal(one, other)
    assert float((generator.draw(changed) - generator.draw(latent)).abs().max()) > 1e-2


def test_labels_saturate_beyond_their_range():
    generator = labeled()
    assert torch.equal(drawn(generator, [1.7, -0.2]), drawn(generator, [1.0, 0.0]))


def test_both_ends_of_an_attribute_have_constants_of_their_own():
    synthesis = labeled().network.synthesis
    steps = synthesis.constant(torch.tensor([[0.0, 0.5], [0.5, 0.5], [1.0, 0.5]]))
    assert not torch.allclose(steps[0] - steps[1], steps[1] - steps[2], atol=1e-2)


def test_a_batch_draws_what_single_pictures_draw():
    generator = labeled()
    latents = [replace(generator.sample(i), label=torch.tensor([i / 4, 1 - i / 3])) for i in range(4)]
    together = generator.draw_many(latents)
    for one, latent in zip(together, latents, strict=True):
        torch.testing.assert_close(one[None], generator.draw(latent), atol=1e-5, rtol=1e-5)


# ---- the starts


@pytest.mark.parametrize("build", [tiny, odd])
def test_the_zero_start_draws_bit_for_bit_what_the_source_draws_with_any_labels(build):
    source = build()
    generator = Generator(self_conditioned(source, SCHEMA))
    for seed, label in enumerate(([0.5, 0.5], [0.0, 1.0], [0.31, 0.87], [1.0, 0.0])):
        assert torch.equal(drawn(generator, label, seed), source.draw(source.sample(seed)))
    labels = torch.rand(4, 2)
    ws = torch.randn(4, *source.latent_shape, generator=torch.Generator().manual_seed(1))
    assert torch.equal(generator.network.synthesis(ws, labels=labels), source.network.synthesis(ws))


def test_the_start_of_copies_scales_the_input_as_the_paper_has_it():
    synthesis = self_conditioned(tiny(), SCHEMA, "copies").synthesis
    v = torch.tensor([[0.1, 0.5], [0.0, 1.0], [0.9, 0.3]])
    l, _, h = soft_labels(v).unbind(-1)
    scale = 1 + (l + h).sum(1)
    torch.testing.assert_close(synthesis.constant(v), scale[:, None, None, None] * synthesis.b4.const)
    assert scale.max() == 3


def test_the_source_stays_as_it_was():
    source = tiny()
    before = source.fingerprint
    network = self_conditioned(source, SCHEMA)
    with torch.no_grad():
        network.synthesis.b4.const.add_(1)
    assert torch.equal(source.draw(source.sample(3)), tiny().draw(tiny().sample(3)))
    assert tiny().fingerprint == before != Generator(network).fingerprint


# ---- names, not places


def test_attributes_in_another_order_give_identical_pictures():
    one, other = labeled(names=("yaw", "age", "smile")), labeled(names=("smile", "yaw", "age"))
    assert one.schema.names == other.schema.names == ("age", "smile", "yaw")
    assert one.fingerprint == other.fingerprint
    values = {"smile": 0.9, "yaw": 0.2, "age": 0.7}
    backwards = dict(reversed(list(values.items())))
    a, b = (run(g, g.sample(5), SetLabels(v)) for g, v in ((one, values), (other, backwards)))
    assert torch.equal(one.draw(a), other.draw(b))
    assert a.label.tolist() == pytest.approx([0.7, 0.9, 0.2])


# ---- the class head


def test_the_scores_of_a_new_head_are_those_of_the_source():
    source = tiny()
    x = torch.randn(4, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    for projection in (False, True):
        critic = with_class_head(source, SCHEMA, projection)
        scores, logits = critic.judge(x, torch.rand(4, 2))
        assert torch.equal(scores, source.discriminator(x))
        assert logits.shape == (4, 2, 3)


def test_with_projection_the_scores_depend_on_labels_and_without_not():
    x = torch.randn(4, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    for projection in (False, True):
        critic = with_class_head(tiny(), SCHEMA, projection)
        if projection:
            with torch.no_grad():
                critic.embed.weight.normal_(generator=torch.Generator().manual_seed(0))
        one, other = (critic(x, torch.full((4, 2), v)) for v in (0.0, 1.0))
        assert torch.equal(one, other) != projection


def test_the_class_head_says_the_same_of_one_picture_as_of_many():
    critic = with_class_head(tiny(), SCHEMA)
    x = torch.randn(8, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(critic.labels(x)[:1], critic.labels(x[:1]), atol=1e-6, rtol=0)


def test_labels_are_read_as_the_inverse_of_soft_labels():
    critic = with_class_head(tiny(), SCHEMA)
    v = torch.tensor([[0.1, 0.9], [0.5, 0.3]])
    critic.judge = lambda x: (None, soft_labels(v).clamp(min=1e-9).log())
    torch.testing.assert_close(critic.labels(None), v, atol=1e-6, rtol=0)


def test_the_labels_of_a_real_picture_can_be_set_again(tmp_path):
    generator = labeled()
    picture = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    found = labels_in(generator, picture)
    assert found.keys() == {"age", "yaw"} and all(0 <= v <= 1 for v in found.values())
    save_image(tmp_path / "x.png", picture)
    assert labels_in(generator, tmp_path / "x.png") == labels_in(generator, str(tmp_path / "x.png")) == found
    latent = run(generator, generator.average(), SetLabels(found))
    assert latent.label.tolist() == pytest.approx([found["age"], found["yaw"]])
    x = torch.randn(3, 3, 16, 16)
    torch.testing.assert_close(read_labels(generator, x), generator.discriminator.labels(x))


def test_a_model_without_a_class_head_reads_no_labels():
    picture = np.zeros((16, 16, 3), np.uint8)
    for model in (tiny(), odd(), Generator(labeled().network)):
        with pytest.raises(LabelError, match="has no class head"):
            labels_in(model, picture)


def test_an_encoder_learns_from_pictures_with_labels_and_draws_with_those_it_reads(tmp_path):
    generator = labeled()
    plan = EncoderPlan(steps=6, batch=4, warm=0.5)
    *_, last = train_encoder(generator, tmp_path / "e.safetensors", plan=plan, report_every=2)
    assert np.isfinite(last.loss)
    generator.encoder = load_encoder(tmp_path / "e.safetensors", generator)
    wanted = to_pixels(generator.draw(run(generator, generator.sample(3), SetLabels({"yaw": 0.9}))))
    asked = SetLabels(labels_in(generator, wanted))
    found = run(generator, generator.average(), asked, Embed(wanted, iterations=2, start="encoder"))
    assert torch.equal(found.label, run(generator, generator.average(), asked).label)


# ---- the sheet of labels


def test_a_sheet_shows_each_attribute_from_its_lowest_label_to_its_highest(tmp_path):
    generator = labeled()
    rows = list(label_rows(generator, "yaw", [4, 5], values=3))
    start = generator.sample(5, 0.7)
    for picture, v in zip(rows[3:], (0.0, 0.5, 1.0), strict=True):
        assert np.array_equal(picture, to_pixels(generator.draw(replace(start, label=torch.tensor([0.5, v])))))
    assert label_grid(generator, [4, 5], values=3).shape == (2 * (14 + 2 * 16), 3 * 16, 3)
    save_label_grid(generator, tmp_path / "sheet.png")
    with pytest.raises(LabelError, match="takes no labels"):
        label_grid(tiny())
    with pytest.raises(LabelError, match="no attribute 'hat'"):
        next(label_rows(generator, "hat", [0]))


# ---- files


def test_a_model_file_keeps_pictures_names_and_head(tmp_path):
    made = labeled(projection=True)
    save_model(tmp_path / "m.safetensors", made.network, made.discriminator, {"pictures": 3})
    found = load_generator(tmp_path / "m.safetensors", "cpu")
    assert found.fingerprint == made.fingerprint
    assert found.schema == made.schema and found.family == "self_conditioned"
    assert torch.equal(drawn(found, [0.1, 0.8]), drawn(made, [0.1, 0.8]))
    x = torch.randn(2, 3, 16, 16)
    assert torch.equal(found.discriminator.labels(x), made.discriminator.labels(x))
    assert describe(tmp_path / "m.safetensors").meta["pictures"] == 3
    convert(tmp_path / "m.safetensors", tmp_path / "half.safetensors", half=True)
    assert load_generator(tmp_path / "half.safetensors", "cpu").schema == made.schema


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda schema: schema.pop("attributes"), "list of attributes is damaged"),
        (lambda schema: schema["attributes"].append(schema["attributes"][0]), "Two attributes are called"),
        (lambda schema: schema["attributes"].pop(), "shape"),
        (lambda schema: schema["attributes"][0].update(name=7), "damaged"),
        (lambda schema: schema["attributes"][0].update(low=float("nan")), "no range"),
    ],
)
def test_a_damaged_schema_is_one_sentence(tmp_path, change, says):
    path = tmp_path / "m.safetensors"
    save_model(path, labeled().network)
    with safe_open(path, "pt") as file:
        header = json.loads(file.metadata()["ganedit"])
    change(header["generator"]["schema"])
    save_file(load_file(path), path, {"ganedit": json.dumps(header)})
    with pytest.raises((ModelError, LabelError), match=says) as caught:
        load_generator(path, "cpu")
    assert str(caught.value).count("\n") == 0


def test_a_model_file_without_a_schema_is_refused(tmp_path):
    path = tmp_path / "m.safetensors"
    save_model(path, labeled().network)
    with safe_open(path, "pt") as file:
        header = json.loads(file.metadata()["ganedit"])
    for schema in (None, "absent", [], 3):
        header["generator"]["schema"] = schema
        if schema == "absent":
            header["generator"].pop("schema")
        save_file(load_file(path), path, {"ganedit": json.dumps(header)})
        with pytest.raises((ModelError, LabelError)):
            load_generator(path, "cpu")


# ---- every edit, labels fixed


def test_edits_leave_the_labels_alone():
    generator = labeled()
    latent = run(generator, generator.sample(2), SetLabels({"yaw": 0.9}))
    wanted = to_pixels(generator.draw(run(generator, generator.sample(3), SetLabels({"yaw": 0.9}))))
    for edit in (MoveAlong(sefa(generator)[0], 1.0), Embed(wanted, iterations=3)):
        assert run(generator, latent, edit).label.tolist() == pytest.approx([0.5, 0.9])


def test_a_model_that_is_tuned_to_a_picture_still_takes_labels():
    generator = labeled()
    latent = run(generator, generator.sample(2), SetLabels({"age": 0.8}))
    *_, last = tune(generator, latent, np.full((16, 16, 3), 99, np.uint8), steps=2)
    tuned = last.generator()
    assert tuned.schema == generator.schema
    assert not torch.equal(drawn(tuned, [0.8, 0.5]), drawn(tuned, [0.1, 0.5]))


def test_a_sample_takes_labels():
    generator = labeled()
    latent = run(generator, generator.average(), Sample(3, label=(0.2, 0.8)))
    assert torch.equal(generator.draw(latent), generator.draw(replace(generator.sample(3, 0.7), label=latent.label)))


def test_labels_mix_by_the_mean_share_and_the_ends_stay_what_they_are():
    generator = labeled()
    a, b = run(generator, generator.sample(1), SetLabels({"age": 0.0})), generator.sample(2)
    rows = generator.latent_shape[0]
    assert mixed(generator, a, b, [0.25] * rows).label.tolist() == pytest.approx([0.125, 0.5])
    assert torch.equal(mixed(generator, a, b, [0.0] * rows).label, a.label)
    assert mixed(generator, a, b, [1.0] * rows).label is None


def test_who_has_no_labels_mixes_and_is_drawn_with_the_typical_ones():
    made = labeled()
    attributes = tuple(replace(a, typical=0.1) for a in made.schema.attributes)
    made.network.cfg = replace(made.network.cfg, schema=replace(made.schema, attributes=attributes))
    generator = Generator(made.network)
    plain = generator.sample(1)
    told = run(generator, plain, SetLabels({"age": 0.1, "yaw": 0.1}))
    assert torch.equal(generator.draw(plain), generator.draw(told))
    for share in (0.01, 0.5):
        label = mixed(generator, told, generator.sample(2), [share] * generator.latent_shape[0]).label
        assert label.tolist() == pytest.approx([0.1, 0.1])


# ---- what is refused


@pytest.mark.parametrize("label", ["old", torch.tensor([0.5, float("nan")]), torch.tensor([1, 0])])
def test_a_recipe_with_labels_that_are_none_is_refused(label, tmp_path):
    generator = labeled()
    save_recipe(tmp_path / "r.json", Recipe.of(generator, History(replace(generator.sample(1), label=label))))
    with pytest.raises(RecipeError, match="damaged"):
        load_recipe(tmp_path / "r.json")


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"hair": 0.3}, "no attribute 'hair'.*age, yaw"),
        ({"age": float("nan")}, "age was set to nan"),
        ({"age": float("inf")}, "age was set to inf"),
        ({"age": "old"}, "age was set to old"),
    ],
)
def test_labels_that_make_no_sense_are_one_sentence(values, says):
    generator = labeled()
    with pytest.raises(LabelError, match=says):
        run(generator, generator.sample(1), SetLabels(values))


def test_labels_of_a_model_that_takes_none_are_one_sentence():
    with pytest.raises(LabelError, match="takes no labels"):
        run(tiny(), tiny().sample(1), SetLabels({"age": 0.3}))


@pytest.mark.parametrize("label", [[0.5], [0.5, float("nan")], [[0.5, 0.5]]])
def test_a_latent_with_another_label_is_refused(label):
    with pytest.raises(LatentError, match="one finite number for each of age, yaw"):
        drawn(labeled(), label)


@pytest.mark.parametrize(
    ("source", "says"),
    [(tiny3, "stylegan3-t"), (conditional, "label of 3 numbers"), (labeled, "already")],
)
def test_a_source_that_cannot_be_conditioned_is_one_sentence(source, says):
    with pytest.raises(ModelError, match=says):
        self_conditioned(source(), SCHEMA)


def test_a_source_without_a_discriminator_and_an_unknown_start_are_one_sentence():
    with pytest.raises(ModelError, match="has no discriminator"):
        with_class_head(odd(), SCHEMA)
    with pytest.raises(TrainingError, match="'warm' is unknown"):
        self_conditioned(tiny(), SCHEMA, "warm")
