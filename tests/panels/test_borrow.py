"""The borrow panel without a browser: parts, references, rules, meters, fitting the strength, swapping."""

import threading
from dataclasses import replace

import numpy as np
import pytest

from ganedit_widgets.core.edits import Borrow, Sample, Stack, run
from ganedit_widgets.core.parts import build_catalog, fit_budget
from ganedit_widgets.core.recipe import load_recipe
from ganedit_widgets.panels import BorrowPanel, Frame, PartsPanel, Session, TraversePanel
from ganedit_widgets.panels.borrow_layers import layer_labels
from ganedit_widgets.panels.showing import START
from ganedit_widgets.panels.sources import Choice
from tests.tiny import odd, tiny


@pytest.fixture(scope="module")
def catalog():
    *_, last = build_catalog(tiny(), k=4, seeds=range(6), restarts=1)
    return last.catalog


@pytest.fixture
def panel(session, catalog):
    session.parts.take(catalog)
    panel = BorrowPanel(session)
    yield panel
    panel.close()


def click(panel, *names):
    """Select parts as the browser does."""
    panel.tiles.set_state({"selected": list(names)})
    panel.session.wait(10)


def drag(panel, key, value, final=True):
    panel.knobs._receive(None, {"t": "input", "key": key, "value": value, "final": final, "stamp": ["a", 1]}, [])
    panel.session.wait(10)


def shown_part(panel):
    """A part that the picture shows."""
    number = int(panel.board.clusters(panel.session.latent)[0, 0])
    return panel.board.catalog.parts[number].name


def borrowed(session, name, catalog, *values, **fields):
    reference = session.generator.sample(5, 0.7)
    return run(session.generator, session.latent, Borrow(reference, name, catalog, *values, **fields))


def ready(panel):
    """A part of the picture, and seed 5 as the reference."""
    name = shown_part(panel)
    click(panel, name)
    panel.picker.take_seed(5)
    panel.session.wait(10)
    return name


# ---- what is missing, and what is shown


def test_it_says_what_is_missing_one_after_the_other(session, catalog):
    panel = BorrowPanel(session)
    assert panel.apply_button.tooltip == "Find parts first" and panel._found.layout.display is None
    session.parts.take(catalog)
    assert panel.apply_button.tooltip == "Select a part first" and panel._found.layout.display == "none"
    click(panel, "part 1")
    assert panel.apply_button.tooltip == panel.swap_button.tooltip == "Choose a reference first"
    panel.picker.take_seed(5)
    drag(panel, "strength", 0.0)
    assert panel.apply_button.tooltip == "Give it a strength first"
    panel.close()


def test_parts_are_found_from_here_too(session, until):
    panel = BorrowPanel(session)
    panel.find_button.click()
    until(lambda: session.parts.catalog is not None, 60)
    assert len(panel.tiles.parts) == 12
    panel.close()


def test_a_part_and_a_reference_are_seen_at_once_and_recorded(panel, session, catalog, drawn):
    name = ready(panel)
    expected = drawn(borrowed(session, name, catalog, 0.15, 0.1))
    assert np.array_equal(session.pixels, expected)
    panel.apply_button.click()
    session.wait(10)
    assert session.entries[-1].label == f"{name} of seed 5" and np.array_equal(session.pixels, expected)
    assert panel.edit() is None and panel.board.selected == (name,)


def test_strength_and_protection_follow_the_hand(panel, session, catalog, drawn):
    name = ready(panel)
    drag(panel, "strength", 0.4, final=False)
    drag(panel, "protect", 0.0)
    assert np.array_equal(session.pixels, drawn(borrowed(session, name, catalog, 0.4, 0.0)))


def test_several_parts_come_over_together(panel, session):
    panel.picker.take_seed(5)
    click(panel, "part 1", "part 3")
    edit = session.pending
    assert isinstance(edit, Stack) and [e.part for e in edit.edits] == ["part 1", "part 3"]
    assert panel.fit_button.disabled and panel.fit_button.tooltip == "Select one part only"


def test_parts_of_several_references_are_applied_in_turn(panel, session, catalog):
    ready(panel)
    panel.apply()
    session.wait(10)
    click(panel, "part 2")
    panel.picker.take_seed(6)
    panel.apply()
    session.wait(10)
    assert [type(edit) for edit in session.edits] == [Sample, Borrow, Borrow]
    assert [edit.note for edit in session.edits[1:]] == ["seed 5", "seed 6"]


def test_reset_takes_the_preview_back(panel, session):
    before = session.pixels
    ready(panel)
    panel.reset_button.click()
    session.wait(10)
    assert np.array_equal(session.pixels, before) and panel.edit() is None


def test_it_is_in_the_recipe_of_a_saved_picture(panel, session, tmp_path):
    ready(panel)
    session.save(tmp_path / "mine.png").wait(10)
    again = load_recipe(tmp_path / "mine.png").history(session.generator)
    assert np.allclose(again.latent.w, session.latent.w)
    assert all(np.allclose(x, again.latent.offsets[name]) for name, x in session.latent.offsets.items())


