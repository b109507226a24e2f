"""The panel of a training: it shows losses and sheets, pauses, goes on, stops with a checkpoint, says what broke."""

import pytest
import torch

from ganedit_widgets.core import TrainingError
from ganedit_widgets.core.training.conditional import ConditionalConfig
from ganedit_widgets.core.training.conditional_loop import fine_tune
from ganedit_widgets.panels.training import TrainingPanel
from ganedit_widgets.panels.worker import Worker
from tests.core.test_conditional_training import data
from tests.tiny import tiny


@pytest.fixture
def worker():
    made = Worker("cpu")
    yield made
    made.close()


def panel_of(folder, worker, pictures=40):
    cfg = ConditionalConfig(pictures, head_pictures=8, ramp_pictures=0, path_weight=0.0)
    source, pictures_of = tiny(), data()
    return TrainingPanel(lambda stop: fine_tune(source, pictures_of, folder, cfg, report_every=1, stop=stop), worker)


def test_it_trains_and_shows_losses_and_the_sheet(tmp_path, worker, until):
    panel = panel_of(tmp_path, worker)
    assert panel.go_button.description == "Start" and panel.stop_button.disabled
    panel.go().wait(60)
    assert panel.progress.pictures == 40
    assert len(panel.losses["class_d"]) == 10 and len(panel.losses["loss_g"]) == 8
    assert panel.plots.value.count("<svg") == len(panel.losses)
    assert "labels, critic" in panel.plots.value
    assert panel.sheet.value[:4] == b"\x89PNG"
    until(lambda: panel.said.value.startswith("Done."))
    panel.close()


def test_pause_holds_it_and_go_on_lets_it_go(tmp_path, worker, until):
    panel = panel_of(tmp_path, worker, pictures=100_000)
    turn = panel.go()
    until(lambda: panel.progress is not None)
    panel.go()
    assert panel.go_button.description == "Go on"
    until(lambda: "Paused." in panel.said.value)
    worker.submit(lambda turn: iter(()), lane="other").wait(30)  # the worker is free meanwhile
    held = panel.progress.pictures
    worker.submit(lambda turn: (0.3 for _ in range(2)), lane="other").wait(30)
    assert panel.progress.pictures == held
    panel.go()
    until(lambda: panel.progress.pictures > held)
    panel.stop()
    turn.wait(60)
    assert (tmp_path / "checkpoint.pt").exists()
    until(lambda: panel.said.value.startswith("Stopped; Start goes on."))
    assert panel.go_button.description == "Start" and panel.stop_button.disabled
    panel.close()


def test_stop_ends_a_pause_and_start_goes_on_from_the_checkpoint(tmp_path, worker, until):
    panel = panel_of(tmp_path, worker, pictures=100_000)
    turn = panel.go()
    until(lambda: panel.progress is not None and panel.progress.pictures >= 8)
    panel.go()
    panel.stop()
    turn.wait(60)
    reached = torch.load(tmp_path / "checkpoint.pt", weights_only=True)["counts"][0]
    turn = panel.go()
    until(lambda: panel.progress.pictures > reached)
    panel.stop()
    turn.wait(60)
    panel.close()


@pytest.mark.parametrize("error", [TrainingError("There is no picture: give one."), ValueError("odd")])
def test_what_broke_is_said(worker, error, until):
    def train(stop):
        raise error
        yield

    panel = TrainingPanel(train, worker)
    with pytest.raises(type(error)):
        panel.go().wait(30)
    until(lambda: str(error) in panel.said.value)
    assert panel.go_button.description == "Start"
    panel.close()
