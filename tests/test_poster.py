"""Posters: pictures with their names, for a slide."""

import io

import numpy as np
from PIL import Image

from zoo.charts import Row, lines, poster
from zoo.charts.poster import LEAST, MARGIN, NAMES


def opened(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


def test_a_poster_fits_a_slide_and_carries_names():
    pictures = np.zeros((3, 8, 8, 1), np.float32)
    named = Row("Original", pictures, "a note", ["MSE 0.1\nPSNR 20"] * 3)
    with_names = opened(poster("A title", [named], ["one", "two", "three"]))
    assert with_names.shape[1] >= LEAST
    left = with_names[:, : MARGIN + NAMES - 12]
    assert (left.min(2) < 100).any(), "the row has no name"
    bare = opened(poster("", [Row("", pictures)]))
    assert len(np.unique(bare.reshape(-1, 3), axis=0)) == 2, "without names there are pictures and paper alone"


def test_pictures_are_enlarged_by_whole_factors_whatever_their_size():
    rng = np.random.default_rng(0)
    small, large = rng.random((2, 7, 7, 3)), rng.random((2, 28, 28, 1))
    page = opened(poster("x", [Row("", small), Row("", large)]))
    assert page.shape[1] >= LEAST
    colours = {tuple(colour) for colour in np.unique(page.reshape(-1, 3), axis=0)}
    wanted = np.rint(small * 255).astype(np.uint8).reshape(-1, 3)
    assert {tuple(colour) for colour in wanted} <= colours


def test_many_pictures_become_rows():
    assert [len(row.pictures) for row in lines(np.zeros((20, 2, 2, 1)))] == [8, 8, 4]


def test_letters_that_the_font_lacks_and_long_words_do_no_harm():
    picture = np.zeros((1, 4, 4, 1))
    assert opened(poster("β-VAE → x" + "y" * 500, [Row("é" * 400, picture, "−1 … 1")])).shape[1] >= LEAST
