"""Pictures in and out: what people really give, and one sentence for what cannot be read."""

import contextlib
import http.server
import io
import threading
import zlib

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from ganedit_widgets.core import ImageError, Picture, read_image, save_image, to_pixels, to_tensor

RNG = np.random.default_rng(0)
NOISE = RNG.integers(0, 256, (20, 30, 3), np.uint8)


def png(pixels=NOISE, **options):
    file = io.BytesIO()
    (pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)).save(file, "PNG", **options)
    return file.getvalue()


# ---- pixels and tensors


def test_every_byte_survives_the_round_trip():
    pixels = np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3)
    assert np.array_equal(to_pixels(to_tensor(pixels)), pixels)


@settings(max_examples=30, deadline=None)
@given(arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3))))
def test_any_pixels_survive_the_round_trip(pixels):
    tensor = to_tensor(pixels)
    assert tensor.shape == (1, 3, *pixels.shape[:2])
    assert -1 <= tensor.min() and tensor.max() <= 1
    assert np.array_equal(to_pixels(tensor), pixels)


def test_black_is_minus_one_and_white_is_one():
    assert to_tensor(np.zeros((1, 1, 3), np.uint8)).unique().item() == -1
    assert to_tensor(np.full((1, 1, 3), 255, np.uint8)).unique().item() == 1


def test_out_of_range_is_clipped_and_the_rest_is_rounded():
    assert to_pixels(torch.tensor([9.0, -9.0, 1.2 / 127.5]).view(1, 3, 1, 1)).ravel().tolist() == [255, 0, 129]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_diverged_picture_is_refused_and_not_shown_black(value):
    with pytest.raises(ImageError, match="smaller steps"):
        to_pixels(torch.full((1, 3, 2, 2), value))


def test_what_was_saved_is_read_back_exactly(tmp_path):
    save_image(tmp_path / "a.png", NOISE)
    assert np.array_equal(read_image(tmp_path / "a.png"), NOISE)
    with pytest.raises(ImageError, match="cannot be written"):
        save_image(tmp_path / "nowhere" / "a.png", NOISE)


# ---- what people give


def test_the_same_picture_is_read_from_every_kind_of_source(tmp_path):
    (tmp_path / "a.png").write_bytes(png())
    sources = [tmp_path / "a.png", str(tmp_path / "a.png"), png(), Image.fromarray(NOISE), NOISE, to_tensor(NOISE)]
    for source in sources:
        assert np.array_equal(read_image(source), NOISE), type(source)


def test_a_photograph_is_read_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # "rotate by 90 degrees to see me upright"
    stored = np.zeros((20, 40, 3), np.uint8)
    stored[:, :20] = 255  # the left half of what is stored is the upper half of what is seen
    Image.fromarray(stored).save(tmp_path / "photo.jpg", exif=exif)
    seen = read_image(tmp_path / "photo.jpg")
    assert seen.shape == (40, 20, 3)
    assert seen[:15].min() > 200 and seen[25:].max() < 50


def test_a_print_in_cmyk_is_read_in_its_colors(tmp_path):
    Image.new("CMYK", (20, 20), (0, 255, 255, 0)).save(tmp_path / "print.jpg")
    red, green, blue = read_image(tmp_path / "print.jpg")[10, 10].astype(int)
    assert red > 200 and green < 60 and blue < 60


def test_sixteen_bits_are_scaled_and_not_cut():
    values = np.linspace(0, 65535, 16 * 16).reshape(16, 16).astype(np.uint16)
    expected = (values / 257).round().astype(np.uint8)
    for read in (read_image(png(Image.fromarray(values))), read_image(values)):
        assert np.array_equal(read, np.dstack([expected] * 3))


def test_alpha_is_laid_over_white():
    rgba = np.zeros((10, 10, 4), np.uint8)
    rgba[:5, :, 3] = 255  # opaque black above, clear below
    for read in (read_image(png(rgba)), read_image(rgba)):
        assert read[:5].max() == 0 and read[5:].min() == 255


def test_a_palette_with_a_clear_color_is_laid_over_white():
    flat = Image.new("P", (10, 10), 1)
    flat.putpalette([9, 9, 9, 200, 10, 20])
    assert read_image(png(flat))[0, 0].tolist() == [200, 10, 20]
    assert read_image(png(flat, transparency=1))[0, 0].tolist() == [255, 255, 255]


def test_of_an_animation_the_first_frame_is_taken():
    frames = [Image.new("RGB", (12, 12), color) for color in ("red", "blue")]
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    assert read_image(file.getvalue())[0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "LAB", "I", "F", "I;16"])
def test_every_mode_of_pillow_becomes_rgb_bytes(mode):
    read = read_image(Image.new(mode, (9, 8)))
    assert read.shape == (8, 9, 3) and read.dtype == np.uint8


@pytest.mark.parametrize(
    "array",
    [np.ones((9, 9), bool), np.ones((9, 9, 1), np.uint8), np.ones((9, 9, 3)), np.ones((9, 9, 3), int)],
    ids=["bool", "one channel", "floats", "ints"],
)
def test_arrays_of_other_types_are_read(array):
    read = read_image(array)
    assert read.shape == (9, 9, 3) and read.dtype == np.uint8
    assert read.max() == (1 if array.dtype.kind in "iu" else 255)


# ---- crop and scale


def test_it_is_cropped_to_the_middle_and_scaled():
    wide = np.zeros((50, 150, 3), np.uint8)
    wide[:, 50:100] = 255
    assert read_image(wide, (25, 25)).min() > 230


