import io
import zipfile

import numpy as np
import pytest
from PIL import Image

from zoo import images
from zoo.data import fruits


@pytest.fixture(scope="module")
def pictures():
    return fruits.render(6, seed=0)[0]


def _file(picture, kind="PNG", **options):
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def test_an_uploaded_png_of_the_right_shape_comes_back_exactly(pictures):
    image, notice = images.decode_upload(images.png(pictures[0]), (32, 32, 3))
    assert notice is None
    assert image.dtype == np.float32 and np.array_equal(image[0], pictures[0])


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "LA", "RGBA"])
@pytest.mark.parametrize("shape", [(28, 28, 1), (32, 32, 3)])
def test_every_mode_of_png_is_read(pictures, mode, shape):
    picture = Image.fromarray(images.to_uint8(pictures[1])).convert(mode)
    image, notice = images.decode_upload(_file(picture), shape)
    colours = (*shape[:2], 3 if mode in ("P", "RGB", "RGBA") else 1)
    reference, _ = images.fit(images.fit(pictures[1:2], colours)[0], shape)
    assert image.shape == (1, *shape)
    assert np.corrcoef(image.ravel(), reference.ravel())[0, 1] > (0.3 if mode == "1" else 0.95)  # mode 1 is dithered


def test_sixteen_bit_grey_keeps_its_brightness():
    values = np.linspace(0, 65535, 28 * 28).reshape(28, 28).astype(np.uint16)
    image, _ = images.decode_upload(_file(Image.fromarray(values)), (28, 28, 1))
    assert np.abs(image[0, :, :, 0] - values / 65535).max() < 0.003


def test_transparency_lies_on_the_ground_that_shows_the_ink():
    for ink, ground in ((0, 1.0), (255, 0.0)):
        pixels = np.zeros((28, 28, 4), np.uint8)
        pixels[10:18, 10:18] = (ink, ink, ink, 255)
        image, _ = images.decode_upload(_file(Image.fromarray(pixels)), (28, 28, 1))
        assert image[0, 0, 0, 0] == pytest.approx(ground, abs=0.01)
        assert image[0, 14, 14, 0] == pytest.approx(ink / 255, abs=0.01)


def test_exif_rotation_is_applied():
    picture = Image.new("RGB", (40, 20), "black")
    picture.paste("white", (0, 0, 20, 20))
    exif = Image.Exif()
    exif[0x0112] = 6  # rotate by 90° clockwise to view: the left half becomes the top half
    pixels = np.asarray(images.read_pixels(images.open_picture(_file(picture, "JPEG", exif=exif, quality=95))))
    assert pixels.shape[:2] == (40, 20)
    assert pixels[5].mean() > 240 and pixels[35].mean() < 15


def _animation():
    frames = [Image.new("L", (8, 8), shade) for shade in (0, 100, 200)]
    return _file(frames[0], "GIF", save_all=True, append_images=frames[1:])


def _truncated():
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    return _file(Image.fromarray(noise))[:-4000]


BAD = {
    "text": b"this is no picture",
    "empty": b"",
    "too many bytes": b"\0" * (images.MAX_BYTES + 1),
    "too many pixels": _file(Image.new("1", (5000, 4000))),
    "a bomb": _file(Image.new("1", (20000, 20000))),
    "animated": _animation(),
    "truncated": _truncated(),
}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD.keys())
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_bad_uploads_are_refused_in_one_sentence(data):
    with pytest.raises(ValueError) as error:
        images.decode_upload(data, (28, 28, 1))
    message = str(error.value)
    assert message.endswith(".") and ". " not in message and len(message) < 120


@pytest.mark.parametrize("before", [(8, 8, 1), (28, 28, 1), (32, 32, 3), (20, 50, 3)])
@pytest.mark.parametrize("after", [(8, 8, 1), (28, 28, 1), (32, 32, 3)])
def test_fit_gives_the_shape_and_says_so(before, after):
    source = np.random.default_rng(0).random((3, *before), dtype=np.float32)
    fitted, notice = images.fit(source, after)
    assert fitted.shape == (3, *after) and fitted.dtype == np.float32
    assert fitted.min() >= 0 and fitted.max() <= 1
    assert (notice is None) == (before == after)
    if notice:
        assert notice.startswith("The images were ") and notice.endswith(".")


@pytest.mark.parametrize(("side", "other"), [(32, 8), (64, 28), (8, 28)])
def test_resizing_agrees_with_pillow(pictures, side, other):
    square = Image.fromarray(images.to_uint8(pictures[0])).resize((side, side))
    fitted, _ = images.fit(np.asarray(square, np.float32)[None] / 255, (other, other, 3))
    expected = np.asarray(square.resize((other, other), Image.Resampling.BICUBIC), np.float32) / 255
    assert np.abs(fitted[0] - expected).max() < 0.02  # Pillow rounds to 8 bit between its passes


