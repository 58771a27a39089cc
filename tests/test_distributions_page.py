"""The page Distributions, run by Streamlit's own runner on entries made from real digits and fruits."""

import base64
import json

import linear_entries as linear
import numpy as np
import pytest
import streamlit as st
import tiny_entries as tiny
from conftest import ROOT
from streamlit.testing.v1 import AppTest

from zoo import catalog, datasets, latents, models

PAGE = "pages/measure/distributions.py"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("distributions")
    linear.autoencoder(place / "digits-vae", "digits", 6)
    linear.autoencoder(place / "fruits-vae", "fruits", 8)
    linear.autoencoder(place / "fruits-gan", "fruits", 32, encoder=False, family="dcgan")
    linear.classifier(place / "fruits-classifier", "fruits")
    linear.classifier(place / "digits-classifier", "digits")
    mnist = {"id": "mnist", "revision": None, "images": 60000}
    tiny.vae(place / "mnist-vae", dataset=mnist)
    tiny.vae(place / "mnist-other", dataset=mnist, family="another")
    return place


@pytest.fixture(autouse=True)
def only_these(monkeypatch, folder, tmp_path):
    monkeypatch.setattr(catalog, "EMBEDDED", folder)
    for name in ("ZOO_SOURCES", "ZOO_DATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    st.cache_data.clear()
    st.cache_resource.clear()


def opened(**query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=120)
    for name, value in ({"images": "500"} | query).items():
        app.query_params[name] = value
    return sound(app.switch_page(PAGE).run())


def sound(app: AppTest) -> AppTest:
    assert not app.exception, app.exception
    assert not app.error, [error.value for error in app.error]
    return app


def words(app: AppTest) -> str:
    return "\n".join(item.value for kind in (app.markdown, app.caption) for item in kind).replace("\\", "")


def sections(app: AppTest) -> list[str]:
    return [item.value for item in app.subheader]


def test_fruits_come_first_with_everything():
    app = opened()
    expected = ["Real images", "Brightness", "Average and variety", "Classes", "Features", "Codes"]
    assert [name for name in sections(app) if name in expected] == expected
    assert "Factors of the fruits" in sections(app)
    shown = words(app)
    assert "fruits-gan covers all 2 classes" in shown
    assert "fruits-gan brings no codes of images" in shown
    assert "the ruler is off by" in shown
    assert "red, " in shown


def test_a_link_to_an_entry_brings_its_dataset_also_on_a_later_visit():
    app = opened(a="digits-vae")
    assert app.selectbox(key="a").value == "digits-vae"
    assert app.selectbox(key="b").options == ["No second entry"]
    assert "Factors of the fruits" not in sections(app)
    assert "Each point is an image, at" not in words(app)
    assert "Digits 8×8, test split: 25 of 360 images" in words(app)
    for name in ("data", "a"):
        if name in app.query_params:
            del app.query_params[name]
    app.query_params["a"] = "fruits-vae"
    assert sound(app.run()).selectbox(key="a").value == "fruits-vae"


def test_another_dataset_is_chosen_and_kept_in_the_url():
    app = opened(a="fruits-vae")
    assert app.selectbox(key="b").value == "fruits-gan"
    app.get("button_group")[0].set_value("digits").run()
    assert sound(app).selectbox(key="a").value == "digits-vae"
    assert "digits" in app.query_params["data"]
    assert "a" not in app.query_params


def test_without_the_dataset_the_entries_are_compared_with_each_other():
    app = opened(data="mnist")
    shown = words(app)
    assert "MNIST is not on this machine. Meanwhile, the entries are compared with each other." in shown
    assert "Real images" not in sections(app)
    assert "mnist-vae is as bright as mnist-other." in shown
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
    np.savez_compressed(folder / "latents.npz", **latents.fit(np.random.default_rng(0).normal(size=(50, 2))))
    tiny.write(folder, tiny.encoder(), tiny.decoder(conditional=True), conditional=True)
    assert "The encoder is told “a” for want of a classifier." in words(opened())


def test_one_entry_on_its_own():
    app = opened(data="mnist", b="none")
    assert "the entry is shown on its own" in words(app)
    assert "Brightness" in sections(app)
