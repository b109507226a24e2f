"""A folder of pictures becomes one file of latents: once each, whoever is killed and however many help."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import save_file

from ganedit_widgets.cli import main
from ganedit_widgets.core import ImageError, LatentError, Picture
from ganedit_widgets.core import embed_folder as embed_folder_module
from ganedit_widgets.core.edits import Embed
from ganedit_widgets.core.embed_folder import embed_folder, read_embeddings
from ganedit_widgets.core.generators.load import save_model
from tests.tiny import tiny

SETTINGS = {"iterations": 2, "space": "w+"}


@pytest.fixture
def folder(tmp_path):
    """Return a folder of three pictures, one of them further below, and one damaged file."""
    where = tmp_path / "faces"
    (where / "more").mkdir(parents=True)
    rng = np.random.default_rng(0)
    for name in ("a.png", "b.png", "more/c.png"):
        Image.fromarray(rng.integers(0, 256, (20, 20, 3), dtype=np.uint8)).save(where / name)
    (where / "broken.png").write_bytes((where / "a.png").read_bytes()[:60])
    return where


def edit(picture):
    return Embed(picture, **SETTINGS)


def read_embeddings_of(generator, folder, out):
    for _ in embed_folder(generator, folder, out, edit, SETTINGS):
        pass
    return read_embeddings(out)


def test_every_picture_is_found_again_under_its_name(generator, folder, tmp_path):
    out = tmp_path / "out.safetensors"
    reports = list(embed_folder(generator, folder, out, edit, SETTINGS))
    assert [r.done for r in reports] == [1, 2, 3, 4] and {r.total for r in reports} == {4}
    found = read_embeddings(out)
    assert found.names == ("a.png", "b.png", "more/c.png")
    assert found.settings == SETTINGS and found.fingerprint == generator.fingerprint
    assert list(found.failed) == ["broken.png"]
    alone = [*edit(Picture.read(str(folder / "b.png"))).steps(generator, generator.average())][-1]
    assert torch.equal(found.latent("b.png").w, alone.w)
    assert not out.with_name("out.safetensors.parts").exists()
    with pytest.raises(LatentError, match="No picture 'x'"):
        found.latent("x")


def test_pictures_embedded_together_are_those_embedded_one_by_one(generator, folder, tmp_path):
    alone = read_embeddings_of(generator, folder, tmp_path / "alone.safetensors")
    out = tmp_path / "together.safetensors"
    reports = list(embed_folder(generator, folder, out, edit, SETTINGS, batch=3))  # one of the three is damaged
    together = read_embeddings(out)
    assert [r.done for r in reports] == [1, 2, 3, 4] and list(together.failed) == ["broken.png"]
    assert together.names == alone.names and torch.allclose(together.w, alone.w, atol=1e-3)
    assert torch.allclose(together.psnr, alone.psnr, atol=0.05)


def test_a_run_that_was_killed_goes_on_and_repeats_nothing(generator, folder, tmp_path):
    out = tmp_path / "out.safetensors"
    first = embed_folder(generator, folder, out, edit, SETTINGS)
    started = [next(first).name, next(first).name]
    first.close()
    assert not out.exists()
    rest = [r.name for r in embed_folder(generator, folder, out, edit, SETTINGS)]
    assert sorted(started + rest) == ["a.png", "b.png", "broken.png", "more/c.png"]
    assert len(read_embeddings(out).names) == 3


def test_a_picture_added_to_a_finished_folder_is_the_only_one_embedded(generator, folder, tmp_path):
    out = tmp_path / "out.safetensors"
    before = read_embeddings_of(generator, folder, out)
    Image.fromarray(np.full((20, 20, 3), 9, np.uint8)).save(folder / "new.png")
    again = [r.name for r in embed_folder(generator, folder, out, edit, SETTINGS)]
    assert again == ["broken.png", "new.png"]  # what failed is tried again
    after = read_embeddings(out)
    assert after.names == ("a.png", "b.png", "more/c.png", "new.png")
    assert torch.equal(after.latent("more/c.png").w, before.latent("more/c.png").w)


def test_a_picture_that_changed_is_embedded_anew_and_a_copy_is_not(generator, folder, tmp_path):
    out = tmp_path / "out.safetensors"
    read_embeddings_of(generator, folder, out)
    (folder / "copy.png").write_bytes((folder / "b.png").read_bytes())
    (folder / "a.png").write_bytes((folder / "more" / "c.png").read_bytes())
    again = [r.name for r in embed_folder(generator, folder, out, edit, SETTINGS)]
    assert again == ["broken.png"]
    found = read_embeddings(out)
    assert torch.equal(found.latent("copy.png").w, found.latent("b.png").w)
    assert torch.equal(found.latent("a.png").w, found.latent("more/c.png").w)


@pytest.fixture
def second(tmp_path):
    """Return another folder, with an a.png of its own and a copy of the first folder's b.png."""
    where = tmp_path / "cats"
    where.mkdir()
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (3, 20, 20, 3), dtype=np.uint8)
    for name, picture in (("a.png", pixels[2][::-1]), ("b.png", pixels[1])):
        Image.fromarray(picture).save(where / name)
    return where


