"""The live map on top of the gallery, as the browser gets it."""

import linear_entries as linear
import pytest
import streamlit as st
import tiny_entries as tiny
from conftest import DEFAULT, component, opened, texts, words

from zoo.analysis import manifold

pytestmark = pytest.mark.usefixtures("wall")


def shows_map(app) -> bool:
    return any(part.proto.id.endswith("map-live") for part in app.get("bidi_component"))


def test_the_start_page_opens_on_the_map(wall):
    linear.autoencoder(wall / "plane", "fruits", 2)
    app = opened(DEFAULT)
    frames = component(app, "map-live")
    assert (frames["rows"], frames["columns"], frames["height"], frames["width"]) == (33, 33, 32, 32)
    assert [axis["key"] for axis in frames["axes"]] == ["z1", "z2"]
    assert [kind["name"] for kind in frames["plane"]["kinds"]] == ["apple", "orange"]
    points = frames["plane"]["points"]
    assert all(abs(value) <= manifold.REACH for *at, _ in points for value in at)
    assert f"the {len(points)} of 1,000" in words(app)
    assert "What is this?" in texts(app)
    assert "What can I move?" in texts(app)
    assert dict(app.query_params) == {}


def test_a_link_leads_to_a_place_and_sends_the_sheet_as_before(wall):
    linear.autoencoder(wall / "plane", "fruits", 2)
    app, other = opened(DEFAULT), opened(DEFAULT, z1="1.5", z2="-0.25")
    assert component(app, "map-live") == component(other, "map-live")
    assert component(other, "map-exact")["exact"]["at"] == [1.5, -0.25]
    assert component(app, "map-exact")["exact"]["sheet"] != component(other, "map-exact")["exact"]["sheet"]
    beyond = opened(DEFAULT, z1="99", z2="nan")
    assert component(beyond, "map-exact")["exact"]["at"][0] == manifold.REACH
    assert "cannot be chosen here" in words(beyond)


def test_without_the_test_split_a_classifier_says_what_lies_where(wall):
    mnist = {"dataset": {"id": "mnist", "revision": None, "images": 1}}
    tiny.vae(wall / "some", **mnist)
    app = opened(DEFAULT)
    assert component(app, "map-live")["plane"]["points"] == []
    assert component(app, "map-live")["reads"] is None
    assert "MNIST is not on this machine" in words(app)
    judge = tiny.classifying(wall / "judge", **mnist)
    st.cache_resource.clear()
    app = opened(DEFAULT)
    reads = component(app, "map-live")["reads"]
    assert (reads["by"], reads["classes"]) == ("judge", list(judge.classes))
    assert len(reads["index"]) == len(reads["percent"]) == reads["side"] ** 2 == 17**2
    assert "colours say what judge sees" in words(app)


def test_the_map_can_be_switched_and_begins_with_colour(wall):
    plane, grey = linear.autoencoder(wall / "plane", "fruits", 2), tiny.vae(wall / "some")
    app = opened(DEFAULT)
    assert component(app, "map-live")["grey"] is False
    other = opened(DEFAULT, map="some")
    assert component(other, "map-live")["grey"] is True
    assert plane.shape != grey.shape
    assert component(other, "map-live")["height"] == grey.shape[0]


def test_without_a_plane_there_is_only_the_gallery(wall):
    tiny.classifying(wall / "judge")
    assert not shows_map(opened(DEFAULT))
