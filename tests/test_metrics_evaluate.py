"""Which metrics an entry gets, under which names, and that the same command finds them again."""

import importlib.util
import json
import math
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import tiny_entries as tiny

from training import evaluate
from training.measures import APART, GROUPS, codes
from training.measures.samples import covered_modes
from zoo import models, samplers
from zoo.analysis.headline import headline
from zoo.analysis.scores import Real
from zoo.data import datasets
from zoo.entries import catalog
from zoo.errors import EntryError

COMPARED = {"frechet", "kid", "precision", "recall", "density", "coverage", "frechet_random", "sliced_wasserstein",
            "duplicates", "frechet_ratio", "frechet_random_ratio", "class_distance", "missing_classes"}  # fmt: skip
BESIDE = {"frechet_floor", "kid_floor", "frechet_random_floor", "sliced_wasserstein_floor", "precision_real",
          "recall_real", "density_real", "coverage_real", "duplicates_real"}  # fmt: skip
SPEED = "images_per_second"  # of this machine, on no split


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(codes, "MANY", 50)
    monkeypatch.setattr(codes, "FEW", 5)
    evaluate.real.cache_clear()
    yield
    evaluate.real.cache_clear()


@pytest.fixture
def digits(tmp_path):
    return shutil.copytree(catalog.EMBEDDED / "digits-vae", tmp_path / "digits-vae")


def split(name, part="test", count=None, seed=0, balanced=False):
    """A dataset of 4×4 pictures of three classes that differ in brightness, as datasets.load gives it."""
    rng = np.random.default_rng([seed, len(part)])
    count = count or 90
    labels = np.arange(count) % 3
    images = (0.2 * rng.random((count, 4, 4, 1)) + 0.3 * labels[:, None, None, None]).astype(np.float32)
    return datasets.Split(name, part, images, labels, ("a", "b", "c"), None, None, "made up")


def test_a_vae_gets_everything_that_applies_and_the_same_again(digits):
    file = digits / "zoo.json"
    manifest = json.loads(file.read_text())
    manifest["provenance"]["options"]["likelihood"] = "bernoulli"
    file.write_text(json.dumps(manifest))
    made = evaluate.evaluate(digits, seed=1)
    metrics = made.manifest.metrics
    others = samplers.offered(made)[1:]
    assert "gmm" in others
    expected = {
        "mse",
        "psnr",
        "ssim",
        "memorisation",
        "elbo",
        "log_likelihood",
        "kl",
        "dead_dimensions",
        "probe",
        SPEED,
    }
    expected |= COMPARED | BESIDE | {f"{name}@{sampler}" for name in COMPARED for sampler in others}
    assert set(metrics) == expected
    for name, metric in metrics.items():
        assert metric.label and metric.meaning and metric.protocol, name
        assert metric.split == (None if name == SPEED else "test"), name
        assert metric.low is None or metric.low <= metric.value <= metric.high, name
    assert "seeds 1 to 3" in metrics["frechet"].protocol and "(prior)" in metrics["frechet"].protocol
    assert "Gaussian mixture" in metrics["frechet@gmm"].protocol and "Gaussian mixture" in metrics["frechet@gmm"].label
    assert "random network" in metrics["frechet_random"].protocol and "pixels" in metrics["sliced_wasserstein"].protocol
    assert metrics["elbo"].value < metrics["log_likelihood"].value < 0
    assert 0.5 < metrics["probe"].value <= 1 and 0.5 < metrics["memorisation"].value < 1.5
    assert metrics["frechet_ratio"].value == pytest.approx(
        metrics["frechet"].value / metrics["frechet_floor"].value, rel=1e-6
    )
    assert headline(made).startswith("PSNR")
    card = (digits / "README.md").read_text(encoding="utf-8")
    assert "type: frechet@gmm" in card and "| Fréchet distance (Gaussian mixture) |" in card
    evaluate.real.cache_clear()
    again = evaluate.evaluate(digits, seed=1, only=["generation", "likelihood"]).manifest.metrics
    assert set(again) == expected
    for name, metric in again.items():
        assert metric.value == pytest.approx(metrics[name].value, rel=1e-4, abs=1e-6), name


def test_only_the_named_groups_are_measured_and_the_rest_stays(digits):
    file = digits / "zoo.json"
    manifest = json.loads(file.read_text())
    manifest["metrics"] = {"mine": {"value": 1.0}, "kl": {"value": -1.0}}
    file.write_text(json.dumps(manifest))
    metrics = evaluate.evaluate(digits, only=["codes"]).manifest.metrics
    assert set(metrics) == {"mine", "kl", "dead_dimensions", "probe"}
    assert metrics["mine"].value == 1 and metrics["kl"].value > 0
    with pytest.raises(EntryError, match="no group of metrics 'colour': choose among accuracy, reconstruction"):
        evaluate.evaluate(digits, only=["colour"])


@pytest.mark.skipif(importlib.util.find_spec("torch") is not None, reason="torch is installed")
def test_inception_is_asked_for_by_name_and_needs_what_is_no_part_of_this_project(digits):
    before = (digits / "zoo.json").read_bytes()
    with pytest.raises(EntryError, match=r"^Inception FID needs a package that is not there .*torch-fidelity\.$"):
        evaluate.evaluate(digits, only=["inception"])
    assert (digits / "zoo.json").read_bytes() == before and not set(APART) & set(GROUPS)


@pytest.fixture
def judged(tmp_path, monkeypatch):
    classifier = tiny.classifying(tmp_path / "judge")
    monkeypatch.setattr(datasets, "load", split)
    monkeypatch.setattr(catalog, "classifier_for", lambda entry: classifier)


