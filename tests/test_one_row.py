"""What CONTRIBUTING says of one row or one file each: a figure, a dataset and a sampler are added while the tests run,
and seen on board, card and page."""

import sys
import types

import numpy as np
import pytest
import tiny_entries as tiny
from conftest import component, isolate, opened, words

from zoo import known, models, samplers
from zoo.analysis import board
from zoo.analysis.headline import headline
from zoo.data import datasets
from zoo.data.records import Split
from zoo.entries import catalog
from zoo.metrics import figures
from zoo.metrics.figures import Figure
from zoo.samplers import Sampler
from zoo.sharing import card

STRIPES = known.Known(
    "Stripes", tiny.SHAPE, ("a", "b", "c"), {"train": 12, "test": 12}, "CC0", "Drawn with a ruler.", maker="stripes"
)
RING = Sampler("ring", "Ring", "ring", 9, lambda entry: entry.prior == "normal", lambda entry, count, seed, *_: (
    np.random.default_rng(seed).normal(size=(count, *entry.latent_shape)).astype(np.float32)
))  # fmt: skip


@pytest.fixture
def added(monkeypatch):
    """Each of the three, as a contributor would add it, for the time of one test."""
    monkeypatch.setattr(figures, "FIGURES", dict(figures.FIGURES))
    monkeypatch.setattr(board, "FIGURES", figures.FIGURES)
    monkeypatch.setattr("zoo.analysis.headline.FIGURES", figures.FIGURES)
    figures.register(
        Figure("sharpness", "Sharpness", "contrast of edges", format=".1f", column="Sharpness", help="Of edges",
               ranking="sharpness", headline="sharpness {value:.1f}", of_samples=True)
    )  # fmt: skip
    stripes = types.ModuleType("zoo.data.stripes")
    stripes.load = lambda request, report, other: Split(
        "stripes", request.split, tiny.images(12), np.arange(12) % 3, STRIPES.classes, None, None, "Drawn here."
    )
    monkeypatch.setitem(sys.modules, "zoo.data.stripes", stripes)
    monkeypatch.setitem(known.DATASETS, "stripes", STRIPES)
    monkeypatch.setitem(samplers.SAMPLERS, "ring", RING)


@pytest.fixture
def entry(tmp_path, monkeypatch, added, empty_caches):
    label = {"label": "Sharpness", "meaning": "contrast of edges", "protocol": "12 samples, seeds 0 to 2."}
    metrics = {"sharpness": {"value": 3.25, **label}, "sharpness@ring": {"value": 4.5, **label}}
    data = {"id": "stripes", "revision": None, "images": 12}
    made = tiny.vae(tmp_path / "zoo" / "striped", dataset=data, classes=["a", "b", "c"], metrics=metrics)
    isolate(monkeypatch, tmp_path / "zoo", tmp_path)
    return made


def test_a_figure_is_one_row(entry):
    rows = board.rows([entry])
    assert [column.column for column in board.columns(rows)] == ["Sharpness"]
    assert board.best(rows, "sharpness")[0].sampler == "ring"
    assert headline(entry) == "sharpness 3.2"
    assert "Sharpness" in card.text(entry) and "contrast of edges" in card.text(entry)
    app = opened("pages/measure/leaderboard.py")
    columns = component(app, "board-stripes-table")["columns"]
    assert "Sharpness" in [column["title"].rstrip(" ↓↑") for column in columns]
    assert app.selectbox(key="figure").options == ["sharpness"]


def test_a_dataset_is_one_row_and_one_file(entry):
    assert datasets.available("stripes") and len(datasets.load("stripes").images) == 12
    assert "**Stripes**" in card.text(entry) and "CC0. Drawn with a ruler." in card.text(entry)
    assert catalog.find("striped") is not None
    assert "Stripes" in words(opened("pages/explore/gallery.py", entry="striped"))


def test_a_sampler_is_one_file(entry):
    assert samplers.offered(entry) == ("prior", "ring")
    drawn = models.sample(entry, 5, 0, "ring")
    np.testing.assert_array_equal(drawn.latents, RING.draw(entry, 5, 0, 1.0, None))
    assert "ring" in {row.sampler for row in board.rows([entry])}
    app = opened("pages/explore/generation.py", entries="striped", sampler="ring")
    assert "Ring" in app.segmented_control(key="sampler").options or "Ring" in words(app)


def test_a_name_is_given_once(added):
    with pytest.raises(ValueError, match="The figure sharpness is registered already"):
        figures.register(figures.FIGURES["sharpness"])
    with pytest.raises(ValueError, match="The sampler ring is registered already"):
        samplers.register(RING)
