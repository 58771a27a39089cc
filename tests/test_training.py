"""Recipes, the loop, resumption, export and the command line, on real (small) data."""

import contextlib
import functools
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

import numpy as np
import onnx
import onnxruntime
import pytest

pytest.importorskip("tensorflow", reason="training needs TensorFlow: pip install -r requirements.txt")

import keras
from PIL import Image

from training import batches, cli, device, evaluate, export, library, networks, recipe, run, table
from zoo import models
from zoo.analysis import replay
from zoo.entries import Entry, catalog, entry
from zoo.latent import aggregate
from zoo.networks import run as run_onnx

FAMILIES = library.families()
TINY = {"dataset": "digits", "batch": 32, "width": 16, "epochs": 2, "snapshots": 2, "seed": 3, "precision": "float32"}


def tiny(family: str, name: str | None = None, **options) -> recipe.Recipe:
    values = {"name": name or family.replace("_", "-"), "title": f"Tiny {family}", "family": family, **TINY, **options}
    if "latent" in library.family(family).Recipe.model_fields:
        values.setdefault("latent", 12)
    return library.check(values)


# Recipes ---------------------------------------------------------------------------------------------------------


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


# Data and loop ---------------------------------------------------------------------------------------------------


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
def test_an_interrupted_run_ends_with_the_same_weights(family, tmp_path, monkeypatch):
    options = tiny(family, epochs=3, images=128)
    whole = run.train(options, tmp_path / "whole")

    saved = run.Folder.save

    def interrupted(self, model, epoch, *rest):
        saved(self, model, epoch, *rest)
        if epoch == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(run.Folder, "save", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run.train(options, tmp_path / "parts")
    parts = run.train(options, tmp_path / "parts")

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


# Export ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def exported(tmp_path_factory):
    """A function name of family → entry of a tiny run, trained and exported when it is first asked for."""
    folder = tmp_path_factory.mktemp("families")

    @functools.cache
    def made(family: str) -> Entry:
        options = tiny(family, images=64, epochs=1, network="conv")
        run.train(options, folder / "runs")
        return export.export(folder / "runs" / options.name, folder / "entries")

    return made


@pytest.fixture(scope="session")
def loaded(exported, tmp_path_factory):
    """A function name of family → what plain Keras loads from a copy of its entry's folder."""

    @functools.cache
    def model(family: str) -> keras.Model:
        return keras.saving.load_model(shutil.copytree(exported(family).folder, tmp_path_factory.mktemp("copy") / "it"))

    return model


@pytest.mark.parametrize("family", FAMILIES)
def test_an_exported_family_is_a_complete_entry(exported, family):
    made = exported(family)
    entry.verify(made)
    assert {"README.md", "config.json", "metadata.json", "model.weights.h5", "history.json", "samples.png"} <= set(
        made.manifest.files
    )
    assert made.manifest.provenance.images_seen == 64
    assert made.has("latents.npz") == ("encode" in made.capabilities)
    assert made.has("replay.npz") == bool(library.family(family).players) == (replay.load(made) is not None)
    if "generate" in made.capabilities:
        images = models.sample(made, 5, seed=0).images
        assert images.shape == (5, *made.shape) and images.min() >= 0 and images.max() <= 1


@pytest.mark.parametrize("family", FAMILIES)
def test_plain_keras_loads_the_folder_and_agrees_with_onnx(exported, loaded, family):
    made, whole = exported(family), loaded(family)
    rng = np.random.default_rng(1)
    for role, network in made.manifest.networks.items():
        given = {
            name: rng.integers(10, size=6).astype("int32")
            if name == "label"
            else rng.integers(network.outputs["logits"][-1], size=(6, *shape)).astype("int32")
            if name == "codes"
            else rng.random((6, *shape), dtype="float32")
            for name, shape in network.inputs.items()
        }
        layer = whole.get_layer(role)
        assert layer.trainable_variables, "whoever loads it may train it further"
        expected = layer(
            [given[tensor.name] for tensor in layer.inputs] if len(given) > 1 else next(iter(given.values()))
        )
        for name, value in run_onnx(made, role, **given).items():
            np.testing.assert_allclose(value, np.asarray(expected[name]), atol=export.TOLERANCE)


@pytest.mark.parametrize("family", FAMILIES)
def test_kernels_are_published_in_half_precision_and_computed_with_in_single(exported, loaded, family):
    made = exported(family)
    for layer in loaded(family).layers:
        for weight in map(np.asarray, layer.weights):
            assert weight.ndim < 2 or np.array_equal(weight, weight.astype("float16"))
    for role, network in made.manifest.networks.items():
        if role == "classifier":
            continue  # the export folds its normalisation into the kernels
        stored = onnx.load(made.folder / network.file).graph.initializer
        kernels = [tensor for tensor in stored if np.prod(tensor.dims) > 500 and tensor.data_type != 7]
        assert {tensor.data_type for tensor in kernels} <= {onnx.TensorProto.FLOAT16}, role


def test_what_half_precision_would_change_is_stored_as_it_is(tmp_path):
    exact, odd = np.arange(100, dtype="float32"), np.full(100, 1 / 3, "float32")
    large = np.full(100, 1e6, "float32")
    weights = [onnx.numpy_helper.from_array(array, name) for array, name in ((exact, "e"), (odd, "o"), (large, "l"))]
    output = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [100])
    graph = onnx.helper.make_graph([onnx.helper.make_node("Sum", ["e", "o", "l"], ["y"])], "g", [], [output], weights)
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 15)]), tmp_path / "x.onnx")

    def answer():
        return onnxruntime.InferenceSession(tmp_path / "x.onnx").run(None, {})[0]

    before = answer()
    export.halve(tmp_path / "x.onnx")
    np.testing.assert_array_equal(answer(), before)
    kinds = [tensor.data_type for tensor in onnx.load(tmp_path / "x.onnx").graph.initializer]
    assert kinds == [onnx.TensorProto.FLOAT16, onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT]


