"""Directions of words: found with a stand-in for CLIP by the papers' formulas, and refused where there are none."""

import sys
import types

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

from ganedit_widgets.core import DirectionError, ModelError, edits
from ganedit_widgets.core.probes import load_directions, load_survey, save_directions, save_survey
from ganedit_widgets.core.probes.clip_model import ClipModel
from ganedit_widgets.core.probes.text import (
    ChannelSurvey,
    samples,
    survey_channels,
    text_difference,
    text_direction,
    text_direction_wplus,
)
from tests.tiny import tiny

WORDS = {"red": 0, "green": 1, "blue": 2}


class Colors:
    """Sees the mean colors of a picture, and reads which colors a text names."""

    name = "colors"

    def pictures(self, pictures):
        return torch.cat([pictures.mean((2, 3)), torch.ones(len(pictures), 1)], 1)

    def texts(self, texts):
        rows = [[float(word in text.strip(".").split()) for word in WORDS] + [1.0] for text in texts]
        return torch.tensor(rows)


COLORS = Colors()


@pytest.fixture(scope="module")
def survey():
    *_, last = survey_channels(tiny(), COLORS, pictures=3)
    return last.survey


def all_styles(generator):
    return generator.network.synthesis.styles(generator.w_samples[:, None].expand(-1, 6, -1), {})


def redness(generator, latent):
    picture = generator.draw(latent).mean((2, 3))[0]
    return float(picture[0] - picture[1:].mean())


def test_the_difference_of_texts_is_a_unit_vector_towards_the_target():
    found = text_difference(COLORS, "a red face", "a face")
    expected = F.normalize(F.normalize(torch.tensor([1.0, 0, 0, 1]), dim=0) - torch.tensor([0, 0, 0, 1.0]), dim=0)
    assert torch.allclose(found, expected, atol=1e-6)
    assert torch.allclose(text_difference(COLORS, "a face", "a red face"), -found, atol=1e-6)


def test_a_survey_moves_every_convolutions_channel_and_tells_how_far_it_is():
    progress = list(survey_channels(tiny(), COLORS, pictures=2))
    assert [p.done for p in progress] == [*range(1, 41), 40] and {p.total for p in progress} == {40}
    found = progress[-1].survey
    assert list(found.effects) == ["b4.conv1", "b8.conv0", "b8.conv1", "b16.conv0", "b16.conv1"]
    assert all(torch.allclose(x.norm(dim=1), torch.ones(8), atol=1e-5) for x in found.effects.values())
    coarse = list(survey_channels(tiny(), COLORS, pictures=1, finest=8))[-1].survey
    assert list(coarse.effects) == ["b4.conv1", "b8.conv0", "b8.conv1"]


def test_a_channels_effect_is_the_mean_unit_difference_of_pictures_at_five_deviations(survey):
    generator = tiny()
    layer, c = "b16.conv1", 2
    styles = all_styles(generator)[layer][:, c]
    rows = []
    for latent in samples(generator, 3):
        seen = []
        for sign in (1, -1):
            step = torch.zeros(8)
            step[c] = styles.mean() + sign * 5 * styles.std() - generator.styles(latent)[layer][c]
            seen.append(F.normalize(COLORS.pictures(generator.draw(latent.shifted({layer: step}))), dim=1)[0])
        rows.append(F.normalize(seen[0] - seen[1], dim=0))
    assert torch.allclose(survey.effects[layer][c], F.normalize(torch.stack(rows).mean(0), dim=0), atol=1e-4)


def test_a_text_becomes_the_relevant_channels_each_with_its_deviation(survey):
    generator = tiny()
    found = text_direction(generator, survey, COLORS, "a red face", "a face", threshold=0.3)
    difference = text_difference(COLORS, "a red face", "a face")
    relevance = {k: x @ difference for k, x in survey.effects.items()}
    largest = max(float(r.abs().max()) for r in relevance.values())
    expected = {}
    for layer, r in relevance.items():
        expected[layer] = torch.where(r.abs() < 0.3, 0.0, r / largest) * all_styles(generator)[layer].std(0)
    length = torch.cat(list(expected.values())).norm()
    for layer, x in expected.items():
        assert torch.allclose(found.vector.get(layer, torch.zeros(8)), x / length, atol=1e-4)
    assert np.isclose(found.about["length"], float(length), rtol=1e-3)
    assert found.about["channels"] == sum(int((r.abs() >= 0.3).sum()) for r in relevance.values())
    assert (found.kind, found.space, found.name) == ("text", "s", "a red face") and "red" in found.sign


@pytest.mark.parametrize("space", ["s", "w+"])
def test_a_text_changes_pictures_as_it_says(survey, space):
    generator = tiny()
    if space == "s":
        found = text_direction(generator, survey, COLORS, "red", "thing")
    else:
        found = text_direction_wplus(generator, COLORS, "red", "thing", pictures=2)
    for latent in samples(generator, 3):
        moved = edits.run(generator, latent, edits.MoveAlong(found, 1.0))
        assert redness(generator, moved) > redness(generator, latent)


