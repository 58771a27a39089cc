"""The page Generation, run by Streamlit's own runner on entries made from real digits and fruits."""

import base64
import functools
import io

import conftest
import linear_entries as linear
import numpy as np
import pytest
import tiny_entries as tiny
from conftest import component, isolate, sound, words
from PIL import Image

from zoo import models
from zoo.analysis import comparison
from zoo.entries import catalog
from zoo.widgets.generation import draws
from zoo.widgets.generation.draws import EVERY, Draw
from zoo.widgets.generation.strength import STEPS

PAGE = "pages/explore/generation.py"
opened = functools.partial(conftest.opened, PAGE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("generation")
    linear.autoencoder(place / "digits-vae", "digits", 6)
    linear.autoencoder(place / "digits-gan", "digits", 6, encoder=False, family="dcgan")
    linear.autoencoder(place / "digits-wide", "digits", 9)
    linear.classifier(place / "digits-classifier", "digits")
    mnist = {"id": "mnist", "revision": None, "images": 60000}
    tiny.write(place / "mnist-gan", tiny.decoder("generator", True), family="cgan", conditional=True, dataset=mnist)
    return place


@pytest.fixture(autouse=True)
def only_these(monkeypatch, folder, tmp_path, empty_caches):
    isolate(monkeypatch, folder, tmp_path)


def test_one_latent_batch_goes_through_entries_of_one_latent_space():
    app = opened(entries=["digits-vae", "digits-gan"])
    assert "decode the same latents" in words(app)
    first, second = (models.sample(catalog.find(name), 24, 0).latents for name in ("digits-vae", "digits-gan"))
    np.testing.assert_array_equal(first, second)


def test_different_latent_spaces_are_named():
    assert "Their codes have 6 and 9 numbers" in words(opened(entries=["digits-vae", "digits-wide"]))


def test_a_tile_is_looked_at_closely():
    app = opened(entries="digits-gan", tile="7", seed="3")
    shown = words(app)
    assert app.header[0].value == "Image 8, enlarged"
    assert "The nearest of 1,437 training images" in shown
    gan, reader = catalog.find("digits-gan"), catalog.find("digits-classifier")
    batch = models.sample(gan, 24, 3)
    scores = models.judge(gan, batch.images)
    assert f"Discriminator: {scores[7]:+.2f}, above {(scores < scores[7]).sum()} of the 24" in shown
    probabilities = models.classify(reader, batch.images[7:8])[0][0]
    assert f": {probabilities.argmax()}, with {comparison.percent(float(probabilities.max()))}" in shown


def test_a_click_in_one_sheet_chooses_in_all():
    app = opened(entries=["digits-vae", "digits-gan"])
    app.query_params["tile_digits-gan"] = "4"
    sound(app.run())
    assert app.query_params["tile"] in ("4", ["4"])
    assert "tile_digits-gan" not in app.query_params
    assert app.header[0].value == "Image 5, enlarged"


def test_fewer_images_than_the_chosen_tile():
    assert opened(entries="digits-vae", tile="90", count="8").header[0].value == "Image 1, enlarged"


def test_without_the_training_data_everything_else_is_there():
    app = opened(entries="mnist-gan")
    assert "MNIST is not on this machine" in words(app)
    assert "No classifier here was trained on MNIST" in words(app)
    next(button for button in app.button if button.label == "Download MNIST").click()
    assert sound(app.run()).warning


def test_one_class_can_be_asked_for():
    app = opened(**{"entries": "mnist-gan", "class": "b"})
    assert "Asked for: b." in words(app)
    assert app.selectbox(key="class").value == "b"
    assert opened(entries="digits-vae").selectbox(key="class").options == ["All classes"]


def test_the_url_holds_the_view():
    app = opened(entries="digits-vae")
    app.session_state["temperature"], app.session_state["truncation"] = 0.5, 1.5  # as the component gives them back
    app.number_input(key="seed").set_value(9)
    sound(app.run())
    found = {name: app.query_params[name] for name in ("temperature", "truncation", "seed")}
    assert {name: value[0] if isinstance(value, list) else value for name, value in found.items()} == {
        "temperature": "0.5", "truncation": "1.5", "seed": "9",
    }  # fmt: skip
    again = opened(**{name: str(value) for name, value in {"entries": "digits-vae", "truncation": "1.5"}.items()})
    assert again.session_state["truncation"] == 1.5


def test_temperature_is_moved_through_the_first_images_of_each_entry():
    shown = component(opened(entries=["digits-vae", "digits-gan"], temperature="0"), "strength-temperature-live")
    assert [picture["title"] for picture in shown["pictures"]] == [
        f"{name}, image {index}" for name in ("digits-vae", "digits-gan") for index in (1, 2, 3)
    ]
    found = np.asarray(Image.open(io.BytesIO(base64.b64decode(shown["sheet"].partition(",")[2]))).convert("L"))
    assert found.shape == (6 * 8, STEPS * 8)
    path = found.reshape(6, 8, STEPS, 8).transpose(0, 2, 1, 3).astype(int)
    assert abs(path[:3, 0] - path[0, 0]).max() <= 24  # at 0 all images of an entry are its centre, but for WebP's loss
    batch = models.sample(catalog.find("digits-vae"), 3, 0, temperature=2.0).images
    assert abs(path[:3, -1] / 255 - batch[..., 0]).mean() < 0.05


def test_truncation_takes_its_turn_and_none_is_none():
    app = opened(entries="digits-vae", moved="truncation")
    shown = component(app, "strength-truncation-exact")["exact"]
    assert shown["at"] == [4.0]
    png = np.asarray(Image.open(io.BytesIO(base64.b64decode(shown["sheet"].partition(",")[2]))).convert("L"))
    batch = models.sample(catalog.find("digits-vae"), 6, 0).images
    assert abs(png / 255 - np.concatenate(list(batch[..., 0]), axis=1)).max() < 1 / 255


def test_a_new_draw_takes_the_next_seed():
    app = opened(entries="digits-vae", seed="9999")
    next(button for button in app.button if button.label == "Next seed").click()
    assert sound(app.run()).number_input(key="seed").value == 0


def test_a_draw_falls_back_to_what_an_entry_offers():
    vae, gan = catalog.find("digits-vae"), catalog.find("digits-gan")
    draw = Draw(count=5, seed=1, sampler="gmm", temperature=1.0, truncation=draws.TRUNCATION.high, wanted=EVERY)
    assert [draw.sampler_for(entry) for entry in (vae, gan)] == ["gmm", "prior"]
    np.testing.assert_array_equal(draw.samples(gan).images, models.sample(gan, 5, 1).images)