def test_a_wrong_onnx_export_is_refused(monkeypatch, tmp_path):
    device.use("float32")
    split = run.training_data(tiny("autoencoder"))
    network = run.build(tiny("autoencoder"), split).networks["decoder"]
    other = run.build(tiny("autoencoder", seed=9), split).networks["decoder"]
    other(np.zeros((1, 12), "float32"))
    monkeypatch.setattr(type(network), "export", lambda self, *a, **k: keras.Model.export(other, *a, **k))
    with pytest.raises(recipe.RecipeError, match="differs from Keras"):
        export.onnx_file(network, "decoder", tmp_path, split.images)


def test_a_failing_export_leaves_the_entry_that_was_there(exported, tmp_path, monkeypatch):
    made = exported("vae")
    shutil.copytree(made.folder, tmp_path / "vae")
    monkeypatch.setattr(export, "_animation", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        export.export(made.folder.parent.parent / "runs" / "vae", tmp_path)
    assert entry.read(tmp_path / "vae").revision == made.revision
    assert [path.name for path in tmp_path.iterdir()] == ["vae"]


def test_a_folder_of_unlabelled_oblong_pictures_becomes_an_entry(tmp_path):
    folder = tmp_path / "holiday"
    folder.mkdir()
    for index, pixels in enumerate(np.random.default_rng(0).integers(0, 256, (60, 12, 20, 3), dtype=np.uint8)):
        Image.fromarray(pixels).save(folder / f"{index}.png")
    run.train(tiny("vae", dataset=str(folder), epochs=1), tmp_path / "runs")
    made = evaluate.evaluate(export.export(tmp_path / "runs" / "vae", tmp_path / "zoo").folder)
    assert made.dataset == "holiday" and made.shape == (12, 20, 3) and made.manifest.metrics["mse"].value > 0
    assert "datasets:" not in (made.folder / "README.md").read_text()


def test_an_unfinished_run_is_not_exported(tmp_path):
    folder = run.Folder(tmp_path / "vae")
    folder.open(tiny("vae"))
    with pytest.raises(recipe.RecipeError, match="0 of 2 epochs"):
        export.export(folder.path, tmp_path)


def test_statistics_describe_the_codes(exported):
    made = exported("vae")
    statistics = aggregate.load(made)
    assert (
        statistics["mean"].shape == (12,)
        and statistics["covariance"].shape == (12, 12)
        and statistics["kl"].shape == (12,)
    )


# Command line ----------------------------------------------------------------------------------------------------


def command(*words, **environment):
    return subprocess.run([sys.executable, "-m", "training", *map(str, words)], capture_output=True, text=True,
                          cwd=pathlib.Path(__file__).parent.parent, env=os.environ | environment)  # fmt: skip


def test_one_command_leads_from_a_recipe_to_an_entry_in_the_gallery(tmp_path):
    file = tmp_path / "my-digits.toml"
    file.write_text(
        'title = "Mine"\nfamily = "vae"\ndataset = "digits"\nnetwork = "dense"\nlatent = 3\nwidth = 32\nepochs = 2\n'
    )
    done = command("train", file, "--runs", tmp_path / "runs", "--entries", tmp_path / "zoo", "--entry")
    assert done.returncode == 0, done.stderr[-2000:]
    made = catalog.find("my-digits", [tmp_path / "zoo"])
    assert made.title == "Mine" and {"mse", "psnr", "ssim"} <= set(made.manifest.metrics)
    assert "absl" not in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["train", "nothing"], "There is no recipe 'nothing'"),
        (["train", "digits-vae", "--set", "beta=-1"], "'beta' is wrong"),
        (["train", "digits-vae", "--set", "dataset=/no/such/folder"], "/no/such/folder"),
        (["export", "nothing"], "holds no run"),
        (["evaluate", "nothing"], "nothing is not an entry"),
    ],
)
def test_a_mistake_ends_in_one_sentence(words, sentence, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(words) == 2
    message = capsys.readouterr().err.strip()
    assert message.startswith("error: ") and sentence in message and "\n" not in message


def test_the_table_in_the_readme_is_current():
    readme = table.README.read_text("utf-8")
    assert table.updated(readme) == readme, "renew it with: python -m training table"
    assert readme.count("](zoo/pretrained/") == len(catalog.entries([catalog.EMBEDDED]))


def test_recipes_are_listed_with_their_keys(capsys):
    assert cli.main(["recipes"]) == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in library.recipes())
    assert cli.main(["recipes", "vae"]) == 0
    assert "weight of the KL term" in capsys.readouterr().out


