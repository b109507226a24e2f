"""Time and memory of Editing in Style on other networks."""

import pytest

from ganedit_widgets.core.errors import GanEditError
from ganedit_widgets.demo import part_scale
from tests.tiny import tiny


def test_a_network_is_measured(monkeypatch):
    generator = tiny()
    monkeypatch.setitem(part_scale.NETWORKS, "tiny", tiny)
    found = part_scale.measure("tiny", samples=3)
    assert found["catalog_seconds"] > 0 and found["borrow_seconds"] > 0
    assert 0.01 < found["peak_gib"] < 16  # of this whole process
    assert found["layers"] == len(generator.style_layers)


def test_a_network_on_which_nothing_is_borrowed_is_told_apart(monkeypatch):
    monkeypatch.setitem(part_scale.NETWORKS, "tiny", tiny)
    monkeypatch.setattr(part_scale, "run", lambda generator, source, edit: source)
    with pytest.raises(GanEditError, match="changes nothing"):
        part_scale.measure("tiny", samples=3)


def test_the_networks_are_of_the_published_widths():
    for make in part_scale.NETWORKS.values():
        generator = make()
        assert max(styles.shape[-1] for styles in generator.styles(generator.average()).values()) == 512
