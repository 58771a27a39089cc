"""The page on layers: drawing, units, what excites them, links, and the same in a browser."""

import functools

import conftest
import linear_entries as linear
import pytest
import tiny_entries as tiny
from conftest import complaints, component, settle, sound, texts, words

from zoo import models
from zoo.analysis import layers
from zoo.data import datasets

PAGE = "pages/represent/layers.py"
opened = functools.partial(conftest.opened, PAGE)


@pytest.fixture
def pca(wall):
    return linear.autoencoder(wall / "pca", "digits", 5)


def blocks(app):
    return [block["key"] for block in component(app, "network-layers")["blocks"]]


def rows(app, key):
    return component(app, f"{key}-matrix")["rows"]


def test_the_whole_way_is_drawn_and_the_bottleneck_marked(pca):
    app = opened()
    assert app.title[0].value == "Layers"
    drawn = component(app, "network-layers")["blocks"]
    assert [block["title"] for block in drawn if block["title"]] == ["input", "encoder", "decoder"]
    assert [block["key"] for block in drawn if block["code"]] == ["encoder.z_mean"]
    assert drawn[0]["height"] == drawn[-1]["height"] > 60  # the resolution of the image
    assert "bottleneck" in next(block["alt"] for block in drawn if block["code"])
    assert [row["title"] for row in rows(app, "every")] == [key.replace(".", " · ", 1) for key in blocks(app)]


def test_a_unit_is_excited_most_by_the_images_with_the_largest_code(pca):
    app = opened(layer="encoder.z_mean", unit="3")
    pool = datasets.load("digits", "test", 1000)
    codes = models.encode(pca, pool.images)[:, 3]
    best = layers.strongest(codes, 12)
    shown = rows(app, "excited")[0]["tiles"]
    assert [tile["caption"] for tile in shown] == [f"{code:.2f}" for code in codes[best]]
    assert [tile["alt"] for tile in shown] == [f"Excite it most: {pool.classes[label]}" for label in pool.labels[best]]
    both = rows(app, "both")
    assert [tile["caption"] for tile in both[1]["tiles"]] == [f"{code:.2f}" for code in codes[:2]]
    assert len(rows(app, "excited")) == 1  # a neuron has no place
    assert f"{len(pool.images)} images of Digits" in words(app)


def test_maps_also_show_where(pca):
    app = opened(layer="input.image")
    assert [row["title"] for row in rows(app, "excited")] == ["Excite it most", "Where"]


def test_choosing_a_layer_is_in_the_link_and_forgets_the_unit(pca):
    app = opened(layer="encoder.z_mean", unit="4")
    assert component(app, "unit-tiles")["selected"] == [4]
    app.session_state["layer"] = "encoder.z_log_var"
    app.query_params.pop("unit")
    sound(app.run())
    assert app.query_params["layer"] in ("encoder.z_log_var", ["encoder.z_log_var"])
    assert "encoder · z\\_log\\_var" in "".join(header.value for header in app.header)
    assert component(app, "unit-tiles")["selected"] != [4]


@pytest.mark.parametrize("unit", ["99", "-1", "x", "1" * 5000])
def test_a_link_to_what_is_not_there_says_so(pca, unit):
    app = opened(layer="encoder.nothing<b>", unit=unit, way="sideways")
    said = words(app)
    assert "which this layer does not have" in said
    assert "encoder.nothing" in said
    assert "sideways" in said
    assert component(app, "network-layers")["selected"] in blocks(app)


def test_codes_go_through_a_conditional_generator_and_images_through_its_critic(wall):
    tiny.gan(wall / "gan")
    app = opened(class_seed="c", seed="5")
    assert blocks(app) == ["input.latent", "generator.sum", "generator.embedding", "generator.total"]
    assert [tile["alt"] for tile in rows(app, "both")[0]["tiles"]] == [
        "Image of the code: c, seed 5",
        "Image of the code: a, seed 1",
    ]
    assert "random codes of" in words(app)
    app = opened(way="discriminator")
    assert blocks(app) == ["input.image", "discriminator.score"]
    assert "images of Digits" in words(app)


def test_a_drawing_stands_beside_an_image_of_the_dataset(pca):
    app = opened(input_from="drawing")  # none in a link: images stand in
    assert len(rows(app, "both")[0]["tiles"]) == 2
    assert "Links hold no drawings" in texts(app)


def test_names_of_layers_are_no_markup(wall):
    def spiteful(model):
        for node in model.graph.node:
            node.name = ""
        model.graph.node[0].output[0] = model.graph.node[1].input[0] = "[a](javascript:b) :red[c] $x$"

    content, declared = tiny.decoder()
    tiny.write(wall / "spiteful", tiny.encoder(), (tiny.rewrite(content, spiteful), declared))
    app = opened(way="autoencoder")
    app = opened(layer=blocks(app)[-1])
    assert "\\[a\\]" in "".join(header.value for header in app.header)


def test_layers_are_chosen_by_click_and_by_keyboard(app, tab):
    page = tab(app.url, "phone")
    page.goto(app.url)
    settle(page)
    page.goto(f"{app.url}/layers?entry=digits-vae&layer=encoder.hidden_1")
    settle(page)
    chosen = page.get_by_role("radio", checked=True).and_(page.locator(".block"))
    chosen.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**layer=encoder.hidden_2**")
    settle(page)
    assert chosen.get_attribute("data-key") == "encoder.hidden_2"
    assert chosen.evaluate("block => block.getRootNode().activeElement === block")
    page.locator(".block[data-key='encoder.z_mean']").click()
    page.wait_for_url("**layer=encoder.z_mean**")
    settle(page)
    page.get_by_role("button", name="Neuron 5").click()
    page.wait_for_url("**unit=5**")
    settle(page)
    assert page.get_by_role("heading", name="Unit 5").is_visible()
    wide = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide[0] <= wide[1]
    assert complaints(page) == []
