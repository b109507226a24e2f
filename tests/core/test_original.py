"""The original beside a self-conditioned generator: same w, the same change of label along its own directions."""

from dataclasses import replace

import pytest
import torch

from ganedit_widgets.core import DirectionError, LabelError, ModelError
from ganedit_widgets.core.conditioning import Schema
from ganedit_widgets.core.conditioning.grid import label_table
from ganedit_widgets.core.conditioning.labeler import attribute_of, direction_id, project
from ganedit_widgets.core.conditioning.model import self_conditioned, with_class_head
from ganedit_widgets.core.conditioning.original import Original, change_between, label_of_one, labels_of, neutral
from ganedit_widgets.core.edits import SetLabels, run
from ganedit_widgets.core.generators import Generator
from ganedit_widgets.core.image import to_pixels
from ganedit_widgets.core.probes.directions import new_direction
from ganedit_widgets.core.probes.trends import readout
from tests.tiny import labeled, odd, tiny


def random_direction(generator, name, space="w", **fields):
    rng = torch.Generator().manual_seed(len(name))
    layers, width = generator.latent_shape
    if space == "s":
        vector = {k: torch.randn(x.shape, generator=rng) for k, x in generator.styles(generator.average()).items()}
    else:
        vector = torch.randn((width,) if space == "w" else (layers, width), generator=rng)
    return replace(new_direction(generator, vector, name), **fields)


def steered_by(source, *directions):
    """Return a self-conditioned copy of `source`, measured along `directions`, each from −1 to 3."""
    attributes = tuple(replace(attribute_of(f"a {d.name}", d), low=-1.0, high=3.0) for d in directions)
    schema = Schema(attributes, source.fingerprint)
    return Generator(self_conditioned(source, schema), with_class_head(source, schema), name="steered")


@pytest.mark.parametrize(
    ("space", "fields"),
    [
        ("w", {}),
        ("w", {"layers": range(1, 4)}),
        ("w", {"weights": (2.0, 1.0, 1.0, 0.5, 0.5, 0.0)}),
        ("w+", {}),
    ],
)
def test_the_original_changes_its_label_as_much_as_the_slider_does(space, fields):
    source = tiny()
    direction = random_direction(source, "turn", space, **fields)
    steered = steered_by(source, direction)
    compared = Original.of(steered, source, [direction])
    start = run(steered, steered.sample(3), SetLabels({"a turn": 0.9}))
    moved = compared.latent(start)
    before, after = (float(project(source, [direction], w[None])) for w in (start.w, moved.w))
    assert after == pytest.approx(-1 + 0.9 * 4, rel=1e-3) and before != pytest.approx(after, rel=1e-2)
    change = pytest.approx((after - before) / label_of_one(source, direction), rel=1e-3)
    assert compared.strengths(start) == {"a turn": change}


def test_what_was_measured_along_a_readout_is_changed_along_its_direction():
    source = tiny()
    turn = random_direction(source, "turn")
    measured = readout(source, turn)
    compared = Original.of(steered_by(source, measured), source, [turn])
    assert compared.directions == {"a turn": turn} and direction_id(compared.measures["a turn"]) == direction_id(
        measured
    )
    for v in (0.0, 0.25, 1.0):
        latent = replace(source.sample(3), label=torch.tensor([v]))
        assert float(project(source, [measured], compared.latent(latent).w[None])) == pytest.approx(
            -1 + 4 * v, abs=1e-2
        )


@pytest.mark.parametrize("spaces", [("w", "w", "w"), ("w", "w+", "s"), ("s", "s", "w")])
def test_several_attributes_reach_their_labels_together(spaces):
    source = tiny()
    names = ("turn", "elder", "spectacles")
    directions = [random_direction(source, name, space) for name, space in zip(names, spaces, strict=True)]
    compared = Original.of(steered_by(source, *directions), source, directions)
    wanted = {"a turn": 0.9, "a elder": 0.1, "a spectacles": 0.6}
    latent = replace(source.sample(3), label=compared.schema.values(wanted))
    moved = compared.latent(latent)
    styles = source.network.synthesis.styles(moved.w[None], {})
    for direction in directions:
        if direction.space == "s":
            raw = sum(float((styles[k][0] + moved.offsets.get(k, 0)) @ x) for k, x in direction.vector.items())
        else:
            raw = float(project(source, [direction], moved.w[None]))
        assert raw == pytest.approx(-1 + 4 * wanted[f"a {direction.name}"], abs=2e-3)


def test_directions_that_are_almost_one_do_not_throw_the_picture_away():
    source = tiny()
    one = random_direction(source, "turn")
    other = replace(new_direction(source, one.vector + 1e-3 * random_direction(source, "elder").vector, "twin"))
    compared = Original.of(steered_by(source, one, other), source, [one, other])
    latent = replace(source.sample(3), label=torch.tensor([1.0, 0.0]))
    assert max(map(abs, compared.strengths(latent).values())) < 20


def test_weights_of_layers_that_labels_were_measured_with_are_kept():
    source = tiny()
    turn = random_direction(source, "turn")
    weighted = replace(turn, weights=(2.0, 1.0, 1.0, 0.5, 0.5, 0.0))
    compared = Original.of(steered_by(source, weighted), source, [turn])
    assert compared.directions == {"a turn": turn}
    assert direction_id(compared.measures["a turn"]) == direction_id(weighted)