def test_another_folder_is_added_to_the_file_and_nothing_is_lost(generator, folder, second, tmp_path):
    out = tmp_path / "out.safetensors"
    before = read_embeddings_of(generator, folder, out)
    again = [r.name for r in embed_folder(generator, second, out, edit, SETTINGS)]
    found = read_embeddings(out)
    assert again == ["a.png"]  # its b.png is a picture that was embedded already
    assert found.names == ("a.png", "b.png", "more/c.png", "a.png", "b.png")
    assert found.folders == (str(folder),) * 3 + (str(second),) * 2
    assert torch.equal(found.w[:3], before.w) and torch.equal(found.psnr[:3], before.psnr)
    assert torch.equal(found.latent("a.png", folder).w, before.latent("a.png").w)
    assert not torch.equal(found.latent("a.png", second).w, before.latent("a.png").w)
    assert torch.equal(found.latent("b.png").w, before.latent("b.png").w)  # the same, whichever is meant
    with pytest.raises(LatentError, match=r"2 pictures are called 'a.png': say which by its folder, .*faces or .*cats"):
        found.latent("a.png")
    with pytest.raises(LatentError, match=r"No picture 'more/c.png' of .*cats"):
        found.latent("more/c.png", second)
    assert [r.name for r in embed_folder(generator, folder, out, edit, SETTINGS)] == ["broken.png"]
    assert sorted(read_embeddings(out).folders) == sorted(found.folders)


def test_what_was_removed_from_a_folder_leaves_the_file_and_other_folders_stay(generator, folder, second, tmp_path):
    out = tmp_path / "out.safetensors"
    read_embeddings_of(generator, folder, out)
    read_embeddings_of(generator, second, out)
    (folder / "b.png").unlink()
    found = read_embeddings_of(generator, folder, out)
    assert found.names == ("a.png", "b.png", "a.png", "more/c.png")
    assert found.folders == (str(second),) * 2 + (str(folder),) * 2


def test_a_folder_that_was_moved_is_not_entered_twice(generator, folder, tmp_path):
    out = tmp_path / "out.safetensors"
    before = read_embeddings_of(generator, folder, out)
    moved = folder.rename(tmp_path / "people")
    found = read_embeddings_of(generator, moved, out)
    assert found.names == before.names and set(found.folders) == {str(moved)} and torch.equal(found.w, before.w)


def test_a_file_from_before_folders_were_noted_loses_nothing(generator, folder, second, tmp_path):
    out = tmp_path / "out.safetensors"
    read_embeddings_of(generator, folder, out)
    with safe_open(out, "pt") as file:
        about = json.loads(file.metadata()["embeddings"])
        tensors = {key: file.get_tensor(key) for key in ("w", "psnr")}
    del about["folders"]
    save_file(tensors, out, {"embeddings": json.dumps(about)})
    assert read_embeddings(out).folders == ()
    assert read_embeddings_of(generator, second, out).names == ("a.png", "more/c.png", "a.png", "b.png")
    assert read_embeddings_of(generator, folder, out).names == ("a.png", "b.png", "a.png", "b.png", "more/c.png")


def test_a_finished_file_of_other_settings_or_of_something_else_is_not_written_over(generator, folder, tmp_path):
    out, model = tmp_path / "out.safetensors", tmp_path / "model.safetensors"
    read_embeddings_of(generator, folder, out)
    save_model(model, generator.network)
    other = {**SETTINGS, "iterations": 1}
    for file, settings, says in ((out, other, "other settings.*name another file"), (model, SETTINGS, "no embeddings")):
        before = file.read_bytes()
        with pytest.raises(LatentError, match=says):
            list(embed_folder(generator, folder, file, lambda p, given=settings: Embed(p, **given), settings))
        assert file.read_bytes() == before and len(list(tmp_path.iterdir())) == 3  # with the folder


