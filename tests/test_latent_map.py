"""Maps of codes: planted structure that is found, inverses that are known, and what a process of its own tells."""

import csv
import threading

import numpy as np
import pytest
import tiny_entries as tiny

from zoo.analysis import apart, cloud, clusters, comparison, embedding
from zoo.analysis.cloud import Cloud
from zoo.charts.palette import ramp
from zoo.errors import Cancelled, EntryError

never = bool  # nobody gives it up: bool() is False


def planted(groups: int = 4, each: int = 40, size: int = 5, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Gaussian clusters ten deviations apart, and which is which."""
    random = np.random.default_rng(seed)
    labels = np.repeat(np.arange(groups), each)
    centres = 10 * np.eye(groups, size)
    return (centres[labels] + random.normal(size=(len(labels), size))).astype(np.float32), labels


@pytest.mark.parametrize("method", list(clusters.METHODS))
def test_planted_clusters_are_found(method):
    codes, labels = planted()
    found = clusters.cluster(codes, clusters.Settings(method, count=4, smallest=10))
    assert (found >= 0).mean() > 0.9
    kept = found >= 0  # HDBSCAN leaves out the outermost
    assert clusters.agreement(labels[kept], found[kept]) == pytest.approx((1, 1))
    sizes = np.bincount(found[kept])
    assert len(sizes) == 4 and (np.diff(sizes) <= 0).all()


def test_agreement_knows_chance_and_does_not_mind_names():
    random = np.random.default_rng(0)
    labels = random.integers(0, 5, 5000)
    assert clusters.agreement(labels, (labels + 2) % 5) == pytest.approx((1, 1))
    assert np.abs(clusters.agreement(labels, random.integers(0, 5, 5000))).max() < 0.01


def test_sparse_codes_are_sparser():
    random = np.random.default_rng(0)
    codes = np.concatenate([random.normal(size=(100, 3)), 5 + 0.1 * random.normal(size=(200, 3))])
    sparse = clusters.sparseness(codes)
    assert sparse[:100].min() > sparse[100:].max() / 2 and sparse[:100].mean() > 5 * sparse[100:].mean()
    levels = clusters.levels(sparse, 3)
    assert np.bincount(levels).tolist() == [100, 100, 100]
    assert (levels[:100] == 0).all()


def test_a_distance_that_is_known_is_the_sparseness():
    codes = np.arange(20.0)[:, None]
    assert clusters.sparseness(codes)[0] == clusters.NEIGHBOUR


def test_the_local_inverse_of_an_affine_map_is_exact():
    random = np.random.default_rng(0)
    places = random.uniform(-1, 1, (300, 2))
    codes = places @ random.normal(size=(2, 7)) + random.normal(size=7)
    at = random.uniform(-0.8, 0.8, (20, 2))
    expected = (at - places[0]) @ np.linalg.lstsq(places - places[0], codes - codes[0], rcond=None)[0] + codes[0]
    assert embedding.local_inverse(at, places, codes) == pytest.approx(expected, abs=1e-4)


def test_the_local_inverse_at_a_point_is_its_code_and_far_away_stays_among_codes():
    random = np.random.default_rng(1)
    places, codes = random.normal(size=(100, 2)), random.normal(size=(100, 4))
    assert embedding.local_inverse(places[:5], places, codes) == pytest.approx(codes[:5], abs=1e-3)
    far = embedding.local_inverse(np.array([[1e3, -1e3]]), places, codes)
    assert (far <= codes.max(0)).all() and (far >= codes.min(0)).all()
    same = embedding.local_inverse(np.zeros((1, 2)), np.zeros((30, 2)), codes[:30])
    assert same == pytest.approx(codes[:12].mean(0)[None], abs=1e-4)


@pytest.mark.parametrize("dimensions", [2, 3])
def test_principal_axes_lead_back_to_codes(dimensions):
    random = np.random.default_rng(0)
    codes = (random.normal(size=(50, dimensions)) @ random.normal(size=(dimensions, 6)) + 3).astype(np.float32)
    found = cloud.linear(codes, "pca", dimensions)
    assert found.scaled.shape == (50, dimensions)
    assert np.abs(found.scaled).max() == pytest.approx(1 / cloud.MARGIN, abs=1e-5)
    assert found.codes(found.scaled, codes) == pytest.approx(codes, abs=1e-3)
    assert sum(found.axes.explained) == pytest.approx(1)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_raw_axes_are_the_codes(size):
    codes = np.random.default_rng(0).normal(size=(30, size)).astype(np.float32)
    found = cloud.linear(codes, "raw", 3)
    assert found.scaled.shape == (30, max(2, size))
    assert found.codes(found.scaled, codes) == pytest.approx(codes, abs=1e-5)
    assert found.titles[:size] == ("z0", "z1", "z2")[:size]


def test_the_neighbourhood_has_the_place_in_its_middle():
    found = cloud.neighbourhood(np.array([0.5, -0.25, 0.1]), 5, 0.1).reshape(5, 5, 3)
    assert found[2, 2] == pytest.approx([0.5, -0.25, 0.1])
    assert found[0, 4] == pytest.approx([0.7, -0.05, 0.1])


def test_a_room_turns():
    points = np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1]])
    assert cloud.turned(points, 0, 0) == pytest.approx(points[:, :2])
    assert cloud.turned(points, 90, 0) == pytest.approx(np.array([[0, 0], [0, 1], [1, 0]]), abs=1e-12)
    assert cloud.turned(points, 0, 90) == pytest.approx(np.array([[1, 0], [0, 0], [0, -1]]), abs=1e-12)
    assert (cloud.turned(points[:, :2], 30, 40) == points[:, :2]).all()


def test_what_lies_inside_a_polygon():
    square = np.array([[0, 0], [2, 0], [2, 2], [0, 2.0]])
    points = np.array([[1, 1], [3, 1], [-1, 1], [1, 3], [1.9, 0.1]])
    assert cloud.inside(square, points).tolist() == [True, False, False, False, True]
    bow = np.array([[0, 0], [2, 2], [2, 0], [0, 2.0]])
    assert cloud.inside(bow, np.array([[0.2, 1], [1, 0.2], [1.8, 1]])).tolist() == [True, False, True]


def test_the_table_says_what_a_point_is_and_holds_no_formula():
    codes = np.array([[1.0, 2], [3, 4], [5, 6]], np.float32)
    points = Cloud(codes, np.array([0, 1, 0]), ("=a", "b"), 2)
    text = cloud.table(points, cloud.linear(codes, "raw", 2), np.array([1, 2]), ["x", "y", "-z"])
    rows = list(csv.DictReader(text.splitlines()))
    assert [(row["image"], row["origin"], row["class"], row["group"]) for row in rows] == [
        ("1", "test", "b", "y"),
        ("0", "generated", "'=a", "'-z"),
    ]
    assert (float(rows[1]["x"]), float(rows[1]["value_1"])) == pytest.approx((5, 6))


def test_codes_and_features_of_entries(tmp_path):
    pictures, labels = tiny.images(6), np.arange(6) % 2
    found = cloud.of_codes(tiny.vae(tmp_path / "vae"), pictures, labels, ("a", "b"), None)
    assert found.codes.shape == (6, tiny.LATENT) and not found.made.any()
    seen = cloud.of_features(tiny.classifying(tmp_path / "seen"), pictures, None, None)
    assert len(seen.codes) == 6 and set(seen.labels) <= set(range(len(seen.classes)))
    with pytest.raises(EntryError, match="not finite"):
        cloud._flat(np.array([[np.nan]]))
    with pytest.raises(EntryError, match="too long"):
        cloud._flat(np.zeros((2, cloud.MAX_NUMBERS + 1)))


def test_a_process_of_its_own_finds_the_same_and_tells_its_progress():
    codes, labels = planted()
    settings, parts = clusters.Settings("kmeans", 4), []
    assert (apart.compute(codes, settings, parts.append, never) == clusters.cluster(codes, settings)).all()
    places = apart.compute(codes[::2], embedding.Settings("tsne", perplexity=10), parts.append, never)
    assert places.shape == (80, 2) and np.isfinite(places).all()
    assert len(set(parts)) > 5 and max(parts) <= 1
    chosen = cloud.placed(places)
    near = [cloud.nearest(place, chosen.scaled, 6)[1:] for place in chosen.scaled]
    assert np.mean([labels[::2][rows] == label for rows, label in zip(near, labels[::2], strict=True)]) > 0.95


def test_umap_keeps_planted_clusters_apart():
    pytest.importorskip("pynndescent", reason="umap-learn is an extra that is not installed")
    codes, labels = planted()
    places = apart.compute(codes, embedding.Settings("umap", dimensions=3), lambda part: None, never)
    assert places.shape == (160, 3)
    chosen = cloud.placed(places)
    near = [cloud.nearest(place, chosen.scaled, 6)[1:] for place in chosen.scaled]
    assert np.mean([labels[rows] == label for rows, label in zip(near, labels, strict=True)]) > 0.95


def test_work_that_is_given_up_ends_at_once_and_wrong_codes_are_said(monkeypatch):
    codes, _ = planted(each=500)
    told = threading.Event()
    with pytest.raises(Cancelled):
        apart.compute(codes, embedding.Settings("tsne"), lambda part: told.set(), told.is_set)
    assert told.is_set()
    with pytest.raises(EntryError, match="not finite"):
        apart.compute(np.full((5, 2), np.nan), None, lambda part: None, never)
    monkeypatch.setattr(apart.sys, "executable", "/bin/false")
    with pytest.raises(EntryError, match="Choose fewer images"):
        apart.compute(codes, None, lambda part: None, never)


def test_the_ramp_goes_from_one_end_to_the_other():
    found = ramp(5)
    assert found[0] == "#0072b2" and found[2] == "#888888" and found[-1] == "#e69f00" and len(set(found)) == 5
    assert comparison.Axes(np.ones(2), np.eye(2), np.ones(2)).restore(np.zeros((1, 2))).tolist() == [[1, 1]]
