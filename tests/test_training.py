"""Recipes, the loop and its resumption, on real (small) data."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="training needs TensorFlow: pip install -r requirements.txt")

from PIL import Image
from tiny_runs import tiny, train_in_parts

from training import batches, library, networks, recipe, run
from zoo.entries import catalog


@pytest.mark.parametrize("name", library.recipes())
def test_every_recipe_is_valid_and_named_like_its_file(name):
    assert library.load(name).name == name


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("colour=red", "unknown to family vae"),
        ("latent=0", "'latent' is wrong"),
        ("latent=many", "'latent' is wrong"),
        ("epochs=-1", "'epochs' is wrong"),
        ("learning_rate=nan", "'learning_rate' is wrong"),
        ("likelihood=poisson", "'likelihood' is wrong"),
        ("family=gpt", "no family 'gpt'"),
        ("name=../up", "'name' is wrong"),
        ("latent", "key=value"),
    ],
)
def test_a_wrong_override_is_refused_in_one_sentence(override, words):
    with pytest.raises(recipe.RecipeError, match=words) as refusal:
        library.load("digits-vae", [override])
    assert "\n" not in str(refusal.value) and str(refusal.value).endswith(".")


def test_a_missing_or_broken_recipe_file_is_refused(tmp_path):
    with pytest.raises(recipe.RecipeError, match="no recipe 'nothing'"):
        library.load("nothing")
    broken = tmp_path / "broken.toml"
    broken.write_text("family = ")
    with pytest.raises(recipe.RecipeError, match="not valid TOML"):
        library.load(str(broken))


@pytest.mark.parametrize("made", catalog.entries([catalog.EMBEDDED]), ids=lambda made: made.name)
def test_an_embedded_entry_was_made_by_the_recipe_of_its_name(made):
    assert library.load(made.name) == library.check(made.manifest.provenance.options)


def test_overrides_are_typed_and_words_are_strings():
    loaded = library.load("digits-vae", ["beta=4", "flip=true", "title=Two words"])
    assert (loaded.beta, loaded.flip, loaded.title) == (4.0, True, "Two words")


def test_shifted_moves_the_image_and_repeats_its_border():
    image = np.arange(9, dtype="float32").reshape(1, 3, 3, 1)
    moved = batches.shifted(image, np.array([[1, 0]]))
    assert np.array_equal(moved[0, :, :, 0], [[0, 1, 2], [0, 1, 2], [3, 4, 5]])


def test_turned_turns_about_the_centre_and_repeats_the_border():
    image = np.arange(9, dtype="float32").reshape(1, 3, 3, 1)
    quarter = batches.turned(np.repeat(image, 2, axis=0), np.array([90.0, 0.0]))
    np.testing.assert_allclose(quarter[0, :, :, 0], np.rot90(image[0, :, :, 0]), atol=1e-5)
    np.testing.assert_array_equal(quarter[1], image[0])
    wide = np.zeros((1, 9, 9, 3), "float32")
    wide[:, :, :4], wide[:, :, 4] = 1, 0.5
    tilted = batches.turned(wide, np.array([10.0]))[0].mean(axis=(1, 2))
    assert (np.diff(tilted) > 0).all() or (np.diff(tilted) < 0).all(), "a vertical edge leans to one side"
    np.testing.assert_allclose(tilted + tilted[::-1], 2 * tilted[4], atol=1e-5)


def test_batches_depend_on_seed_and_epoch_alone():
    images, labels = np.random.default_rng(0).random((50, 8, 8, 1), dtype="float32"), np.arange(50)

    def content(epoch):
        sequence = batches.Batches(images, labels, 16, seed=1, shift=1, flip=True, turn=5)
        sequence.start(epoch)
        return [sequence[index][0] for index in range(len(sequence))]

    first, again, other = content(2), content(2), content(3)
    assert len(first) == 3 and all(len(batch["image"]) == 16 for batch in first)
    assert all(np.array_equal(a["image"], b["image"]) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0]["label"], other[0]["label"])


def test_balanced_batches_hold_all_classes_equally_often():
    images, labels = np.zeros((60, 4, 4, 1), "float32"), np.repeat([0, 1], [50, 10])
    sequence = batches.Batches(images, labels, 20, seed=1, balance=True)
    seen = set()
    for epoch in range(3):
        sequence.start(epoch)
        assert all(np.bincount(sequence[index][0]["label"]).tolist() == [10, 10] for index in range(3))
        seen |= set(sequence.order)
    assert len(seen) > 50


def test_balance_needs_labels(tmp_path):
    for index in range(20):
        Image.fromarray(np.full((8, 8), index, np.uint8)).save(tmp_path / f"{index}.png")
    with pytest.raises(recipe.RecipeError, match="no labels; leave out balance"):
        run.training_data(tiny("vae", dataset=str(tmp_path), balance=True))


@pytest.mark.parametrize("family", ["vae", "classifier", "progressive"])
def test_an_interrupted_run_ends_with_the_same_weights(family, tmp_path, few_measured):
    options = tiny(family, epochs=3, images=128)
    whole = run.train(options, tmp_path / "whole")

    parts = train_in_parts(options, tmp_path / "parts")

    with np.load(whole.path / "checkpoint.npz") as a, np.load(parts.path / "checkpoint.npz") as b:
        assert a["epoch"] == b["epoch"] == 3
        for name in a.files:
            if name != "history":
                np.testing.assert_allclose(a[name], b[name], rtol=1e-6, atol=1e-7, err_msg=name)
    assert len(json.loads((parts.path / "history.json").read_text())["epoch"]) == 3


def test_resumption_is_exact_on_jax_too():
    pytest.importorskip("jax", reason="JAX is not installed: pip install jax")
    words = [sys.executable, "-m", "pytest", "-q", __file__, "-k", "test_an_interrupted_run and vae"]
    done = subprocess.run(words, env=os.environ | {"KERAS_BACKEND": "jax"}, capture_output=True, text=True)
    assert done.returncode == 0 and "1 passed" in done.stdout, done.stdout[-2000:]


def test_other_options_in_the_same_folder_are_refused(tmp_path):
    run.Folder(tmp_path / "x").open(tiny("vae", "x"))
    with pytest.raises(recipe.RecipeError, match="another width; pass --fresh"):
        run.Folder(tmp_path / "x").open(tiny("vae", "x", width=8))


def test_a_run_with_a_constant_learning_rate_takes_other_epochs(tmp_path):
    run.train(tiny("cgan", "x", epochs=1, images=64, schedule="constant"), tmp_path)
    longer = run.train(tiny("cgan", "x", epochs=2, images=64, schedule="constant"), tmp_path)
    assert json.loads((longer.path / "history.json").read_text())["epoch"] == [1, 2]
    run.Folder(tmp_path / "y").open(tiny("vae", "y"))
    with pytest.raises(recipe.RecipeError, match="another epochs; pass --fresh"):
        run.Folder(tmp_path / "y").open(tiny("vae", "y", epochs=3))


def test_a_diverging_run_says_so(tmp_path):
    with pytest.raises(recipe.RecipeError, match="lower learning_rate"):
        run.train(tiny("vae", images=64, likelihood="gaussian", sigma=1e-25), tmp_path)


def test_convolutions_refuse_a_side_that_four_does_not_divide():
    with pytest.raises(recipe.RecipeError, match="divisible by 4"):
        networks.encoder((30, 30, 1), {"latent": 4})


@pytest.mark.parametrize(("side", "grid"), [(28, 7), (32, 8), (40, 5), (64, 8), (128, 8)])
def test_large_images_meet_on_a_coarse_grid(side, grid):
    shape = (side, side, 3)
    encoder = networks.encoder(shape, {"latent": 4}, width=8)
    decoder = networks.decoder(4, shape, width=8, norm=True)
    critic, classifier = networks.discriminator(shape, 8), networks.classifier(shape, 2, width=4)
    assert encoder.get_layer("body").output.shape[1:3] == decoder.get_layer("grid").output.shape[1:3] == (grid, grid)
    assert critic.get_layer("flat").input.shape[1:3] == classifier.get_layer("squeeze").input.shape[1:3] == (grid, grid)
    assert decoder.output["image"].shape[1:] == shape
    extra = any(layer.name.startswith(("halve_", "double_")) for layer in [*encoder.layers, *decoder.layers])
    assert extra == (side > 32)


def test_bilinear_doublings_replace_depth_to_space():
    decoder = networks.decoder(4, (32, 32, 3), width=32, refine=1, upsampling="bilinear")
    names = {layer.name for layer in decoder.layers}
    assert {"enlarge_0", "enlarge_1"} <= names and "expand" not in names
    assert [decoder.get_layer(f"fine_{index}").output.shape[1:] for index in (0, 1)] == [(8, 8, 16), (16, 16, 8)]
    assert decoder.output["image"].shape[1:] == (32, 32, 3)


def test_progressive_growth_follows_the_steps_of_the_run():
    options = tiny("progressive", batch=8)
    images = np.random.default_rng(0).random((16, 8, 8, 1), dtype="float32")
    model = run.compiled(library.family("progressive")(options, images.shape[1:], 0), 160)
    opened = []
    for step in (0, 20, 30, 40, 60, 70, 80, 159):
        model.step.assign(step)
        opened.append([float(weight) for weight in model.opened()])
    assert opened == [[0, 0], [0, 0], [0.5, 0], [1, 0], [1, 0], [1, 0.5], [1, 1], [1, 1]]
    generator, latents = model.networks["generator"], np.random.default_rng(1).standard_normal((4, 12), dtype="float32")
    blocks = np.asarray(generator(latents)["image"]).reshape(4, 2, 4, 2, 4)
    assert np.ptp(blocks, axis=(2, 4)).max() == 0  # nothing is finer than a quarter of the side yet
    model.step.assign(159)
    model.fit(batches.Batches(images, None, 8), verbose=0)
    assert float(model.step) == 161
    blocks = np.asarray(generator(latents)["image"]).reshape(4, 2, 4, 2, 4)
    assert np.ptp(blocks, axis=(2, 4)).min() > 0
    for name in ("generator", "discriminator"):
        assert all(np.all(model.networks[name].get_layer(f"fade_{size}").kernel == 1) for size in (1, 2))


def test_real_images_have_the_detail_that_has_grown():
    from training.families.progressive import blended

    images = np.random.default_rng(0).random((2, 8, 8, 3), dtype="float32")
    coarse = images.reshape(2, 2, 4, 2, 4, 3).mean((2, 4)).repeat(4, 1).repeat(4, 2)
    np.testing.assert_allclose(np.asarray(blended(images, [0.0, 0.0])), coarse, atol=1e-6)
    np.testing.assert_allclose(np.asarray(blended(images, [1.0, 1.0])), images, atol=1e-6)


def test_codes_of_a_bigan_cannot_fall_together():
    options = tiny("bigan")
    encoder = run.build(options, run.training_data(options)).networks["encoder"]
    images = np.random.default_rng(0).random((64, 8, 8, 1), dtype="float32")
    codes = np.asarray(encoder(images, training=True)["latent"])
    np.testing.assert_allclose(codes.mean(0), 0, atol=1e-4)
    np.testing.assert_allclose(codes.std(0), 1, atol=0.2)  # untrained, they vary little more than its epsilon


def test_the_recogniser_of_an_infogan_has_the_discriminators_body():
    options = tiny("infogan", categories=3, styles=1, critic_hidden=8)
    networks = run.build(options, run.training_data(options)).networks
    body = {id(weight) for weight in networks["discriminator"].weights}
    own = [weight for weight in networks["recogniser"].weights if id(weight) not in body]
    assert sorted(tuple(weight.shape) for weight in own) == [(1,), (3,), (8, 1), (8, 3)]
