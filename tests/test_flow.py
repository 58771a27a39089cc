"""The flow against distributions that are known, and against files that are damaged."""

import io
import json
import shutil

import numpy as np
import pytest
import tiny_entries as tiny
from scipy.spatial.distance import cdist
from scipy.special import ndtri

from training.aggregate import refit
from zoo import models, samplers
from zoo.entries import catalog
from zoo.errors import EntryError
from zoo.latent import aggregate, flow, sampling


def ring(count, seed):
    """Points on a circle of radius 3, two thirds of them in its upper half."""
    rng = np.random.default_rng(seed)
    angle = np.pi * rng.random(count) * np.where(rng.random(count) < 2 / 3, 1, -1)
    return (3 + 0.1 * rng.normal(size=(count, 1))) * np.stack([np.cos(angle), np.sin(angle)], 1)


def fitted(codes):
    statistics = aggregate.fit(codes)
    return statistics | flow.fit(codes, statistics)


@pytest.fixture(scope="module")
def circle():
    return fitted(ring(6000, 0))


@pytest.fixture(scope="module")
def bell():
    """N(0, I) and a third dimension that is always 0."""
    return fitted(np.random.default_rng(0).normal(size=(8000, 3)) * [1, 1, 0])


def energy(a, b):
    """Energy distance (Székely and Rizzo 2013): 0 for equal distributions."""
    return 2 * cdist(a, b).mean() - cdist(a, a).mean() - cdist(b, b).mean()


def test_a_ring_is_matched_better_than_by_a_gaussian_and_by_the_mixture(circle):
    new = ring(2000, 1)
    by = {draw: energy(draw(circle, 2000, seed=0), new) for draw in (sampling.gaussian, sampling.gmm, flow.draw)}
    assert by[flow.draw] < 0.05 * by[sampling.gaussian]
    off = {draw: np.abs(np.linalg.norm(draw(circle, 2000, seed=0), axis=1) - 3).mean() for draw in by}
    assert off[flow.draw] < 0.8 * off[sampling.gmm] < 0.8 * off[sampling.gaussian]


def test_every_layer_can_be_undone(circle):
    values = 3 * np.random.default_rng(0).normal(size=(500, 2))  # far beyond the tables too
    for component in range(10):
        there = flow.forward(circle, component, values)
        np.testing.assert_allclose(flow.inverse(circle, component, there), values, atol=1e-4)


def test_codes_of_a_component_become_normal(circle):
    values = np.random.default_rng(0).exponential(size=(4000, 2)) - 1
    one = {"gmm_weights": np.ones(1), "gmm_means": np.zeros((1, 2)), "gmm_covariances": np.eye(2)[None]}
    normal = np.sort(flow.forward(flow.fit(values, one), 0, values), axis=0)
    expected = ndtri((np.arange(4000) + 0.5) / 4000)[:, None]
    assert np.abs(np.sort(values, axis=0) - expected).mean() > 0.2 > 0.05 > np.abs(normal - expected).mean()


def test_what_is_normal_stays_normal(bell):
    drawn = flow.draw(bell, 20_000, seed=1)
    np.testing.assert_allclose(drawn.mean(0), 0, atol=0.05)
    np.testing.assert_allclose(np.cov(drawn.T), np.diag([1, 1, 0]), atol=0.06)
    np.testing.assert_allclose((np.abs(drawn[:, :2]) < 1.96).mean(0), 0.95, atol=0.01)
    assert np.abs(drawn).max() < 7


def test_one_seed_is_one_set_of_tiles(circle):
    drawn = flow.draw(circle, 9, seed=5)
    np.testing.assert_array_equal(flow.draw(circle, 4, seed=5), drawn[:4])
    assert drawn.dtype == np.float32 and not np.array_equal(drawn, flow.draw(circle, 9, seed=6))
    again = fitted(ring(6000, 0))
    for name, array in circle.items():
        np.testing.assert_array_equal(again[name], array)
    assert len(np.unique(flow.draw(circle, 50, seed=0, temperature=0), axis=0)) <= 10  # the centres
    np.testing.assert_allclose(flow.draw(circle, 9, seed=5, truncation=6.0), drawn, atol=1e-2)


def test_the_file_stays_small():
    sizes = {}
    for size in (2, 16, 64, 434):
        layers = flow.layers(size)
        sizes[size] = 4 * 10 * layers * size * (size + len(flow.KNOTS))
        assert 1 <= layers <= flow.MAX_LAYERS
    assert sizes[16] <= 300_000 and sizes[64] <= 1_500_000
    assert flow.layers(435) == 0 and flow.fit(np.zeros((2, 435)), {}) is None
    # What fit writes can be read back.
    assert max(4 * 10 * flow.layers(size) * size * (size + len(flow.KNOTS)) for size in range(1, 435)) < flow.MAX_BYTES


