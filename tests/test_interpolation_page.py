"""The interpolation page, and the walks through latent space that it shows."""

import functools
import io

import conftest
import numpy as np
import pytest
import streamlit as st
import tiny_entries as tiny
from conftest import component, sound, texts
from PIL import Image

from zoo import models
from zoo.analysis import walk
from zoo.latent import geometry

PAGE = "pages/explore/interpolation.py"
opened = functools.partial(conftest.opened, PAGE)


pytestmark = pytest.mark.usefixtures("wall")


def corners(count, size=5):
    return np.random.default_rng(3).normal(size=(count, size)).astype(np.float32)


@pytest.mark.parametrize("kind", ["linear", "spherical"])
def test_between_has_its_corners_where_they_belong(kind):
    t = np.linspace(0, 1, 7)
    two, four = corners(2), corners(4)
    assert walk.between(two, kind, t).shape == (1, 7, 5)
    np.testing.assert_allclose(walk.between(two, kind, t)[0, [0, -1]], two, atol=1e-6)
    found = walk.between(four, kind, t, t)
    assert found.shape == (7, 7, 5)
    np.testing.assert_allclose([found[0, 0], found[0, -1], found[-1, 0], found[-1, -1]], four, atol=1e-6)
    left = {"linear": geometry.lerp, "spherical": geometry.slerp}[kind](four[0], four[2], 0.5)
    np.testing.assert_allclose(found[3, 0], left, atol=1e-6)
    if kind == "linear":
        np.testing.assert_allclose(found[3, 3], four.mean(0), atol=1e-6)


def test_a_walk_shows_each_kind_at_the_same_places(wall):
    entry = tiny.vae(wall / "some")
    a, b = (walk.encoded(entry, picture, "x")[0] for picture in tiny.images(2))
    found = walk.walk(entry, [a, b], [0, 0.5, 1])
    np.testing.assert_allclose(found.frames["pixels"][0, 1], (a.image + b.image) / 2, atol=1e-6)
    middle = models.decode(entry, (a.latent + b.latent)[None] / 2)
    np.testing.assert_allclose(found.frames["linear"][0, 1], middle[0], atol=1e-5)
    for kind in ("linear", "spherical"):
        np.testing.assert_allclose(found.frames[kind][0, 0], models.decode(entry, a.latent[None])[0], atol=1e-5)
        np.testing.assert_allclose(found.norms[kind][0, [0, 2]], [np.linalg.norm(x.latent) for x in (a, b)], rtol=1e-5)


def test_the_arc_keeps_the_norm_and_the_line_does_not(wall):
    entry = tiny.vae(wall / "some")
    picture = tiny.images(1)[0]
    a, b = (walk.Anchor(np.array(code, np.float32), picture, None, "x") for code in ([3, 0], [0, 3]))
    norms = walk.walk(entry, [a, b], np.linspace(0, 1, 5)).norms
    np.testing.assert_allclose(norms["spherical"], 3, rtol=1e-5)
    assert norms["linear"][0, 2] == pytest.approx(3 / np.sqrt(2))


def test_the_class_flips_half_way(wall):
    entry = tiny.gan(wall / "some")
    a, b = walk.drawn(entry, 0, 0), walk.drawn(entry, 0, 2)
    found = walk.walk(entry, [a, b], [0.4, 0.6]).frames["linear"][0]
    np.testing.assert_allclose(found, [a.image, b.image], atol=1e-6)
    four = [a, walk.drawn(entry, 0, 1), b, walk.drawn(entry, 0, 0)]
    square = walk.walk(entry, four, [0.2, 0.8], [0.2, 0.8]).frames["linear"]
    np.testing.assert_allclose(square.reshape(4, *tiny.SHAPE), [anchor.image for anchor in four], atol=1e-5)


def test_only_long_codes_lie_in_a_shell(wall, monkeypatch):
    entry = tiny.vae(wall / "some")
    anchors = [walk.drawn(entry, seed) for seed in range(2)]
    assert "densest in the middle" in walk.explain(entry, anchors)
    monkeypatch.setattr(walk, "HOLLOW", 2)
    assert "near √2 = 1.4" in walk.explain(entry, anchors)