def test_scaling_down_averages_and_does_not_flicker():
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 255
    middle = read_image(stripes, (16, 16))[:, 4:-4].astype(int)
    assert abs(middle - 127).max() < 8


def test_a_small_picture_is_enlarged():
    assert read_image(np.full((8, 8, 3), 7, np.uint8), (128, 128)).shape == (128, 128, 3)


def test_a_size_need_not_be_square():
    assert read_image(NOISE, (16, 12)).shape == (16, 12, 3)


def test_a_large_jpeg_scaled_down_looks_the_same_as_in_full(tmp_path):
    across, down = np.meshgrid(np.arange(640), np.arange(480))
    waves = np.dstack([127 + 100 * np.sin(across / 3), 127 + 100 * np.sin(down / 3), across / 3])
    Image.fromarray(waves.astype(np.uint8)).save(tmp_path / "big.jpg", quality=95)
    for size in ((32, 32), (100, 100), (480, 480)):
        scaled = read_image(tmp_path / "big.jpg", size).astype(int)
        full = read_image(read_image(tmp_path / "big.jpg"), size).astype(int)
        assert abs(scaled - full)[2:-2, 2:-2].mean() < 3


# ---- what cannot be read


def bomb(width, height):
    """Return a PNG that says it is large; it holds next to nothing."""
    contents = bytearray(png(np.zeros((8, 8, 3), np.uint8)))
    contents[16:24] = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    header = bytes(contents[12:29])
    contents[29:33] = zlib.crc32(header).to_bytes(4, "big")
    return bytes(contents)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (b"hello, I am a letter", "not a picture"),
        (b"", "is empty"),
        (png()[:-700], "damaged or cut off"),
        (png(np.zeros((1, 1, 3), np.uint8)), "1×1 pixels.*8×8"),
        (bomb(10_000, 9_900), "damaged or cut off"),  # 99 megapixels are tried
        (bomb(10_000, 10_001), "10000×10001.*100 megapixels"),
        (bomb(20_000, 10_000), "100 megapixels"),
        (bomb(2**31 - 1, 2**31 - 1), "100 megapixels"),
        (np.zeros((3, 9, 9), np.uint8), r"\(3, 9, 9\).*\(height, width, 3\)"),
        (np.zeros((0, 9, 3), np.uint8), r"\(0, 9, 3\)"),
        (np.full((9, 9, 3), 300), "300.*0 to 255"),
        (np.full((9, 9, 3), np.nan), r"within \[0, 1\]"),
        (np.full((9, 9, 3), 2.0), r"within \[0, 1\]"),
        (42, "from a int"),
        (None, "from a NoneType"),
        ("no such file.png", "no picture at no such file.png"),
        ("a\0b", "cannot be opened"),
        (".", "is a folder"),
        ("ftp://example.org/a.png", "only https"),
        ("http://example.org/a.png", "only https"),
        ("file:///etc/hostname", "only https"),
        ("https://", "only https"),
    ],
    ids=str,
)
def test_says_in_one_sentence_what_is_wrong(source, says):
    with pytest.raises(ImageError, match=says) as caught:
        read_image(source)
    assert len(str(caught.value)) < 250 and "\n" not in str(caught.value)


@pytest.mark.filterwarnings("ignore:(Truncated|Possibly|Tag|Metadata):UserWarning")  # of Pillow, about TIFF
@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"])
def test_a_file_cut_anywhere_is_refused_or_read_and_never_a_crash(form):
    file = io.BytesIO()
    Image.fromarray(NOISE).save(file, form)
    whole = file.getvalue()
    for end in range(1, len(whole), max(1, len(whole) // 40)):
        with contextlib.suppress(ImageError):
            assert read_image(whole[:end]).shape == NOISE.shape


def test_a_file_that_may_not_be_read_says_so(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.read_bytes", refuse)
    with pytest.raises(ImageError, match="Permission denied"):
        read_image(tmp_path / "secret.png")


# ---- addresses


@pytest.fixture
def server():
    class Answers(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            if self.path == "/away":
                self.send_response(302)
                self.send_header("Location", "http://example.org/a.png")
                self.end_headers()
                return
            self.send_response(200 if self.path == "/face.png" else 404)
            self.end_headers()
            self.wfile.write(png() if self.path == "/face.png" else b"nothing here")

        def log_message(self, *_):
            pass

    running = http.server.HTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{running.server_port}"
    running.shutdown()
    thread.join()
    running.server_close()


def test_a_picture_is_fetched_from_an_address(server):
    assert np.array_equal(read_image(f"{server}/face.png"), NOISE)


def test_an_address_that_fails_says_how(server):
    with pytest.raises(ImageError, match="answers 404"):
        read_image(f"{server}/nobody.png")
    with pytest.raises(ImageError, match="cannot be reached"):
        read_image("http://127.0.0.1:9/face.png")


def test_a_redirection_does_not_lead_where_one_may_not_go(server):
    with pytest.raises(ImageError, match="only https"):
        read_image(f"{server}/away")


# ---- where it came from


def test_a_picture_remembers_its_source_and_fits_itself(tmp_path):
    (tmp_path / "a.png").write_bytes(png())
    picture = Picture.read(tmp_path / "a.png", (10, 10))
    assert picture.source == str(tmp_path / "a.png") and picture.size == (10, 10)
    assert picture.fitted((10, 10)) is picture.pixels
    assert picture.fitted((16, 16)).shape == (16, 16, 3)
    assert Picture.read(NOISE).source is None
    assert len(repr(picture)) < 200
