"""Crossover by region without a browser: what is missing, and one picture out of parts of two."""

import numpy as np
import pytest

from ganedit_widgets.core.edits import EmbedParts
from ganedit_widgets.core.parts import build_catalog
from ganedit_widgets.panels import CrossoverPanel
from tests.tiny import tiny


@pytest.fixture(scope="module")
def catalog():
    *_, last = build_catalog(tiny(), k=3, seeds=range(6), restarts=1)
    return last.catalog


@pytest.fixture
def panel(session):
    panel = CrossoverPanel(session)
    panel.region_fold.opened = True
    yield panel
    panel.close()


def region(panel):
    return panel.region_fold.content


def select(panel, *names):
    region(panel).tiles.set_state({"selected": list(names)})
    panel.session.wait(10)


def join(panel, steps=15):
    region(panel).steps.value = steps
    region(panel).join_button.click()
    panel.session.wait(10)  # until it is known where the parts are
    panel.session.wait(10)


def error(pixels, others, mask):
    return float(np.square(pixels[mask].astype(float) - others[mask]).mean())


def test_it_says_what_is_missing_one_after_the_other(panel, session, catalog):
    button = region(panel).join_button
    assert button.disabled and button.tooltip == "Choose a parent B first"
    panel.other.take_seed(5)
    session.wait(10)
    assert button.tooltip == "Find parts first" and region(panel)._found.layout.display is None
    session.parts.take(catalog)
    assert button.tooltip == "Select a part in one of the pictures first"
    assert region(panel)._found.layout.display == "none"
    select(panel, catalog.parts[0].name)
    assert not button.disabled and session.parts.selected == (catalog.parts[0].name,)


def test_the_parts_become_b_s_and_the_rest_stays(panel, session, catalog, drawn, until):
    session.parts.take(catalog)
    panel.other.take_seed(5)
    name = max(catalog.parts, key=lambda p: int(np.sum(session.parts.clusters(session.latent) == p.clusters[0]))).name
    select(panel, name)
    here = session.latent
    there = region(panel)._latent_of(panel.other.source)
    mask = session.parts.mask(here) | session.parts.mask(there)
    assert mask.any() and not mask.all()
    join(panel, 40)
    until(lambda: len(session.entries) == 3)
    assert session.entries[-1].label == "join pictures"
    after = drawn(session.latent)
    assert error(after, drawn(there), mask) < 0.6 * error(drawn(here), drawn(there), mask)
    assert error(after, drawn(here), ~mask) < 0.6 * error(drawn(there), drawn(here), ~mask)
    edit = session.edits[-1]
    assert isinstance(edit, EmbedParts) and edit.start == "current" and np.array_equal(edit.parts[0].where, mask)
    session.undo()
    session.wait(10)
    assert np.array_equal(drawn(session.latent), drawn(here))


def test_both_parents_are_shown_with_their_parts(panel, session, catalog, until):
    session.parts.take(catalog)
    panel.other.take_seed(5)
    until(lambda: [tile.caption for tile in region(panel).tiles.tiles] == ["A, this picture", "parent B"])
    assert all(tile.clusters is not None for tile in region(panel).tiles.tiles)


def test_pressing_join_too_early_is_answered(panel, session):
    region(panel).join()
    assert "Choose a parent B first" in session.message.text


def test_stop_while_the_parts_are_found_joins_nothing(panel, session, catalog, monkeypatch):
    session.parts.take(catalog)
    panel.other.take_seed(5)
    select(panel, catalog.parts[0].name)
    find = session.parts.mask

    def pressing_stop(latent):
        session.stop()
        return find(latent)

    monkeypatch.setattr(session.parts, "mask", pressing_stop)
    before = session.latent
    region(panel).join().wait(10)
    session.wait(10)
    assert session.latent is before and "stopped" in session.message.text


def test_parts_that_were_deselected_since_join_nothing(panel, session, catalog, monkeypatch):
    session.parts.take(catalog)
    panel.other.take_seed(5)
    select(panel, catalog.parts[0].name)
    monkeypatch.setattr(session.parts, "mask", lambda latent: None)
    before = session.latent
    region(panel).join().wait(10)
    assert session.latent is before
