"""The live lab: its numbers beside Keras', its presets, and the page in a real browser, where it trains.

The engine runs in Chromium, as it does for visitors: one page for all comparisons. Speeds are printed (pytest -s).
"""

import io
import itertools
import math
import re
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
CASES = [
    *itertools.product(PLAYERS, HOW),
    *itertools.product(("autoencoder", "vae"), HOW),
    ("r3gan", ("adam", "leaky")),
]
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
    """Return the losses of D and G, or of an autoencoder, as functions of one batch, in Keras and TensorFlow."""
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
        curve = keras.layers.LeakyReLU(0.2, dtype="float64") if case["activation"] == "leaky" else "tanh"
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
        # Not as a graph: what TensorFlow makes of the second derivatives there differs from run to run.
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


DEFAULTS = lab.contents()["presets"][0]["settings"]
RUN = """
({settings, steps, views}) => {
  const run = begin(settings, [[0, 0]]);
  for (let i = 0; i < steps; i++) {
    if (views && i % 7 === 0) view(run);
    advance(run);
  }
  return {history: run.history, weights: [...run.teacher.g.values]};
}
"""


def test_the_same_seed_gives_the_same_run_whatever_is_looked_at(page):
    runs = [
        page.evaluate(RUN, {"settings": DEFAULTS | {"seed": seed}, "steps": 60, "views": views})
        for seed, views in (("1", False), ("1", True), ("2", False))
    ]
    assert runs[0] == runs[1]
    assert runs[0]["weights"] != runs[2]["weights"]


@pytest.mark.parametrize("model", ["gan", "autoencoder", "vae"])
@pytest.mark.parametrize("size", ["1", "2"])
def test_what_is_seen_of_a_run(page, model, size):
    """The ground is in [−1, 1], there are as many fakes and arrows as points, one number makes a line of the grid."""
    settings = DEFAULTS | {"model": model, "noise": size, "bottleneck": size}
    seen = page.evaluate(
        """settings => {
          const run = begin(settings, [[0, 0]]);
          advance(run);
          const {ground, fakes, starts, ends, grid, across, down} = view(run);
          return {lengths: [fakes, starts, ends].map(each => each.length), grid: grid.length, across, down,
                  finite: [...fakes, ...ends, ...grid].every(Number.isFinite), ground: [...ground]};
        }""",
        settings,
    )
    assert seen["lengths"] == [400, 400, 400] and seen["finite"]
    assert seen["grid"] == 2 * seen["across"] * seen["down"] and (seen["down"] == 1) == (size == "1")
    assert len(seen["ground"]) == 1600 and np.abs(seen["ground"]).max() <= 1 and np.std(seen["ground"]) > 0


def test_measures_of_clouds_that_are_known(page):
    found = page.evaluate(
        """() => {
          const one = counted(Float64Array.from([-1, -1, -1, -1])), two = counted(Float64Array.from([-1, -1, 1, 1]));
          const far = counted(Float64Array.from([1, 1])), modes = CLOUDS.gaussians.modes.flat();
          const cloud = {modes: [[0, 0], [1, 1]], spread: 0.1};
          return {
            same: jensenShannon(one, one), apart: jensenShannon(one, far), half: divergence(one, two),
            missed: divergence(two, one), all: covered(modes, CLOUDS.gaussians), none: covered(modes, cloud),
            // A quarter of the fair share of eight fakes on two modes is one fake.
            few: covered([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1.29], cloud),
            fewer: covered([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1.31], cloud),
          };
        }"""
    )
    assert found["same"] == 0 and found["apart"] == pytest.approx(math.log(2))
    assert found["half"] == pytest.approx(math.log(2), abs=2e-3)
    assert found["missed"] == pytest.approx(0.5 * math.log(0.5) + 0.5 * math.log(0.5 / (0.001 / 576)), abs=2e-3)
    assert (found["all"], found["none"], found["few"], found["fewer"]) == (8, 0, 2, 1)


@pytest.mark.parametrize("data", [value for value, _ in lab.contents()["settings"][0]["options"]])
def test_clouds_lie_in_the_plane_and_spread(page, data):
    points = page.evaluate(
        """data => [...draw(data === "drawing" ? sketched([[0.5, 0.5], [-1, 1]]) : CLOUDS[data], 4000, dice(3))]""",
        data,
    )
    points = np.reshape(points, (-1, 2))
    assert np.abs(points).max() < 1.6
    assert (points.std(0) > 0.2).all()