# ---- references


def test_one_of_six_references_is_chosen_by_a_click(panel, session, until):
    strip = panel.references.strip
    until(lambda: strip._stream.last and [c.id for c in strip._stream.last.cells] == [1, 2, 3, 4, 5, 6])
    panel.references.more_button.click()
    until(lambda: [c.id for c in strip._stream.last.cells] == [7, 8, 9, 10, 11, 12])
    strip._receive(None, {"t": "select", "id": 9}, [])
    assert panel.picker.choice.name == "seed 9" and strip._stream.last.current == 9
    until(lambda: [tile.caption for tile in panel.tiles.tiles] == ["this picture", "reference"])


def test_what_another_panel_previews_is_the_picture_that_a_part_is_laid_into(panel, session, until):
    panel.picker.take_seed(9)
    until(lambda: len(panel.tiles.tiles) == 2)
    recorded = panel.tiles.tiles[0].pixels
    session.preview(Sample(12), by=object()).wait(10)
    until(lambda: not np.array_equal(panel.tiles.tiles[0].pixels, recorded))
    assert np.array_equal(panel.tiles.tiles[0].pixels, session.thumbnail(session.shown, 16))
    click(panel, "part 1")  # recorded is what was previewed, and the part is laid into that
    session.wait(10)
    assert session.history.edits[-1].seed == 12 and session.pending.part == "part 1"
    assert panel._base is session.latent


def test_a_step_of_the_history_may_be_the_reference(panel, session):
    session.apply(Sample(7)).wait(10)
    session.go_to(1).wait(10)
    click(panel, "part 1")
    panel.picker.take(Choice(session.history.entries[2].latent, "step 2"))
    session.wait(10)
    assert session.pending.note == "step 2" and session.pending.reference is session.history.entries[2].latent


def test_a_reference_of_another_model_is_one_sentence(panel, session):
    click(panel, "part 1")
    panel.picker.take(Choice(odd().sample(1), "a stranger"))
    assert session.message.level == "error" and "checkpoint" in session.message.text
    assert panel.edit() is None and panel.apply_button.disabled


def test_swap_makes_the_reference_the_picture(panel, session, until):
    panel.picker.take_seed(5)
    panel.swap_button.click()
    session.wait(10)
    assert session.history.entries[-1].edit.seed == 5 and panel.picker.choice.source.seed == 4
    click(panel, "part 1")
    kept = session.pending
    panel.swap_button.click()  # what is on show is recorded first
    until(lambda: len(session.history) == 5)
    assert session.history.entries[3].edit is kept and session.history.entries[4].edit.seed == START.seed


# ---- rules


def test_every_rule_has_a_slider_of_its_own_length(panel, session):
    name = ready(panel)
    panel.options_fold.opened = True
    options = panel.options_fold.content
    for rule, most, begin in (("simple", 5.0, 1.0), ("soft", 1.0, 1.0), ("global", 1.0, 0.5), ("greedy", 0.5, 0.15)):
        options.rule.value = rule
        session.wait(10)
        assert (session.pending.rule, session.pending.part) == (rule, name)
        assert panel.knobs.rows[0]["max"] == most
        assert session.pending.budget == begin or (rule == "global" and session.pending.budget == 1.0)


def test_a_layer_may_have_a_strength_of_its_own(panel, session, drawn):
    click(panel, shown_part(panel))
    panel.picker.take_seed(3)
    session.wait(10)
    panel.options_fold.opened = True
    options = panel.options_fold.content
    options.groups["fine"].value = False
    options.layers_fold.opened = True
    single = options.layers_fold.content
    first, *_, last = layer_labels(session.generator)
    for key, value in ((first, 0.0), (last, 0.4)):
        message = {"t": "input", "key": key, "value": value, "final": True, "stamp": ["a", 1]}
        single.knobs._receive(None, message, [])
    session.wait(10)
    edit = session.pending
    assert edit.layers[first] == 0.0 and edit.layers[last] == 0.4 and edit.budget == 0.15
    assert options.layers_fold.toggle.description == "▾ Strength of single layers (2 ticked)"
    expected = run(session.generator, session.latent, edit)
    assert (
        np.array_equal(session.pixels, drawn(expected)) and last in expected.offsets and first not in expected.offsets
    )
    single.knobs._receive(None, {"t": "toggle", "key": last, "value": False, "stamp": ["a", 2]}, [])
    session.wait(10)
    assert session.pending.layers[last] == 0.0  # its group is left out
    options.rule.value = "simple"
    session.wait(10)
    assert single.own == {} and {row["max"] for row in single.knobs.rows} == {5.0}