def test_a_conditional_generator_is_asked_for_classes_and_teaches(tmp_path, judged):
    metrics = evaluate.evaluate(tiny.gan(tmp_path / "gan").folder).manifest.metrics
    assert set(metrics) == COMPARED | BESIDE | {"memorisation", "obedience", "cas", "cas_real", SPEED}
    assert metrics["cas_real"].value > 0.95 > metrics["cas"].value
    assert "training images" in metrics["cas_real"].protocol and "samples" in metrics["cas"].protocol


def test_without_a_classifier_the_pixels_and_the_random_network_remain(tmp_path, judged, monkeypatch):
    monkeypatch.setattr(catalog, "classifier_for", lambda entry: None)
    metrics = evaluate.evaluate(tiny.vae(tmp_path / "plain").folder).manifest.metrics
    assert {"frechet_random", "sliced_wasserstein", "duplicates", "memorisation", "frechet_random_floor"} < set(metrics)
    assert not {"frechet", "coverage", "class_distance", "elbo"} & set(metrics)  # no recipe says what the pixels are


def test_modes_of_stacked_digits_are_counted_and_a_planted_loss_is_seen(tmp_path, monkeypatch):
    """Images whose channels hold digit/10; the generator never makes a 9 in its first channel."""

    def drawn(most, seed):
        digits = np.random.default_rng(seed).integers([most, 10, 10], size=(26_000, 3))
        return (np.zeros((26_000, 4, 4, 3)) + digits[:, None, None] / 10).astype(np.float32)

    def loaded(name, part, count, seed):
        assert (name, part, count) == ("stacked_mnist", "train", 26_000)
        return SimpleNamespace(images=drawn(10, seed))

    def classify(entry, images):
        return np.eye(10)[np.rint(10 * images[:, 0, 0, 0]).astype(int)], None

    monkeypatch.setattr(datasets, "load", loaded)
    monkeypatch.setattr(models, "sample", lambda entry, count, seed: SimpleNamespace(images=drawn(9, seed + 100)))
    monkeypatch.setattr(models, "classify", classify)
    monkeypatch.setattr(catalog, "classifier_for", lambda name: SimpleNamespace(name="reader"))
    made = SimpleNamespace(dataset="stacked_mnist", capabilities={"generate"}, classes=[str(n) for n in range(1000)])
    found = covered_modes(made, None, 0)
    assert set(found) == {"modes", "modes_real", "modes_kl", "modes_kl_floor"}
    assert found["modes"]["value"] == 900 and found["modes_real"]["value"] == 1000
    assert found["modes_kl"]["value"] == pytest.approx(math.log(10 / 9), abs=0.03)
    assert found["modes_kl_floor"]["value"] < 0.03
    assert "26,000 samples" in found["modes"]["protocol"] and "reader" in found["modes_real"]["protocol"]
    made.dataset = "mnist"
    assert covered_modes(made, None, 0) == {}
    made.dataset = "stacked_mnist"
    monkeypatch.setattr(catalog, "classifier_for", lambda name: None)
    assert covered_modes(made, None, 0) == {}


def test_what_was_trained_on_balanced_classes_is_held_against_balanced_images(digits, monkeypatch):
    asked = []

    def load(*words, **options):
        asked.append(options.get("balanced", False))
        return LOAD(*words, **options)

    monkeypatch.setattr(datasets, "load", load)
    file = digits / "zoo.json"
    manifest = json.loads(file.read_text())
    manifest["provenance"]["options"]["balance"] = True
    file.write_text(json.dumps(manifest))
    metrics = evaluate.evaluate(digits, only=["reconstruction", "codes"]).manifest.metrics
    assert any(asked) and asked.count(True) == asked.count(False)  # each reads the whole split, then draws from it
    assert "equally often" in metrics["mse"].protocol


def test_a_classifier_only_gets_its_accuracy(tmp_path, judged):
    assert set(evaluate.evaluate(tmp_path / "judge").manifest.metrics) == {"accuracy"}


def test_fruits_are_asked_for_their_factors(tmp_path, monkeypatch):
    def few(name, part="test", count=None, seed=0, **reading):
        return LOAD(name, part, count=60 if part == "train" else 120, seed=seed, **reading)

    monkeypatch.setattr(datasets, "load", few)
    folder = shutil.copytree(catalog.EMBEDDED / "fruits-vae", tmp_path / "fruits-vae")
    metrics = evaluate.evaluate(folder, only=["codes", "likelihood"]).manifest.metrics
    measured = {"mig", "sap", "dci_disentanglement", "dci_completeness", "dci_informativeness"}
    assert measured | {"kl", "dead_dimensions", "probe"} <= set(metrics) and "elbo" not in metrics
    assert all(0 <= metrics[name].value <= 1 for name in measured)
    assert "phase" not in metrics["mig"].protocol and "hue" in metrics["mig"].protocol


LOAD = datasets.load


def test_a_planted_missing_class_is_seen(tmp_path, judged):
    data = Real("digits", (4, 4, 1), tiny.classifying(tmp_path / "eye"), 0)
    bright = split("digits", count=90, seed=9)
    whole, lost = (data.see(bright.images[kept], None) for kept in (bright.labels < 3, bright.labels < 2))
    assert data.compare(data.view) == pytest.approx(data.compare(data.view))
    same = data.compare(data.view)
    assert same["frechet"] == pytest.approx(0, abs=1e-6) and same["coverage"] == 1 and same["sliced_wasserstein"] == 0
    assert data.compare(lost)["coverage"] < 0.75 < data.compare(whole)["coverage"]
    assert data.compare(lost)["frechet_random"] > 5 * data.compare(whole)["frechet_random"]
