"""Probes of codes in which it is planted what can be read, and the page."""

import functools
import shutil

import conftest
import linear_entries as linear
import numpy as np
import pytest
import tiny_entries as tiny
from conftest import ROOT, isolate, words

from zoo.analysis import probing
from zoo.data import datasets, fruits
from zoo.errors import Cancelled, EntryError
from zoo.metrics import probe

opened = functools.partial(conftest.opened, "pages/measure/probes.py")


def planted(count, seed):
    """Pixels whose class is whether two of them agree in sign, which no line reads, and a code that says it."""
    rng = np.random.default_rng(seed)
    pixels = rng.normal(size=(count, 8)).astype(np.float32)
    labels = (pixels[:, 0] * pixels[:, 1] > 0).astype(int)
    code = np.stack([2 * labels - 1 + 0.1 * rng.normal(size=count), rng.normal(size=count)], 1)
    return pixels, code.astype(np.float32), labels


def test_a_probe_reads_what_is_planted_in_the_code_and_not_in_the_pixels():
    (pixels, code, labels), (test_pixels, test_code, wanted) = planted(400, 0), planted(1000, 1)
    assert probe.accuracy(code, labels, test_code, wanted) == 1
    assert 0.4 < probe.accuracy(pixels, labels, test_pixels, wanted) < 0.6
    assert probe.accuracy(code[:10], labels[:10], test_code, wanted) > 0.95


def test_determination_is_one_for_a_linear_code_and_zero_for_none():
    rng = np.random.default_rng(0)
    codes, other = rng.normal(size=(300, 5)), rng.normal(size=(500, 5))
    mix = rng.normal(size=(5, 2))
    known, wanted = codes @ mix + 3, other @ mix + 3
    assert probe.determination(codes, known, other, wanted) == pytest.approx([1, 1], abs=1e-4)
    nothing = probe.determination(rng.normal(size=(300, 5)), known, rng.normal(size=(500, 5)), wanted)
    assert nothing == pytest.approx([0, 0], abs=0.05)
    # With noise of the variance of the signal half of the variance is read; a number that never varies is not read.
    noisy = codes[:, :1] + rng.normal(size=(300, 1)), other[:, :1] + rng.normal(size=(500, 1))
    assert probe.determination(codes, noisy[0], other, noisy[1])[0] == pytest.approx(0.5, abs=0.06)
    assert probe.determination(codes, np.ones((300, 1)), other, np.ones((500, 1))) == [0]


def test_few_examples_of_many_dimensions_are_not_believed():
    rng = np.random.default_rng(1)
    found = [
        probe.determination(
            rng.normal(size=(10, 12)), rng.normal(size=(10, 6)), *(rng.normal(size=(500, n)) for n in (12, 6))
        )
        for _ in range(20)
    ]
    assert np.median(found) > -0.5  # a penalty that were chosen wrongly would interpolate them: below -1


def test_the_leave_one_out_error_is_that_of_leaving_out(monkeypatch):
    rng = np.random.default_rng(2)
    codes = rng.normal(size=(15, 4))
    codes = (codes - codes.mean(0)) / codes.std(0)
    values = codes @ rng.normal(size=(4, 1)) + rng.normal(size=(15, 1))

    def error(ridge):
        """Fit with intercept to fourteen rows and ask for the other."""
        total = 0.0
        for row in range(15):
            kept = np.arange(15) != row
            columns = np.hstack([codes, np.ones((15, 1))])
            penalty = ridge * 15 * np.diag([1.0] * 4 + [0.0])
            weights = np.linalg.solve(columns[kept].T @ columns[kept] + penalty, columns[kept].T @ values[kept])
            total += ((columns[row] @ weights - values[row]) ** 2).item()
        return total

    best = min(probe.RIDGES, key=error)
    asked, wanted = rng.normal(size=(9, 4)), rng.normal(size=(9, 1))
    chosen = probe.determination(codes, values, asked, wanted)
    monkeypatch.setattr(probe, "RIDGES", np.array([best]))
    assert chosen == pytest.approx(probe.determination(codes, values, asked, wanted))