def test_layers_and_options_reach_the_edit(panel, session):
    ready(panel)
    panel.options_fold.opened = True
    options = panel.options_fold.content
    options.groups["fine"].value = False
    options.norm.value = options.colors.value = options.fraction.value = True
    session.wait(10)
    edit, rows = session.pending, session.generator.style_layers
    assert edit.keep_norm and edit.colors and edit.fraction
    assert set(edit.layers) == {layer for layer, i in rows.items() if i >= 3} and not any(edit.layers.values())


# ---- meters


def test_meters_follow_the_preview_and_go_when_it_is_over(panel, session, until):
    name = ready(panel)
    drag(panel, "strength", 0.3)
    until(lambda: panel.meters.change is not None and panel.meters.change.inside > 0)
    assert panel.meters.layout.display is None and f"<span>{name}</span>" in panel.meters.value
    before = panel.meters.change
    drag(panel, "strength", 0.01)
    until(lambda: panel.meters.change is not before and panel.meters.change.inside < before.inside)
    panel.reset_button.click()
    until(lambda: panel.meters.layout.display == "none")


def test_a_part_that_neither_picture_shows_is_explained(panel, session, catalog, until):
    centers = catalog.clusters.centers.clone()
    centers[1] = centers[0]  # whoever comes first has all
    session.parts.take(replace(catalog, clusters=replace(catalog.clusters, centers=centers)))
    session.parts.rename("part 2", "glasses <1>")
    panel.picker.take_seed(5)
    click(panel, "glasses <1>")
    until(lambda: "None of these pictures shows" in panel.meters.value)
    assert "<1>" not in panel.meters.value and session.message.level == "info"


def test_the_strength_is_fitted_to_what_may_change_outside(panel, session, catalog, until):
    name = ready(panel)
    panel.limit.value = 4.0
    panel.fit_button.click()
    session._tasks[-1].wait(20)
    *_, best = fit_budget(
        session.generator, session.latent, Borrow(session.generator.sample(5, 0.7), name, catalog), 4.0
    )
    assert panel.knobs.values["strength"] == best.borrow.budget
    until(lambda: session.pending is not None and session.pending.budget == best.borrow.budget)


@pytest.fixture
def gate(monkeypatch):
    """The fitting waits after its second picture until the gate opens."""
    reached, opened = threading.Event(), threading.Event()

    def waiting(*arguments):
        for i, progress in enumerate(fit_budget(*arguments)):
            yield progress
            if i == 1:
                reached.set()
                opened.wait(10)

    monkeypatch.setattr("ganedit_widgets.panels.borrow_fit.fit_budget", waiting)
    return reached, opened


def test_a_fit_that_is_stopped_shows_the_best_so_far(panel, session, gate):
    ready(panel)
    turn = panel.fit()
    assert gate[0].wait(10)
    session.stop()
    gate[1].set()
    turn.wait(10)
    session.wait(10)
    strength = panel.knobs.values["strength"]
    assert panel.edit() is None if not strength else session.pending.budget == strength


def test_a_fit_gives_way_to_what_is_chosen_meanwhile(panel, session, gate, until):
    ready(panel)
    turn = panel.fit()
    assert gate[0].wait(10)
    panel.tiles.set_state({"selected": ["part 2"]})  # the worker is at the gate: nothing to wait for
    panel.knobs._receive(None, {"t": "input", "key": "strength", "value": 0.11, "final": True, "stamp": ["a", 1]}, [])
    gate[1].set()
    turn.wait(10)
    session.wait(10)
    assert panel.knobs.values["strength"] == 0.11
    until(lambda: session.pending is not None and session.pending.part == "part 2" and session.pending.budget == 0.11)


# ---- beside other panels


def test_two_panels_share_catalog_and_selection(session, catalog):
    frame = Frame(session, [PartsPanel, BorrowPanel, TraversePanel])
    parts = frame.panel
    frame.head.tab = 1
    borrow = frame.panel
    session.parts.take(catalog)
    parts.view.set_state({"selected": ["part 2"]})
    assert borrow.tiles.selected == ["part 2"] and borrow.why_not() == "Choose a reference first"
    borrow.tiles.set_state({"selected": ["part 1"]})
    assert parts.view.selected == ["part 1"]
    session.parts.rename("part 1", "hair")
    assert borrow.tiles.parts[0]["name"] == "hair"
    frame.close()


def test_a_selection_made_elsewhere_previews_nothing(session, catalog):
    panel = BorrowPanel(session)
    session.parts.take(catalog)
    panel.picker.take_seed(5)
    session.parts.selected = ("part 1",)
    session.wait(10)
    assert session.pending is None
    panel.close()


def test_it_works_with_a_model_of_other_sizes():
    generator = odd()
    *_, last = build_catalog(generator, k=3, seeds=range(4), restarts=1)
    session = Session(generator)
    session.parts.take(last.catalog)
    panel = BorrowPanel(session)
    panel.picker.take_seed(5)
    click(panel, "part 1")
    assert isinstance(session.pending, Borrow)
    panel.close()
    session.close()
