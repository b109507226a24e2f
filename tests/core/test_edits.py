"""What every edit must keep to. A new method adds one line to EDITS."""

import inspect
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ganedit_widgets.core import (
    DirectionError,
    GanEditError,
    History,
    LatentError,
    Recipe,
    code_for,
    edits,
    files_for,
    load_recipe,
    probes,
    save_png,
    to_pixels,
)
from ganedit_widgets.core.generators import require_own
from ganedit_widgets.core.parts import build_catalog
from ganedit_widgets.core.segment import Labeled, SegmentPlan, train_segmenter
from ganedit_widgets.core.short import short
from tests.tiny import conditional, labeled, odd, tiny

TINY, STRANGER = tiny(), tiny(seed=1)
WANTED = to_pixels(TINY.draw(TINY.sample(seed=7)))
SEFA, STRANGE = probes.sefa(TINY)[0], probes.sefa(STRANGER)[0]
CHANNEL = probes.channel(TINY, "b8.conv0", 3)

HALF = np.arange(256).reshape(16, 16) % 16 < 8

(*_, LAST) = build_catalog(TINY, k=3, seeds=range(4), restarts=1)
CATALOG = LAST.catalog


def halves(generator):
    """Return a segmenter that finds the left and the right half of a picture, and a mask with a band of the left."""
    left = (np.indices(generator.size)[1] < generator.size[1] // 2).astype(np.uint8)
    labeled = [Labeled(generator.sample(seed), left) for seed in range(3)]
    *_, last = train_segmenter(generator, labeled, ("right", "left"), SegmentPlan(steps=60, models=2, rate=1e-2))
    painted = left.copy()
    painted[4:12] = 1
    return last.segmenter(), painted


SEGMENTER, PAINTED = halves(TINY)
EDITS = [
    edits.Borrow(TINY.sample(seed=9), "part 1", CATALOG, budget=0.5, protect=0.0, layers={"b8.conv1": 1.0}),
    edits.Borrow(TINY.sample(seed=9), "part 2", CATALOG, budget=0.45, protect=0.0, fraction=True, keep_norm=True),
    edits.Borrow(TINY.sample(seed=9), "part 3", CATALOG, budget=0.8, rule="soft"),
    edits.Sample(seed=5),
    edits.Restore(TINY.sample(seed=6)),
    edits.MoveAlong(SEFA, strength=2.0, layers=range(1, 4)),
    edits.Embed(WANTED, iterations=5),
    edits.join(WANTED, 255 - WANTED, HALF, iterations=4),
    edits.FitNoise(WANTED, iterations=4, where=HALF),
    edits.Paint(PAINTED, SEGMENTER, iterations=4, rate=0.3),
    edits.Refine((edits.MoveAlong(SEFA, 2.0),), SEGMENTER, iterations=4, classes=("left",), rate=0.3),
    edits.Crossover(TINY.sample(seed=8), (0.0, 0.25, 0.5, 1.0, 1.0, 0.0), "a friend"),
    edits.TransferExpression(edits.Sample(2), TINY.sample(seed=3), 0.5, threshold=0.2, layers=(0, 1, 4)),
    edits.Stack((edits.MoveAlong(SEFA, 0.5), edits.MoveAlong(CHANNEL, 1.5))),
    edits.SetLabels({"yaw": 0.9, "age": 0.1}),
]
OTHER_HOMES = {edits.SetLabels: labeled()}  # edits that are only for another kind of generator than TINY
FOREIGN = [  # each edit that holds something of a checkpoint, holding another's
    edits.Borrow(STRANGER.sample(seed=6), "part 1", CATALOG),
    edits.Borrow(TINY.sample(seed=6), "part 1", replace(CATALOG, fingerprint=STRANGER.fingerprint)),
    edits.Restore(STRANGER.sample(seed=6)),
    edits.MoveAlong(STRANGE),
    edits.Paint(PAINTED, replace(SEGMENTER, fingerprint=STRANGER.fingerprint)),
    edits.Refine((), replace(SEGMENTER, fingerprint=STRANGER.fingerprint)),
    edits.Refine((edits.MoveAlong(STRANGE),), SEGMENTER),
    edits.Crossover(STRANGER.sample(seed=6), (1.0,) * 6),
    edits.TransferExpression(TINY.sample(seed=2), STRANGER.sample(seed=6)),
    edits.TransferExpression(STRANGER.sample(seed=6), TINY.sample(seed=2)),
    edits.Stack((edits.MoveAlong(SEFA), edits.MoveAlong(STRANGE))),
]

each_edit = pytest.mark.parametrize("edit", EDITS, ids=lambda e: type(e).__name__)


def home(edit):
    """Return the generator that an edit is tried on, and a latent of it."""
    generator = OTHER_HOMES.get(type(edit), TINY)
    return generator, generator.sample(seed=1)


def draw(latent):
    generators = (TINY, *OTHER_HOMES.values())
    return next(g for g in generators if g.fingerprint == latent.fingerprint).draw(latent)


def tensors_of(latent):
    label = {} if latent.label is None else {"label": latent.label}
    return {"w": latent.w, **latent.offsets, **{f"noise {k}": v for k, v in latent.noise.items()}, **label}


def same(one, other):
    tensors = [tensors_of(one), tensors_of(other)]
    return tensors[0].keys() == tensors[1].keys() and all(torch.equal(v, tensors[1][k]) for k, v in tensors[0].items())


# ---- the contract


def test_no_edit_is_forgotten():
    methods = {c for _, c in inspect.getmembers(edits, inspect.isclass) if hasattr(c, "steps") and c is not edits.Edit}
    assert methods == {type(e) for e in EDITS}


@each_edit
def test_changes_the_picture(edit):
    generator, latent = home(edit)
    assert not torch.equal(draw(edits.run(generator, latent, edit)), draw(latent))


@each_edit
def test_leaves_its_input_alone(edit):
    generator, latent = home(edit)
    latent = latent.shifted({"b8.conv0": torch.ones(8)})
    before = latent.detached()
    edits.run(generator, latent, edit)
    assert same(latent, before)


@each_edit
def test_gives_the_same_result_twice(edit):
    generator, latent = home(edit)
    once, twice = (edits.run(generator, latent, edit) for _ in range(2))
    assert same(once, twice)


@each_edit
@pytest.mark.parametrize("mode", [torch.no_grad, torch.enable_grad, torch.inference_mode])
def test_keeps_no_graph_and_no_grad_mode(edit, mode):
    generator, latent = home(edit)
    with mode():
        expected = torch.is_grad_enabled(), torch.is_inference_mode_enabled()
        for step in edit.steps(generator, latent):
            assert (torch.is_grad_enabled(), torch.is_inference_mode_enabled()) == expected
            assert not any(x.requires_grad for x in (step.w, *step.offsets.values()))
    assert torch.equal(draw(step), draw(edits.run(generator, latent, edit)))


@each_edit
def test_knows_before_it_starts_how_many_steps_it_takes(edit):
    generator, latent = home(edit)
    assert len(list(edit.steps(generator, latent))) == edit.total


@each_edit
def test_may_be_abandoned_after_any_step_and_recorded_as_it_stood(edit):
    generator, latent = home(edit)
    for done, reached in enumerate(edit.steps(generator, latent), start=1):
        assert draw(reached).isfinite().all()
        assert same(edits.run(generator, latent, edits.stopped(edit, done)), reached)


@each_edit
def test_refuses_a_latent_of_another_checkpoint(edit):
    with pytest.raises(LatentError, match="checkpoint"):
        next(iter(edit.steps(TINY, STRANGER.sample(seed=1))))


@pytest.mark.parametrize("edit", FOREIGN, ids=lambda e: type(e).__name__)
def test_refuses_a_source_of_another_checkpoint(edit, latent):
    with pytest.raises(GanEditError, match=f"{STRANGER.fingerprint}.*{TINY.fingerprint}"):
        edits.run(TINY, latent, edit)


def test_every_edit_with_a_source_is_tried_with_a_strange_one():
    holders = {type(e) for e in EDITS if any(hasattr(getattr(e, f.name), "fingerprint") for f in fields(e))}
    assert holders <= {type(e) for e in FOREIGN}


@each_edit
def test_reads_as_one_short_line(edit):
    line = repr(edit)
    assert line.startswith(type(edit).__name__)
    assert len(line) < 200
    assert "\n" not in line and "tensor(" not in line and "array(" not in line


@each_edit
def test_survives_in_a_picture(edit, tmp_path):
    generator, latent = home(edit)
    history = History(latent)
    history.push(edit, edits.run(generator, latent, edit))
    save_png(tmp_path / "edited.png", to_pixels(draw(history.latent)), Recipe.of(generator, history))
    found = load_recipe(tmp_path / "edited.png")
    assert repr(found.edits) == repr([edit])
    assert same(found.latent, history.latent)
    assert same(edits.run(generator, latent, *found.edits), history.latent)


@each_edit
def test_its_code_makes_the_same_picture(edit, tmp_path, monkeypatch):
    generator, latent = home(edit)
    monkeypatch.chdir(tmp_path)
    for name, contents in files_for(generator, [edit], latent).items():
        (tmp_path / name).write_bytes(contents)
    expected = to_pixels(draw(edits.run(generator, latent, edit)))
    namespace = {}
    exec(compile(code_for(generator, [edit], latent), "shown", "exec"), namespace)
    assert np.array_equal(namespace["picture"], expected)
    assert np.array_equal(np.asarray(Image.open("edited.png")), expected)


@pytest.mark.parametrize("build", [odd, conditional, labeled], ids=["odd", "conditional", "labeled"])
def test_every_edit_works_on_models_of_other_shapes(build):
    model = build()
    latent, direction = model.sample(seed=1), probes.sefa(model)[0]
    (*_, last) = build_catalog(model, k=3, seeds=range(4), restarts=1)
    segmenter, painted = halves(model)
    made = [
        edits.Borrow(model.sample(4), "part 2", last.catalog, 0.5, 0.0),
        edits.Sample(3),
        edits.Restore(model.sample(4)),
        edits.MoveAlong(direction),
        edits.Crossover(model.sample(4), edits.paper_split(model)),
        edits.TransferExpression(edits.Sample(4), edits.Sample(5)),
        *(edits.Embed(np.full((*model.size, 3), 99, np.uint8), 3, space, start)
          for space in ("w+", "w", "z") for start in ("average", "current", "random")),
        edits.inpaint(np.full((40, 60, 3), 99, np.uint8), np.eye(40, 60, dtype=bool), 3),
        edits.FitNoise(np.full((40, 60, 3), 99, np.uint8), 3),
        edits.Paint(painted, segmenter, 2, rate=0.02, keep=0.0),
        edits.Refine((edits.MoveAlong(direction),), segmenter, 2, ("left",)),
        edits.Stack((edits.MoveAlong(direction, 0.5), edits.MoveAlong(direction, layers=range(2)))),
    ]  # fmt: skip
    assert {type(e) for e in made} == {type(e) for e in EDITS} - OTHER_HOMES.keys()
    for edit in made:
        reached = edits.run(model, latent, edit)
        assert model.draw(reached).shape == (1, 3, *model.size)
        assert not torch.equal(model.draw(reached), model.draw(latent))


# ---- edits together


def test_offsets_and_moves_compose_in_both_orders_on_the_same_layer(latent):
    shift = edits.MoveAlong(CHANNEL, 3.0)
    move = edits.MoveAlong(SEFA, 2.0, layers=range(1, 2))  # b8.conv0 reads row 1
    alone = [draw(edits.run(TINY, latent, edit)) for edit in (shift, move)]
    both = [draw(edits.run(TINY, latent, *order)) for order in ((shift, move), (move, shift))]
    assert torch.allclose(both[0], both[1], atol=1e-5)
    assert not any(torch.allclose(both[0], picture, atol=1e-3) for picture in alone)


def test_a_stack_is_its_edits_one_after_the_other(latent):
    rows = edits.MoveAlong(SEFA, 0.5), edits.Embed(WANTED, iterations=3), edits.MoveAlong(CHANNEL, 1.5)
    assert same(edits.run(TINY, latent, edits.Stack(rows)), edits.run(TINY, latent, *rows))
    assert edits.Stack(rows).total == 4


def test_a_stack_of_directions_is_known_at_once(latent):
    assert edits.Stack((edits.MoveAlong(SEFA), edits.MoveAlong(CHANNEL))).total == 1


def test_a_stack_of_searches_may_be_stopped_anywhere(latent):
    move, search = edits.MoveAlong(SEFA, 0.5), edits.Embed(WANTED, iterations=2, start="current", rate=0.5)
    stack = edits.Stack((move, search, move, search, move))
    reached = list(stack.steps(TINY, latent))
    assert len(reached) == stack.total == 5
    for done, expected in enumerate(reached, start=1):
        assert same(edits.run(TINY, latent, edits.stopped(stack, done)), expected), done


def test_an_empty_stack_changes_nothing(latent):
    assert same(edits.run(TINY, latent, edits.Stack(())), latent)


# ---- moving


def test_strength_is_measured_in_the_deviation_of_the_models_own_latents(latent):
    moved = edits.run(TINY, latent, edits.MoveAlong(SEFA, 2.0))
    along = (moved.w - latent.w) @ SEFA.vector
    assert torch.allclose(along, torch.full((6,), 2 * float((TINY.w_samples @ SEFA.vector).std())), atol=1e-4)


def test_an_empty_layer_range_moves_nothing(latent):
    assert same(edits.run(TINY, latent, edits.MoveAlong(SEFA, 1.0, range(0))), latent)


def test_only_the_chosen_layers_move(latent):
    moved = edits.run(TINY, latent, edits.MoveAlong(replace(SEFA, layers=range(4)), 1.0, range(2, 3)))
    assert (moved.w != latent.w).any(1).tolist() == [False, False, True, False, False, False]


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (edits.MoveAlong(SEFA, float("nan")), "Strength nan"),
        (edits.MoveAlong(SEFA, 1.0, range(4, 9)), "Layers 4 to 8.*layers 0 to 5"),
        (edits.Sample(-1), "Seed -1"),
        (edits.Sample(1, label=(1.0, 0.0)), "label of 2 numbers.*takes 0"),
        (edits.Embed(WANTED, space="x"), "'x'.*'w'"),
        (edits.Embed(WANTED, start="zero"), "'zero'.*'average'"),
        (edits.Embed(WANTED, iterations=0), "0 steps"),
        (edits.Embed(WANTED, rate=-1.0), "positive"),
        (edits.Embed(WANTED, stay=float("nan")), "positive"),
        (edits.Embed(WANTED, perceptual="lpips"), "'lpips' is unknown"),
    ],
    ids=lambda x: x if isinstance(x, str) else "",
)
def test_says_in_a_sentence_what_is_wrong_with_its_parameters(edit, says, latent):
    with pytest.raises(GanEditError, match=says):
        edits.run(TINY, latent, edit)


