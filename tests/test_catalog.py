"""Listing entries: order, sources, duplicates, and broken ones that take nothing down."""

import pytest
import tiny_entries as tiny

from zoo.entries import catalog, entry
from zoo.entries.catalog import Broken


@pytest.fixture
def zoo(tmp_path):
    folder = tmp_path / "zoo"
    tiny.vae(folder / "b-vae", dataset={"id": "digits"})
    tiny.vae(folder / "a-vae", dataset={"id": "digits"})
    tiny.vae(folder / "own-vae", dataset={"id": "someone/own"})
    tiny.vae(folder / "mnist-vae", dataset={"id": "mnist"})
    tiny.classifying(folder / "digits-classifier")
    (folder / "notes").mkdir()
    (folder / "README.md").write_text("not an entry")
    return folder


def names(items):
    return [item.name for item in items]


def test_entries_come_by_dataset_and_what_draws_comes_first(zoo):
    assert names(catalog.load([zoo])) == ["mnist-vae", "a-vae", "b-vae", "digits-classifier", "own-vae"]


def test_a_broken_entry_comes_last_with_its_reason(zoo):
    (zoo / "a-vae/onnx/decoder.onnx").unlink()
    (zoo / "b-vae/zoo.json").write_text("{")
    items = catalog.load([zoo])
    assert names(items) == ["mnist-vae", "digits-classifier", "own-vae", "a-vae", "b-vae"]
    assert items[-2] == Broken("a-vae", zoo / "a-vae", "The entry a-vae is incomplete: onnx/decoder.onnx is missing.")
    assert "not valid JSON" in items[-1].reason
    assert names(catalog.entries([zoo])) == ["mnist-vae", "digits-classifier", "own-vae"]
    assert catalog.find("a-vae", [zoo]) is None


def test_two_entries_of_one_name_are_told_apart(zoo, tmp_path):
    tiny.vae(tmp_path / "other/a-vae", title="Another")
    tiny.vae(tmp_path / "other/c-vae")
    both = [zoo, tmp_path / "other", zoo]
    assert [(catalog.find(name, both).title) for name in ("a-vae", "a-vae-2")] == ["A-Vae", "Another"]
    assert catalog.find("a-vae", [tmp_path / "other", zoo]).title == "Another"
    assert len(catalog.load(both)) == 7
    assert catalog.find("a-vae-2", both).name == "a-vae"


def test_a_usable_entry_takes_the_name_of_a_broken_one(zoo, tmp_path):
    tiny.vae(tmp_path / "other/a-vae", title="Another")
    (zoo / "a-vae/zoo.json").write_text("{")
    assert catalog.find("a-vae", [zoo, tmp_path / "other"]).title == "Another"
    assert "not valid JSON" in catalog.load([zoo, tmp_path / "other"])[-1].reason


def test_a_source_may_be_one_entry(zoo):
    assert names(catalog.load([zoo / "a-vae"])) == ["a-vae"]


def test_a_source_that_is_not_there_is_told(zoo, tmp_path):
    items = catalog.load([tmp_path / "nowhere", zoo])
    assert isinstance(items[-1], Broken)
    assert "nowhere cannot be listed" in items[-1].reason
    assert len(items) == 6


def test_the_environment_names_further_sources(zoo, tmp_path, monkeypatch):
    tiny.vae(tmp_path / "single")
    monkeypatch.setattr(catalog, "EMBEDDED", zoo)
    monkeypatch.delenv("ZOO_SOURCES", raising=False)
    assert len(catalog.load()) == 5
    monkeypatch.setenv("ZOO_SOURCES", f" , {tmp_path / 'single'}, owner/name, not a source")
    assert len(catalog.load()) == 6
    assert catalog.find("single").folder == tmp_path / "single"


def test_unchanged_entries_are_not_read_again(zoo, monkeypatch):
    catalog.load([zoo])
    seen = []
    monkeypatch.setattr(catalog, "read", lambda folder, *_: (seen.append(folder.name), entry.read(folder))[1])
    assert len(catalog.load([zoo])) == 5
    assert seen == []
    entry.write(zoo / "a-vae", entry.read(zoo / "a-vae").manifest.model_copy(update={"title": "Renamed"}))
    assert catalog.find("a-vae", [zoo]).title == "Renamed"
    assert seen == ["a-vae"]


def test_a_repaired_entry_is_seen(zoo):
    network = zoo / "a-vae/onnx/decoder.onnx"
    content = network.read_bytes()
    network.unlink()
    assert catalog.find("a-vae", [zoo]) is None
    network.write_bytes(content)
    assert catalog.find("a-vae", [zoo]) is not None


def test_the_classifier_of_a_dataset(zoo):
    entries = catalog.entries([zoo])
    found = catalog.classifier_for("digits", entries)
    assert found.name == "digits-classifier"
    assert catalog.classifier_for(catalog.find("a-vae", [zoo]), entries) == found
    assert catalog.classifier_for("mnist", entries) is None
