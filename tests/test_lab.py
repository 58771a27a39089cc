"""The live lab: its numbers beside Keras', its presets, and the page in a real browser, where it trains.

The engine runs in Chromium, as it does for visitors: one page for all comparisons. Speeds are printed (pytest -s).
"""

import functools
import io
import itertools
import json
import math
import zlib
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from conftest import ROOT, complaints, settle
from PIL import Image

from zoo.widgets import lab

FOLDER = ROOT / "zoo" / "widgets" / "lab"
ENGINE = ("engine", "clouds", "run")
ROWS, STEPS, NOISE, RATE = 8, 10, 3, 2.0**-4
PLAYERS = ("minimax", "non_saturating", "least_squares", "wgan_gp", "r3gan")
# Curved activations put every term of the second derivatives to the test; the app's own are tested as well.
HOW = [("adam", "tanh"), ("sgd", "leaky")]
CASES = [*itertools.product(PLAYERS, HOW), *itertools.product(("autoencoder", "vae"), HOW), ("r3gan", ("adam", "leaky"))]
TRAIN = """
cases => cases.map(({kind, sizes, weights, batches, ...options}) => {
  const [one, two] = sizes.map((each, i) => {
    const net = network(each, options.activation);
    net.values.set(weights[i]);
    return net;
  });
  const typed = rows => Float64Array.from(rows);
  const play = (kind === "autoencoder" || kind === "vae" ? autoencoder : players)(one, two, options);
  const losses = batches.map(batch => {
    const [real, noise, mix, again, other] = batch.map(typed);
    if (play.encoder) return [stepCodes(play, real, noise)];
    return [stepD(play, real, noise, mix), stepG(play, again, other)];
  });
  return {losses, weights: [one, two].map(net => [...net.values])};
})
"""


@pytest.fixture(scope="module")
def page(chromium):
    """A page that holds the engine and nothing else."""
    tab = chromium.new_page()
    for name in ENGINE:
        tab.add_script_tag(content=(FOLDER / f"{name}.js").read_text("utf-8"))
    yield tab
    tab.close()


def posed(kind: str, optimiser: str, activation: str) -> dict:
    """Return a case: two networks with weights, and the batches of ten steps, all from one seed."""
    random = np.random.default_rng(zlib.crc32(f"{kind} {optimiser} {activation}".encode()))
    codes = {"autoencoder": 1, "vae": 4}.get(kind)
    sizes = [[2, 6, 5, codes], [codes if codes == 1 else 2, 6, 5, 2]] if codes else [[2, 6, 5, 1], [NOISE, 6, 5, 2]]
    weights = [
        np.concatenate([random.normal(0, 0.5, (a + 1) * b) for a, b in itertools.pairwise(each)]).tolist()
        for each in sizes
    ]

    def batch() -> list[list[float]]:
        drawn = [random.normal(size=ROWS * width) for width in (2, sizes[1][0])]
        return [*(part.tolist() for part in drawn), random.uniform(size=ROWS).tolist()]

    batches = [[*batch(), *batch()[:2]] for _ in range(STEPS)]
    return {
        "kind": kind, "loss": kind, "sizes": sizes, "weights": weights, "batches": batches, "rows": ROWS,
        "optimiser": optimiser, "activation": activation, "penalty": 0.7, "beta": 0.3,
        "rateD": RATE, "rateG": RATE / 2, "rate": RATE,
    }  # fmt: skip


@pytest.fixture(scope="module")
def trained(page):
    """What the engine makes of every case: losses of each step and the weights afterwards."""
    cases = [posed(kind, *how) for kind, how in CASES]
    return dict(zip(CASES, page.evaluate(TRAIN, cases), strict=True))


