"""The page Distributions, run by Streamlit's own runner on entries made from real digits and fruits."""

import base64
import functools
import json

import conftest
import linear_entries as linear
import numpy as np
import pytest
import tiny_entries as tiny
from conftest import isolate, sound, words

from zoo import images, models
from zoo.data import datasets
from zoo.entries import catalog
from zoo.latent import aggregate

PAGE = "pages/measure/distributions.py"
opened = functools.partial(conftest.opened, PAGE, images="500")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("distributions")
    linear.autoencoder(place / "digits-vae", "digits", 6)
    linear.autoencoder(place / "fruits-vae", "fruits", 8)
    linear.autoencoder(place / "fruits-gan", "fruits", 32, encoder=False, family="dcgan", family_title="DCGAN")
    linear.classifier(place / "fruits-classifier", "fruits")
    linear.classifier(place / "digits-classifier", "digits")
    mnist = {"id": "mnist", "revision": None, "images": 60000}
    tiny.vae(place / "mnist-vae", dataset=mnist)
    tiny.vae(place / "mnist-other", dataset=mnist, family="another")
    return place


@pytest.fixture(autouse=True)
def only_these(monkeypatch, folder, tmp_path, empty_caches):
    isolate(monkeypatch, folder, tmp_path)


def sections(app) -> list[str]:
    return [item.value for item in app.subheader]


def test_fruits_come_first_with_everything():
    app = opened()
    expected = ["Real images", "Brightness", "Average and variety", "Classes", "Features", "Codes"]
    assert [name for name in sections(app) if name in expected] == expected
    assert "Factors of the fruits" in sections(app)
    shown = words(app)
    assert "fruits-gan covers all 2 classes" in shown
    assert "fruits-gan has no statistics of codes" in shown
    assert "the ruler is off by" in shown
    assert "red, " in shown


def test_a_link_to_an_entry_brings_its_dataset_also_on_a_later_visit():
    app = opened(a="digits-vae")
    assert app.selectbox(key="a").value == "digits-vae"
    assert app.selectbox(key="b").options == ["No second entry"]
    assert "Factors of the fruits" not in sections(app)
    assert "Each point is an image, at" not in words(app)
    assert "Digits 8×8, test split: 25 of 360 images" in words(app)
    for name in ("dataset", "a"):
        if name in app.query_params:
            del app.query_params[name]
    app.query_params["a"] = "fruits-vae"
    assert sound(app.run()).selectbox(key="a").value == "fruits-vae"


def test_another_dataset_is_chosen_and_kept_in_the_url():
    app = opened(a="fruits-vae")
    assert app.selectbox(key="b").value == "fruits-gan"
    app.get("button_group")[0].set_value("digits").run()
    assert sound(app).selectbox(key="a").value == "digits-vae"
    assert "digits" in app.query_params["dataset"]
    assert "a" not in app.query_params


def test_without_the_dataset_the_entries_are_compared_with_each_other():
    app = opened(dataset="mnist")
    shown = words(app)
    assert "MNIST is not on this machine. Meanwhile, the entries are compared with each other." in shown
    assert "Real images" not in sections(app)
    assert "VAE · mnist-vae is as bright as Variational autoencoder · mnist-other." in shown
    assert "No classifier here was trained on MNIST" in shown
    next(button for button in app.button if button.label == "Download MNIST").click()
    assert sound(app.run()).warning


def test_codes_of_two_numbers_are_mapped_by_their_true_class(monkeypatch, tmp_path):
    monkeypatch.setattr(catalog, "EMBEDDED", tmp_path / "zoo")
    flat = linear.autoencoder(tmp_path / "zoo" / "flat", "digits", 2)
    app = opened()
    charts = [json.loads(chart.proto.spec)["data"] for chart in app.get("plotly_chart")]
    (found,) = [traces for traces in charts if [trace.get("name") for trace in traces] == list("0123456789")]
    split = datasets.load("digits", "test", 500)
    codes = models.encode(flat, split.images)[split.labels == 3]
    x, y = (np.frombuffer(base64.b64decode(found[3][axis]["bdata"])) for axis in "xy")
    np.testing.assert_allclose(np.column_stack([x, y]), codes, atol=1e-5)
    assert "Each point is an image, at" in words(app)