def test_representations_have_the_size_of_the_code_and_the_variance_of_its_largest_axes():
    rng = np.random.default_rng(0)
    for size in (30, 400):  # fewer pixels than images, and more
        flat, other = rng.normal(size=(100, size)) * np.linspace(3, 0.1, size), rng.normal(size=(7, size))
        codes, other_codes = np.zeros((100, 4)), np.zeros((7, 4))
        found = probing.representations(codes, other_codes, flat, other)
        assert list(found) == ["Code", "PCA (4 numbers)", "Pixels"]
        known, asked = found["PCA (4 numbers)"]
        values, axes = np.linalg.svd(flat - flat.mean(0), full_matrices=False)[1:]
        assert np.square(known).sum(0) == pytest.approx(values[:4] ** 2)
        assert np.abs(asked) == pytest.approx(np.abs((other - flat.mean(0)) @ axes[:4].T))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("probes")
    linear.autoencoder(place / "digits-vae", "digits", 6)
    # Principal axes of fruits take long to find: the entry that comes along has factors too.
    shutil.copytree(ROOT / "zoo" / "pretrained" / "fruits-vae", place / "fruits-vae")
    tiny.gan(place / "gan")
    return place


@pytest.fixture(autouse=True)
def only_these(request, monkeypatch, folder, tmp_path, empty_caches):
    if "app" not in request.fixturenames:
        isolate(monkeypatch, folder, tmp_path)


def entry(name):
    from zoo.entries import catalog

    return next(found for found in catalog.entries() if found.name == name)


def test_probed_codes_are_those_of_the_entry_and_factors_are_read():
    training, test = (datasets.load("fruits", split, count) for split, count in (("train", 150), ("test", 80)))
    parts = []
    found = probing.probed(entry("fruits-vae"), training, test, parts.append)
    assert found.counts == (10, 100) and found.size == 12 and parts[-1] == 1
    assert {values.shape for values in found.accuracy.values()} == {(3, 2)}
    assert {values.shape for values in found.determination.values()} == {(3, 2, 8)}
    assert set(found.factors) | {"kind", "phase"} == set(fruits.RANGES)
    assert found.accuracy["Code"][:, 1].mean() > 0.9
    hue = found.factors.index("hue")
    assert found.determination["Code"][:, 1, hue].mean() > 0.8
    lines = probing.table(found).splitlines()
    assert len(lines) == 1 + 3 * 3 * 2 * (1 + 8)
    with pytest.raises(Cancelled):
        probing.probed(entry("fruits-vae"), training, test, cancelled=lambda: True)


def test_the_code_is_ahead_only_beyond_the_range_of_the_draws():
    code, pixels = np.array([[0.4, 0.9], [0.6, 0.92]]), np.array([[0.3, 0.8], [0.5, 0.86]])
    shares = {"Code": code, "PCA (2 numbers)": pixels - 0.1, "Pixels": pixels}
    found = probing.Probed((10, 1000), shares, {}, {}, (), 2, 50, 50)
    (said,) = probing.readings(found)
    assert "50 and 91 % from the code; 30 and 73 % from PCA (2 numbers); 40 and 83 % from pixels" in said
    assert said.endswith("labels differ with 1,000 labels.")
    (said,) = probing.readings(found._replace(accuracy=shares | {"Code": pixels}))
    assert said.endswith("with no number of labels here.")


def test_nothing_to_read_is_said():
    split = datasets.Split("x", "train", np.zeros((20, 8, 8, 1), np.float32), None, (), None, None, "")
    with pytest.raises(EntryError, match="no classes and no factors"):
        probing.probed(entry("digits-vae"), split, split)


def test_the_page_opens_on_factors_and_follows_a_link():
    app = opened()
    assert app.selectbox(key="entry").value == "fruits-vae"
    said = words(app)
    assert "Test images whose class is read with 10, 100 and 1,000 labels:" in said
    assert "Mean R² of the factors" in said and "seeds 0 to 2" in said
    app = opened(entry="digits-vae")
    assert "Mean R² of the factors" not in words(app)
    assert "1,437 training images" in words(app)


def test_a_link_to_what_has_no_code_is_refused_in_words():
    assert "gan" in words(opened(entry="gan"))
    assert opened(entry="gan").selectbox(key="entry").value == "fruits-vae"
