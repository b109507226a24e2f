"""The stream to the browser: bounded, newest wins, and the last one always arrives."""

import threading
import time

import pytest

from ganedit_widgets.panels.transport import FrameStream


class Wire:
    """A FrameStream of numbers that writes down what it sends; the clock stands until it is told."""

    def __init__(self, ready=True, **options):
        self.now, self.sent = 0.0, []
        self.stream = FrameStream(
            lambda item: ({"item": item}, [b"x"]),
            lambda message, buffers: self.sent.append((message["seq"], message["item"])),
            **{"clock": lambda: self.now, **options},
        )
        if ready:
            self.stream.restart()

    @property
    def items(self):
        return [item for _, item in self.sent]


def test_nothing_is_sent_before_a_page_is_ready_and_then_only_the_last():
    wire = Wire(ready=False)
    for i in range(3):
        wire.stream.offer(i)
    assert wire.items == []
    wire.stream.restart()
    assert wire.items == [2]
    assert wire.stream.stats.dropped == 0


def test_at_most_two_wait_for_confirmation_and_the_newest_follows():
    wire = Wire()
    for i in range(10):
        wire.stream.offer(i)
    assert wire.items == [0, 1]
    wire.stream.confirm(1)
    assert wire.items == [0, 1, 9]
    assert wire.stream.stats.dropped == 7


def test_a_confirmation_covers_every_earlier_one():
    wire = Wire()
    for i in range(3):
        wire.stream.offer(i)
    wire.stream.confirm(2)
    wire.stream.offer(3)
    assert wire.items == [0, 1, 2, 3]


def test_silence_counts_as_confirmation_after_the_time_out():
    wire = Wire()
    wire.stream.offer(0)
    wire.stream.offer(1)
    wire.now = 0.6
    wire.stream.offer(2)
    assert wire.items == [0, 1, 2]


def test_the_last_item_goes_out_by_itself_when_no_confirmation_ever_comes():
    wire = Wire(clock=time.monotonic, timeout=0.05)
    for i in range(5):
        wire.stream.offer(i)
    deadline = time.monotonic() + 2
    while wire.items[-1] != 4 and time.monotonic() < deadline:
        time.sleep(0.005)
    assert wire.items == [0, 1, 4]


def test_a_new_page_gets_the_last_item_again_in_its_settled_form():
    wire = Wire()
    for i in range(5):
        wire.stream.offer(i)
    wire.stream.restart(lambda item: f"exactly {item}")
    assert wire.items == [0, 1, "exactly 4"]


def test_round_trip_time_and_failures_are_counted():
    wire = Wire()
    wire.stream.offer("a")
    wire.now = 0.025
    wire.stream.confirm(1, failed=True)
    stats = wire.stream.stats
    assert (stats.sent, stats.acked, stats.failed) == (1, 1, 1)
    assert stats.round_trip_ms == pytest.approx(25)


def test_a_closed_stream_sends_nothing():
    wire = Wire()
    wire.stream.close()
    wire.stream.offer(1)
    assert wire.items == []


def test_an_item_that_cannot_be_encoded_does_not_block_the_next():
    sent = []

    def encode(item):
        if item == "bad":
            raise ValueError(item)
        return {"item": item}, []

    stream = FrameStream(encode, lambda message, buffers: sent.append(message["item"]))
    stream.restart()
    with pytest.raises(ValueError, match="bad"):
        stream.offer("bad")
    stream.offer("good")
    assert sent == ["good"]


def test_offering_never_waits_for_an_encoding_in_another_thread():
    started, proceed, sent = threading.Event(), threading.Event(), []

    def encode(item):
        if item == 0:
            started.set()
            proceed.wait(5)
        return {"item": item}, []

    stream = FrameStream(encode, lambda message, buffers: sent.append(message["item"]))
    stream.restart()
    thread = threading.Thread(target=stream.offer, args=(0,))
    thread.start()
    started.wait(5)
    began = time.monotonic()
    stream.offer(1)
    stream.offer(2)
    assert time.monotonic() - began < 0.5
    proceed.set()
    thread.join()
    assert sent == [0, 2]


def test_items_keep_their_order_from_many_threads():
    wire = Wire(window=10**6)
    threads = [threading.Thread(target=lambda k=k: [wire.stream.offer((k, i)) for i in range(200)]) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [seq for seq, _ in wire.sent] == list(range(1, len(wire.sent) + 1))
    for k in range(4):
        steps = [i for who, i in wire.items if who == k]
        assert steps == sorted(steps)
    assert wire.items[-1] == wire.stream.last