def test_a_conditional_map_says_what_the_encoder_is_told(monkeypatch, tmp_path):
    monkeypatch.setattr(catalog, "EMBEDDED", tmp_path / "zoo")
    folder = tmp_path / "zoo" / "some"
    folder.mkdir(parents=True)
    np.savez_compressed(folder / "latents.npz", **aggregate.fit(np.random.default_rng(0).normal(size=(50, 2))))
    tiny.write(folder, tiny.encoder(), tiny.decoder(conditional=True), conditional=True)
    assert "The class given to the encoder: “a” for want of a classifier." in words(opened())


def test_one_entry_on_its_own():
    app = opened(data="mnist", b="none")  # as links were written before the parameter was called dataset
    assert "mnist" in app.query_params["dataset"] and "data" not in app.query_params
    assert "the entry is shown on its own" in words(app)
    assert "Brightness" in sections(app)


def figures(app):
    (table,) = (item.value for item in app.table)
    table.columns = [name.replace("\\", "") for name in table.columns]
    return table.set_index("Figure")


def test_the_panel_measures_on_request_and_remembers_it_in_the_url():
    app = opened(data="digits")
    assert not app.table
    app.toggle(key="measure").set_value(True).run()
    assert "True" in app.query_params["measure"]
    table = figures(sound(app))
    assert list(table.columns) == ["VAE · digits-vae", "Training images"]
    assert float(table.loc["Coverage ↑", "VAE · digits-vae"]) < float(table.loc["Coverage ↑", "Training images"])
    assert table.loc["Fréchet / floor ↓", "Training images"] == ""
    shown = words(app)
    assert "digits-vae covers all 10 classes, and lies " in shown
    assert "360 images of each set against 360 test images, seed 0" in shown and "not** Inception FID" in shown


def test_two_entries_are_told_apart():
    table = figures(opened(a="fruits-vae", measure="True"))
    assert list(table.columns) == ["VAE · fruits-vae", "DCGAN · fruits-gan", "Training images"]
    first, second = table.loc["Fréchet distance ↓", ["VAE · fruits-vae", "DCGAN · fruits-gan"]]
    better, worse = (first, second) if "**" in first else (second, first)
    assert float(better.strip("*")) < float(worse)


def test_without_test_images_nothing_is_measured():
    app = opened(dataset="mnist", measure="True")
    assert not app.table and "there is nothing to measure against" in words(app)


def test_images_of_ones_own_are_a_set_like_the_others():
    split = datasets.load("digits", "train")
    app = opened(data="digits", measure="True")
    kept = split.images[split.labels != 4][:200]
    app.file_uploader(key="own").upload("mine.zip", images.zip_png(kept), "application/zip").run()
    table = figures(sound(app))
    assert list(table.columns) == ["VAE · digits-vae", "Your set", "Training images"]
    shown = words(app)
    assert "200 images of your own are compared." in shown
    assert "Your set covers 9 of 10 classes, missing: 4, and lies" in shown  # measured
    assert "Your set covers 9 of 10 classes, missing: 4; its shares" in shown  # under the plot of classes
    assert "360 images of each set, but 200 of Your set, which makes" in shown
    assert "Your set (200 images): " in shown  # fewer than the real ones they are held against
    assert "Your set" in sections(app)


def test_a_zip_that_cannot_be_used_is_refused_and_the_page_stays():
    app = opened(data="digits")
    app.file_uploader(key="own").upload("mine.zip", images.zip_png(np.zeros((3, 8, 8, 1))), "application/zip").run()
    (warning,) = (item.value.replace("\\", "") for item in sound(app).warning)
    assert warning == "At least 50 images are needed, and the ZIP holds 3."
    assert "Brightness" in sections(app) and "Your set" not in sections(app)
