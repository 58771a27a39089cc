"""What the pages read and keep: bounded in memory, and cheap to ask for on every run."""

import tomllib

import numpy as np
import pytest
import streamlit as st
from conftest import ROOT
from PIL import Image
from streamlit.byte_util import config_max_cache_data_size_to_bytes
from streamlit.runtime.caching.global_cache_budget import get_global_cache_budget

from zoo.data import datasets
from zoo.widgets import loading, real_images
from zoo.widgets.generation import neighbours


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    st.cache_data.clear()
    st.cache_resource.clear()


@pytest.fixture
def letters(monkeypatch, tmp_path):
    """A data set of 6 + 4 images of 12×20 in a folder of class folders."""
    for split, count in (("train", 6), ("test", 4)):
        for index in range(count):
            path = tmp_path / "some" / "letters" / split / "ab"[index % 2] / f"{index}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.linear_gradient("L").resize((20, 12)).rotate(10 * index).save(path)
    monkeypatch.setenv("ZOO_DATA", str(tmp_path))
    return "some/letters"


def test_a_split_is_cut_to_the_memory_it_may_take(monkeypatch, letters):
    assert len(loading.dataset(letters, "train").images) == 6
    monkeypatch.setattr(loading.capacity, "__defaults__", (3 * 12 * 20 * 4,))
    monkeypatch.setattr(loading, "MAX_POOL_BYTES", 2 * 12 * 20 * 4)
    assert len(loading.dataset(letters, "train").images) == 2
    assert len(loading.dataset(letters, "train", loading.POOL + 1).images) == 3
    assert loading.capacity((10_000, 10_000, 3)) == 1


def test_the_folder_is_looked_up_once_in_a_while(monkeypatch, letters):
    asked = []
    monkeypatch.setattr(datasets, "available", lambda name, split: asked.append(name) or True)
    assert all(loading.available(letters) for _ in range(3))
    assert asked == [letters]


def test_a_path_is_no_dataset(tmp_path, letters):
    assert datasets.available(str(tmp_path / letters))
    assert not loading.available(str(tmp_path / letters))


def test_a_download_is_seen_at_once(monkeypatch, letters):
    here = []
    monkeypatch.setattr(datasets, "available", lambda name, split: bool(here))
    monkeypatch.setattr(loading, "_fetch", lambda name, split: here.append(name))
    assert not loading.available(letters)
    loading.dataset(letters)
    assert loading.available(letters)


def test_images_that_are_not_square_are_read_whole(letters):
    assert real_images.side(letters, (16, 16, 1)) == 16
    assert real_images.side("mnist", (16, 16, 1)) is None
    found, labels, classes = neighbours._training(letters, (12, 20, 1), None, {})
    split = datasets.load(letters, "train")
    assert (found == (split.images * 255).round()).all()
    assert (labels.tolist(), classes) == (split.labels.tolist(), ("a", "b"))


def test_what_pages_compute_is_kept_within_the_bytes_that_are_configured():
    configured = tomllib.loads((ROOT / ".streamlit/config.toml").read_text())["server"]["maxCacheDataSize"]
    assert config_max_cache_data_size_to_bytes(configured) == 512 << 20
    budget = get_global_cache_budget()
    before = budget.max_bytes

    @loading.cached
    def drawn(seed: int) -> np.ndarray:
        return np.random.default_rng(seed).random(50_000)

    budget.reconfigure(1_000_000)
    try:
        for seed in range(8):
            drawn(seed)
            assert budget.total_bytes <= 1_000_000
    finally:
        budget.reconfigure(before)