def test_in_s_space_the_styles_move_as_much_as_the_slider_does():
    source = tiny()
    direction = random_direction(source, "glasses", "s")
    steered = steered_by(source, direction)
    start = run(steered, steered.sample(3), SetLabels({"a glasses": 0.25}))
    moved = Original.of(steered, source, [direction]).latent(start)
    change = sum(float(moved.offsets[layer] @ x) for layer, x in direction.vector.items())
    own = float(project(source, [direction], start.w[None]))
    assert change == pytest.approx(-1 + 0.25 * 4 - own, rel=1e-3) and torch.equal(moved.w, start.w)


def test_labels_that_the_latent_has_by_itself_show_the_original_at_the_same_w():
    source = tiny()
    direction = random_direction(source, "turn")
    steered = steered_by(source, direction)
    compared = Original.of(steered, source, [direction])
    start = steered.sample(3)
    raw = float(project(source, [direction], start.w[None]))
    own = compared.own(start)
    assert own == {"a turn": pytest.approx(min(max((raw + 1) / 4, 0), 1), abs=1e-5)}
    shown = compared.latent(run(steered, start, SetLabels(own)))
    assert torch.equal(shown.w, start.w) and torch.equal(source.draw(shown), steered.draw(start))


def test_without_labels_both_show_the_typical_ones():
    source = tiny()
    direction = random_direction(source, "turn")
    schema = steered_by(source, direction).schema
    schema = replace(schema, attributes=(replace(schema["a turn"], typical=0.2),))
    steered = Generator(self_conditioned(source, schema), name="steered")
    compared = Original.of(steered, source, [direction])
    plain = steered.sample(3)
    told = run(steered, plain, SetLabels({"a turn": 0.2}))
    assert torch.equal(compared.latent(plain).w, compared.latent(told).w)
    assert torch.equal(steered.draw(plain), steered.draw(told))
    assert labels_of(steered, plain) == {"a turn": pytest.approx(0.2)}


def test_directions_are_known_by_their_numbers_then_by_name():
    source = tiny()
    turn, other = random_direction(source, "turn"), random_direction(source, "another")
    steered = steered_by(source, turn)
    renamed = replace(turn, name="renamed")
    assert steered.schema["a turn"].direction_id == direction_id(renamed)
    assert Original.of(steered, source, [other, renamed]).directions["a turn"] is renamed
    measured_again = replace(other, name="turn")
    assert Original.of(steered, source, [measured_again]).directions["a turn"] is measured_again
    assert not Original.of(steered, source, [other, replace(turn, fingerprint="elsewhere")]).directions
    assert Original.of(steered, source, {"as a library has it": turn}).directions == {"a turn": turn}


def test_an_attribute_without_a_direction_stays_as_it_is():
    source = tiny()
    steered = steered_by(source, random_direction(source, "turn"))
    start = run(steered, steered.sample(3), SetLabels({"a turn": 1.0}))
    assert torch.equal(Original.of(steered, source).latent(start).w, start.w)


def test_another_model_is_no_original():
    steered = steered_by(tiny(), random_direction(tiny(), "turn"))
    for wrong in (tiny(1), odd()):
        with pytest.raises(ModelError, match="open the model that was fine-tuned"):
            Original.of(steered, wrong)
    with pytest.raises(LabelError, match="takes no labels"):
        Original.of(tiny(), tiny())


def test_a_direction_whose_label_does_not_grow_is_refused():
    source = tiny()
    with pytest.raises(DirectionError, match="does not grow"):
        label_of_one(source, random_direction(source, "turn", weights=(0.0,) * 6))


def test_a_picture_has_not_changed_from_itself_and_labels_need_a_head():
    generator = labeled()
    latent = run(generator, generator.sample(3), SetLabels({"yaw": 1.0}))
    drawn, middle = generator.draw(latent), generator.draw(neutral(latent))
    same, other = change_between(generator, drawn, drawn), change_between(generator, middle, drawn)
    assert same.before == same.after and set(same.after) == {"age", "yaw"}
    assert same.look < 1e-6 < other.look and other.before != other.after
    assert change_between(Generator(generator.network), middle, drawn).after == {}


def test_labels_are_told_by_name_and_in_the_middle_where_none_is_set():
    generator = labeled()
    assert labels_of(generator, generator.average()) == {"age": 0.5, "yaw": 0.5}
    assert labels_of(generator, run(generator, generator.average(), SetLabels({"yaw": 0.25}))) == {
        "age": 0.5,
        "yaw": 0.25,
    }
    assert labels_of(tiny(), tiny().average()) == {}


def test_a_table_of_two_attributes_has_one_down_and_one_across():
    generator = labeled()
    latent = generator.sample(4)
    pictures = list(label_table(generator, latent, "yaw", "age", 3))
    for i, picture in enumerate(pictures):
        labels = SetLabels({"yaw": (i // 3) / 2, "age": (i % 3) / 2})
        assert (picture == to_pixels(generator.draw(run(generator, latent, labels)))).all()
    assert len(pictures) == 9 and len(list(label_table(generator, latent, "age", "age", 3))) == 3
    with pytest.raises(LabelError, match="at least 2"):
        next(label_table(generator, latent, "yaw", "age", 1))
