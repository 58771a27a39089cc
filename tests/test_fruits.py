import numpy as np
import pytest

from zoo.data import fruits


@pytest.fixture(scope="module")
def drawn():
    return fruits.render(600, seed=5)


def _angle_error(a, b):
    return (np.asarray(a, float) - b + 180) % 360 - 180


def test_images_follow_the_array_convention(drawn):
    images, factors = drawn
    assert images.shape == (600, 32, 32, 3) and images.dtype == np.float32
    assert images.min() >= 0 and images.max() <= 1
    assert np.allclose(images * 255, np.rint(images * 255), atol=1e-4)
    assert set(factors) == set(fruits.RANGES) and all(len(v) == 600 for v in factors.values())


def test_an_image_depends_on_its_seed_and_index_only(drawn):
    images, factors = drawn
    few, few_factors = fruits.render(37, seed=5)
    assert np.array_equal(few, images[:37])
    assert all(np.array_equal(few_factors[k], factors[k][:37]) for k in factors)
    assert not np.array_equal(fruits.render(37, seed=6)[0], few)


def test_an_image_is_a_function_of_its_factors(drawn):
    images, factors = drawn
    again, _ = fruits.render(30, seed=99, **{k: v[:30] for k, v in factors.items()})
    assert np.array_equal(again, images[:30])


def test_factors_have_the_documented_distributions():
    factors = fruits.draw(20_000, seed=1)
    for name in ("size", "x", "y", "light", "texture", "background", "phase"):
        low, high = fruits.RANGES[name]
        unit = (factors[name] - low) / (high - low)
        assert unit.min() >= 0 and unit.max() <= 1
        assert np.abs(np.quantile(unit, [0.1, 0.5, 0.9]) - [0.1, 0.5, 0.9]).max() < 0.02
    assert np.abs(np.bincount(factors["kind"]) / 20_000 - 1 / 2).max() < 0.02
    assert np.abs(np.bincount(factors["accessory"]) / 20_000 - 1 / 3).max() < 0.02
    apple, orange = (factors["hue"][factors["kind"] == k] for k in (0, 1))
    assert orange.min() >= 26 and orange.max() <= 38
    signed = _angle_error(apple, 0)
    red = signed < 30
    assert abs(red.mean() - 0.5) < 0.02
    assert signed[red].min() >= -14.01 and signed[red].max() <= 8.01
    assert signed[~red].min() >= 51.9 and signed[~red].max() <= 88.01
    others = np.stack([v for k, v in factors.items() if k not in ("kind", "hue")])
    assert np.abs(np.corrcoef(others) - np.eye(len(others))).max() < 0.03


@pytest.mark.parametrize("name", fruits.RANGES)
def test_every_factor_is_visible(name):
    middle = {"kind": 0, "hue": 70, "size": 9, "x": 16, "y": 17, "light": 20, "accessory": 2, "texture": 0.8,
              "background": 0.2, "phase": 0.3}  # fmt: skip
    other = {"kind": 1, "hue": 0, "size": 10, "x": 18, "y": 16, "light": -40, "accessory": 0, "texture": 0.1,
             "background": 1.0, "phase": 0.7}  # fmt: skip
    a, _ = fruits.render(1, 0, **middle)
    b, _ = fruits.render(1, 0, **(middle | {name: other[name]}))
    assert np.abs(a - b).max() > 0.05


def test_fixed_factors_leave_the_others_alone():
    free, fixed = fruits.draw(50, 3), fruits.draw(50, 3, kind=1, size=9.0)
    assert (fixed["kind"] == 1).all() and (fixed["size"] == 9).all()
    assert np.array_equal(free["light"], fixed["light"])
    assert ((fixed["hue"] >= 26) & (fixed["hue"] <= 38)).all()


@pytest.mark.parametrize("fixed", [{"colour": 1}, {"size": 30}, {"kind": 2}, {"hue": np.nan}, {"x": np.zeros(3)}])
def test_wrong_factors_are_refused(fixed):
    with pytest.raises(ValueError):
        fruits.render(5, 0, **fixed)


def test_measured_factors_follow_the_true_ones(drawn):
    images, factors = drawn
    measured = fruits.measure(images)
    for name in ("size", "x", "y"):
        assert np.corrcoef(measured[name], factors[name])[0, 1] > 0.95
        assert np.abs(measured[name] - factors[name]).mean() < 0.35
    error = _angle_error(measured["hue"], factors["hue"])
    assert np.abs(error).max() < 20 and np.abs(error).mean() < 5
    for kind in (0, 1):
        of = factors["kind"] == kind
        true, found = _angle_error(factors["hue"][of], 40), _angle_error(measured["hue"][of], 40)
        assert np.corrcoef(true, found)[0, 1] > 0.95


def test_measuring_an_empty_backdrop_gives_nan():
    measured = fruits.measure(np.full((2, 32, 32, 3), 0.8, np.float32))
    assert all(np.isnan(v).all() for v in measured.values())
    with pytest.raises(ValueError):
        fruits.measure(np.zeros((2, 28, 28, 1)))


def test_progress_ends_at_one():
    seen = []
    fruits.render(100, 0, progress=lambda fraction, text: seen.append(fraction))
    assert seen == sorted(seen) and seen[-1] == 1
