"""The page on directions: sliders, links, files, sums, and the same moved by hand in a browser."""

import base64
import functools

import conftest
import linear_entries as linear
import numpy as np
import pytest
import tiny_entries as tiny
from conftest import complaints, component, settle, sound, texts, words

from zoo import images, models
from zoo.analysis import directions, moves
from zoo.data import datasets
from zoo.widgets.directions.mixer import MOST

PAGE = "pages/represent/directions.py"
opened = functools.partial(conftest.opened, PAGE)


pytestmark = pytest.mark.usefixtures("empty_caches")


@pytest.fixture
def pca(wall):
    return linear.autoencoder(wall / "pca", "digits", 6)


def mixed(app):
    return component(app, "directions-mixer")


def labels(app):
    return [axis["label"] for axis in mixed(app)["axes"]]


def strengths(app):
    return {label: at for label, at in zip(labels(app), mixed(app)["at"], strict=True) if at}


def test_factors_of_fruits_are_sliders_beside_the_rendered_truth():
    app = opened()
    data = mixed(app)
    assert app.title[0].value == "Directions"
    assert data["titles"] == ["Moved", "Rendered with these factors"]
    assert {"colour", "size", "light", "background"} <= set(labels(app))
    assert strengths(app) == {"colour": -1.5, "size": 1.5}  # something is seen before anybody moved anything
    assert all(axis["figure"].startswith("R² ") for axis in data["axes"])
    assert data["rows"] == len(data["axes"]) <= MOST
    assert "mean |difference|" in data["notes"][1]
    said = words(app)
    assert "750 of 1,000 images of Fruits, test split" in said
    assert "directions" not in app.query_params
    assert "move" not in app.query_params


def test_a_link_moves_and_combines_kinds_and_says_what_it_cannot():
    app = opened(move="size:2,is-orange:1,nothing<b>:1,x:nan")
    assert strengths(app) == {"size": 2, "orange": 1}
    assert mixed(app)["titles"] == ["Moved"]  # a class mean has no ground truth
    assert "nothing\\<b\\>\\:1, x\\:nan, which this entry does not have" in texts(app)


def test_absurd_links_move_nothing(pca):
    for move in ("1" * 5000, ":,:,", "size:1e999", "😀:1", "size:--1"):
        app = opened(move=move, directions="sideways", begin="nope")
        assert strengths(app) == {}
        assert "which this entry does not have" in texts(app)


def test_the_move_is_added_to_the_code_of_the_image_and_of_others(pca):
    app = opened(directions="components", move="pc1:2")
    pool = datasets.load("digits", "test", 1000)
    codes = models.encode(pca, pool.images)
    found = directions.find(directions.Codes(codes, "", pool.labels, pool.classes))
    change = found.change({"pc1": 2.0})
    assert found.tested == len(pool.images) - found.fitted
    after = component(app, "elsewhere-matrix")["rows"]
    assert [row["title"] for row in after] == ["Before", "After"]
    assert after[1]["note"] == "component 1 +2.0"
    expected = models.decode(pca, directions.moved(codes[:8], change)[0])
    assert after[1]["sheet"].endswith(base64.b64encode(images.png(images.strip([expected], scale=1, gap=0))).decode())
    assert {button.proto.label for button in app.get("download_button")} >= {"Move", "Pictures", "Sum"}


def test_what_the_hand_leaves_is_in_the_link_and_nonsense_is_not_taken(pca, monkeypatch):
    app = opened(move="none")
    assert strengths(app) == {}
    app.session_state["move"] = moves.written({"is-3": 1.25})
    sound(app.run())
    assert app.query_params["move"] in ("is-3:1.25", ["is-3:1.25"])
    assert strengths(app) == {"3": 1.25}


def test_a_move_nobody_chose_does_not_follow_to_another_entry():
    app = opened()
    app.selectbox(key="entry").set_value("digits-vae")
    sound(app.run())
    assert "which this entry does not have" not in texts(app)
    assert strengths(app) == {"5": 1.5}


def test_a_saved_move_is_opened_once_and_what_is_none_is_refused(pca):
    content = moves.saved("pca", {"is-7": -2.0}, np.zeros(6)).encode()
    app = opened()
    app.file_uploader(key="move_file").upload("a[b].json", content, "application/json").run()
    assert strengths(sound(app)) == {"7": -2}
    assert app.query_params["move"] in ("is-7:-2", ["is-7:-2"])
    assert "a\\[b\\]" in texts(app)
    app.session_state["move"] = "is-7:1"
    assert strengths(sound(app.run())) == {"7": 1}
    app = opened(move="is-7:1")
    app.file_uploader(key="move_file").upload("x.json", b"{}", "application/json").run()
    assert "x.json: The file is no move" in words(sound(app))
    assert strengths(app) == {"7": 1}


def test_a_generator_is_moved_from_its_seeds(wall):
    linear.autoencoder(wall / "gan", "digits", 6, encoder=False)
    linear.classifier(wall / "judge", "digits")
    app = opened(begin="seed", begin_seed="5", directions="components")
    said = words(app)
    assert "random codes, seed 0" in said
    assert "GANSpace" in said
    assert mixed(app)["first"]["note"] == "seed 5"


def test_an_entry_told_its_class_has_no_class_means(wall):
    tiny.gan(wall / "told")
    app = opened()
    assert labels(app)
    assert all(label.startswith("component") for label in labels(app))


def test_the_sum_of_codes_stands_beside_that_of_pixels():
    app = opened(term_a="mean", term_a_class="orange", term_b="class", term_b_class="apple", term_c="seed")
    html = next(
        item.proto.body for item in app.get("html") if "picture-sum" in item.proto.body and "<img" in item.proto.body
    )
    assert html.count("<img") == 8
    assert "A: mean of orange" in html
    assert "C: seed 2" in html


def test_sliders_move_pictures_by_hand_and_by_keyboard(app, tab):
    page = tab(app.url, "phone")
    page.goto(app.url)
    settle(page)
    page.goto(f"{app.url}/directions?entry=digits-vae&directions=classes&move=none")
    settle(page)
    moved = page.locator(".mixer canvas").nth(1)
    page.wait_for_function("document.querySelector('.mixer, [class*=mixer]') !== null")
    before = moved.evaluate("canvas => canvas.toDataURL()")
    slider = page.get_by_role("slider", name="3", exact=True)
    slider.evaluate("input => { input.value = 2; input.dispatchEvent(new Event('input')); }")
    page.wait_for_timeout(300)
    while_held = moved.evaluate("canvas => canvas.toDataURL()")
    assert while_held != before  # without the server: nothing was released
    assert "is-3" not in page.url
    slider.evaluate("input => input.dispatchEvent(new Event('change'))")
    page.wait_for_url("**move=is-3**")
    settle(page)
    slider.focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_url("**move=is-3%3A1.9**")
    settle(page)
    assert slider.evaluate("input => input.getRootNode().activeElement === input")
    page.get_by_role("button", name="All to zero").click()
    page.wait_for_url("**move=none**")
    settle(page)
    assert moved.evaluate("canvas => canvas.toDataURL()") == before
    wide = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide[0] <= wide[1]
    assert complaints(page) == []