def test_in_w_plus_only_the_strongest_numbers_are_kept_and_nothing_is_normalized():
    generator = tiny()
    every = text_direction_wplus(generator, COLORS, "red", "thing", pictures=1, kept=1.0)
    some = text_direction_wplus(generator, COLORS, "red", "thing", pictures=1, kept=0.25)
    assert some.vector.shape == (6, 8) and int((some.vector != 0).sum()) == 12
    raw = every.vector * every.about["length"]
    kept = raw.abs() >= raw.abs().flatten().sort().values[36]
    assert torch.allclose(some.vector * some.about["length"], torch.where(kept, raw, 0.0), atol=1e-5)


def test_words_and_settings_are_kept_in_the_file(survey, tmp_path):
    found = text_direction(tiny(), survey, COLORS, "red", "thing", threshold=0.2, name="redder")
    save_directions(tmp_path / "d.safetensors", [found])
    again = load_directions(tmp_path / "d.safetensors")["redder"]
    assert again.about == found.about and again.about["target"] == "red" and again.about["threshold"] == 0.2


def test_a_survey_is_kept_exactly(survey, tmp_path):
    save_survey(tmp_path / "s.safetensors", survey)
    again = load_survey(tmp_path / "s.safetensors")
    assert (again.model, again.fingerprint) == (survey.model, survey.fingerprint)
    assert all(torch.equal(again.effects[k], x) for k, x in survey.effects.items())
    for path, says in ((tmp_path / "nothing.safetensors", "no file"), (tmp_path / "other.safetensors", "no survey")):
        save_file({"w": torch.ones(1)}, tmp_path / "other.safetensors")
        with pytest.raises(DirectionError, match=says):
            load_survey(path)


def test_words_that_lead_nowhere_are_refused(survey):
    generator = tiny()
    with pytest.raises(DirectionError, match="mean the same to colors"):
        text_direction(generator, survey, COLORS, "a hat", "a shoe")
    with pytest.raises(DirectionError, match="No channel does what 'red' says"):
        text_direction(generator, survey, COLORS, "red", "thing", threshold=1.1)
    with pytest.raises(DirectionError, match="survey is of checkpoint"):
        text_direction(tiny(1), survey, COLORS, "red", "thing")
    with pytest.raises(DirectionError, match="seen by other"):
        text_direction(generator, ChannelSurvey(survey.effects, "other", survey.fingerprint), COLORS, "red", "thing")
    with pytest.raises(DirectionError, match="share of 0"):
        text_direction_wplus(generator, COLORS, "red", "thing", kept=0)


# ---- open_clip, played by a module of the same verbs


class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.visual = types.SimpleNamespace(image_size=8)
        self.weight = torch.nn.Parameter(torch.eye(3))

    def encode_image(self, x):
        assert x.shape[2:] == (8, 8)
        return x.mean((2, 3)) @ self.weight

    def encode_text(self, tokens):
        return tokens.float() @ self.weight


@pytest.fixture
def open_clip(monkeypatch):
    module = types.ModuleType("open_clip")
    module.create_model = lambda name, pretrained: Network()
    module.get_tokenizer = lambda name: lambda texts: torch.tensor([[len(text), 1, 0] for text in texts])
    module.OPENAI_DATASET_MEAN, module.OPENAI_DATASET_STD = (0.5, 0.25, 0.0), (0.5, 0.5, 1.0)
    monkeypatch.setitem(sys.modules, "open_clip", module)


def test_pictures_are_shown_to_clip_as_it_learned_them(open_clip, tmp_path):
    save_file({"weight": 2 * torch.eye(3)}, tmp_path / "clip.safetensors")
    model = ClipModel(tmp_path / "clip.safetensors")
    seen = model.pictures(torch.tensor([1.0, 0.0, -1.0])[None, :, None, None].expand(2, 3, 20, 20))
    assert torch.allclose(seen, torch.tensor([[2.0, 1.0, 0.0]]).expand(2, 3), atol=1e-5)
    assert model.texts(["abc"]).tolist() == [[6, 2, 0]] and model.name == "ViT-B-32 (clip.safetensors)"


def test_checkpoints_of_training_are_read_without_their_wrapping(open_clip, tmp_path):
    torch.save({"epoch": 3, "state_dict": {"module.weight": 3 * torch.eye(3)}}, tmp_path / "clip.pt")
    assert torch.equal(ClipModel(tmp_path / "clip.pt").network.weight, 3 * torch.eye(3))


class Evil:
    def __reduce__(self):
        return (exec, ("raise SystemExit",))


def test_weights_that_are_none_are_one_sentence(open_clip, tmp_path):
    torch.save({"weight": Evil()}, tmp_path / "evil.pt")
    save_file({"other": torch.ones(2)}, tmp_path / "other.safetensors")
    (tmp_path / "letter.safetensors").write_text("hello")
    torch.save([1, 2], tmp_path / "list.pt")
    for name, says in (("evil.pt", "more than plain weights"), ("other.safetensors", "no weights of ViT-B-32"),
                       ("letter.safetensors", "damaged"), ("list.pt", "no weights of a network"),
                       ("nothing.pt", "no file of weights"), ("laion2b_s34b_b79k", "no file of weights")):  # fmt: skip
        with pytest.raises(ModelError, match=says) as error:
            ClipModel(tmp_path / name)
        assert "\n" not in str(error.value)


def test_without_open_clip_the_way_to_it_is_told(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "open_clip", None)
    save_file({"weight": torch.eye(3)}, tmp_path / "clip.safetensors")
    with pytest.raises(ModelError, match=r"pip install ganedit_widgets\[text\]"):
        ClipModel(tmp_path / "clip.safetensors")