def test_a_vector_of_another_shape_is_refused_even_if_it_claims_to_fit(latent):
    wrong = replace(SEFA, vector=torch.ones(5))
    with pytest.raises(DirectionError, match=r"\(5,\).*\(8,\)"):
        edits.run(TINY, latent, edits.MoveAlong(wrong))


def test_a_label_chooses_the_class_of_a_sample():
    model = conditional()
    one, other = (edits.run(model, model.average(), edits.Sample(1, 1.0, label)) for label in ((1, 0, 0), (0, 0, 1)))
    assert not torch.allclose(one.w, other.w, atol=1e-2)
    assert other.label.tolist() == [0, 0, 1]


# ---- an edit of one's own


@dataclass(frozen=True, eq=False)
class Negate:
    """The opposite of a picture, as somebody wrote it in a notebook."""

    __repr__ = short
    total = 1

    def steps(self, generator, latent, report=edits.ignore):
        yield replace(latent, w=2 * generator.w_avg - latent.w)


def test_an_edit_written_in_a_notebook_runs_is_saved_and_says_what_its_code_needs(latent, tmp_path):
    history = History(latent)
    history.push(Negate(), edits.run(TINY, latent, Negate()))
    save_png(tmp_path / "x.png", to_pixels(draw(history.latent)), Recipe.of(TINY, history))
    found = load_recipe(tmp_path / "x.png")
    assert repr(found.edits[0]).startswith("Restore(") and found.edits[0].note == "Negate()"
    assert same(edits.run(TINY, latent, *found.edits), history.latent)
    assert "# Negate is defined in your notebook" in code_for(TINY, [Negate()])


def test_the_edit_in_the_readme_works(latent):
    text = (Path(edits.__file__).parent / "README.md").read_text()
    namespace = {"dataclass": dataclass, "short": short, "ignore": edits.ignore, "require_own": require_own}
    exec(text.split("```python\n")[1].split("```")[0], namespace)
    opposite = edits.run(TINY, latent, namespace["Opposite"]())
    assert torch.allclose((opposite.w + latent.w) / 2, TINY.w_avg.expand(6, -1), atol=1e-5)
