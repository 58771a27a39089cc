"""The page Latent map, run by Streamlit's own runner on entries made from real digits, and in a browser."""

import base64
import functools
import re
from urllib.parse import parse_qs, urlsplit

import conftest
import linear_entries as linear
import numpy as np
import pytest
from conftest import complaints, component, isolate, settle, sound, words

from zoo.analysis import apart, clusters, embedding
from zoo.data import datasets

PAGE = "pages/represent/latent_map.py"
opened = functools.partial(conftest.opened, PAGE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("map")
    linear.autoencoder(place / "digits-vae", "digits", 6)
    linear.autoencoder(place / "digits-2d", "digits", 2)
    linear.autoencoder(place / "digits-gan", "digits", 8, encoder=False, family="dcgan", family_title="DCGAN")
    linear.classifier(place / "digits-classifier", "digits")
    return place


@pytest.fixture(autouse=True)
def only_these(request, monkeypatch, folder, tmp_path, empty_caches):
    if "app" not in request.fixturenames:  # the browser sees the whole zoo
        isolate(monkeypatch, folder, tmp_path)


def at(url: str) -> list[float]:
    """Return the place that a link holds."""
    return [int(part) / 1000 for part in parse_qs(urlsplit(url).query).get("at", [""])[0].split("_") if part]


def cloud(app) -> dict:
    return component(app, "latent-cloud")


def places(app) -> np.ndarray:
    found = cloud(app)
    return np.frombuffer(base64.b64decode(found["points"]), "<f4").reshape(-1, found["dims"])


def kinds(app) -> np.ndarray:
    return np.frombuffer(base64.b64decode(cloud(app)["kind"]), "<u2")


def test_codes_of_two_numbers_open_on_their_own_axes_coloured_by_class():
    app = opened(entry="digits-2d")
    assert cloud(app)["titles"] == ["z0", "z1"] and places(app).shape == (360, 2)
    assert (kinds(app) == datasets.load("digits", "test", 1000).labels).all()
    assert "Decoded at the ring and around it" in words(app)
    assert "the axes are the numbers of the code itself" in words(app)


def test_longer_codes_open_on_principal_axes_and_can_turn():
    app = opened(entry="digits-vae", axes="3")
    assert places(app).shape == (360, 3)
    assert [re.sub(r"\(.*", "", title).strip() for title in cloud(app)["titles"]] == [
        f"component {number}" for number in (1, 2, 3)
    ]


def test_clusters_are_held_against_the_labels():
    app = opened(entry="digits-vae", colour="cluster", clusters="12")
    assert set(kinds(app)) == set(range(12))
    said = float(re.search(r"Adjusted Rand index ([\d.]+)", words(app))[1])
    labels = datasets.load("digits", "test", 1000).labels
    assert said == pytest.approx(clusters.agreement(labels, kinds(app))[0], abs=0.006)
    assert said > 0.3


def test_density_has_six_equal_levels():
    app = opened(entry="digits-vae", colour="density")
    assert np.bincount(kinds(app)).tolist() == [60] * 6


def test_t_sne_is_computed_when_asked_for_and_kept_for_everybody(monkeypatch):
    monkeypatch.setattr(apart, "_run", lambda codes, settings, report, cancelled: codes[:, :2] ** settings.perplexity)
    link = {"entry": "digits-vae", "projection": "tsne", "perplexity": "7"}
    app = opened(**link)
    before = places(app)
    assert "meanwhile PCA is shown" in words(app)
    app.button(key="compute").click()
    sound(app.run())
    assert "is decoded by a local one" in words(app) and places(app).shape == before.shape
    assert not np.allclose(places(app), before)
    other = opened(**link)
    assert (places(other) == places(app)).all() and "PCA" not in words(other)


def test_without_umap_one_sentence_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(embedding, "installed", lambda: False)
    assert "pip install umap-learn" in words(opened(entry="digits-vae", projection="umap"))


def test_a_gan_is_seen_by_the_features_of_the_classifier():
    app = opened(entry="digits-gan", colour="origin", images="500")
    assert cloud(app)["real"] == 360
    assert kinds(app).tolist() == [0] * 360 + [1] * 500
    assert "Nothing is decoded" in words(app) and "images that DCGAN · digits-gan generates" in words(app)


def test_a_link_holds_the_place_and_the_lasso():
    app = opened(entry="digits-2d", at="-100_250", lasso="0_0_-2000_-2000_0_-2000_0_2000_-2000_2000")
    marks = component(app, "latent-cloud-marks")
    assert marks["at"] == [-0.1, 0.25]
    inside = int((places(app)[:, 0] < 0).sum())
    assert f"How many of the {inside:,} selected points" in words(app)
    labels = [button.label for button in app.get("download_button")]
    assert f"{inside:,} points as CSV" in labels


@pytest.mark.parametrize(
    "junk", [{"at": "1_2_3"}, {"at": "x"}, {"at": "1e9_2"}, {"lasso": "1_2_3"}, {"lasso": "0_0_" + "99999_" * 30}]
)
def test_junk_in_a_link_gives_the_map_as_it_opens(junk):
    app = opened(entry="digits-2d", **junk)
    assert component(app, "latent-cloud-marks")["at"] == pytest.approx(places(app)[0].tolist(), abs=1e-3)
    assert component(app, "latent-cloud-marks")["lasso"] is None


def test_another_map_forgets_the_place():
    app = opened(entry="digits-2d", at="-100_250")
    app.selectbox(key="entry").set_value("digits-vae")
    assert component(sound(app.run()), "latent-cloud-marks")["at"] != [-0.1, 0.25]
    assert "at" not in app.query_params


def test_the_map_follows_the_hand(app, tab):
    """Hover shows a picture, a click and a lasso enter the link, keys move and choose."""
    page = tab(app.url)
    page.goto(f"{app.url}/latent_map?entry=digits-vae")
    settle(page)
    points = page.locator(".points")
    points.wait_for()
    box = points.bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    points.press("ArrowRight")
    page.locator(".tip canvas:not([hidden])").wait_for(state="attached")
    page.mouse.click(*middle)
    page.wait_for_url(lambda url: at(url) == pytest.approx([0, 0], abs=0.01))
    page.keyboard.down("Shift")
    page.mouse.move(box["x"] + 4, box["y"] + 4)
    page.mouse.down()
    for x, y in ((1, 0), (1, 1), (0, 1)):
        page.mouse.move(box["x"] + 4 + x * (box["width"] - 8), box["y"] + 4 + y * (box["height"] - 8), steps=5)
    page.mouse.up()
    page.keyboard.up("Shift")
    page.get_by_text("360 selected points").wait_for()
    page.get_by_role("button", name="Clear selection").click()
    page.wait_for_url(lambda url: "lasso" not in parse_qs(urlsplit(url).query))
    before = at(page.url)
    points.press("Shift+ArrowLeft")
    for key in ("+", "ArrowUp", "Enter"):
        points.press(key)
    page.wait_for_url(lambda url: at(url) not in ([], before))
    assert complaints(page) == []