def test_a_class_is_found_among_random_images(wall):
    entry, judge = tiny.vae(wall / "some"), tiny.classifying(wall / "judge")
    found = walk.recognised(entry, judge, "b", 3)
    wanted = models.classify(judge, models.sample(entry, walk.CANDIDATES, 3).images)[0][:, 1]
    assert models.classify(judge, found.image[None])[0][0, 1] == pytest.approx(wanted.max())
    np.testing.assert_array_equal(models.decode(entry, found.latent[None])[0], found.image)


def test_a_film_goes_there_and_back(wall):
    entry = tiny.vae(wall / "some")
    anchors = [walk.drawn(entry, seed) for seed in range(4)]
    for count, frames in ((2, 10), (4, 20)):
        picture = Image.open(io.BytesIO(walk.film(entry, anchors[:count], steps=5)))
        # Frames that do not differ are merged by Pillow.
        assert frames - 4 <= picture.n_frames <= frames
        assert picture.width > 2.9 * picture.height
        assert walk.film(entry, anchors[:count], steps=3, kind="mp4")[4:8] == b"ftyp"


def test_posters(wall):
    entry = tiny.vae(wall / "some")
    anchors = [walk.drawn(entry, seed) for seed in range(4)]
    t = np.linspace(0, 1, 3)
    rows, columns = walk.poster(walk.walk(entry, anchors[:2], t), t)
    assert [row.title for row in rows] == list(walk.TITLES.values()) and columns == ["0 %", "50 %", "100 %"]
    assert all(len(row.pictures) == 3 for row in rows)
    (row,), columns = walk.poster(walk.walk(entry, anchors, t, t), t)
    assert len(row.pictures) == len(columns) == len(walk.KINDS)


def test_a_traversal_moves_one_number_as_far_as_the_codes_reach(wall):
    free = tiny.vae(wall / "free")
    anchor, typical = walk.drawn(free, 0), models.sample(free, 4, 0).latents
    first, second = walk.traverse(free, anchor, [(1, 0.5), (0, 0.2)], typical, np.linspace(-2.5, 2.5, 5))
    assert (first.dimension, first.effect, second.dimension) == (1, 0.5, 0)
    np.testing.assert_allclose(first.values, np.linspace(-2.5, 2.5, 5))
    code = anchor.latent.copy()
    code[1] = -2.5
    np.testing.assert_allclose(first.frames[0], models.decode(free, code[None])[0], atol=1e-6)
    codes = np.random.default_rng(0).normal(size=(400, 2)) * [2, 0.5] + [5, -1]
    plain = tiny.autoencoder(wall / "plain", codes)
    (moved,) = walk.traverse(plain, anchor, [(0, 0.1)], typical, (-2.5, 0, 2.5))
    np.testing.assert_allclose(moved.values, [0, 5, 10], atol=0.5)
    bare = tiny.autoencoder(wall / "bare")
    (moved,) = walk.traverse(bare, anchor, [(0, 0.1)], typical, (-2.5, 0, 2.5))
    assert moved.values[1] == pytest.approx(typical[:, 0].mean(), abs=1e-5)


def test_the_page_is_complete_at_once(wall):
    tiny.vae(wall / "some")
    app = opened()
    path = component(app, "path-matrix")
    assert [row["title"] for row in path["rows"]] == ["Linear", "Spherical", "Pixel cross-fade"]
    assert path["columns"] == 9
    assert [row["title"] for row in component(app, "traversal-matrix")["rows"]] in (["z0", "z1"], ["z1", "z0"])
    assert "‖z‖ = " in component(app, "place-exact")["exact"]["notes"][0]
    assert "**A** · 0, Digits" in texts(app)
    assert "**B** · 5, Digits" in texts(app)
    assert dict(app.query_params) == {}


