"""Directions on codes whose directions are known, moves as text and as files, and factors that are rendered anew."""

import json

import linear_entries as linear
import numpy as np
import pytest
import tiny_entries as tiny

from zoo import models
from zoo.analysis import directions, factors, moves
from zoo.data import fruits
from zoo.errors import Cancelled
from zoo.latent import geometry

COUNT, SIZE = 1200, 7
MIXED = np.random.default_rng(5).normal(size=(3, SIZE)) * np.array([[1.0], [4.0], [0.3]])


def cosine(a, b):
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def independent(rng, count, size):
    """Numbers (count, size) without any correlation in the first three quarters and in the last."""
    parts = [rng.normal(size=(rows, size)) for rows in (3 * count // 4, count // 4)]
    return np.concatenate([np.linalg.qr(part - part.mean(0))[0] * np.sqrt(len(part)) for part in parts])


def planted(noise=1.0):
    """Codes in which three factors of their own lengths and four numbers that mean nothing are mixed, not orthogonally.

    By chance nothing goes along with anything else, neither in the rows that are fitted nor in the others."""
    rng = np.random.default_rng(11)
    drawn = independent(rng, COUNT, SIZE)
    known = drawn[:, :3] * [1, 2, 3] + 1.5
    codes = known @ MIXED + noise * drawn[:, 3:] @ rng.normal(size=(SIZE - 3, SIZE)) + 3
    return codes, {name: known[:, index] for index, name in enumerate("abc")}


def test_planted_factors_come_back_with_r2_of_one():
    codes, known = planted()
    found = directions.by_factor(codes, known)
    for index, name in enumerate("abc"):
        vector, score = found[name]
        assert vector is not None
        assert cosine(vector, MIXED[index]) > 0.999
        assert score == pytest.approx(1, abs=1e-6)
        unit = MIXED[index] * known[name].std()  # one unit is one standard deviation of the factor
        assert np.linalg.norm(vector) == pytest.approx(np.linalg.norm(unit), rel=0.05)


def test_moving_one_factor_leaves_the_readings_of_the_others():
    codes, known = planted()
    found = directions.by_factor(codes, known)
    for name in "abc":
        moved = found[name][0]
        readers = np.linalg.lstsq(codes - codes.mean(0), np.stack(list(known.values()), 1), rcond=None)[0]
        read = moved @ (readers / [values.std() for values in known.values()])
        np.testing.assert_allclose(read, np.eye(3)["abc".index(name)], atol=1e-6)


def test_a_factor_that_codes_do_not_hold_has_no_direction_and_a_constant_none_at_all():
    codes, known = planted()
    noise = np.random.default_rng(1).normal(size=COUNT)
    found = directions.by_factor(codes, known | {"noise": noise, "constant": np.ones(COUNT)})
    assert found["noise"][0] is None
    assert found["noise"][1] < 0.05
    assert "constant" not in found
    assert cosine(found["a"][0], MIXED[0]) > 0.999
    assert directions.by_factor(codes, {}) == {}


def test_class_means_are_apart_by_what_was_planted():
    rng = np.random.default_rng(2)
    labels = rng.integers(0, 3, COUNT)
    centres = np.array([[0.0, 0, 0], [6, 0, 0], [0, 6, 0]])
    found = directions.by_class(centres[labels] + 0.1 * rng.normal(size=(COUNT, 3)), labels)
    assert sorted(found) == [0, 1, 2]
    vector, mean, figure = found[1]
    np.testing.assert_allclose(mean, centres[1], atol=0.05)
    assert cosine(vector, np.array([6.0, -3, 0])) > 0.99
    assert figure == 1
    assert directions.by_class(centres[labels], np.zeros(COUNT, int)) == {}


def test_auroc_counts_pairs():
    assert directions.separation(np.array([1.0, 2]), np.array([0.0, 2])) == pytest.approx((1 + 0 + 1 + 0.5) / 4)
    assert np.isnan(directions.separation(np.array([]), np.array([0.0])))


def test_components_of_codes_are_their_axes_and_one_deviation_long():
    rng = np.random.default_rng(3)
    axes = np.linalg.qr(rng.normal(size=(4, 4)))[0]
    deviations = np.array([8.0, 4, 2, 1])
    codes = rng.normal(size=(6000, 4)) * deviations @ axes
    found = directions.components(codes, 2)
    assert len(found) == 2
    for (vector, share), axis, deviation in zip(found, axes, deviations, strict=False):
        assert abs(cosine(vector, axis)) > 0.999
        assert np.linalg.norm(vector) == pytest.approx(deviation, rel=0.05)
        assert share == pytest.approx(deviation**2 / np.square(deviations).sum(), abs=0.03)


@pytest.mark.parametrize("width", [6, 9000])  # fewer and more features than rows
def test_a_linear_generator_gives_back_the_latents_that_move_its_features_most(width):
    rng = np.random.default_rng(4)
    inner = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    outer = np.linalg.qr(rng.normal(size=(width, 6)))[0].T
    latents = independent(rng, 1000, 6)
    features = latents @ inner * np.array([32.0, 16, 8, 4, 2, 1]) @ outer
    for (vector, share), axis in zip(directions.feature_components(latents, features, 2), inner.T, strict=False):
        assert abs(cosine(vector, axis)) > 0.999
        assert np.linalg.norm(vector) == pytest.approx(1, abs=0.1)
        assert 0 < share < 1


def test_a_minus_b_plus_c_is_exact_for_a_linear_entry(wall):
    entry = linear.autoencoder(wall / "pca", "digits", 6)
    a, b, c = np.eye(3, 6, dtype=np.float32) * 0.2
    answer = geometry.analogy(a, b, c)
    a_image, b_image, c_image, shown = models.decode(entry, np.stack([a, b, c, answer]))
    inside = (shown > 0) & (shown < 1) & (a_image > 0) & (b_image > 0) & (c_image > 0)
    assert inside.mean() > 0.2
    np.testing.assert_allclose(shown[inside], (a_image - b_image + c_image)[inside], atol=1e-5)


def test_a_linear_encoder_and_decoder_give_back_planted_factors(wall):
    """Images painted from factors by fixed patterns: the code's directions paint these patterns again."""
    rng = np.random.default_rng(6)
    entry = tiny.vae(wall / "linear")  # its encoder is linear: sixteen pixels to two numbers
    known = rng.uniform(0.2, 0.4, size=(800, 2))
    patterns = np.zeros((2, tiny.SIZE))
    patterns[0, :5], patterns[1, 9:] = 1, 0.5
    painted = (known @ patterns + 0.1).astype(np.float32).reshape(-1, *tiny.SHAPE)
    found = directions.by_factor(models.encode(entry, painted), {"left": known[:, 0], "right": known[:, 1]})
    for (vector, score), pattern in zip(found.values(), patterns, strict=True):
        assert cosine(vector, pattern @ tiny.ENCODE) > 0.999
        assert score > 0.9999


def test_strengths_add_up():
    latents = np.arange(12, dtype=np.float32).reshape(2, 3, 2)
    change = np.arange(6) / 10
    found = directions.moved(latents, change, [0, 2, -1])
    assert found.shape == (3, 2, 3, 2)
    np.testing.assert_allclose(found[1], latents + 0.2 * np.arange(6).reshape(3, 2), rtol=1e-6)
    vector = np.array([1.0, 0])
    here = directions.Found(
        (
            directions.Direction("a", "a", "factors", vector, 1.0),
            directions.Direction("b", "b", "factors", vector[::-1], 1.0),
            directions.Direction("c", "c", "factors", None, 0.0),
        ), {}, "", "", 3, 1, {},
    )  # fmt: skip
    np.testing.assert_allclose(here.change({"a": 1.5, "b": -2}), [1.5, -2])
    assert [direction.key for direction in here.of("factors")] == ["a", "b"]


def test_directions_of_a_generator_are_found_in_its_samples(wall):
    generator = linear.autoencoder(wall / "gan", "digits", 6, encoder=False)
    codes = directions.sampled(generator, linear.classifier(wall / "judge", "digits"))
    found = directions.find(codes)
    assert {direction.kind for direction in found.directions} == {"classes", "components"}
    assert found.fitted + found.tested == len(codes.flat) == directions.COUNT
    assert all(np.isfinite(found.change({direction.key: 1.0})).all() for direction in found.directions)
    with pytest.raises(Cancelled):
        directions.sampled(generator, None, cancelled=lambda: True)
    told = directions.find(directions.sampled(tiny.gan(wall / "told"), None))
    assert {direction.kind for direction in told.directions} == {"components"}


def test_classes_have_keys_of_their_own():
    keys = directions.class_keys(["T-shirt/top", "t shirt top", "[a](b)", "", "7"])
    assert len(set(keys)) == 5
    assert keys[0] == "is-t-shirt-top"
    assert all(moves.KEY.fullmatch(key) for key in keys)


# Moves


def test_a_move_in_a_link_comes_back_and_what_is_wrong_in_it_is_named():
    move = {"size": 1.5, "is-7": -2.25}
    assert moves.written(move | {"hue": 0.0}) == "size:1.5,is-7:-2.25"
    assert moves.written({"hue": 0.0}) == "none"
    assert moves.read("none", ["hue"]) == ({}, [])
    assert moves.read(moves.written(move), ["size", "hue", "is-7"]) == (move, [])
    asked = "size:1e9,hue:nan,nothing:1,size,x:1:2,:,leaf:inf,"
    found, refused = moves.read(asked, ["size", "hue", "leaf", "x"])
    assert found == {"size": moves.REACH}
    assert refused == ["hue:nan", "nothing:1", "size", "x:1:2", ":", "leaf:inf"]


def test_a_move_comes_back_from_its_file():
    move = {"size": 1.5, "hue": -3.0}
    content = moves.saved("fruits-vae", move, np.arange(4) / 3).encode()
    assert moves.opened(content, ["hue", "size", "x"]) == move
    assert json.loads(content)["change"] == [0, 0.333333, 0.666667, 1]
    large = moves.saved("large", move, np.full(moves.MOST_NUMBERS + 1, 1 / 3)).encode()
    assert moves.opened(large, ["hue", "size"]) == move


def damaged(**changes):
    good = json.loads(moves.saved("fruits-vae", {"size": 1.5}, np.zeros(2)))
    return json.dumps(good | changes).encode()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"\xff\xfe", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"[]", "no move"),
        (b" " * (moves.MAX_BYTES + 1), "256 KB"),
        (damaged(version=2), "no move of version 1"),
        (damaged(kind="other"), "no move of version 1"),
        (damaged(steps="size"), "no list of at most 16"),
        (damaged(steps=[{}] * 17), "no list of at most 16"),
        (damaged(steps=[{"direction": ["size"], "strength": 1}]), "no name of its own"),
        (damaged(steps=[{"direction": "size", "strength": 1}] * 2), "no name of its own"),
        (damaged(steps=[{"direction": "<b>", "strength": 1}]), "no name of its own"),
        (damaged(steps=[{"direction": "size", "strength": True}]), "strength of size"),
        (damaged(steps=[{"direction": "size", "strength": float("nan")}]), "strength of size"),
        (damaged(steps=[{"direction": "size", "strength": 10**40}]), "strength of size"),
        (damaged(steps=[{"direction": "leaf", "strength": 1}]), "along leaf"),
    ],
)
def test_a_file_that_is_no_move_is_refused_in_one_sentence(content, sentence):
    with pytest.raises(ValueError, match=sentence) as refusal:
        moves.opened(content, ["size"])
    assert str(refusal.value).count(". ") == 0


