"""The reconstruction page, and what it stands on: degradation, errors, classes for conditional entries, extremes."""

import base64
import functools
import io
import json

import conftest
import large_entries
import linear_entries as linear
import numpy as np
import pytest
import streamlit as st
import tiny_entries as tiny
from conftest import component, sound, texts
from PIL import Image

from zoo import images, models
from zoo.analysis import conditions, fidelity
from zoo.data import datasets
from zoo.entries import catalog, opening
from zoo.latent import codes
from zoo.metrics import reconstruction
from zoo.widgets.reconstruction import extremes

PAGE = "pages/explore/reconstruction.py"
opened = functools.partial(conftest.opened, PAGE)


pytestmark = pytest.mark.usefixtures("wall")


def conditional(folder, **changes):
    """A conditional autoencoder; the classes are those of the digits where nothing else is said."""
    return tiny.write(folder, tiny.encoder(), tiny.decoder(conditional=True), conditional=True, **changes)


def rows(app, key="compared"):
    """Return the rows of a matrix as the browser gets them."""
    return component(app, f"{key}-matrix")["rows"]


def test_degrading_by_nothing_changes_nothing():
    clean = tiny.images(3)
    assert fidelity.degrade(clean, 0, 0) is clean
    np.testing.assert_array_equal(fidelity.degrade(clean, 0.1, 0.25), fidelity.degrade(clean, 0.1, 0.25))
    assert np.abs(fidelity.degrade(np.full((4, 16, 16, 1), 0.5, np.float32), 0.1, 0) - 0.5).std() > 0.03
    hidden = fidelity.degrade(np.zeros((4, 16, 16, 1), np.float32), 0, 0.25)
    assert (hidden == 0.5).mean() == 0.25


def test_errors_are_measured_against_the_clean_image(wall):
    entry, clean = tiny.vae(wall / "some"), tiny.images(5)
    degraded = fidelity.degrade(clean, 0.3, 0)
    found = fidelity.reconstruct(entry, clean, degraded)
    outputs = models.reconstruct(entry, degraded)
    np.testing.assert_array_equal(found.outputs, outputs)
    np.testing.assert_allclose(found.errors["mse"], np.square(clean - outputs).mean((1, 2, 3)), rtol=1e-5)
    np.testing.assert_allclose(found.errors["ssim"], reconstruction.ssim(clean, outputs))
    assert found.notice is None


def test_images_of_another_shape_are_fitted_with_a_notice(wall):
    entry, clean = tiny.vae(wall / "some"), np.random.default_rng(0).random((2, 8, 8, 3), np.float32)
    found = fidelity.reconstruct(entry, clean, clean)
    assert found.clean.shape == found.outputs.shape == (2, *tiny.SHAPE)
    assert "grey" in found.notice
    assert "8×8" in found.notice


def test_the_class_is_the_true_one_the_guessed_one_or_the_first(wall):
    entry, pictures = conditional(wall / "some"), tiny.images(4)
    labels, told = conditions.labels_for(entry, pictures, np.array([1, 0, 1, 0]), ("c", "b"))
    assert (labels.tolist(), told) == ([1, 2, 1, 2], "the true class")
    judge = tiny.classifying(wall / "judge")
    for known, names in ((None, ()), (np.zeros(4, int), ("x",)), (np.zeros(4, int), ())):
        labels, told = conditions.labels_for(entry, pictures, known, names, judge)
        np.testing.assert_array_equal(labels, models.classify(judge, pictures)[0].argmax(1))
        assert judge.label in told
    labels, told = conditions.labels_for(entry, pictures)
    assert labels.tolist() == [0] * 4
    assert "a" in told
    assert conditions.labels_for(tiny.vae(wall / "free"), pictures, np.array([1] * 4), ("a",)) == (None, "")


def test_difference_maps_share_one_brightness():
    zeros = np.zeros((1, 10, 10, 1), np.float32)
    near, far = (fidelity.Reconstruction(zeros, zeros + level, {}, None, "") for level in (0.1, 0.4))
    (first, second), white = fidelity.maps([near, far])
    assert white == pytest.approx(0.4)
    np.testing.assert_allclose([first.max(), second.max()], [0.25, 1], rtol=1e-5)


