"""Rows of digits: found, normalised, read and written on known answers; images as integers."""

import numpy as np
import pens
import pytest
import tiny_entries as tiny
from scipy import ndimage

from zoo import charts, models
from zoo.analysis import handwriting, integers, numerals
from zoo.analysis.handwriting import Frame
from zoo.data import datasets
from zoo.entries import catalog
from zoo.latent import codes

PAD = (84, 336, 1)
RING = (np.abs(np.hypot(*np.mgrid[-28:29, -24:25]) - 18) < 2.5).astype(np.float32)


@pytest.fixture(scope="module")
def reader():
    return catalog.find("mnist-classifier", [catalog.EMBEDDED])


@pytest.fixture(scope="module")
def writer():
    return catalog.find("mnist-cgan", [catalog.EMBEDDED])


def found(picture: np.ndarray) -> list[handwriting.Digit]:
    """The digits of all rows."""
    return [digit for row in handwriting.rows(handwriting.ink(picture[..., None])) for digit in row]


def on_paper(picture: np.ndarray) -> np.ndarray:
    """Dark on a sheet that the light reaches unevenly, on a dark table that shows at the right, with noise."""
    light = np.linspace(0.9, 0.45, picture.shape[1])[None, :, None]
    paper = light * (1 - 0.7 * picture) + np.random.default_rng(0).normal(0, 0.01, picture.shape)
    return np.clip(np.pad(paper, ((30, 30), (30, 0), (0, 0)), "edge"), 0, 1).astype(np.float32)


@pytest.mark.parametrize("row", pens.ROWS[:6], ids=lambda row: row["number"])
def test_a_row_of_pen_strokes_is_read_as_its_number(reader, row):
    reading = numerals.read(reader, pens.drawn(row, PAD, pen=6.6))
    assert reading.digits == row["number"]
    assert [box.left for box in reading.boxes] == sorted(box.left for box in reading.boxes)
    middles = [(box.left + box.right) / 2 for box in reading.boxes]
    np.testing.assert_allclose(middles, (np.arange(6) + 0.5) * 56, atol=14)


def test_rows_under_each_other_are_numbers_of_their_own(reader):
    rows = pens.ROWS[7:10]
    sheet = np.concatenate([pens.drawn(row, PAD, pen=6.6) for row in rows])
    for picture in (sheet, on_paper(sheet)):
        assert numerals.read(reader, picture).numbers == [row["number"] for row in rows]


def test_light_dark_colour_shadow_and_size_do_not_matter(reader):
    row = pens.ROWS[0]
    picture = pens.drawn(row, PAD, pen=6.6)
    brown = 1 - picture * np.array([0.3, 0.6, 0.8], np.float32)
    large = np.clip(ndimage.zoom(picture[..., 0], 6, order=1), 0, 1)[..., None]
    for other in (1 - picture, brown, 0.4 + 0.2 * picture, on_paper(picture), large, on_paper(large)):
        assert numerals.read(reader, other).digits == row["number"]
    assert handwriting.reduced(large).size <= handwriting.MOST_PIXELS


@pytest.mark.parametrize("pen", [2.0, 4.0, 10.0])
def test_thin_and_thick_pens_are_read(reader, pen):
    assert numerals.read(reader, pens.drawn(pens.ROWS[2], PAD, pen)).digits == pens.ROWS[2]["number"]


def test_rows_of_the_built_in_digits_are_read():
    """A row of 8×8 images, each found, framed as they are and read as by the classifier itself."""
    judge = catalog.find("digits-classifier", [catalog.EMBEDDED])
    split = datasets.load("digits", "test")
    given = models.classify(judge, split.images[:120])[0].argmax(1)
    apart = np.pad(split.images[:120], ((0, 0), (3, 3), (3, 3), (0, 0)))
    read = [numerals.read(judge, numerals.row(apart[start : start + 6])).digits for start in range(0, 120, 6)]
    asked = ["".join(map(str, given[start : start + 6])) for start in range(0, 120, 6)]
    assert sum(len(number) == 6 for number in read) >= 18
    agree = [a == b for x, y in zip(asked, read, strict=True) if len(x) == len(y) for a, b in zip(x, y, strict=True)]
    assert np.mean(agree) > 0.9


def test_a_digit_framed_as_mnist_comes_back_as_it_was():
    picture = np.zeros((28, 28), np.float32)
    picture[4:24, 8:20] = 1
    picture[6:22, 10:18] = 0
    picture[14:17, 10:18] = 1
    (digit,) = found(np.pad(picture, ((10, 6), (2, 9))))
    frame = handwriting.frame("mnist", (28, 28, 1))
    assert frame == Frame(20, True)
    result = handwriting.normalised([digit], (28, 28, 1), frame)[0, ..., 0]
    moved = np.roll(picture, np.rint(14 - np.array(ndimage.center_of_mass(picture))).astype(int), (0, 1))
    np.testing.assert_allclose(result, moved, atol=0.02)


