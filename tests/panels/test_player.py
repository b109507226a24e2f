"""A film goes to the page in portions, so that the page has time for a click on Stop."""

import numpy as np
import pytest

from ganedit_widgets.panels.player import AHEAD, Player


@pytest.fixture
def player(monkeypatch):
    made = Player()
    made.sent = []
    monkeypatch.setattr(Player, "send", lambda self, message, buffers=None: self.sent.append(message))
    made.begin(3 * AHEAD)
    for shade in range(3 * AHEAD):
        made.add(np.full((8, 8, 3), shade, np.uint8))
    return made


def pictures(player):
    return [message["index"] for message in player.sent if message["t"] == "picture"]


def confirm(player, index, generation=1):
    player._receive(player, {"t": "got", "index": index, "generation": generation}, [])


def test_no_more_frames_are_on_their_way_than_the_page_has_room_for(player):
    assert pictures(player) == list(range(AHEAD))


def test_a_confirmed_frame_makes_room_for_another(player):
    confirm(player, 0)
    assert pictures(player) == list(range(AHEAD + 1))
    for index in range(3 * AHEAD):
        confirm(player, index)
    assert pictures(player) == list(range(3 * AHEAD))


def test_a_confirmation_of_an_earlier_film_makes_none(player):
    player.begin(3 * AHEAD)
    player.sent.clear()
    for _ in range(AHEAD + 5):
        player.add(np.zeros((8, 8, 3), np.uint8))
    confirm(player, 20, generation=1)
    assert pictures(player) == list(range(AHEAD))


def test_a_page_that_is_opened_later_gets_the_film_from_its_beginning(player):
    confirm(player, AHEAD - 1)
    player.sent.clear()
    player._receive(player, {"t": "ready"}, [])
    assert player.sent[0]["t"] == "begin" and pictures(player) == list(range(AHEAD))
