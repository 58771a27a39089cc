"""A set of images from a ZIP: what goes in comes out; what is hostile is left out or refused in one sentence."""

import io
import os
import struct
import tracemalloc
import zipfile

import hostile
import numpy as np
import pytest
from PIL import Image

from zoo import images
from zoo.data import archives, datasets

GREY = (8, 8, 1)


@pytest.fixture(scope="module")
def digits():
    return datasets.load("digits", "test").images[: archives.LEAST + 10]


def encoded(pixels: np.ndarray, form: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, form, **options)
    return buffer.getvalue()


def packed(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def good(count: int = archives.LEAST, pattern: str = "{}.png") -> dict[str, bytes]:
    return {pattern.format(number): encoded(np.full((8, 8), number, np.uint8)) for number in range(count)}


def refusal(content: bytes) -> str:
    with pytest.raises(ValueError) as refused:
        archives.read(content, GREY)
    assert refused.value.args[0].endswith(".") and len(str(refused.value)) < 500
    return str(refused.value)


def test_what_was_packed_comes_back(digits):
    parts = []
    found, told = archives.read(images.zip_png(digits), digits.shape[1:], parts.append)
    expected = images.to_uint8(digits)
    assert found.dtype == np.uint8 and found.shape == expected.shape and told == []
    np.testing.assert_array_equal(*(np.sort(kind.reshape(len(kind), -1), 0) for kind in (found, expected)))
    assert not np.array_equal(found, expected)  # shuffled, so that the first are a fair choice
    assert parts == sorted(parts) and parts[-1] == 1
    np.testing.assert_array_equal(archives.read(images.zip_png(digits), digits.shape[1:])[0], found)


@pytest.mark.parametrize("pattern", ["deep/er/{}.PNG", "/etc/{}.png", "../../{}.png", "c:\\{}.png", "\x1b[31m{}.png"])
def test_names_and_folders_do_not_matter_and_nothing_is_written(pattern, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert len(archives.read(packed(good(pattern=pattern)), GREY)[0]) == archives.LEAST
    assert not os.listdir(tmp_path) and not list(tmp_path.parent.glob("*.png"))


def test_other_shapes_are_fitted_and_told():
    large = {name: encoded(np.full((20, 10, 3), 9, np.uint8)) for name in good()}
    found, told = archives.read(packed(large), GREY)
    assert found.shape == (archives.LEAST, *GREY)
    assert told == [
        "The images were turned to grey, padded with the colour of their border and reduced from 20×10 to 8×8."
    ]
    assert archives.read(packed(good() | {"x.png": large["0.png"]}), GREY)[1] == [
        "The images have several shapes and were fitted to 8×8 in grey."
    ]


def animated() -> bytes:
    frames = [Image.fromarray(np.full((8, 8), shade, np.uint8)) for shade in (0, 99, 200)]
    buffer = io.BytesIO()
    frames[0].save(buffer, "PNG", save_all=True, append_images=frames[1:])
    return buffer.getvalue()


STRAY = {
    "text": ("x.png", b"not an image", "cannot be read|can be read"),
    "empty": ("x.png", b"", "can be read"),
    "animated": ("x.png", animated(), "animated"),
    "huge": ("x.png", encoded(np.zeros((2000, 2000), np.uint8)), "megapixels"),
    "strip": ("x.png", encoded(np.zeros((1, 60_000), np.uint8)), "times as long as wide"),
    "cut": ("x.png", encoded(np.random.default_rng(0).integers(0, 255, (64, 64), np.uint8))[:900], "damaged"),
    "notes": ("x.txt", b"hello", "no images by their names"),
    "arrays": ("x.npy", b"\x93NUMPY", "no images by their names"),
}


@pytest.mark.parametrize("name", STRAY)
def test_a_stray_file_is_left_out_and_counted(name):
    file, content, reason = STRAY[name]
    found, told = archives.read(packed(good() | {file: content, f"other-{file}": content}), GREY)
    assert len(found) == archives.LEAST
    (sentence,) = told
    assert sentence.startswith("2 left out: ")
    assert any(word in sentence for word in reason.split("|")), sentence


def test_what_computers_add_unasked_is_not_worth_a_word():
    assert archives.read(packed(good() | {"__MACOSX/._0.png": b"x", ".DS_Store": b"x"}), GREY)[1] == []


def test_many_reasons_are_counted_to_the_last_file():
    stray = {f"{name}.png": content for name, (file, content, _) in STRAY.items() if file == "x.png"}
    told = archives.read(packed(good() | stray), GREY)[1]
    assert sum(int(sentence.split()[0]) for sentence in told) == len(stray)


def test_too_few_images_say_how_many_are_needed():
    text = refusal(packed(good(3) | {"x.png": b"?"}))
    assert text.startswith("At least 50 images are needed, and the ZIP holds 3. 1 left out: ")


def test_of_too_many_a_fair_choice_is_drawn(monkeypatch):
    monkeypatch.setattr(archives, "MOST", 60)
    found, told = archives.read(packed(good(200, "{:03}.png")), GREY)
    assert len(found) == 60 and told == ["60 images were drawn at random from the ZIP, 140 more were not looked at."]
    assert 70 < found.mean() < 130  # the first sixty would have a mean of 30


def encrypted() -> bytes:
    """A ZIP whose members say that they are encrypted."""
    content = bytearray(packed(good()))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = content.find(mark)
        while at >= 0:
            content[at + offset] |= 1
            at = content.find(mark, at + 1)
    return bytes(content)


def understated() -> bytes:
    """300 MB of nothing that declare a thousand bytes."""
    content = packed({"x.png": bytes(300 << 20)})
    return content.replace(struct.pack("<I", 300 << 20), struct.pack("<I", 1000))


HOSTILE = {
    "no zip": (lambda: b"PK\x03\x04 and then nothing", "not a ZIP"),
    "cut off": (lambda: packed(good())[:-200], "not a ZIP"),
    "empty": (lambda: packed({}), "no images"),
    "arrays": (lambda: packed({"images.npy": b"\x93NUMPY"}), "no array"),
    "encrypted": (encrypted, "50 left out: The file is encrypted"),
    "declared bomb": (lambda: packed({"x.png": bytes(300 << 20)}), "unpack to more than 256 MB"),
    "undeclared bomb": (understated, "ZIP holds 0"),
    "bzip2": (lambda: packed(good(), zipfile.ZIP_BZIP2), "unusual way"),
    "bzip2 bomb": (lambda: hostile.understated().replace(b"mean.npy", b"mean.png"), "unusual way"),
    "many files": (lambda: packed(dict.fromkeys(map(str, range(20_001)), b"")), "more than 20,000 files"),
    "endless directory": (hostile.directory, "more than 20,000 files"),
    "one large file": (lambda: packed({"x.png": bytes(11 << 20)}), "more than 10 MB"),
    "pixels": (
        lambda: packed(dict.fromkeys((f"{n}.png" for n in range(300)), encoded(np.zeros((990, 1000), np.uint8)))),
        "more than 256 megapixels together",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_zip_is_refused_in_bounded_memory(name):
    make, reason = HOSTILE[name]
    content = make()
    tracemalloc.start()
    try:
        text = refusal(content)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert reason in text
    assert most < 150 << 20


def test_damaged_members_are_left_out():
    content = bytearray(packed(good(60), zipfile.ZIP_STORED))
    at = content.find(b"IDAT")
    content[at + 4 : at + 12] = bytes(8)  # the check sum of the first member fails
    found, told = archives.read(bytes(content), GREY)
    assert len(found) == 59 and told == ["1 left out: The file is damaged (0.png)."]


def test_a_zip_may_not_be_too_large(monkeypatch):
    monkeypatch.setattr(archives, "MAX_BYTES", 1 << 20)
    assert "more than 1 MB" in refusal(bytes(2 << 20))