def test_a_large_digit_is_reduced_to_its_frame():
    (digit,) = found(ndimage.zoom(RING, 4, order=1))
    result = handwriting.normalised([digit], (28, 28, 1), Frame(20, True))[0, ..., 0]
    rows, columns = np.nonzero(result > 0.1)
    assert (np.ptp(rows) + 1, np.ptp(columns) + 1) == (20, 20)
    np.testing.assert_allclose(ndimage.center_of_mass(result), [14, 14], atol=0.6)
    assert handwriting.frame("digits", (8, 8, 1)) == Frame(8, False)
    small = handwriting.normalised([digit], (8, 8, 1), Frame(8, False))[0, ..., 0]
    assert small[0].max() > 0.2 and small[-1].max() > 0.2 and small[4, 4] < 0.2


def test_the_width_of_a_stroke_is_measured_and_brought_to_what_is_wanted():
    for width in (2, 5, 9):
        line = np.zeros((60, 60), np.float32)
        line[5:55, 20 : 20 + width] = 1
        # The ends of a ribbon of 50 by w belong to its outline too.
        assert handwriting.stroke(line) == pytest.approx(50 * width / (50 + width), rel=0.05)
    thin = np.zeros((200, 60), np.float32)
    thin[:, 30] = 1
    result = handwriting.normalised([handwriting.Digit(None, thin)], (28, 28, 1), Frame(20, True))[0]
    assert 1.2 < result.sum() / 20 < 2.6


def test_a_broken_five_is_one_digit_and_specks_are_none():
    five = np.zeros((84, 120), np.float32)
    five[20:24, 36:60] = 1  # the bar, apart from the rest
    five[30:36, 20:40] = five[36:50, 20:26] = five[46:50, 20:46] = five[50:66, 42:48] = five[62:66, 18:46] = 1
    assert len(found(five)) == 1
    five[10:13, 100:103] = five[76:78, 60:62] = 1
    (digit,) = found(five)
    assert digit.box[:2] == (18, 20) and digit.box[2:] == (60, 66)


def test_neighbours_stay_apart_and_touching_ones_are_cut():
    slanted = np.zeros((60, 90), np.float32)
    for row in range(40):
        left = 10 + round(20 * (1 - row / 40))
        slanted[10 + row, left : left + 5] = slanted[10 + row, left + 14 : left + 19] = 1
    assert len(found(slanted)) == 2
    narrow = RING[:, ::2].repeat(3, 0).repeat(4, 1)  # two thirds as wide as high
    columns = np.flatnonzero(narrow.any(0))
    narrow = narrow[:, columns[0] : columns[-1] + 1]
    touching = np.pad(np.concatenate([narrow, narrow], 1), 8)
    first, second = found(touching)
    assert first.box.right <= second.box.left + 3
    assert abs(first.box.width - second.box.width) <= 12


@pytest.mark.parametrize("kind", ["empty", "grey", "noise", "specks", "line", "point", "nothing a number"])
def test_a_picture_without_digits_has_none(reader, kind):
    rng = np.random.default_rng(0)
    picture = {
        "empty": np.zeros((50, 200)),
        "grey": np.full((50, 200), 0.5) + rng.normal(0, 0.02, (50, 200)),
        "noise": rng.random((200, 300)),
        "specks": (rng.random((200, 300)) < 0.02) * 1.0,
        "line": np.ones((1, 300)),
        "point": np.ones((1, 1)),
        "nothing a number": np.full((9, 9), np.nan),
    }[kind]
    reading = numerals.read(reader, np.clip(picture, 0, 1).astype(np.float32)[..., None])
    assert (reading.digits, len(reading.images)) == ("", 0)


def test_a_picture_of_many_parts_ends(reader):
    blobs = ndimage.gaussian_filter(np.random.default_rng(0).random((300, 900)), 2)
    picture = (blobs > np.quantile(blobs, 0.7)).astype(np.float32)[..., None]
    assert len(numerals.read(reader, picture).digits) <= handwriting.MOST_DIGITS


def test_a_reading_names_the_runner_up():
    probabilities = np.full((2, 10), 0.02)
    probabilities[0, [7, 1]], probabilities[1, [0, 6]] = [0.7, 0.14], [0.6, 0.24]
    reading = numerals.Reading([2], [], np.zeros((2, 1, 1, 1)), probabilities)
    assert reading.digits == "70"
    assert [reading.second(index) for index in (0, 1)] == [("1", 0.14), ("6", 0.24)]


