"""A finished run becomes an entry: Keras model, verified ONNX files, latent statistics, sheets and manifest."""

import io
import json
import pathlib
import shutil
import zipfile
from typing import Any

import h5py
import keras
import numpy as np
import onnx
import onnxruntime
from PIL import Image

from training import aggregate, device, staging
from training.family import Family, outputs
from training.networks import codebook
from training.recipe import RecipeError
from training.run import Folder, build, training_data
from zoo import entries, models
from zoo.analysis import replay
from zoo.data import datasets
from zoo.hub.origin import TAG
from zoo.images import png, sheet
from zoo.manifest import SCHEMA, Dataset, File, Latent, Manifest, Network, Provenance
from zoo.manifest import Image as ImageFormat
from zoo.sharing.card import KERAS

TOLERANCE = 1e-4  # largest difference between the outputs of ONNX and Keras


def export(run: pathlib.Path, destination: pathlib.Path) -> entries.Entry:
    """Write the run in folder `run` as entry destination/<name>; it replaces an older one only when all is verified.

    Raises RecipeError when the run is unfinished, or when ONNX and Keras differ by more than TOLERANCE."""
    folder = Folder(run)
    recipe = folder.recipe()
    device.use("float32", recipe.seed)  # published networks are float32, whatever they were trained in
    train = training_data(recipe)
    model = build(recipe, train)
    done, history = folder.restore(model, optimizer=False)
    if done < recipe.epochs:
        raise RecipeError(
            f"{run} has run {done} of {recipe.epochs} epochs; finish it with: python -m training train {recipe.name}."
        )
    for network in model.exported.values():
        network.trainable = True  # whoever loads it may train it further
        round_kernels(network)

    final = pathlib.Path(destination) / recipe.name
    with staging.replacing(final) as staged:
        save(whole(model.exported, recipe.name), staged)
        networks = {role: onnx_file(network, role, staged, train.images) for role, network in model.exported.items()}
        (staged / "history.json").write_text(json.dumps(history))
        _animation(folder, staged)
        if (folder.path / replay.FILE).exists():
            shutil.copy(folder.path / replay.FILE, staged)
        with entries.refusing(recipe.name):
            manifest = _manifest(model, folder, train, networks, history, entries.files(staged))
        entry = entries.write(staged, manifest)
        if "encode" in entry.capabilities:
            if model.prior == "autoregressive":
                np.savez_compressed(staged / "latents.npz", codebook=codebook(model.exported["decoder"]))
            else:
                aggregate.write(staged, entry, train, recipe.seed)
            entry = entries.write(staged, manifest)
        if (drawn := sample_sheet(entry)) is not None:
            (staged / "samples.png").write_bytes(png(drawn))
        entry = staging.finish(staged, manifest)
        replay.load(entry)
        entries.verify(entry)
    return entries.read(final)


def round_kernels(network: keras.Model) -> None:
    """Round every weight but vectors and numbers (biases, statistics) to the 11 significant bits of float16.

    Networks still compute in float32. The files shrink by half; `evaluate` measures what is published."""
    for weight in network.weights:
        if len(weight.shape) > 1:
            weight.assign(np.asarray(weight).astype(np.float16).astype(np.float32))


def save(model: keras.Model, folder: pathlib.Path) -> None:
    """Write a model in Keras' own layout for folders: config.json, metadata.json and, compressed, model.weights.h5.

    Raises OSError on a full disk. HDF5 writes in memory alone: where a disk refuses, its library ends the process."""
    packed = folder / "model.keras"
    keras.saving.save_model(model, packed)
    with zipfile.ZipFile(packed) as archive:
        content = {name: archive.read(name) for name in KERAS}
    packed.unlink()
    for name, data in content.items():
        (folder / name).write_bytes(compressed(data) if name.endswith(".h5") else data)