def test_fit_pads_with_the_colour_of_the_border():
    wide = np.full((1, 10, 30, 1), 0.25, np.float32)
    wide[:, 4:6, 10:20] = 1
    fitted, notice = images.fit(wide, (30, 30, 1))
    assert np.allclose(fitted[:, [0, -1]], 0.25) and fitted[0, 14, 15, 0] == 1
    assert "padded" in notice and "reduced" not in notice and "enlarged" not in notice


def test_fit_refuses_what_is_no_image():
    for wrong in (np.zeros((28, 28, 1)), np.zeros((2, 28, 28, 2)), np.zeros((2, 0, 28, 1))):
        with pytest.raises(ValueError):
            images.fit(wrong, (28, 28, 1))


def test_to_uint8_and_enlarge():
    values = np.array([-1, 0, 0.5, 1, 2, np.nan], np.float32)
    assert images.to_uint8(values).tolist() == [0, 0, 128, 255, 255, 0]
    image = np.arange(4, dtype=np.uint8).reshape(1, 2, 2, 1)
    assert images.enlarge(image, 2)[0, :, :, 0].tolist() == [[0, 0, 1, 1], [0, 0, 1, 1], [2, 2, 3, 3], [2, 2, 3, 3]]


def test_sheet_puts_every_image_in_its_place(pictures):
    sheet = images.sheet(pictures, columns=4, scale=2, gap=3, background=(0, 0, 1))
    assert sheet.shape == (2 * 64 + 3, 4 * 64 + 3 * 3, 3) and sheet.dtype == np.uint8
    assert np.array_equal(sheet[67:, 67:131], images.enlarge(images.to_uint8(pictures[5]), 2))
    assert (sheet[65, 10] == (0, 0, 255)).all() and (sheet[100, 200] == (0, 0, 255)).all()
    assert images.sheet(pictures[:, :, :, :1]).shape[2] == 3
    rows = images.strip([pictures[:3], pictures[3:]], scale=1, gap=0)
    assert np.array_equal(rows[32:, :32], images.to_uint8(pictures[3]))


def test_files_open_again(pictures):
    movie = Image.open(io.BytesIO(images.gif(pictures, ms=120, scale=2)))
    assert movie.n_frames == 6 and movie.size == (64, 64) and movie.info["duration"] == 120 and movie.info["loop"] == 0
    data = images.zip_png(pictures, prefix="fruit")
    assert data == images.zip_png(pictures, prefix="fruit")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.namelist()[5] == "fruit-00005.png" and len(archive.namelist()) == 6
        again = np.asarray(Image.open(io.BytesIO(archive.read("fruit-00002.png"))))
    assert np.array_equal(again, images.to_uint8(pictures[2]))
    grey = Image.open(io.BytesIO(images.png(pictures[0, :, :, :1], scale=3)))
    assert grey.mode == "L" and grey.size == (96, 96)


def test_noise_and_occlusion_are_seeded_and_as_strong_as_asked():
    grey = np.full((50, 28, 28, 1), 0.5, np.float32)
    noisy = images.add_noise(grey, 0.1, seed=1)
    assert noisy.dtype == np.float32 and np.array_equal(noisy, images.add_noise(grey, 0.1, seed=1))
    assert abs((noisy - grey).std() - 0.1) < 0.003
    black = np.zeros((50, 28, 28, 1), np.float32)
    hidden = images.occlude(black, 0.25, seed=1)
    assert (hidden == 0.5).mean() == 0.25 and black.max() == 0
    assert np.array_equal(images.occlude(grey + 0.1, 0, seed=1), grey + 0.1)
    assert (images.occlude(black, 1, seed=1) == 0.5).all()
    with pytest.raises(ValueError):
        images.occlude(black, 1.5, seed=1)


def test_difference_is_absolute():
    a, b = np.zeros((1, 2, 2, 1), np.float32), np.full((1, 2, 2, 1), 0.25, np.float32)
    assert (images.difference(a, b) == 0.25).all() and (images.difference(b, a) == 0.25).all()
    with pytest.raises(ValueError):
        images.difference(a, b[0])


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "LA", "RGBA", "I;16"])
def test_a_large_upload_is_reduced_before_it_becomes_numbers(pictures, mode):
    large = Image.fromarray(images.to_uint8(images.fit(pictures[:1], (1400, 1500, 3))[0][0]))
    large = Image.fromarray(np.asarray(large.convert("L"), np.uint16) * 257) if mode == "I;16" else large.convert(mode)
    exif = Image.Exif()
    exif[0x0112] = 6
    small = images.read_pixels(images.open_picture(_file(large, exif=exif)), images.MAX_UPLOAD_PIXELS)
    assert small.size == (700, 750)
    upright = Image.open(io.BytesIO(_file(large))).convert("L").transpose(Image.Transpose.ROTATE_270)
    if mode != "I;16":
        reference = np.asarray(upright.resize(small.size), float)
        assert np.abs(np.asarray(small.convert("L"), float) - reference).mean() < (25 if mode == "1" else 3)