def test_presets_and_phases_say_only_what_there_is():
    found = lab.contents()
    settings = {one["key"]: one for one in found["settings"]}
    presets = {one["key"]: one for one in found["presets"]}
    assert DEFAULTS.keys() == settings.keys()
    for preset in presets.values():
        for key, value in preset["settings"].items():
            values = ["0", "1"] if settings[key].get("flag") else [value for value, _ in settings[key]["options"]]
            low, high = settings[key].get("range", (0, -1))
            assert value in values or low <= int(value) <= high, (preset["key"], key)
        assert preset.get("cure", preset["key"]) in presets
        assert 1 <= preset["watch"].count(". ") + 1 <= 2 and preset["watch"].endswith(".")
    for setting in settings.values():
        for key, values in setting.get("when", {}).items():
            assert set(values) <= {value for value, _ in settings[key]["options"]}
    assert {model for phase in found["phases"] for model in phase["model"]} == {"gan", "autoencoder", "vae"}


def test_the_engine_is_small_and_knows_no_page():
    engine = (FOLDER / "engine.js").read_text("utf-8")
    assert len(engine.splitlines()) <= 400
    for name in ENGINE:
        code = (FOLDER / f"{name}.js").read_text("utf-8")
        assert not [word for word in ("document", "window", "Math.random", "performance", "Date") if f"{word}." in code]


def test_how_fast_it_trains_and_how_much_is_sent(page):
    """A slower processor takes the same steps. How many a second, and how many bytes, is printed."""
    tools = page.context.new_cdp_session(page)
    runs = []
    for slower in (1, 4):
        tools.send("Emulation.setCPUThrottlingRate", {"rate": slower})
        task = {"settings": DEFAULTS, "steps": 100, "views": False}
        page.evaluate(RUN, task)
        took, run = page.evaluate(
            f"task => {{ const t = performance.now(), run = ({RUN})(task); return [performance.now() - t, run]; }}",
            task,
        )
        print(f"CPU slowed {slower} times: {100 / took * 1000:.0f} steps a second")
        runs.append(run)
    tools.send("Emulation.setCPUThrottlingRate", {"rate": 1})
    assert runs[0] == runs[1]
    sent = b"".join(path.read_bytes() for path in sorted(FOLDER.iterdir()) if path.suffix in (".js", ".css", ".toml"))
    print(f"{len(sent)} bytes are sent, {len(zlib.compress(sent, 9))} where the server compresses")
    assert len(sent) < 100_000


@pytest.fixture(scope="module")
def warm(app, chromium):
    """The running app after its first visitor, whom Streamlit tells that there is no such page (`zoo.widgets.urls`)."""
    first = chromium.new_page()
    first.goto(f"{app.url}/lab")
    settle(first)
    first.close()
    return app


def opened(app, tab, query: str = "", size: str = "wide"):
    """Open the lab; `page.sent` collects what the browser tells the server."""
    page = tab(app.url, size)
    page.sent = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: page.sent.append(frame)))
    page.goto(f"{app.url}/lab?{query}")
    settle(page)
    page.get_by_text("Step 0 ·").wait_for()
    page.sent.clear()
    return page


def asked(page) -> dict[str, str]:
    return {key: text for key, (text,) in parse_qs(urlsplit(page.url).query).items()}


