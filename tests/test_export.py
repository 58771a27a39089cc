"""Runs become entries: complete, the same in Keras and ONNX, and left alone where an export fails."""

import functools
import shutil

import numpy as np
import onnx
import onnxruntime
import pytest

pytest.importorskip("tensorflow", reason="training needs TensorFlow: pip install -r requirements.txt")

import keras
from PIL import Image
from tiny_runs import FAMILIES, tiny

from training import device, evaluate, export, library, recipe, run
from zoo import models
from zoo.analysis import replay
from zoo.entries import Entry, entry
from zoo.latent import aggregate
from zoo.networks import run as run_onnx


@pytest.fixture(scope="module")
def exported(tmp_path_factory, few_measured):
    """A function name of family → entry of a tiny run, trained and exported when it is first asked for."""
    folder = tmp_path_factory.mktemp("families")

    @functools.cache
    def made(family: str) -> Entry:
        options = tiny(family, images=64, epochs=1, network="conv")
        run.train(options, folder / "runs")
        return export.export(folder / "runs" / options.name, folder / "entries")

    return made


@pytest.fixture(scope="module")
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