HELP = {
    "app": ["--port"],
    "recipes": ["FAMILY"],
    "train": ["RECIPE", "--set", "--fresh", "--entry", "--runs", "--entries"],
    "export": ["RUN", "--runs", "--entries"],
    "evaluate": ["ENTRY", "--seed", "--only", "--entries"],
    "refit": ["ENTRY", "--entries"],
    "table": ["README.md"],
    "publish": ["ENTRY", "OWNER/NAME", "--private", "--tag", "--dry-run", "--entries"],
    "import": ["SOURCE", "--to", "--role", "--range", "--reads", "--name", "--title", "--file", "--dataset", "--side",
               "--architecture", "--strides", "--activation", "--output-activation", "[@revision]"],
}  # fmt: skip


def test_help_names_every_verb_and_its_options(capsys):
    assert cli.main(["--help"]) == 0
    overview = capsys.readouterr().out
    for verb, words in HELP.items():
        assert verb in overview
        assert cli.main([verb, "--help"]) == 0
        shown = capsys.readouterr().out
        assert [word for word in words if word not in shown] == [], verb
    assert len(HELP) == len(cli.app.registered_commands)


@pytest.mark.parametrize(
    "words",
    [[], ["fly"], ["train"], ["train", "x", "--colour"], ["evaluate", "x", "--seed", "-1"], ["app", "--port", "x"]],
)
def test_a_wrong_command_ends_with_status_2(words, capsys):
    assert cli.main(words) == 2
    assert "Usage" in "".join(capsys.readouterr())


def test_an_interrupted_training_says_how_it_goes_on(capsys, monkeypatch):
    monkeypatch.setattr(library, "load", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    assert cli.main(["train", "digits-vae"]) == 130
    assert capsys.readouterr().err == "Interrupted; the same command resumes after the last finished epoch.\n"


# Runs the command line in a process that has neither Keras nor TensorFlow.
WITHOUT_KERAS = """
import sys
sys.modules |= {"keras": None, "tensorflow": None, "jax": None}
from training.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        (["--help"], 0, "Start the app"),
        (["publish", "digits-vae", "ada/digits-vae", "--dry-run"], 0, "files for ada/digits-vae"),
        (["train", "digits-vae"], 2, 'error: `train` needs keras: pip install "latent-zoo[train]".'),
        (["export", "digits-vae"], 2, 'error: `export` needs keras: pip install "latent-zoo[train]".'),
    ],
)
def test_without_keras_verbs_work_or_say_what_to_install(words, status, sentence):
    root = pathlib.Path(__file__).parent.parent
    done = subprocess.run([sys.executable, "-c", WITHOUT_KERAS, *words], cwd=root, capture_output=True, text=True)
    assert done.returncode == status and sentence in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_the_app_starts_from_the_command_line(tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    root = pathlib.Path(__file__).parent.parent
    words = [sys.executable, "-m", "training", "app", "--port", str(port)]
    process = subprocess.Popen(words, cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               env=os.environ | {"STREAMLIT_SERVER_HEADLESS": "true"})  # fmt: skip
    try:
        for _ in range(300):
            with (
                contextlib.suppress(OSError),
                urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health") as found,
            ):
                assert found.read() == b"ok"
                return
            assert process.poll() is None, "the server ended"
            time.sleep(0.2)
        pytest.fail("the server does not answer")
    finally:
        process.terminate()
        process.wait(15)
