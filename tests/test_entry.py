"""The entry contract: what is written reads back, what is wrong is refused in one sentence."""

import hashlib
import json
import os

import pytest
import tiny_entries as tiny

from zoo.entries import entry
from zoo.errors import EntryError
from zoo.manifest import Manifest


@pytest.fixture
def folder(tmp_path):
    tiny.vae(tmp_path / "tiny-vae")
    return tmp_path / "tiny-vae"


def rewrite(folder, change):
    document = json.loads((folder / "zoo.json").read_text())
    change(document)
    (folder / "zoo.json").write_text(json.dumps(document))


def test_write_and_read_agree(folder):
    found = entry.read(folder)
    assert (found.name, found.title, found.dataset) == ("tiny-vae", "Tiny-Vae", "digits")
    assert (found.shape, found.latent_shape, found.classes) == (tiny.SHAPE, (2,), ("a", "b", "c"))
    assert found.parameters == 20 and not found.conditional
    assert found.capabilities == {"encode", "decode", "reconstruct", "generate"}
    assert found.revision == hashlib.sha256((folder / "zoo.json").read_bytes()).hexdigest()[:12]
    assert found.manifest.files["onnx/decoder.onnx"].size == (folder / "onnx/decoder.onnx").stat().st_size
    assert found.manifest.model_extra["future"] == {"kept": True}
    entry.verify(found)


def test_capabilities_follow_the_networks(tmp_path):
    assert tiny.vqvae(tmp_path / "vq").capabilities == {"encode", "decode", "reconstruct", "generate"}
    assert tiny.gan(tmp_path / "gan").capabilities == {"decode", "generate", "judge", "conditional"}
    assert tiny.classifying(tmp_path / "classifier").capabilities == {"classify"}
    assert "generate" not in tiny.autoencoder(tmp_path / "bare").capabilities


def test_entries_are_equal_by_folder_and_revision(folder):
    first = entry.read(folder)
    assert first == entry.read(folder) and hash(first) == hash(entry.read(folder))
    rewrite(folder, lambda document: document.update(title="Another"))
    assert first != entry.read(folder)


def test_write_leaves_hidden_files_out_and_replaces_nothing_when_refused(folder):
    (folder / ".cache").mkdir()
    (folder / ".cache/lock").write_text("x")
    (folder / "README.md").write_text("card")
    before = (folder / "zoo.json").read_bytes()
    manifest = entry.read(folder).manifest
    with pytest.raises(EntryError, match="conditional"):
        entry.write(folder, manifest.model_copy(update={"conditional": True}))
    for value in (float("nan"), {"deep": object()}):
        with pytest.raises(EntryError, match="not plain JSON"):
            entry.write(folder, Manifest.model_validate(dict(manifest) | {"extra": value}))
    assert (folder / "zoo.json").read_bytes() == before
    written = entry.write(folder, manifest)
    assert written.has("README.md") and not any("cache" in name for name in written.manifest.files)
    assert {path.name for path in folder.iterdir()} == {".cache", "README.md", "onnx", "zoo.json"}


def at(*keys, value):
    """Return a change of one value deep in a manifest."""

    def change(document):
        for key in keys[:-1]:
            document = document[key]
        document[keys[-1]] = value

    return change


def without(*keys):
    def change(document):
        for key in keys[:-1]:
            document = document[key]
        del document[keys[-1]]

    return change


def many_files(document):
    record = document["files"]["onnx/decoder.onnx"]
    document["files"] |= {f"file{number}": record for number in range(300)}


def classifier_in_vae(document):
    document["networks"]["classifier"] = {
        "file": "onnx/encoder.onnx",
        "inputs": {"image": [4, 4, 1]},
        "outputs": {"logits": [4], "features": [5]},
        "parameters": 1,
    }


def discrete(change):
    """Return a change of a manifest that makes it one of a discrete entry first."""

    def both(document):
        network = {"inputs": {"codes": [2, 2]}, "outputs": {"logits": [2, 2, 3]}, "parameters": 1}
        document["latent"] = {"shape": [2, 2, 2], "prior": "autoregressive"}
        document["networks"] = {"prior": {"file": "onnx/decoder.onnx"} | network}
        change(document)

    return both