def packed(arrays):
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return stream.getvalue()


def entry(folder, statistics, content=None):
    """Write an entry with the arrays of latents.npz, and of flow.npz unless its content is given."""
    folder.mkdir()
    parts = {name: {key: statistics[key] for key in statistics if key.startswith("flow_") == ours}
             for name, ours in (("latents.npz", False), ("flow.npz", True))}  # fmt: skip
    files = {name: packed(arrays) for name, arrays in parts.items()}
    files["flow.npz"] = content or files["flow.npz"]
    latent = {"shape": [2], "prior": "none"}
    return tiny.write(folder, tiny.plain_encoder(), tiny.decoder(), files=files, latent=latent)


def test_an_entry_with_the_file_offers_the_flow(tmp_path, circle):
    made = entry(tmp_path / "tiny", circle)
    assert samplers.offered(made) == ("gmm", "gaussian", "flow")
    for name, array in flow.load(made).items():
        np.testing.assert_array_equal(array, circle[name])
    drawn = models.sample(made, 50, seed=3, sampler="flow")
    np.testing.assert_array_equal(drawn.latents, flow.draw(circle, 50, seed=3))
    assert drawn.images.shape == (50, *tiny.SHAPE)


TABLES, ROTATIONS = "flow_tables", "flow_rotations"
DAMAGED = {
    "no archive": lambda arrays: b"no zip at all",
    "cut": lambda arrays: packed(arrays)[:-40],
    "empty": lambda arrays: packed({}),
    "no tables": lambda arrays: packed({ROTATIONS: arrays[ROTATIONS]}),
    "no rotations": lambda arrays: packed({TABLES: arrays[TABLES]}),
    "scalar": lambda arrays: packed(arrays | {ROTATIONS: np.float32(1)}),
    "too many layers": lambda arrays: packed({name: np.repeat(arrays[name], 2, axis=1) for name in arrays}),
    "other dimensions": lambda arrays: packed(arrays | {ROTATIONS: arrays[ROTATIONS][..., :1]}),
    "other components": lambda arrays: packed({name: arrays[name][:3] for name in arrays}),
    "no rotation": lambda arrays: packed(arrays | {ROTATIONS: 1e9 * arrays[ROTATIONS]}),
    "not finite": lambda arrays: packed(arrays | {ROTATIONS: np.full_like(arrays[ROTATIONS], np.nan)}),
    "table not finite": lambda arrays: packed(arrays | {TABLES: np.full_like(arrays[TABLES], np.inf)}),
    "table that falls": lambda arrays: packed(arrays | {TABLES: arrays[TABLES][..., ::-1]}),
    "table without end": lambda arrays: packed(arrays | {TABLES: 1e9 * arrays[TABLES]}),
    "objects": lambda arrays: packed(arrays | {TABLES: np.array([{}, {}], object)}),
    "large": lambda arrays: packed(arrays | {TABLES: np.zeros((9 << 20) // 4, np.float32)}),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_damaged_files_are_refused(tmp_path, circle, damage):
    content = DAMAGED[damage]({name: circle[name] for name in (TABLES, ROTATIONS)})
    made = entry(tmp_path / "tiny", circle, content)
    with pytest.raises(EntryError, match=r"The entry tiny is refused: flow.npz.*\.$"):
        models.sample(made, 4, seed=0, sampler="flow")
    assert len(models.sample(made, 4, seed=0, sampler="gmm").images) == 4


def test_an_old_entry_is_refitted_and_its_metrics_stay(tmp_path):
    folder = shutil.copytree(catalog.EMBEDDED / "digits-vae", tmp_path / "digits-vae")
    manifest = json.loads((folder / "zoo.json").read_text())
    del manifest["files"]["flow.npz"]
    (folder / "zoo.json").write_text(json.dumps(manifest))
    (folder / "flow.npz").unlink()
    old = catalog.find("digits-vae", [catalog.EMBEDDED])
    made = refit(folder)
    assert samplers.offered(made) == ("prior", "gmm", "gaussian", "flow")
    assert made.manifest.metrics == old.manifest.metrics and made.manifest.provenance == old.manifest.provenance
    before, after = aggregate.load(old), aggregate.load(made)
    np.testing.assert_allclose(after["covariance"], before["covariance"], rtol=1e-3, atol=1e-4)
    drawn = models.sample(made, 2000, seed=0, sampler="flow").latents
    np.testing.assert_allclose(drawn.mean(0), before["mean"], atol=0.15)
    with pytest.raises(EntryError, match="nothing to refit"):
        refit(tiny.vae(tmp_path / "bare").folder)