def test_one_hand_writes_equal_digits_alike_and_many_hands_do_not(writer):
    one, many = (numerals.write(writer, ["3773", "58"], hand, seed=4) for hand in ("one", "many"))
    assert [len(found) for found in one] == [len(found) for found in many] == [4, 2]
    np.testing.assert_allclose(one[0][1], one[0][2], atol=1e-5)
    assert np.abs(many[0][1] - many[0][2]).max() > 0.2
    np.testing.assert_allclose(numerals.write(writer, ["3773"], "one", seed=4)[0], one[0], atol=1e-5)
    assert np.abs(numerals.write(writer, ["3773"], "one", seed=5)[0] - one[0]).max() > 0.2
    assert numerals.row(one[0]).shape == (28, 112, 1)


def test_numbers_come_back_and_what_does_not_is_counted(writer, reader):
    trip = numerals.there_and_back(writer, reader, 12, seed=0)
    assert trip.asked == numerals.drawn(40, 0)[:12] and trip.same >= 9
    assert trip == numerals.there_and_back(writer, reader, 12, seed=0)
    trip = numerals.Trip(["12", "34", "56"], ["12", "39", "567"])
    assert (trip.same, trip.miscounted) == (1, 1)
    confusion = trip.confusion()
    assert confusion.sum() == 4 and confusion[4, 9] == 1 and np.trace(confusion) == 3


def test_only_entries_of_the_ten_digits_write_and_read(tmp_path):
    entries = catalog.entries([catalog.EMBEDDED])
    assert {"mnist-cgan", "mnist-cvae"} <= {entry.name for entry in numerals.writers(entries)}
    assert {entry.name for entry in numerals.readers(entries)} == {"mnist-classifier", "digits-classifier"}
    assert numerals.writers([tiny.gan(tmp_path / "gan")]) == numerals.readers([tiny.classifying(tmp_path / "c")]) == []
    assert numerals.cleaned("-7 2,1abc٣04" + "9" * 20) == "72104" + "9" * 7


def test_a_changed_integer_changes_the_image_that_is_decoded(tmp_path):
    entry, image = tiny.vqvae(tmp_path / "vq"), tiny.images(1)[0]
    same = integers.change(entry, image, {})
    np.testing.assert_array_equal(same.before, codes.nearest(models.encode(entry, image[None]), tiny.CODEBOOK)[0])
    np.testing.assert_array_equal(same.decoded, same.changed)
    assert same.share == 0
    new = (int(same.before[1, 0]) + 1) % 3
    found = integers.change(entry, image, {2: new})
    assert found.after[1, 0] == new and (found.after != found.before).sum() == 1
    np.testing.assert_allclose(found.changed, models.decode(entry, tiny.CODEBOOK[found.after][None])[0], atol=1e-6)
    assert found.share > 0
    tiles = integers.choices(entry, found.after, 2)
    assert len(tiles) == 3 and integers.places(entry) == 4
    np.testing.assert_allclose(tiles[new], found.changed, atol=1e-6)  # two places cover all of so small an image
    assert integers.table(np.array([[1, 2], [3, 4]])) == "1,2\n3,4\n"
    assert integers.discrete([entry, tiny.vae(tmp_path / "vae")]) == [entry]


def test_pieces_and_neighbourhoods_lie_where_they_belong():
    image = np.arange(28 * 28, dtype=np.float32).reshape(28, 28, 1)
    cut = integers.pieces(image, (7, 7))
    assert cut.shape == (49, 4, 4, 1)
    np.testing.assert_array_equal(cut[9], image[4:8, 8:12])
    assert [integers._around(place, 7, 28) for place in (0, 3, 6)] == [slice(0, 8), slice(10, 18), slice(20, 28)]


def test_figures_show_what_was_found():
    picture = np.zeros((28, 84, 1), np.float32)
    framed = charts.boxed(picture, [(10, 4, 20, 24)], ["7"])
    scale = 1200 // 84
    assert framed.shape[1:] == (84 * scale, 3) and framed.shape[0] > 28 * scale
    columns = np.flatnonzero((framed == [230, 159, 0]).all(-1).any(0))
    assert abs(columns[0] - 10 * scale) <= 3 and abs(columns[-1] - 20 * scale) <= 3
    figure = charts.returned({"<b>a</b>": (3, 1, 0), "b": (0, 0, 0)})
    assert [trace.x[0] for trace in figure.data] == [75, 25, 0]
    assert "<b>" not in figure.to_json()
