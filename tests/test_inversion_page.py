"""The page Inversion, run by Streamlit's own runner on entries made from real digits, and in a browser."""

import functools
import re

import conftest
import linear_entries as linear
import pytest
from conftest import complaints, component, isolate, settle, sound, words

PAGE = "pages/explore/inversion.py"
opened = functools.partial(conftest.opened, PAGE)
QUICK = {"starts": "1", "steps": "4"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("inversion")
    linear.autoencoder(place / "digits-vae", "digits", 6)
    linear.autoencoder(place / "digits-gan", "digits", 8, encoder=False, family="dcgan", family_title="DCGAN")
    return place


@pytest.fixture(autouse=True)
def only_these(request, monkeypatch, folder, tmp_path, empty_caches):
    if "app" not in request.fixturenames:  # the browser sees the whole zoo
        isolate(monkeypatch, folder, tmp_path)


def press(app, label: str):
    next(button for button in app.button if button.label == label).click()
    return sound(app.run())


def errors(app, key: str = "found-matrix", row: int = 1) -> list[float]:
    tiles = component(app, key)["rows"][row]["tiles"]
    return [float(number) for tile in tiles for number in re.findall(r"MSE ([\d.]+)", tile["caption"])]


def test_it_opens_on_a_gan_with_nearest_images_beside_an_autoencoder():
    app = opened(**QUICK)
    assert app.selectbox(key="entry").value == "digits-gan"
    titles = [row["title"] for row in component(app, "found-matrix")["rows"]]
    assert titles == ["Original", "Nearest image", "|Difference|", "An autoencoder"]
    # Eight principal axes give images back better than six, and the search finds the best place on them.
    assert sum(errors(app)) < sum(errors(app, row=3))


def test_the_verdict_comes_when_asked_for_and_is_kept_for_everybody():
    app = opened(**QUICK)
    assert "of these 4 images" not in words(app)
    app = press(app, "Judge by its own samples")
    assert "cannot make 4 of these 4 images" in words(app)
    assert "cannot make 4 of these 4 images" in words(opened(**QUICK))


def test_its_own_samples_can_be_made():
    app = opened(input_from="entry", input_entry="digits-gan", **QUICK)
    app = press(app, "Judge by its own samples") if "Judge" in str([b.label for b in app.button]) else app
    assert max(errors(app)) < 1e-3


def test_a_class_shows_what_was_dropped():
    app = press(opened(**{"class": "3"}, **QUICK), "Search 12 test images")
    assert {tile["alt"] for tile in component(app, "class-found-matrix")["rows"][0]["tiles"]} == {"Original: 3"}
    assert len(component(app, "class-means-matrix")["rows"][0]["tiles"]) == 4


def test_an_autoencoder_is_searched_from_its_encoder():
    app = opened(entry="digits-vae", **QUICK)
    titles = [row["title"] for row in component(app, "found-matrix")["rows"]]
    assert titles == ["Original", "Nearest image", "|Difference|", "Its own encoder"]


@pytest.mark.parametrize(
    "junk", [{"starts": "99"}, {"steps": "1e9"}, {"seconds": "-3"}, {"entry": "no"}, {"class": "x"}]
)
def test_junk_in_a_link_gives_the_page_as_it_opens(junk):
    app = opened(**(QUICK | junk))
    assert len(errors(app)) == 4


def test_a_search_in_the_browser_shows_its_end(app, tab):
    page = tab(app.url)
    page.goto(f"{app.url}/inversion?entry=fruits-gan&starts=1&steps=2&input_count=1")
    settle(page)
    page.get_by_text("Nearest image").first.wait_for()
    assert complaints(page) == []