def press(page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def saved(page, name: str) -> bytes:
    with page.expect_download() as download:
        press(page, name)
    with open(download.value.path(), "rb") as file:
        return file.read()


def table(page) -> list[dict[str, float]]:
    head, *rows = saved(page, "Curves as CSV").decode().splitlines()
    return [dict(zip(head.split(","), (float(x or "nan") for x in row.split(",")), strict=True)) for row in rows]


def test_r3gan_covers_all_eight_modes_without_the_server(warm, tab):
    page = opened(warm, tab)
    press(page, "Run")
    page.get_by_text("8 of 8 modes covered").wait_for(timeout=240_000)
    print(page.locator(".readout").inner_text())
    press(page, "Pause")
    page.get_by_role("button", name="Run", exact=True).wait_for()
    assert page.sent == []
    rows = table(page)
    assert max(row["modes"] for row in rows) == 8
    assert rows[-1]["js"] < rows[0]["js"] - 0.2
    assert complaints(page) == []


def test_the_preset_collapses_and_leads_to_its_cure(warm, tab):
    page = opened(warm, tab, "preset=collapse")
    press(page, "Run")
    page.get_by_text(re.compile(r"Step ([5-9]\d\d|\d,\d+) ·")).wait_for(timeout=240_000)
    press(page, "Pause")
    rows = table(page)
    assert rows[-1]["step"] >= 480
    assert max(row["modes"] for row in rows) <= 3
    picture = (
        np.asarray(Image.open(io.BytesIO(saved(page, "Picture as PNG"))).convert("RGB")).reshape(-1, 3).astype(int)
    )
    for colour in ((0, 114, 178), (230, 159, 0)):
        assert (np.abs(picture - colour).sum(1) < 12).sum() > 50
    press(page, "Show the cure")
    page.get_by_text("Step 0 ·").wait_for()
    assert asked(page) == {}
    assert page.sent == [] and complaints(page) == []


def test_settings_are_in_the_link_and_only_what_differs_from_the_preset(warm, tab):
    page = opened(warm, tab, "preset=vae&seed=7&depth=9&points=<b>&source=")
    page.get_by_text("cannot be chosen here: <b> (Points), 9 (Hidden layers).").wait_for()
    assert page.get_by_label("Seed", exact=True).input_value() == "7"
    assert page.get_by_label("Model", exact=True).input_value() == "vae"
    assert not page.get_by_label("Learning rate of D", exact=True).is_visible()
    page.get_by_label("Width", exact=True).select_option("16")
    page.get_by_label("real points", exact=True).uncheck()
    assert asked(page) == {"preset": "vae", "seed": "7", "width": "16", "real": "0"}
    page.get_by_label("Width", exact=True).select_option("32")
    page.get_by_label("Seed", exact=True).fill("99999")
    page.get_by_label("Seed", exact=True).press("Tab")
    assert asked(page) == {"preset": "vae", "seed": "7", "real": "0"}
    page.reload()
    settle(page)
    page.get_by_text("Step 0 ·").wait_for()
    assert page.get_by_label("Seed", exact=True).input_value() == "7"
    assert not page.get_by_label("real points", exact=True).is_checked()
    assert complaints(page) == []


def test_steps_of_one_player_and_slow_motion_by_keyboard(warm, tab):
    page = opened(warm, tab, size="phone")
    page.get_by_role("button", name="Step D", exact=True).press("Enter")
    page.get_by_text("Step 0 ·").wait_for()
    page.get_by_role("button", name="Step G", exact=True).press("Enter")
    page.get_by_text("Step 1 ·").wait_for()
    page.get_by_role("button", name="Step", exact=True).press("Enter")
    page.get_by_text("Step 2 ·").wait_for()
    page.get_by_role("button", name="Slow motion", exact=True).press("Enter")
    page.get_by_text("A batch of 64 real points x is drawn.").wait_for()
    assert page.locator(".box.lit").all_inner_texts() == ["x"]
    page.get_by_text("become fakes").wait_for()
    assert page.locator(".box.lit").all_inner_texts() == ["z", "G", "G(z)"]
    page.get_by_role("button", name="Stop", exact=True).press("Enter")
    page.get_by_text("Noise z goes through G").wait_for()
    assert page.locator(".box.lit").count() == 0 and complaints(page) == []


def test_a_drawing_is_learned_and_kept_in_the_link(warm, tab):
    page = opened(warm, tab, "points=drawing")
    box = page.locator(".stage canvas").bounding_box()
    for part in (0.2, 0.8):
        page.mouse.move(box["x"] + box["width"] * part, box["y"] + box["height"] * 0.2)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * part, box["y"] + box["height"] * 0.8, steps=12)
        page.mouse.up()
    page.wait_for_url(re.compile(r"drawing=\w{52}(&|$)"))
    drawing = asked(page)["drawing"]
    assert len(drawing) == 2 * 2 * 13
    press(page, "Step")
    page.get_by_text("Step 1 ·").wait_for()
    page.reload()
    settle(page)
    page.get_by_text("Step 0 ·").wait_for()
    assert asked(page) == {"points": "drawing", "drawing": drawing}
    press(page, "Clear drawing")
    assert asked(page) == {"points": "drawing"}
    assert complaints(page) == []