def compressed(weights: bytes) -> bytes:
    """Return an HDF5 file with HDF5's own lossless compression, which every reader of it understands."""
    smaller = io.BytesIO()
    with h5py.File(io.BytesIO(weights)) as source, h5py.File(smaller, "w") as target:

        def copy(name: str, item: h5py.Dataset | h5py.Group) -> None:
            if isinstance(item, h5py.Dataset):
                large = item.size is not None and item.size > 64
                filters = {"compression": "gzip", "compression_opts": 9, "shuffle": True} if large else {}
                target.create_dataset(name, data=item[()], **filters)
            else:
                target.require_group(name)
            target[name].attrs.update(item.attrs)

        source.visititems(copy)
        target.attrs.update(source.attrs)
    return smaller.getvalue()


def whole(networks: dict[str, keras.Model], name: str) -> keras.Model:
    """Return one Functional model that holds the networks as sub-models under their roles, each behind the one before:
    encoder, decoder or generator, discriminator; beside them a prior; or a classifier alone.

    Plain Keras loads it, and its `get_layer("decoder")` is the decoder."""
    chain = [networks[role] for role in ("encoder", "generator", "decoder", "discriminator") if role in networks]
    first, *others = chain or [networks["classifier"]]
    inputs = [keras.Input(x.shape[1:], dtype=x.dtype, name=x.name) for x in first.inputs]
    found: Any = first(inputs if len(inputs) > 1 else inputs[0])
    for network in others:
        through = next(found[name] for name in ("image", "latent", "z_mean") if name in found)
        found = found | network([through, inputs[1]] if len(inputs) > 1 else through)
    if "prior" in networks:
        inputs.append(keras.Input(networks["prior"].input_shape[1:], dtype="int32", name="codes"))
        found = found | networks["prior"](inputs[-1])
    return keras.Model(inputs, found, name=name.replace(".", "_"))


def onnx_file(network: keras.Model, role: str, folder: pathlib.Path, images: np.ndarray, count: int = 64) -> Network:
    """Write folder/onnx/<role>.onnx and compare it with Keras on `count` inputs; images (N, H, W, C) are some of them.

    Returns the manifest's description. Raises RecipeError when an output differs by more than TOLERANCE, relative to
    its largest value where that exceeds 1."""
    batch = _test_inputs(network, images, count)
    expected = outputs(network, list(batch.values()) if len(batch) > 1 else next(iter(batch.values())))
    file = folder / "onnx" / f"{role}.onnx"
    file.parent.mkdir(exist_ok=True)
    network.export(str(file), format="onnx", verbose=False)
    halve(file)

    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    names = list(expected)
    got = dict(zip(names, session.run(names, {i.name: batch[i.name] for i in session.get_inputs()}), strict=True))
    for name, value in expected.items():
        error = float(np.abs(np.asarray(value) - np.asarray(got[name])).max())
        if not error <= TOLERANCE * max(1.0, float(np.abs(np.asarray(value)).max())):
            raise RecipeError(
                f"The ONNX export of the {role} differs from Keras by {error:.2g} in {name} (allowed {TOLERANCE:.0e}); "
                "nothing was written."
            )
    return Network(
        file=f"onnx/{role}.onnx",
        inputs={tensor.name: tuple(tensor.shape[1:]) for tensor in network.inputs},
        outputs={name: tuple(value.shape[1:]) for name, value in expected.items()},
        parameters=network.count_params(),
    )


def _test_inputs(network: keras.Model, images: np.ndarray, count: int) -> dict[str, np.ndarray]:
    """Return `count` random values for each input of a network: some of the images, classes, codes or latents."""
    rng = np.random.default_rng(0)
    batch: dict[str, np.ndarray] = {}
    for tensor in network.inputs:
        if tensor.name in ("image", "source"):
            batch[tensor.name] = images[rng.integers(len(images), size=count)]
        elif tensor.name == "label":
            classes = next(layer.input_dim for layer in network.layers if isinstance(layer, keras.layers.Embedding))
            batch["label"] = rng.integers(classes, size=count).astype("int32")
        elif tensor.name == "codes":
            batch["codes"] = rng.integers(network.output_shape[-1], size=(count, *tensor.shape[1:])).astype("int32")
        elif any(layer.name == "quantised" for layer in network.layers):
            # Far from every border between two codes, where rounding would decide which of them is nearer.
            table = codebook(network)
            batch["latent"] = table[rng.integers(len(table), size=(count, *tensor.shape[1:-1]))]
        else:
            batch["latent"] = rng.standard_normal((count, *tensor.shape[1:])).astype("float32")
    return batch


