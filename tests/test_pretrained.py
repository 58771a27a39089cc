"""The contract of every entry of the embedded zoo: complete, unharmed, its networks run and stay in range."""

import io
import json

import numpy as np
import pytest
from PIL import Image

from zoo import models, samplers
from zoo.entries import catalog, entry
from zoo.latent import aggregate, codes

ENTRIES = catalog.entries([catalog.EMBEDDED])
FILES = {"README.md", "config.json", "metadata.json", "model.weights.h5", "history.json", "samples.png"}
MEASURED = {"classify": {"accuracy"}, "reconstruct": {"mse", "psnr", "ssim"},
            "generate": {"frechet_random", "frechet_random_floor", "frechet_random_ratio", "duplicates"}}  # fmt: skip
JUDGED = {
    "frechet",
    "frechet_floor",
    "frechet_ratio",
    "precision",
    "recall",
    "coverage",
}  # by a classifier of the dataset


def test_the_embedded_zoo_is_whole():
    broken = [
        f"{item.name}: {item.reason}" for item in catalog.load([catalog.EMBEDDED]) if isinstance(item, catalog.Broken)
    ]
    assert not broken, broken
    assert len(ENTRIES) >= 30
    assert sum(file.stat().st_size for file in catalog.EMBEDDED.rglob("*") if file.is_file()) <= 150e6


@pytest.fixture(params=ENTRIES, ids=lambda found: found.name)
def made(request):
    return request.param


def test_files_are_complete_and_match_their_hashes(made):
    entry.verify(made)
    assert set(made.manifest.files) >= FILES and made.folder.name == made.name
    assert {network.file for network in made.manifest.networks.values()} <= set(made.manifest.files)


def test_provenance_says_how_to_make_it_again(made):
    source = made.manifest.provenance
    assert (
        source.recipe == made.name and source.seed is not None and source.images_seen and source.seconds and source.code
    )
    assert source.options["family"] == made.manifest.family and source.options["dataset"] == made.dataset


def test_history_is_finite_and_the_sheet_is_a_picture(made):
    history = json.loads(made.content("history.json", 1 << 20))
    assert len({len(values) for values in history.values()}) == 1
    assert all(value is None or np.isfinite(value) for values in history.values() for value in values)
    pixels = np.asarray(Image.open(io.BytesIO(made.content("samples.png", 4 << 20))))
    assert pixels.std() > 10


def test_numbers_carry_their_protocol(made):
    metrics = made.manifest.metrics
    for ability, names in MEASURED.items():
        if ability in made.capabilities:
            assert names <= set(metrics)
    if "generate" in made.capabilities and catalog.classifier_for(made, ENTRIES):
        assert set(metrics) >= JUDGED
    for name, metric in metrics.items():
        assert metric.protocol and metric.split == (None if name == "images_per_second" else "test"), name
        assert metric.low is None or metric.low <= metric.value <= metric.high


def test_networks_run_and_stay_in_range(made):
    images = np.random.default_rng(0).random((7, *made.shape), dtype=np.float32)
    labels = np.arange(7) % max(1, len(made.classes))
    if "generate" in made.capabilities:
        for sampler in samplers.offered(made):
            drawn = models.sample(made, 7, 0, sampler).images
            assert drawn.shape == images.shape and drawn.min() >= 0 and drawn.max() <= 1 and drawn.std() > 0.05
    if "reconstruct" in made.capabilities:
        rebuilt = models.reconstruct(made, images, labels)
        assert rebuilt.shape == images.shape and rebuilt.min() >= 0 and rebuilt.max() <= 1
        if made.discrete:
            assert codes.codebook(made).shape == (codes.vocabulary(made), made.latent_shape[-1])
        else:
            assert aggregate.load(made)["mean"].shape == made.latent_shape
    if "classify" in made.capabilities:
        probabilities, features = models.classify(made, images)
        assert np.allclose(probabilities.sum(1), 1, atol=1e-5) and features.shape[0] == 7
    if "judge" in made.capabilities:
        assert np.isfinite(models.judge(made, images, labels)).all()