def test_parts_made_with_other_settings_are_refused(generator, folder, tmp_path):
    out = tmp_path / "out.safetensors"
    next(embed_folder(generator, folder, out, edit, SETTINGS))
    with pytest.raises(LatentError, match="other settings"):
        next(embed_folder(generator, folder, out, edit, {**SETTINGS, "iterations": 9}))


def test_settings_that_suit_no_picture_are_refused_before_anything_is_written(generator, folder, tmp_path):
    out = tmp_path / "out.safetensors"
    read_embeddings_of(generator, folder, out)
    before = out.read_bytes()
    for wrong, says in (({"iterations": 0}, "at least one"), ({"start": "encoder"}, "no encoder")):
        settings = {**SETTINGS, **wrong}
        with pytest.raises(LatentError, match=says):
            next(embed_folder(generator, folder, out, lambda p, settings=settings: Embed(p, **settings), settings))
    assert out.read_bytes() == before and not out.with_name("out.safetensors.parts").exists()


def test_whoever_is_killed_while_noting_the_settings_can_begin_again(generator, folder, tmp_path, monkeypatch):
    out = tmp_path / "out.safetensors"
    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.replace", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            next(embed_folder(generator, folder, out, edit, SETTINGS))
    assert len(read_embeddings_of(generator, folder, out).names) == 3
    assert not out.with_name("out.safetensors.parts").exists()


def test_a_folder_without_pictures_is_refused(generator, tmp_path):
    with pytest.raises(ImageError, match="holds no pictures"):
        next(embed_folder(generator, tmp_path, tmp_path / "out.safetensors", edit, SETTINGS))


def test_another_file_is_no_embeddings(tmp_path):
    (tmp_path / "x.safetensors").write_bytes(b"nothing")
    with pytest.raises(LatentError, match="holds no embeddings"):
        read_embeddings(tmp_path / "x.safetensors")


def test_the_command_says_what_it_left_out(folder, tmp_path, capsys):
    model = tmp_path / "tiny.safetensors"
    save_model(model, tiny().network, tiny().discriminator)
    out = tmp_path / "out.safetensors"
    base = ["embed", str(folder), "--model", str(model), "--steps", "2", "--device", "cpu"]
    assert main([*base, str(out)]) == 1
    said = capsys.readouterr()
    assert "3 pictures" in said.out and "left out broken.png" in said.err
    assert main([*base, str(tmp_path / "out.png")]) == 2
    assert main([*base, str(tmp_path / "2.safetensors"), "--stay", "0.2", "--start", "random"]) == 1
    assert read_embeddings(tmp_path / "2.safetensors").settings == {**SETTINGS, "start": "random", "stay": 0.2}


def test_an_interrupted_command_says_how_to_go_on_and_the_same_one_does(folder, tmp_path, capsys, monkeypatch):
    model, out = tmp_path / "tiny.safetensors", tmp_path / "out"
    save_model(model, tiny().network, tiny().discriminator)
    command = ["embed", str(folder), str(out), "--model", str(model), "--steps", "2", "--device", "cpu"]
    searched, search = [], embed_folder_module.embed_many

    def interrupted(generator, edits):
        searched.append(edits)
        if len(searched) == 2:
            raise KeyboardInterrupt
        return search(generator, edits)

    monkeypatch.setattr(embed_folder_module, "embed_many", interrupted)
    assert main(command) == 130
    said = capsys.readouterr().err.strip()
    assert said == "interrupted: 1 of 4 pictures are done, and the same command goes on from there"
    assert main(command) == 1 and len(searched) == 4  # a.png once, b.png again, c.png
    assert read_embeddings(out.with_suffix(".safetensors")).names == ("a.png", "b.png", "more/c.png")
    assert not out.exists() and f"wrote {out}.safetensors" in capsys.readouterr().out


def test_a_folder_that_is_named_as_the_file_is_one_sentence(folder, tmp_path, capsys):
    (tmp_path / "out").mkdir()
    assert main(["embed", str(folder), str(tmp_path / "out")]) == 2
    assert "is a folder: give the name of a file in it" in capsys.readouterr().err


@pytest.mark.slow
def test_two_processes_share_the_work(folder, tmp_path):
    model, out = tmp_path / "tiny.safetensors", tmp_path / "out.safetensors"
    save_model(model, tiny().network, tiny().discriminator)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m"]
    command += ["ganedit_widgets.cli", "embed", str(folder), str(out), "--model", str(model), "--steps", "2"]
    done = subprocess.run([*command, "--device", "cpu"], capture_output=True, text=True, timeout=300, check=False)
    assert done.stdout.count("wrote") == 1, done.stderr[-2000:]
    assert read_embeddings(out).names == ("a.png", "b.png", "more/c.png")