def halve(file: pathlib.Path) -> None:
    """Store the arrays of an ONNX file that float16 holds exactly in float16, and cast them when it is loaded."""
    model = onnx.load(file)
    casts = []
    for tensor in model.graph.initializer:
        array = onnx.numpy_helper.to_array(tensor)
        if array.dtype != np.float32 or array.size <= 64:
            continue
        with np.errstate(over="ignore"):
            half = array.astype(np.float16)
        if (half == array).all():
            casts.append(
                onnx.helper.make_node("Cast", [f"{tensor.name}_half"], [tensor.name], to=onnx.TensorProto.FLOAT)
            )
            tensor.CopyFrom(onnx.numpy_helper.from_array(half, f"{tensor.name}_half"))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.save(model, file)


def sample_sheet(entry: entries.Entry) -> np.ndarray | None:
    """Return the gallery's picture, uint8 (H, W, 3): samples by the default sampler, with one column per
    class for conditional entries; for a classifier its confusion matrix on the test split."""
    if "generate" not in entry.capabilities:
        return confusion_sheet(entry)
    classes = max(1, len(entry.classes)) if entry.conditional else 1
    columns = classes * max(1, 12 // classes)  # few classes stand side by side more than once
    count = columns * 8
    label = np.arange(count) % classes if entry.conditional else None
    return sheet(models.sample(entry, count, seed=entry.manifest.provenance.seed or 0, label=label).images, columns)


def confusion_sheet(entry: entries.Entry) -> np.ndarray | None:
    """Return a classifier's confusion matrix on the test split as a picture, uint8 (H, W, 3); None without labels.

    Rows are true classes, columns predictions. Grey is the share on a square-root scale: rare ones show."""
    # A local folder's path is in the recipe, the manifest has its name.
    test = datasets.load(entry.manifest.provenance.options.get("dataset", entry.dataset), "test", **entry.columns)
    if test.labels is None:
        return None
    predicted = models.classify(entry, test.images)[0].argmax(1)
    counts = np.zeros((len(entry.classes), len(entry.classes)))
    np.add.at(counts, (test.labels, predicted), 1)
    shares = np.sqrt(counts / counts.sum(1, keepdims=True))
    cell = max(1, 240 // len(shares))
    return sheet(np.full((shares.size, cell, cell, 1), shares.reshape(-1, 1, 1, 1)), len(shares), gap=2)


def _animation(folder: Folder, staged: pathlib.Path) -> None:
    """snapshots.gif from the sheets kept along training; the last one stays a while."""
    frames = [
        Image.open(path).convert("P", palette=Image.Palette.ADAPTIVE) for path in sorted(folder.snapshots.glob("*.png"))
    ]
    if frames:
        durations = [500] * (len(frames) - 1) + [2500]
        frames[0].save(staged / "snapshots.gif", save_all=True, append_images=frames[1:], duration=durations, loop=0)


def _manifest(
    model: Family,
    folder: Folder,
    train: datasets.Split,
    networks: dict[str, Network],
    history: dict[str, list],
    files: dict[str, File],
) -> Manifest:
    recipe = model.recipe
    return Manifest(
        schema_version=SCHEMA,
        name=recipe.name,
        title=recipe.title,
        family=recipe.family,
        family_title=model.title,
        year=model.year,
        paper=model.paper,
        description=recipe.description,
        tags=(TAG, recipe.family, train.name),
        dataset=Dataset(id=train.name, revision=train.revision, images=len(train.images), source=train.source),
        image=ImageFormat.model_validate({"shape": tuple(model.shape), "range": (0, 1)}),
        latent=Latent.model_validate({"shape": tuple(model.latent_shape), "prior": model.prior})
        if model.prior
        else None,
        classes=tuple(train.classes),
        conditional=model.conditional,
        networks=networks,
        metrics={},
        provenance=Provenance(
            recipe=recipe.name,
            seed=recipe.seed,
            images_seen=history["images"][-1],
            seconds=history["seconds"][-1],
            options=recipe.model_dump(),
            **folder.origin(),
        ),
        files=files,
    )