# Factors of fruits


def test_factors_become_numbers_and_an_unmoved_fruit_its_own_picture():
    images, known = fruits.render(12, 3)
    numbers = factors.numbers(known)
    assert set(numbers) == set(factors.NAMES)
    assert -14 <= numbers["hue"].min() <= numbers["hue"].max() <= 88
    np.testing.assert_array_equal(numbers["leaf"] + numbers["stem"], known["accessory"])
    for index in range(3):
        row = factors.row(images, known, images[index])
        assert row is not None
        np.testing.assert_array_equal(factors.changed(row, [{}, {"size": 0.0}], {"size": 1.0})[1], images[index])
    assert factors.row(images, known, images[0] * 0.5) is None
    assert factors.row(images, known, images[0, :4]) is None


def test_changed_factors_are_rendered_within_their_ranges():
    images, known = fruits.render(1, 3, kind=0, size=9, x=16, accessory=0)
    row = factors.row(images, known, images[0])
    assert row is not None
    deviations = {"size": 1.0, "kind": 0.5, "stem": 0.4, "leaf": 0.4, "x": 2.0}
    asked = [{"size": 1.5}, {"size": 50}, {"kind": 2}, {"stem": 2}, {"leaf": 2}, {"x": -1}]
    wanted = [{"size": 10.5}, {"size": 11}, {"kind": 1}, {"accessory": 1}, {"accessory": 2}, {"x": 14}]
    given = {name: float(values[0]) for name, values in known.items()}
    for image, factor in zip(factors.changed(row, asked, deviations), wanted, strict=True):
        np.testing.assert_array_equal(image, fruits.render(1, 0, **(given | factor))[0][0])
