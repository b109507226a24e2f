"""Files that are no model, or no longer one: one sentence each, whatever the damage."""

import io
import shutil
import struct
import zipfile
from contextlib import suppress

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from safetensors.torch import save_file

from ganedit_widgets.core.errors import ModelError
from ganedit_widgets.core.generators.load import describe
from ganedit_widgets.core.readers import pickles
from ganedit_widgets.core.readers.open import read_model
from tests.core.vectors import FILES, FOLDER, MANIFEST, REFUSED, refusal

SMALL = {"pickle": "sg2ada-32-orig.pkl", "stream": "rosinality-32-converted.pt", "zip": "rosinality-32-training.pt"}


def picture(kind):
    stream = io.BytesIO()
    Image.new("RGB", (8, 8)).save(stream, kind)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (picture("JPEG"), "a JPEG picture"),
        (picture("PNG"), "a PNG picture"),
        (picture("GIF"), "a GIF picture"),
        (b"Dear diary,\n\ttoday I trained a GAN.\n" * 40, "a text file"),
        ("Ζωή, ψ = 0.7\n".encode() * 60, "a text file"),
        (b"<!DOCTYPE html><html><body>Sign in</body></html>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "git lfs pull"),
        (b"\x1f\x8b\x08\0", "gzip"),
        (bytes(range(256)), "unknown"),
        (b"\x80\x04", "truncated"),
        (b"PK\x03\x04", "truncated zip"),
        (struct.pack("<Q", 2) + b"{}", "another program"),
        (struct.pack("<Q", 9) + b"{nonsense", "safetensors"),
    ],
)
def test_what_is_no_model_is_called_by_its_name(content, reason, tmp_path):
    (tmp_path / "model.pkl").write_bytes(content)
    assert reason in refusal(tmp_path / "model.pkl")


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    assert "no readable file" in refusal(tmp_path / "nothing.pkl")
    assert "no readable file" in refusal(tmp_path)
    assert "choose 'demo-self-conditioned'" in refusal("demo-self-condtioned")


def test_a_zip_of_something_else_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "letter.docx", "w") as archive:
        archive.writestr("word/document.xml", "<xml/>")
    assert "without a PyTorch model" in refusal(tmp_path / "letter.docx")


def test_torch_files_of_something_else_are_refused(tmp_path):
    for root in ({"state_dict": {}}, [torch.ones(2)], torch.ones(3), {"g_ema": 3}):
        torch.save(root, tmp_path / "model.pt")
        assert "StyleGAN2" in refusal(tmp_path / "model.pt")


def test_safetensors_of_another_program_are_refused(tmp_path):
    save_file({"weight": torch.ones(4)}, tmp_path / "lora.safetensors", {"format": "pt"})
    assert "another program" in refusal(tmp_path / "lora.safetensors")


# ---- damage


@pytest.mark.parametrize("kind", SMALL)
@pytest.mark.parametrize("share", [0.0001, 0.1, 0.5, 0.9, 0.9999])
def test_truncated_files_are_refused(kind, share, tmp_path):
    content = (FOLDER / SMALL[kind]).read_bytes()
    (tmp_path / "model").write_bytes(content[: max(20, int(len(content) * share))])
    assert "truncated" in refusal(tmp_path / "model")


CONTENTS = {kind: (FOLDER / file).read_bytes() for kind, file in SMALL.items()}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=st.sampled_from(sorted(SMALL)), place=st.floats(0, 1), value=st.integers(0, 255), first=st.booleans())
def test_a_changed_byte_loads_or_is_refused_but_nothing_else(kind, place, value, first, tmp_path):
    content = bytearray(CONTENTS[kind])
    content[int(place * (min(20_000, len(content)) if first else len(content) - 1))] = value
    (tmp_path / "model").write_bytes(content)
    with suppress(ModelError):
        read_model(tmp_path / "model").generator.build()


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=st.lists(st.sampled_from([bytes([c]) for c in pickles.OPCODES]) | st.binary(max_size=3), max_size=60))
def test_random_opcodes_are_refused_but_nothing_else_happens(pieces, tmp_path):
    (tmp_path / "model").write_bytes(b"\x80\x04" + b"".join(pieces) + b".")
    with pytest.raises(ModelError):
        describe(tmp_path / "model")


def test_the_name_of_a_file_does_not_matter(tmp_path):
    for file, name in (("sg3r-32.pkl", "a.safetensors"), ("tf-sg2-32-v4.pkl", "b.pt"), (SMALL["zip"], "c.pkl")):
        shutil.copy(FOLDER / file, tmp_path / name)
        assert describe(tmp_path / name).fingerprint == describe(FOLDER / file).fingerprint


def test_the_vectors_are_complete():
    assert len(FILES) == 13 and len(REFUSED) == 6
    for file, entry in (MANIFEST["checkpoints"] | MANIFEST["refuse"]).items():
        assert (FOLDER / file).stat().st_size == entry["bytes"]