def test_extremes_know_which_way_is_better():
    errors = {"mse": np.array([0.3, 0.1, 0.2]), "ssim": np.array([0.3, 0.1, 0.2])}
    best, worst = fidelity.ends(errors, "mse", 2)
    assert (best.tolist(), worst.tolist()) == ([1, 2], [0, 2])
    best, worst = fidelity.ends(errors, "ssim", 1)
    assert (best.tolist(), worst.tolist()) == ([0], [1])


def test_bottleneck_and_table(wall):
    entry, pictures = tiny.vae(wall / "some"), tiny.images(2)
    assert fidelity.bottleneck(entry) == (16, 2, 8)
    found = fidelity.reconstruct(entry, pictures, pictures)
    lines = fidelity.table(["a, b", "c"], {"Some": found.errors}).splitlines()
    assert lines[0] == "entry,index,image,mse,psnr,ssim"
    assert lines[1].startswith('Some,0,"a, b",')
    assert len(lines) == 3
    summary = fidelity.summary([entry], {"Some": found.errors})
    assert {len(column) for column in summary.values()} == {1}
    assert summary["Compression"] == ["8:1"]


def test_a_page_opens_with_entries_whose_data_is_here(wall):
    away = tiny.vae(wall / "away", dataset={"id": "mnist", "revision": None, "images": 1})
    here = [conditional(wall / "asks"), tiny.vae(wall / "free")]
    listed = catalog.entries()
    assert opening.first(listed, datasets.available, 4) == ["free", "asks"]
    assert opening.first([away], datasets.available) == ["away"]
    assert opening.first([], datasets.available) == []
    assert here[0].conditional


def test_beside_an_autoencoder_stands_a_gan(wall):
    vae, other, gan = tiny.vae(wall / "vae"), tiny.vae(wall / "other"), tiny.gan(wall / "gan")
    assert opening.beside(vae, [other, gan]) == "gan"
    assert opening.beside(gan, [vae, other]) == "vae"
    assert opening.beside(vae, [other]) == "other"
    assert opening.beside(vae, []) is None


def test_the_page_is_complete_at_once(wall):
    tiny.vae(wall / "one")
    tiny.autoencoder(wall / "two")
    app = opened()
    assert [row["title"] for row in rows(app)] == ["Original", "VAE · one", "|Difference|", "VAE · two", "|Difference|"]
    assert {len(row["tiles"]) for row in rows(app)} == {8}
    assert [row["title"] for row in rows(app, "extremes")] == ["Best", "Reconstruction", "Worst", "Reconstruction"]
    assert app.table[0].value["Entry"].tolist() == ["VAE · one", "VAE · two"]
    assert dict(app.query_params) == {}


def test_what_is_moved_degrades_what_the_entries_see_and_are_in_the_url(wall):
    tiny.vae(wall / "one")
    app = opened()
    clean = rows(app)
    app.session_state["noise"] = 0.3  # as the component gives it back
    sound(app.run())
    assert app.query_params["noise"] == "0.3"
    noisy = rows(app)
    assert [row["title"] for row in noisy][:2] == ["Original", "Degraded input"]
    assert noisy[0]["sheet"] == clean[0]["sheet"]
    assert noisy[2]["sheet"] != clean[1]["sheet"]
    again = opened(noise="0.3", moved="hidden")
    assert rows(again)[2]["sheet"] == noisy[2]["sheet"]
    moved = component(again, "degrading-hidden-live")
    assert [picture["title"] for picture in moved["pictures"]] == ["Degraded input", "VAE · one"]
    assert component(again, "degrading-hidden-exact")["exact"]["at"] == [0.0]


def test_a_link_reopens_entries_and_images(wall):
    for name in ("one", "two", "three"):
        tiny.vae(wall / name)
    app = opened(entries=["three", "one"], input_count="3", input_class=["7"], of="one", by="ssim", split="train")
    assert [row["title"] for row in rows(app)] == [
        "Original",
        "VAE · three",
        "|Difference|",
        "VAE · one",
        "|Difference|",
    ]
    assert [tile["caption"] for tile in rows(app)[0]["tiles"]] == ["7"] * 3
    assert app.selectbox(key="of").value == "one"
    assert "train split" in "".join(caption.value for caption in app.caption)