@pytest.mark.parametrize("count", ["2", "4"])
@pytest.mark.parametrize("kind", ["class", "image", "seed"])
@pytest.mark.parametrize("make", ["vae", "bare", "gan", "generator", "conditional"])
def test_every_kind_of_entry_takes_every_kind_of_anchor(wall, make, kind, count):
    if make == "conditional":
        tiny.write(wall / "some", tiny.encoder(), tiny.decoder(conditional=True), conditional=True)
    elif make == "generator":
        tiny.write(wall / "some", tiny.decoder("generator"))
    else:
        {"vae": tiny.vae, "bare": tiny.autoencoder, "gan": tiny.gan}[make](wall / "some")
    app = opened(anchors=count, anchor_a=kind, anchor_b=kind)
    assert "One dimension at a time" in [header.value for header in app.header]
    assert not app.warning


def test_a_link_reopens_anchors_and_place(wall):
    tiny.gan(wall / "some")
    link = {
        "anchor_a_class": "c",
        "anchor_a_seed": "7",
        "anchor_b": "seed",
        "anchor_b_seed": "8",
        "steps": "5",
        "x": "1.0",
    }
    app = opened(**link)
    assert "**A** · c, seed 7" in texts(app)
    assert component(app, "path-matrix")["columns"] == 5
    assert "it flips half-way" in texts(app)
    assert {name: app.query_params[name] for name in link} == link


@pytest.mark.parametrize("count", ["2", "4"])
def test_another_place_sends_its_exact_pictures_and_no_frames_again(wall, count):
    tiny.vae(wall / "some")
    app, other = opened(anchors=count), opened(anchors=count, x="0.9")
    assert component(app, "place-live") == component(other, "place-live")
    assert component(other, "place-exact")["exact"]["at"] == ([0.9] if count == "2" else [0.9, 0.5])
    assert component(app, "place-exact") != component(other, "place-exact")
    assert other.query_params["x"] == "0.9"


def test_all_dimensions_move_along_one_slider(wall):
    tiny.vae(wall / "some")
    app = opened(along="-1.5")
    frames, exact = component(app, "along-live"), component(app, "along-exact")["exact"]
    assert {picture["title"] for picture in frames["pictures"]} == {"z0", "z1"}
    assert (frames["rows"], frames["columns"]) == (1, 17)
    assert exact["at"] == [-1.5]
    assert exact["notes"] == ["-1.50", "-1.50"]


def test_a_classifier_reads_the_path(wall):
    tiny.vae(wall / "some")
    assert "Classifier along the path" not in [header.value for header in opened().header]
    tiny.classifying(wall / "judge")
    st.cache_resource.clear()
    assert "Classifier along the path" in [header.value for header in opened().header]


def test_without_data_a_class_is_drawn_and_recognised(wall):
    tiny.vae(wall / "some", dataset={"id": "mnist", "revision": None, "images": 1})
    tiny.classifying(wall / "judge", dataset={"id": "mnist", "revision": None, "images": 1})
    assert "**A** · a, seed 0" in texts(opened())


def test_a_class_without_images_is_not_claimed(wall, tmp_path, monkeypatch):
    for split, kinds in (("train", "abc"), ("test", "ac")):
        for kind in kinds:
            path = tmp_path / "data" / "some" / "letters" / split / kind / "0.png"
            path.parent.mkdir(parents=True)
            Image.new("L", (4, 4), 50 * ord(kind) % 256).save(path)
    monkeypatch.setenv("ZOO_DATA", str(tmp_path / "data"))
    tiny.vae(wall / "some", dataset={"id": "some/letters", "revision": None, "images": 3})
    shown = texts(opened(anchor_a_class="b", anchor_b_class="c")).replace("\\", "")
    assert "**A** · a, some/letters (there is no b" in shown or "**A** · c, some/letters (there is no b" in shown
    assert "**B** · c, some/letters\n" in shown


def test_images_of_an_anchor_come_from_an_upload(wall):
    tiny.vae(wall / "some")
    app = opened(anchor_a="image", anchor_a_image_from="upload")
    buffer = io.BytesIO()
    Image.fromarray(np.full((9, 7, 3), 200, np.uint8)).save(buffer, "PNG")
    app.get("file_uploader")[0].set_value([("some.png", buffer.getvalue(), "image/png")])
    assert "**A** · uploaded images" in texts(sound(app.run()))
