"""Knobs without a browser: what the page says changes the rows, and Python's word goes out in small messages."""

import threading

import pytest
import traitlets

from ganedit_widgets.panels.knobs import Knobs, complete_row


class SilentKnobs(Knobs):
    """Knobs that keep what they would send."""

    def __init__(self, *args, **traits):
        self.wire = []
        super().__init__(*args, **traits)

    def send(self, content, buffers=None):
        self.wire.append(content)

    def hear(self, **message):
        self._handle_custom_msg({"stamp": ["page", 1], **message}, [])


@pytest.fixture
def knobs():
    knobs = SilentKnobs([{"key": "pose", "layers": [0, 4], "removable": True}, {"key": "age", "value": 1}])
    knobs.layer_count = 10
    yield knobs
    knobs.close()


def test_rows_are_completed_and_belong_to_the_widget():
    mine = {"key": "pose"}
    knobs = SilentKnobs([mine])
    knobs.set("pose", 2)
    assert mine == {"key": "pose"}
    assert knobs.rows[0]["label"] == "pose" and knobs.values == {"pose": 2.0}
    knobs.close()


@pytest.mark.parametrize(
    "row",
    [{"label": "no key"}, {"key": "a", "maximum": 3}, {"key": "a", "min": 1, "max": 1}, {"key": "a", "step": 0}],
    ids=["no key", "unknown field", "empty track", "no step"],
)
def test_an_impossible_row_is_refused(knobs, row):
    with pytest.raises(traitlets.TraitError):
        knobs.add(row)


def test_two_rows_with_one_key_are_refused(knobs):
    with pytest.raises(traitlets.TraitError, match="key of its own"):
        knobs.add({"key": "pose"})


def test_input_reaches_values_and_callbacks(knobs):
    heard = []
    knobs.on_input(lambda *args: heard.append(args))
    knobs.hear(t="input", key="pose", value=0.5, final=False)
    knobs.hear(t="input", key="pose", value=0.7, final=True)
    assert heard == [("pose", 0.5, False), ("pose", 0.7, True)]
    assert knobs.values == {"pose": 0.7, "age": 1}


def test_what_the_page_says_is_not_sent_back(knobs):
    knobs.hear(t="input", key="pose", value=0.5, final=True)
    assert knobs.wire == []


def test_a_value_set_in_python_carries_the_last_stamp_seen_and_calls_nobody(knobs):
    heard = []
    knobs.on_input(lambda *args: heard.append(args))
    knobs.set("pose", 1)
    knobs.hear(t="input", key="pose", value=0.5, final=False, stamp=["page", 7])
    heard.clear()
    knobs.set("pose", 2)
    assert [message["stamp"] for message in knobs.wire] == [None, ["page", 7]]
    assert knobs.wire[1]["fields"] == {"value": 2.0} and heard == []


def test_a_reloaded_page_reads_the_present_values_from_the_state(knobs):
    knobs.hear(t="input", key="pose", value=0.5, final=True)
    knobs.set_layers("pose", 2, 6)
    row = knobs.get_state("rows")["rows"][0]
    assert row["value"] == 0.5 and row["layers"] == [2, 6]


def test_values_survive_adding_and_removing_rows(knobs):
    knobs.hear(t="input", key="pose", value=0.5, final=True)
    knobs.add({"key": "hair"})
    knobs.remove("age")
    assert knobs.values == {"pose": 0.5, "hair": 0.0}


def test_what_the_page_says_while_a_row_is_added_is_kept(knobs, monkeypatch):
    def slow(row):
        knobs.hear(t="input", key="pose", value=0.5, final=True)  # a worker adds rows, the hand moves another one
        return complete_row(row)

    monkeypatch.setattr("ganedit_widgets.panels.knobs.complete_row", slow)
    knobs.add({"key": "hair"})
    assert knobs.values["pose"] == 0.5


def test_a_row_removed_in_one_thread_while_another_adds_one_stays_away(knobs, monkeypatch):
    adding, done = threading.Event(), threading.Event()

    def slow(row):
        adding.set()
        done.wait(0.2)  # the lock keeps the other thread out: it is not set before
        return complete_row(row)

    monkeypatch.setattr("ganedit_widgets.panels.knobs.complete_row", slow)
    thread = threading.Thread(target=lambda: knobs.add({"key": "hair"}))
    thread.start()
    assert adding.wait(5)
    knobs.remove("age")
    done.set()
    thread.join()
    assert list(knobs.values) == ["pose", "hair"]


def test_rows_set_anew_keep_the_stamp_so_that_an_open_page_believes_them(knobs):
    knobs.hear(t="input", key="pose", value=0.5, final=True, stamp=["page", 9])
    knobs.rows = [{"key": "pose"}]
    assert knobs.values == {"pose": 0.0} and knobs.rows[0]["stamp"] == ["page", 9]


def test_layers_toggle_and_remove_are_told(knobs):
    heard = []
    knobs.on_layers(lambda *args: heard.append(args))
    knobs.on_toggle(lambda *args: heard.append(args))
    knobs.on_remove(lambda *args: heard.append(args))
    knobs.hear(t="layers", key="pose", value=[1, 3], final=True)
    knobs.hear(t="toggle", key="pose", value=False, final=True)
    knobs.hear(t="remove", key="pose")
    assert heard == [("pose", 1, 3), ("pose", False), ("pose",)]
    assert list(knobs.values) == ["age"]


def test_a_late_message_for_a_removed_row_is_ignored(knobs):
    heard = []
    knobs.on_input(lambda *args: heard.append(args))
    knobs.remove("pose")
    knobs.hear(t="input", key="pose", value=1, final=True)
    assert heard == []


def test_undo_reaches_python_from_the_sliders(knobs):
    names = []
    knobs.on_action(names.append)
    knobs.hear(t="action", name="undo")
    assert names == ["undo"]


def test_an_unknown_slider_is_named_with_the_known_ones(knobs):
    with pytest.raises(KeyError, match=r"smile.*pose"):
        knobs.set("smile", 1)


def test_a_slider_moves_among_the_others_with_all_that_it_holds(knobs):
    moved = []
    knobs.on_move(moved.append)
    knobs.set("age", 2.5)
    knobs.hear(t="move", key="age", by=-1)
    assert knobs.values == {"age": 2.5, "pose": 0.0} and list(knobs.values) == ["age", "pose"]
    knobs.hear(t="move", key="age", by=-1)
    assert list(knobs.values) == ["age", "pose"] and moved == ["age", "age"]
    knobs.move("age", 7)
    assert list(knobs.values) == ["pose", "age"]