def test_each_entry_gets_the_images_as_they_are(wall):
    tiny.vae(wall / "one")
    linear.autoencoder(wall / "two", "digits", 4)
    linear.autoencoder(wall / "wide", "fruits", 4)
    found = rows(opened(entries=["one", "two", "wide"], input_data="digits"))  # as links were written before
    assert [(row["height"], row["width"]) for row in found] == [(8, 8), (4, 4), (4, 4), (8, 8), (8, 8), *[(32, 32)] * 2]
    assert [("images were" in row["note"]) for row in found[1::2]] == [True, False, True]
    assert "reduced from 8×8 to 4×4" in found[1]["note"]
    assert fidelity.largest([(4, 9, 1), (8, 8, 3)]) == (8, 9, 3)


def test_as_much_of_a_split_is_searched_as_memory_allows(monkeypatch, tmp_path):
    entry = tiny.vae(tmp_path / "vae")
    assert extremes.search_label(entry, "mnist", "train") == "Search all 60,000 images"
    assert extremes.search_label(entry, "some/letters", "train") == "Search up to 10,000 images"
    large = large_entries.gan(tmp_path / "large", 512)
    assert extremes.search_label(large, "mnist", "train") == "Search up to 256 images"
    monkeypatch.setattr(extremes, "capacity", lambda shape: 20_000)
    assert extremes.search_label(entry, "mnist", "train") == "Search up to 20,000 images"


def test_entries_of_one_title_stay_apart(wall):
    tiny.vae(wall / "one", title="Same")
    tiny.vae(wall / "two", title="Same")
    assert opened().table[0].value["Entry"].tolist() == ["VAE · one", "VAE · two"]


def test_a_conditional_entry_is_told_the_class_and_says_so(wall):
    conditional(wall / "some")
    assert "for want of a classifier" in rows(opened())[1]["note"]
    tiny.classifying(wall / "judge")
    st.cache_resource.clear()
    assert "that Variational autoencoder · judge sees" in rows(opened())[1]["note"]


def test_an_upload_is_reconstructed(wall):
    tiny.vae(wall / "one")
    app = opened(input_from="upload")
    assert "Digits" in rows(app)[0]["note"]
    buffer = io.BytesIO()
    Image.fromarray(np.full((9, 7, 3), 200, np.uint8)).save(buffer, "PNG")
    app.get("file_uploader")[0].set_value([("some.png", buffer.getvalue(), "image/png")])
    sound(app.run())
    assert rows(app)[0]["note"] == "uploaded images"
    assert len(rows(app)[0]["tiles"]) == 1


def test_samples_of_another_entry_are_reconstructed(wall):
    tiny.vae(wall / "one")
    tiny.gan(wall / "painter")
    app = opened(input_from="entry", input_entry="painter", input_seed="5")
    assert rows(app)[0]["note"] == "samples of CGAN · painter, seed 5"


def test_the_panel_that_a_link_speaks_of_is_open(wall):
    tiny.vae(wall / "one")
    assert not opened().expander[0].proto.expanded
    app = opened(input_from="drawing")
    assert app.expander[0].proto.expanded
    assert "Links hold no drawings" in texts(app)
    app.get("button_group")[0].set_value("dataset").run()
    assert sound(app).expander[0].proto.expanded and "input_from" not in app.query_params


def test_data_that_is_away_is_replaced_and_named(wall):
    tiny.vae(wall / "away", dataset={"id": "mnist", "revision": None, "images": 1})
    captions = " ".join(caption.value for caption in opened().caption)
    assert "MNIST, on which the entry was trained, is not on this machine" in captions


def test_the_matrix_as_png_keeps_every_row():
    sheet = images.strip([tiny.images(3), tiny.images(3)], scale=1, gap=0)
    assert sheet.shape == (8, 12, 3)


def test_a_discrete_entry_shows_its_integers(wall):
    tiny.vae(wall / "one")
    assert not [header for header in opened().header if header.value == "Image, integers, image"]
    entry = tiny.vqvae(wall / "vq")
    st.cache_resource.clear()
    app = opened(entries=["one", "vq"], integers="2")
    assert "16 → 4 integers below 3, 4:1" in rows(app)[3]["note"]
    shown = json.loads(app.get("plotly_chart")[0].proto.spec)["data"][0]["z"]
    content = base64.b64decode(rows(app)[0]["sheet"].partition(",")[2])
    second = np.asarray(Image.open(io.BytesIO(content)).convert("L"), np.float32)[None, :, 8:16, None] / 255
    vectors = models.encode(entry, images.fit(second, tiny.SHAPE)[0])
    assert shown == codes.nearest(vectors, tiny.CODEBOOK)[0].tolist()
    assert any("turns these into an image" in caption.value for caption in app.caption)
