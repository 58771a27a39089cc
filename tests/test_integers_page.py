"""The page of integers: a number that is written and read, uploads, links, and a grid that is changed; the pad."""

import functools
import io

import conftest
import linear_entries as linear
import numpy as np
import pens
import pytest
import tiny_entries as tiny
from conftest import complaints, component, settle, sound, texts, words
from PIL import Image

from zoo.latent import codes
from zoo.widgets.integers import reading, returning

PAGE = "pages/represent/integers.py"
opened = functools.partial(conftest.opened, PAGE)


@pytest.fixture(autouse=True)
def few_numbers(monkeypatch):
    """Let five numbers go there and back: how many is not what is tested, and costs most of a run."""
    monkeypatch.setattr(returning, "COUNTS", (5, 50))


def rows(app):
    return component(app, "written-matrix")["rows"]


def png(picture: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.rint(255 * picture[..., 0]).astype(np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def test_the_page_opens_with_a_number_there_and_back(empty_caches):
    app = opened()
    assert dict(app.query_params) == {}
    assert [row["title"] for row in rows(app)] == ["CGAN · mnist-cgan", "CVAE · mnist-cvae", "CVAE-GAN · mnist-cvaegan"]
    assert [tile["alt"][-1] for tile in rows(app)[0]["tiles"]] == list("721041")
    assert "Read as **721041**, as asked." in texts(app)
    captions = [tile["caption"] for tile in component(app, "read-tiles")["tiles"]]
    assert [caption[0] for caption in captions] == list("721041")
    assert all("%\n" in caption for caption in captions)
    assert "5 numbers of 6 digits" in texts(app) and "of 5 numbers come back" in words(app)
    assert [item.value for item in app.header] == [
        "From number to image", "From image to number", "There and back", "An image as a grid of integers"
    ]  # fmt: skip


def test_a_link_reopens_number_hand_seed_and_entries():
    app = opened(
        number="0077", hand="many", seed="3", entries=["mnist-cvae"], count="50", classifier="mnist-classifier"
    )
    assert [row["title"] for row in rows(app)] == ["CVAE · mnist-cvae"] and len(rows(app)[0]["tiles"]) == 4
    assert "50 numbers of 6 digits, drawn evenly with seed 3; many hands" in texts(app)
    sheet = rows(app)[0]["sheet"]
    assert rows(opened(number="0077", hand="one", seed="3", entries=["mnist-cvae"]))[0]["sheet"] != sheet


@pytest.mark.parametrize(
    ("text", "written"), [("<b>$x$", "721041"), ("a1b2", "12"), ("9" * 150, "9" * 12), ("", "721041")]
)
def test_what_is_no_number_is_said_in_one_sentence(text, written):
    app = opened(number=text, entries=["mnist-cvae"])
    assert len(rows(app)[0]["tiles"]) == len(written)
    if text:
        assert f"{written} is written" in texts(app) and "<b>" not in texts(app)


def test_a_photograph_is_read(empty_caches):
    row = pens.ROWS[3]
    app = opened(row_from="upload", entries=["mnist-cvae"])
    assert "Links hold no pictures" in texts(app)
    picture = 0.8 - 0.6 * pens.drawn(row, reading.PAD, pen=6.6)
    app.get("file_uploader")[0].set_value([("row.png", png(picture), "image/png")])
    assert f"Read as **{row['number']}**." in texts(sound(app.run()))
    sheet = np.concatenate([picture, 0.8 - 0.6 * pens.drawn(pens.ROWS[4], reading.PAD, pen=6.6)])
    app.get("file_uploader")[0].set_value([("row.png", png(sheet), "image/png")])
    assert f"Read as **{row['number']}**, **{pens.ROWS[4]['number']}**." in texts(sound(app.run()))
    for content in (b"no picture", png(np.zeros((2, 200, 1)))):
        app.get("file_uploader")[0].set_value([("row.png", content, "image/png")])
        app.run()
        assert not app.exception and len(app.warning) == 1
    app.get("file_uploader")[0].set_value([("row.png", png(np.full((40, 90, 1), 0.7)), "image/png")])
    assert "No digit was found" in texts(sound(app.run()))


def test_a_camera_is_offered():
    assert len(opened(row_from="camera", entries=["mnist-cvae"]).get("camera_input")) == 1


def grid(app) -> list[str]:
    return [tile["caption"] for tile in component(app, "place-tiles")["tiles"]]


def test_an_integer_is_changed_by_the_codebook_and_by_a_link(wall):
    entry = tiny.vqvae(wall / "vq")
    app = opened(input_seed="1")
    assert "training train" in texts(app), "it is not said that nothing writes digits here"
    before = grid(app)
    assert len(before) == 4 and all(text in "012" for text in before)
    place = component(app, "place-tiles")["selected"]
    assert component(app, f"z{place[0]}-tiles")["selected"] == [int(before[place[0]])]
    new = (int(before[1]) + 1) % 3
    app = opened(input_seed="1", place="1", z1=str(new), z2="999", z0="-1")
    assert grid(app) == [before[0], f"{new} ←", *before[2:]]
    assert component(app, "z1-tiles")["selected"] == [new]
    assert "1 of 4 integers changed" in texts(app)
    sheets = [component(opened(input_seed="1", **query), "compared-tiles")["sheet"] for query in ({}, {"z1": str(new)})]
    assert sheets[0] != sheets[1] and codes.vocabulary(entry) == 3
    next(button for button in app.button if button.label == "Undo all changes").click()
    assert grid(sound(app.run())) == before
    assert not [name for name in app.query_params if name.startswith("z")]


def test_a_digit_of_the_number_becomes_integers():
    app = opened(entries=["mnist-cvae"], digit="3")
    assert len(grid(app)) == 49
    assert component(app, "compared-tiles")["tiles"][0]["alt"] == "digit 3 of 721041"
    assert "Links hold no drawings" in texts(opened(entries=["mnist-cvae"], image="other", input_from="drawing"))


def test_without_writers_a_drawing_is_asked_for(wall):
    linear.classifier(wall / "reader", "digits")
    app = opened()
    assert "No entry here can be asked for a digit" in words(app)
    assert "Draw a row of digits" in texts(app)


def test_a_row_is_drawn_on_the_pad_and_read(app, tab):
    """Two of the rows of strokes, by the mouse; `tests/benchmarks/integers.py` draws all of them."""
    page = tab(app.url)
    page.goto(f"{app.url}/integers?row_from=drawing&entries=mnist-cvae")
    settle(page)
    for row in pens.ROWS[:2]:
        pens.draw(page, row)
        page.get_by_text("Read as").get_by_text(row["number"], exact=True).wait_for()
        page.get_by_role("button", name="Clear", exact=True).click()
        page.get_by_text("Draw a row of digits").wait_for()
    assert complaints(page) == []