ENCODER, DECODER = ("networks", "encoder"), ("networks", "decoder")
DEFECTS = {
    "schema of the future": (at("schema", value=2), "key schema: it was made by a newer zoo (version 2)"),
    "minor of the future's major": (at("schema", value="2.3"), "made by a newer zoo (version 2.3)"),
    "schema that is no version": (at("schema", value="one"), "key schema: 'one' is no version"),
    "schema as a fraction": (at("schema", value=1.1), "key schema: 1.1 is no version"),
    "schema of truth": (at("schema", value=True), "key schema: True is no version"),
    "no schema": (without("schema"), "schema"),
    "no name": (without("name"), "name"),
    "name in capitals": (at("name", value="Tiny"), "name"),
    "name that climbs": (at("name", value="../tiny"), "name"),
    "endless name": (at("name", value="a" * 97), "name"),
    "title of a number": (at("title", value=3), "title"),
    "endless title": (at("title", value="a" * 201), "title"),
    "paper with a script": (at("paper", value="javascript:alert(1)"), "paper"),
    "year as text": (at("year", value="2013"), "year"),
    "no dataset": (without("dataset", "id"), "dataset.id"),
    "two-channel image": (at("image", "shape", value=[4, 4, 2]), "image.shape.2"),
    "image of one pixel": (at("image", "shape", value=[1, 1, 1]), "image.shape.0"),
    "image too large": (at("image", "shape", value=[513, 4, 1]), "image.shape.0"),
    "flat image": (at("image", "shape", value=[16]), "image.shape.1"),
    "other range": (at("image", "range", value=[-1, 1]), "image.range.0"),
    "latent too large": (at("latent", "shape", value=[65536, 2]), "latent"),
    "empty latent": (at("latent", "shape", value=[]), "latent.shape"),
    "unknown prior": (at("latent", "prior", value="cauchy"), "latent.prior"),
    "prior without its network": (at("latent", "prior", value="autoregressive"), "latent"),
    "network without its prior": (discrete(lambda m: m["latent"].update(prior="none")), "latent.prior must be"),
    "latent without a grid": (discrete(lambda m: m["latent"].update(shape=[8])), "needs a grid"),
    "grid too large": (discrete(lambda m: m["latent"].update(shape=[33, 32, 2])), "needs a grid"),
    "codes of another grid": (discrete(lambda m: m["networks"]["prior"]["inputs"].update(codes=[2])), "codes as [2]"),
    "logits of another grid": (
        discrete(lambda m: m["networks"]["prior"]["outputs"].update(logits=[3])),
        "logits as [3] where [2, 2, 3] is needed",
    ),
    "logits of nothing": (discrete(lambda m: m["networks"]["prior"]["outputs"].update(logits=[])), "logits as []"),
    "codebook of one": (discrete(lambda m: m["networks"]["prior"]["outputs"].update(logits=[2, 2, 1])), "1 vectors"),
    "prior of a class": (discrete(lambda m: m["networks"]["prior"]["inputs"].update(label=[])), "which a prior"),
    "no latent": (at("latent", value=None), "latent is null"),
    "class twice": (at("classes", value=["a", "a", "b"]), "classes"),
    "too many classes": (at("classes", value=[str(number) for number in range(10_001)]), "classes"),
    "conditional without label": (at("conditional", value=True), "no network takes a label"),
    "label without conditional": (at(*DECODER, "inputs", "label", value=[]), "a network takes a label"),
    "no networks": (at("networks", value={}), "networks"),
    "unknown role": (at("networks", "oracle", value={"file": "onnx/encoder.onnx"}), "networks.oracle"),
    "encoder without image": (at(*ENCODER, "inputs", value={}), 'networks.encoder.inputs lacks "image"'),
    "encoder with a text": (at(*ENCODER, "inputs", "text", value=[4]), "networks.encoder.inputs holds 'text'"),
    "half a posterior": (without(*ENCODER, "outputs", "z_mean"), "networks.encoder.outputs must be exactly"),
    "posterior of other size": (at(*ENCODER, "outputs", "z_mean", value=[3]), "z_mean as [3] where [2] is needed"),
    "decoder of other images": (at(*DECODER, "outputs", "image", value=[8, 8, 1]), "image as [8, 8, 1]"),
    "negative shape": (at(*DECODER, "inputs", "latent", value=[-2]), "networks.decoder.inputs.latent.0"),
    "two image makers": (lambda m: m["networks"].update(generator=m["networks"]["decoder"]), "only one network"),
    "classifier of other classes": (classifier_in_vae, "logits as [4] where [3] is needed"),
    "negative parameters": (at(*DECODER, "parameters", value=-1), "networks.decoder.parameters"),
    "network outside": (at(*DECODER, "file", value="../decoder.onnx"), "networks.decoder.file"),
    "network by absolute path": (at(*DECODER, "file", value="/etc/passwd"), "networks.decoder.file"),
    "network by backslash": (at(*DECODER, "file", value="onnx\\decoder.onnx"), "networks.decoder.file"),
    "network that files lack": (without("files", "onnx/decoder.onnx"), "networks.decoder.file"),
    "file outside": (lambda m: m["files"].update({"a/../../b": m["files"]["onnx/decoder.onnx"]}), "files"),
    "hash of another kind": (at("files", "onnx/decoder.onnx", "sha256", value="00"), "sha256"),
    "other size": (at("files", "onnx/decoder.onnx", "size", value=1), "onnx/decoder.onnx has"),
    "file of 3 GiB": (at("files", "onnx/decoder.onnx", "size", value=3 << 30), "size"),
    "too many files": (many_files, "files"),
    "lists itself": (lambda m: m["files"].update({"zoo.json": m["files"]["onnx/decoder.onnx"]}), "its own hash"),
    "missing file": (lambda m: m["files"].update(gone=m["files"]["onnx/decoder.onnx"]), "gone is missing"),
    "infinite metric": (at("metrics", "mse", "value", value=float("inf")), "not finite"),
    "metric as text": (at("metrics", "mse", "value", value="0.1"), "metrics.mse.value"),
    "number that is not one, in an unknown key": (at("future", value=[{"deep": float("nan")}]), "not finite"),
    "lone surrogate in an unknown key": (at("future", value="\ud800"), "surrogates"),
    "negative seconds": (at("provenance", "seconds", value=-1), "provenance.seconds"),
}


