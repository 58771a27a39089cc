"""Real or fake: what is mixed, how it is judged, and the quiz played to its end in a browser."""

import functools
from urllib.parse import parse_qs, urlsplit

import conftest
import linear_entries as linear
import numpy as np
import pytest
from conftest import complaints, settle, words

from zoo.analysis import quiz
from zoo.widgets.quiz import drawn, understood

PAGE = "pages/play/quiz.py"
opened = functools.partial(conftest.opened, PAGE)


@pytest.mark.parametrize("generators", [1, 3, 5])
@pytest.mark.parametrize("seed", [0, 7])
def test_half_of_the_pictures_are_real_and_the_rest_even(generators, seed):
    source, row = quiz.mix(generators, 300, seed)
    counts = np.bincount(source, minlength=generators + 1)
    assert counts[0] == 10 and np.ptp(counts[1:]) <= 1 and counts.sum() == 20
    assert len(set(zip(source, row, strict=True))) == 20 and row[source == 0].max() < 300
    again = quiz.mix(generators, 300, seed)
    assert (source == again[0]).all() and (row == again[1]).all()
    assert (source != quiz.mix(generators, 300, seed + 1)[0]).any()


def test_too_few_real_pictures_are_refused():
    with pytest.raises(ValueError, match="needs 10 real ones, and there are 9"):
        quiz.mix(2, 9, 0)


def test_values_tell_nothing():
    real = np.array([0, 0.25, 0.5, 1], np.float32).reshape(2, 2, 1, 1)
    made = np.array([-0.1, 0.12, 0.13, 0.3, 0.7, 0.8, 1.2], np.float32).reshape(-1, 1, 1, 1)
    assert quiz.disguised(made, real).ravel().tolist() == [0, 0, 0.25, 0.25, 0.5, 1, 1]
    smooth = np.random.default_rng(0).random((2, 8, 8, 1), np.float32)
    shown = quiz.disguised(smooth, smooth).ravel() * 255
    np.testing.assert_allclose(shown, np.rint(shown), atol=1e-4)
    assert quiz.disguised(np.array([[[[1.5]]]]), smooth).max() == 1


def test_a_machine_is_asked_for_what_other_real_pictures_reach():
    reference = np.arange(101) / 100
    assert quiz.verdicts(np.array([0.0, 0.049, 0.05, 0.9]), reference).tolist() == [False, False, True, True]
    assert quiz.verdicts(np.array([0.4, 0.6]), reference, 0.5).tolist() == [False, True]
    assert quiz.verdicts(np.ones(3), np.ones(9)).all(), "who is always sure takes all for real"


def test_the_score_and_what_luck_would_give():
    source = np.array([0, 0, 1, 2, 2])
    said = np.array([True, False, True, False, True])
    assert quiz.right(said, source) == 2
    table = quiz.standings({"You": said, "D": source == 0}, source, ["a", "b"])
    assert table["Taken for real"] == ["Real images", "a", "b", "Right in all"]
    assert table["You"] == ["1/2", "1/1", "1/2", "2/5"] and table["D"][-1] == "5/5"
    assert quiz.luck(0) == 1 and quiz.luck(20) == 2**-20 and quiz.luck(1, 1) == 0.5
    assert quiz.luck(15) == pytest.approx(0.0207, abs=1e-4)
    assert "about 2 of 100 rounds" in quiz.told(15) and "could not tell" in quiz.told(9)


@pytest.mark.parametrize("answers", [None, "01", [1, 0], [1, 2, 0], [True, "x", 0], {}, [None] * 3])
def test_what_is_no_list_of_answers_is_none(answers):
    assert understood(answers, 3) is None
    assert understood([1, 0, 1], 3).tolist() == [True, False, True]


@pytest.mark.usefixtures("wall")
def test_a_round_is_the_same_for_everybody_and_another_with_another_seed(wall):
    pair = [linear.autoencoder(wall / "vae", "digits", 8), linear.autoencoder(wall / "gan", "digits", 8, encoder=False)]
    first, again, other = (drawn("digits", pair, seed) for seed in (3, 3, 4))
    assert (first.pictures == again.pictures).all() and (first.pictures != other.pictures).any()
    assert first.pictures.shape == (20, 8, 8, 1) and len(first.others) == 300
    real, made = (set(np.unique(first.pictures[first.source > 0 if k else first.source == 0])) for k in (0, 1))
    assert made <= set(np.unique(np.arange(17) / 16).astype(np.float32)) and len(real) <= 17
    shown = {picture.tobytes() for picture in first.pictures[first.source == 0]}
    assert not shown & {picture.tobytes() for picture in first.others}, "what sets the bar is not asked"


@pytest.mark.usefixtures("wall")
def test_the_page_opens_on_built_in_data_and_sends_no_truth(wall):
    linear.autoencoder(wall / "vae", "digits", 8)
    app = opened(seed="5")
    (board,) = [e.proto for e in app.get("bidi_component") if "quiz-" in e.proto.id]
    assert '"count": 20' in board.json.replace('":20', '": 20') and "source" not in board.json
    assert "Nothing is stored about anybody" in words(app) and app.number_input(key="seed").value == 5


def test_it_is_played_to_its_end_by_keys_and_buttons(app, tab):
    page, sent = tab(app.url), []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    page.goto(f"{app.url}/quiz?dataset=fruits&seed=3")
    settle(page)
    page.complaints.clear()  # of the deep link into a cold server
    page.get_by_role("img", name="Picture 1 of 20").wait_for()
    page.wait_for_timeout(1000)
    sent.clear()
    first = page.locator(".quiz canvas").evaluate("canvas => canvas.toDataURL()")
    page.keyboard.press("ArrowLeft")
    page.get_by_text("Picture 2 of 20").wait_for()
    assert page.locator(".quiz canvas").evaluate("canvas => canvas.toDataURL()") != first
    for index in range(18):
        if index % 2:
            page.get_by_role("button", name="Fake").click()
        else:
            page.keyboard.press("f")
    page.get_by_text("Picture 20 of 20").wait_for()
    assert sent == [], "the server hears nothing before the end"
    page.get_by_role("button", name="Real").click()
    page.get_by_role("heading", name="of 20 right").wait_for()
    settle(page)
    table = page.get_by_role("table").first.inner_text()
    assert "Right in all" in table and "Classifier" in table and "/20" in table
    assert parse_qs(urlsplit(page.url).query).keys() <= {"dataset", "seed"}, "no answers in the link"
    page.get_by_role("button", name="Next round").click()
    page.wait_for_url("**seed=4")
    page.get_by_text("Picture 1 of 20").wait_for()
    assert complaints(page) == []