def keras_losses(case: dict, one, two) -> dict:
    """Return the losses of D and G, or of an autoencoder, as functions of one batch, written in Keras and TensorFlow."""
    import keras
    import tensorflow as tf
    from keras import ops

    kind = case["kind"]

    def slopes(points):
        with tf.GradientTape() as tape:
            tape.watch(points)
            scores = one(points)
        return tape.gradient(scores, points)

    def judged(real, noise, mix):
        fake = two(noise)
        x, y = one(real), one(fake)
        if kind == "r3gan":
            penalty = sum(ops.mean(ops.sum(slopes(points) ** 2, 1)) for points in (real, fake)) / 2
            return ops.mean(ops.softplus(y - x)) + case["penalty"] * penalty
        if kind == "wgan_gp":
            between = mix * real + (1 - mix) * fake
            length = ops.sqrt(ops.sum(slopes(between) ** 2, 1))
            return ops.mean(y) - ops.mean(x) + case["penalty"] * ops.mean((length - 1) ** 2)
        if kind == "least_squares":
            return (ops.mean((x - 1) ** 2) + ops.mean(y**2)) / 2
        return ops.mean(ops.softplus(-x)) + ops.mean(ops.softplus(y))

    def generated(real, noise):
        y = one(two(noise))
        if kind == "minimax":
            return ops.mean(ops.log(1 - ops.sigmoid(y)))
        if kind == "least_squares":
            return ops.mean((y - 1) ** 2) / 2
        if kind == "wgan_gp":
            return -ops.mean(y)
        return ops.mean(ops.softplus((one(real) if kind == "r3gan" else 0) - y))

    def rebuilt(real, noise):
        codes = one(real)
        if kind == "autoencoder":
            return ops.mean(ops.sum((real - two(codes)) ** 2, 1))
        mean, log = codes[:, :2], codes[:, 2:]
        kl = ops.sum(mean**2 + ops.exp(log) - 1 - log, 1) / 2
        return ops.mean(ops.sum((real - two(mean + ops.exp(log / 2) * noise)) ** 2, 1) + case["beta"] * kl)

    return {"d": judged, "g": generated, "autoencoder": rebuilt}


def by_keras(case: dict) -> tuple[list, list]:
    """Return losses and weights after the same ten steps in Keras, in double precision."""
    import keras
    import tensorflow as tf

    def network(sizes, weights):
        curve = keras.layers.LeakyReLU(0.2) if case["activation"] == "leaky" else "tanh"
        layers = [keras.layers.Dense(size, curve, dtype="float64") for size in sizes[1:-1]]
        last = keras.layers.Dense(sizes[-1], dtype="float64")
        net = keras.Sequential([keras.Input((sizes[0],), dtype="float64"), *layers, last])
        ends = np.cumsum([value.size for value in net.get_weights()])
        parts = np.split(np.array(weights), ends[:-1])
        net.set_weights([part.reshape(value.shape) for part, value in zip(parts, net.get_weights(), strict=True)])
        return net

    def teacher(net, rate):
        adam = {"beta_1": 0.5, "beta_2": 0.99, "epsilon": 1e-7}
        made = keras.optimizers.Adam(rate, **adam) if case["optimiser"] == "adam" else keras.optimizers.SGD(rate)
        made.build(net.trainable_variables)
        return made

    def stepper(loss, taught):
        @tf.function
        def step(*batch):
            with tf.GradientTape() as tape:
                value = loss(*batch)
            by = tape.gradient(value, [net.trainable_variables for net, _ in taught])
            for (net, optimiser), gradients in zip(taught, by, strict=True):
                optimiser.apply(gradients, net.trainable_variables)
            return value

        return step

    nets = [network(*both) for both in zip(case["sizes"], case["weights"], strict=True)]
    adversarial = case["kind"] in PLAYERS
    rates = (case["rateD"], case["rateG"]) if adversarial else (case["rate"], case["rate"])
    taught = [(net, teacher(net, rate)) for net, rate in zip(nets, rates, strict=True)]
    loss, losses = keras_losses(case, *nets), []
    steps = {"d": stepper(loss["d"], taught[:1]), "g": stepper(loss["g"], taught[1:])}
    steps["autoencoder"] = stepper(loss["autoencoder"], taught)
    for batch in case["batches"]:
        real, noise, mix, again, other = (tf.reshape(tf.constant(part, tf.float64), (ROWS, -1)) for part in batch)
        if adversarial:
            losses.append([float(steps["d"](real, noise, mix)), float(steps["g"](again, other))])
        else:
            losses.append([float(steps["autoencoder"](real, noise))])
    return losses, [np.concatenate([value.ravel() for value in net.get_weights()]) for net in nets]


@pytest.mark.parametrize(("kind", "how"), CASES)
def test_ten_steps_are_those_of_keras(trained, kind, how):
    case, found = posed(kind, *how), trained[kind, how]
    losses, weights = by_keras(case)
    np.testing.assert_allclose(found["losses"], losses, atol=1e-6)
    for ours, theirs, start in zip(found["weights"], weights, case["weights"], strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)
        assert np.abs(theirs - start).max() > 1e-3  # both have learned