@pytest.mark.parametrize("defect", DEFECTS)
def test_wrong_manifests_are_refused_by_name_and_key(folder, defect):
    change, key = DEFECTS[defect]
    rewrite(folder, change)
    with pytest.raises(EntryError) as refusal:
        entry.read(folder)
    message = str(refusal.value)
    assert "tiny-vae" in message and key in message
    assert "\n" not in message and len(message) < 400 and message.endswith(".")


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b"1" * 5000, b" " * (1 << 20) + b"{}"]
)
def test_files_that_are_no_manifest_are_refused(folder, content):
    (folder / "zoo.json").write_bytes(content)
    with pytest.raises(EntryError, match="tiny-vae is refused"):
        entry.read(folder)


def test_missing_folder_and_missing_manifest_are_refused(tmp_path):
    for place in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(EntryError, match="is not an entry"):
            entry.read(place)
    os.mkfifo(tmp_path / "zoo.json")
    with pytest.raises(EntryError, match="is not an entry"):
        entry.read(tmp_path)


def test_links_out_of_the_folder_are_refused(folder, tmp_path):
    manifest, target = entry.read(folder).manifest, tmp_path / "outside.onnx"
    (folder / "onnx/decoder.onnx").rename(target)
    (folder / "onnx/decoder.onnx").symlink_to(target)
    with pytest.raises(EntryError, match=r"onnx/decoder.onnx leads out of the folder"):
        entry.read(folder)
    with pytest.raises(EntryError, match="leads out"):
        entry.write(folder, manifest)


def test_links_inside_the_folder_are_followed(folder):
    (folder / "onnx/decoder.onnx").rename(folder / "blob")
    (folder / "onnx/decoder.onnx").symlink_to("../blob")
    entry.verify(entry.read(folder))


def test_a_changed_file_is_noticed_by_its_hash(folder):
    found = entry.read(folder)
    path = folder / "onnx/decoder.onnx"
    path.write_bytes(path.read_bytes()[::-1])
    entry.verify(found, "onnx/encoder.onnx")
    with pytest.raises(EntryError, match=r"tiny-vae is refused: onnx/decoder.onnx is not the file"):
        entry.verify(found)
    with pytest.raises(EntryError, match="sha256 differs"):
        found.content("onnx/decoder.onnx", 1 << 20)


def test_content_is_bounded_and_only_of_listed_files(folder):
    found = entry.read(folder)
    assert found.content("onnx/encoder.onnx", 1 << 20) == (folder / "onnx/encoder.onnx").read_bytes()
    with pytest.raises(EntryError, match="more than 10"):
        found.content("onnx/encoder.onnx", 10)
    for name in ("zoo.json", "../secret", "samples.png"):
        with pytest.raises(EntryError, match="has no file"):
            found.path(name)
    (folder / "onnx/encoder.onnx").unlink()
    with pytest.raises(EntryError, match="is missing"):
        found.content("onnx/encoder.onnx", 1 << 20)


def test_a_manifest_survives_the_round_trip(folder):
    document = json.loads((folder / "zoo.json").read_text())
    entry.write(folder, entry.read(folder).manifest)
    assert json.loads((folder / "zoo.json").read_text()) == document and document["future"] == {"kept": True}
