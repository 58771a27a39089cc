"""Figures hold the data they were given, in the style they promise."""

import json
import re

import numpy as np
import plotly.graph_objects as go
import pytest

from zoo.charts import plots

DIGITS = [str(i) for i in range(10)]
OKABE_ITO = {"#000000", "#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7"}
LIGHT, DARK = "#FFFFFF", "#0E1117"


def three(draw):
    return {plots.REAL_NAME: draw(0), "VAE": draw(1), "GAN": draw(2)}


def pictures(seed):
    return np.random.default_rng(seed).random((20, 8, 8, 1), dtype=np.float32)


def factors(seed):
    rng = np.random.default_rng(seed)
    return {"hue": rng.uniform(0, 360, 200), "size": rng.uniform(7, 11, 200), "x": rng.normal(size=200)}


def marginals(dimensions=6, bins=20):
    draws = np.random.default_rng(0).normal(np.arange(dimensions) / 4, 1, (2000, dimensions))
    histograms = [np.histogram(column, bins) for column in draws.T]
    return np.stack([counts for counts, _ in histograms]), np.stack([edges for _, edges in histograms])


HISTORY = {
    "epoch": [1, 2, 3],
    "images": [60000, 120000, 180000],
    "loss": [200.0, 30.0, 10.0],
    "val_loss": [210.0, 35.0, 15.0],
    "accuracy": [0.9, 0.95, 0.99],
    "frechet": [50.0, None, 2.0],
    "seconds": [1.0, 2.0, 3.0],
}
ERRORS = {"mse": np.array([0.01, 0.03]), "psnr": np.array([20.0, 15.0]), "ssim": np.array([0.9, 0.7])}


def normals(seed):
    return np.random.default_rng(seed).normal(size=(300, 2))


FIGURES = {
    "training_curve": lambda: plots.training_curve(HISTORY),
    "intensity_histogram": lambda: plots.intensity_histogram(three(pictures)),
    "class_histogram": lambda: plots.class_histogram(three(lambda i: np.arange(10) + i), DIGITS),
    "feature_pca": lambda: plots.feature_pca(three(normals), explained=(0.3, 0.2)),
    "latent_marginals": lambda: plots.latent_marginals(*marginals(), prior=True),
    "factor_histograms": lambda: plots.factor_histograms(three(factors)),
    "effect_bars": lambda: plots.effect_bars([(3, 0.2), (0, 0.1)]),
    "code_grid": lambda: plots.code_grid(np.arange(49).reshape(7, 7), 64),
    "latent_map": lambda: plots.latent_map(normals(0), np.arange(300) % 10, DIGITS),
    "latent_map without labels": lambda: plots.latent_map(normals(0)),
    "latent_bars": lambda: plots.latent_bars(np.linspace(-3, 3, 12)),
    "class_probabilities": lambda: plots.class_probabilities(np.full(10, 0.1), DIGITS),
    "reconstruction_bars": lambda: plots.reconstruction_bars({"AE": ERRORS, "VAE": ERRORS}),
    "ranking": lambda: plots.ranking(["a", "b"], [0.1, 3], [0.09, 2], [0.12, 5], "Fréchet distance", floor=0.05),
    "tradeoff": lambda: plots.tradeoff(["a", "b"], [20, 25], [0.1, 3], ["VAE", "RAE"], "PSNR", "Fréchet distance"),
    "path_profile": lambda: plots.path_profile(np.eye(10)[[3, 3, 8, 5]], DIGITS),
}


@pytest.fixture(params=FIGURES)
def figure(request):
    return FIGURES[request.param]()


def axes(figure):
    return [figure.layout[name] for name in figure.layout if re.fullmatch(r"[xy]axis\d*", name)]


def test_every_figure_serialises_and_has_titled_axes(figure):
    drawn = json.loads(figure.to_json())
    assert drawn["data"] and drawn["layout"]["height"] >= 200
    titles = {kind: [a.title.text for a in axes(figure) if a.plotly_name.startswith(kind)] for kind in "xy"}
    assert any(titles["x"]) and any(titles["y"])


def test_every_figure_leaves_text_and_background_to_the_theme(figure):
    layout = figure.layout
    assert layout.template == go.layout.Template(plots.TEMPLATE)
    assert layout.paper_bgcolor is None and layout.plot_bgcolor is None and layout.font.color is None
    assert plots.TEMPLATE.layout.paper_bgcolor == plots.TEMPLATE.layout.plot_bgcolor == "rgba(0,0,0,0)"
    # Text brings a colour only where it brings its own plate.
    assert all(note.bgcolor for note in layout.annotations if note.font.color)


def test_no_figure_has_a_second_y_axis_in_one_panel(figure):
    assert all(axis.overlaying is None for axis in axes(figure))
    logarithmic = [axis for axis in axes(figure) if axis.type == "log"]
    assert all("log scale" in axis.title.text for axis in logarithmic)


def test_figures_are_quick_to_draw(figure):
    assert not any(trace.type.endswith("gl") for trace in figure.data)  # WebGL contexts are few
    assert all(len(trace.x) <= plots.MAX_POINTS for trace in figure.data)


# Styles


def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return np.dot(linear, [0.2126, 0.7152, 0.0722])


def contrast(a, b):
    low, high = sorted([luminance(a), luminance(b)])
    return (high + 0.05) / (low + 0.05)


def test_the_fixed_styles_are_safe():
    styles = (plots.REAL, plots.A, plots.B)
    for style in styles:
        assert style.colour in OKABE_ITO
        assert contrast(style.colour, LIGHT) >= 3 and contrast(style.colour, DARK) >= 3  # WCAG 2.2, 1.4.11
    for field in plots.Style._fields:
        everything = [getattr(style, field) for style in (*styles, *plots.FURTHER)]
        assert len(set(everything)) == len(everything)  # colour is never the only difference
    assert contrast(plots.NEUTRAL, LIGHT) >= 3 and contrast(plots.NEUTRAL, DARK) >= 3


def test_series_keep_their_styles_with_and_without_real_data():
    whole = plots.intensity_histogram({"VAE": pictures(1), plots.REAL_NAME: pictures(0), "GAN": pictures(2)})
    assert [t.name for t in whole.data] == [plots.REAL_NAME, "VAE", "GAN"]
    looks = {t.name: (t.line.color, t.line.dash) for t in whole.data}
    expected = {plots.REAL_NAME: plots.REAL, "VAE": plots.A, "GAN": plots.B}
    assert looks == {name: (style.colour, style.dash) for name, style in expected.items()}
    without = plots.intensity_histogram({"VAE": pictures(1), "GAN": pictures(2)})
    assert {t.name: (t.line.color, t.line.dash) for t in without.data} == {n: looks[n] for n in ("VAE", "GAN")}


def test_seventy_classes_look_different():
    assert len({plots._class_style(i) for i in range(70)}) == 70


# Data


def test_training_curve_has_a_panel_for_each_measure():
    figure = plots.training_curve(HISTORY)
    assert [t.name for t in figure.data] == ["loss", "validation loss", "accuracy", "Fréchet distance"]
    loss, validation, accuracy, frechet = figure.data
    assert list(loss.x) == HISTORY["images"] and list(loss.y) == HISTORY["loss"]
    assert loss.line.color == validation.line.color and loss.line.dash != validation.line.dash
    assert (loss.yaxis, accuracy.yaxis, frechet.yaxis) == ("y", "y2", "y3")
    layout = figure.layout
    assert (layout.yaxis.type, layout.yaxis2.type, layout.yaxis3.type) == ("log", None, "log")
    assert np.isnan(frechet.y[1]) and frechet.connectgaps


def test_training_curve_of_a_critic_that_goes_below_zero_is_linear():
    history = {"epoch": [1, 2], "images": [10, 20], "critic": [-500.0, 3.0], "frechet": [None, None]}
    figure = plots.training_curve(history)
    assert figure.layout.yaxis.type is None and figure.layout.yaxis2.type is None


def test_intensity_histogram_shares():
    levels = np.tile(np.arange(17, dtype=np.float32) / 16, 4).reshape(1, 4, 17, 1)
    black = np.zeros((2, 4, 4, 3), np.float32)
    real, a = plots.intensity_histogram({plots.REAL_NAME: levels, "black": black}).data
    assert real.y == pytest.approx(np.full(17, 100 / 17))  # each level of digits has its bin
    assert a.y == pytest.approx([100] + [0] * 16)


def test_class_histogram_marks_missing_classes():
    counts = {plots.REAL_NAME: np.array([50, 50, 0]), "GAN": np.array([99, 1, 0])}
    real, gan = plots.class_histogram(counts, ["apple", "orange", "pear"]).data
    assert real.y == pytest.approx([50, 50, 0]) and gan.y == pytest.approx([99, 1, 0])
    assert list(real.text) == ["", "", ""]  # no real pears, so nobody misses them
    assert list(gan.text) == ["", "missing", ""]
    (alone,) = plots.class_histogram({"GAN": counts["GAN"]}, ["apple", "orange", "pear"]).data
    assert list(alone.text) == ["", "missing", "missing"]


def test_feature_pca_outlines_hold_the_stated_mass():
    points = np.random.default_rng(0).normal(size=(20000, 2))
    edges = np.linspace([-5, -5], [5, 5], 101)
    mass = plots._mass_outside(points, edges)
    cells = [np.clip(np.searchsorted(edges[:, i], points[:, i]) - 1, 0, 99) for i in range(2)]
    for share in (0.5, 0.9):
        assert np.mean(mass[tuple(cells)] <= share) == pytest.approx(share, abs=0.03)
    figure = plots.feature_pca({plots.REAL_NAME: points, "GAN": points + 1})
    kinds = [(t.type, t.legendgroup) for t in figure.data]
    assert kinds == [("scatter", "Real"), ("scatter", "GAN"), ("contour", "Real"), ("contour", "GAN")]
    assert all(len(t.x) == plots.MAX_POINTS for t in figure.data[:2])


def test_latent_marginals_are_densities_ranked_by_their_distance_from_the_prior():
    counts, edges = marginals(dimensions=20)
    figure = plots.latent_marginals(counts, edges, prior=True)
    panels = [t for t in figure.data if t.name == "aggregate posterior"]
    assert len(panels) == 16 and sum(t.name == "prior N(0, 1)" for t in figure.data) == 16
    assert [note.text for note in figure.layout.annotations][:3] == ["z19", "z18", "z17"]  # means grow with z
    assert np.trapezoid(panels[0].y, panels[0].x) == pytest.approx(1, abs=0.02)
    chosen = plots.latent_marginals(counts, edges, prior=False, dimensions=[2, 0], style=plots.B)
    assert [note.text for note in chosen.layout.annotations] == ["z2", "z0"]
    assert [t.line.color for t in chosen.data] == [plots.B.colour] * 2


def test_factor_histograms_leave_out_what_could_not_be_measured_and_keep_red_whole():
    values = {"hue": np.array([355.0, 5.0, np.nan, 0.0]), "size": np.array([8.0, np.nan, 9.0, 10.0])}
    figure = plots.factor_histograms({plots.REAL_NAME: values, "GAN": {k: v * np.nan for k, v in values.items()}})
    hue, nothing, size, _ = figure.data
    assert sum(hue.y) == pytest.approx(100) and sum(size.y) == pytest.approx(100) and sum(nothing.y) == 0
    assert figure.layout.xaxis.range == (-5, 5)
    assert figure.layout.xaxis2.title.text == plots.FACTORS["size"]


def test_effect_bars_show_the_strongest():
    ranking = [(d, 1 / (d + 1)) for d in range(50)]
    (bars,) = plots.effect_bars(ranking, limit=4).data
    assert list(bars.x) == ["z0", "z1", "z2", "z3"] and list(bars.y) == [1, 1 / 2, 1 / 3, 1 / 4]


def test_latent_map_points_lead_back_to_their_rows():
    latents, labels = np.random.default_rng(0).normal(size=(3000, 2)), np.arange(3000) % 10
    figure = plots.latent_map(latents, labels, DIGITS)
    assert [t.name for t in figure.data] == DIGITS == [note.text for note in figure.layout.annotations]
    assert sum(len(t.x) for t in figure.data) == plots.MAX_POINTS
    for digit, trace in enumerate(figure.data):
        assert np.array_equal(latents[trace.customdata], np.column_stack([trace.x, trace.y]))
        assert np.all(labels[trace.customdata] == digit)


def test_latent_bars_and_class_probabilities():
    (bars,) = plots.latent_bars(np.ones((2, 3))).data
    assert list(bars.x) == list(range(6)) and list(bars.y) == [1] * 6
    (bars,) = plots.class_probabilities(np.array([0.9, 0.099, 0.001]), ["a", "b", "c"]).data
    assert bars.x == pytest.approx([90, 9.9, 0.1]) and list(bars.text) == ["90 %", "10 %", ""]


def test_reconstruction_bars_show_mean_and_spread():
    values = {"mse": np.linspace(0, 1, 11)}
    (point,) = plots.reconstruction_bars({"AE": values}).data
    assert point.x == pytest.approx((0.5,)) and list(point.y) == ["AE"]
    assert (point.error_x.array[0], point.error_x.arrayminus[0]) == pytest.approx((0.4, 0.4))
    figure = plots.reconstruction_bars({"AE": ERRORS, "VAE": ERRORS})
    assert len(figure.data) == 6 and figure.layout.xaxis2.title.text == plots.METRICS["psnr"]


def test_path_profile_shows_only_classes_that_appear():
    probabilities = np.array([[0.97, 0.03, 0], [0.5, 0.02, 0.48], [0, 0, 1]])
    three, eight = plots.path_profile(probabilities, ["3", "5", "8"]).data
    assert (three.name, eight.name) == ("3", "8")
    assert list(three.x) == [0, 0.5, 1] and eight.y == pytest.approx([0, 48, 100])


def test_ranking_draws_intervals_and_the_floor_on_its_axis():
    figure = plots.ranking(["a", "b"], [0.1, 3.0], [0.09, 2.0], [0.12, 5.0], "Fréchet distance", floor=0.05)
    bars = figure.data[0].error_x
    assert np.allclose(bars.array, [0.02, 2.0]) and np.allclose(bars.arrayminus, [0.01, 1.0])
    assert figure.layout.xaxis.type == "log" and figure.layout.yaxis.autorange == "reversed"
    assert figure.layout.shapes[0].x0 == 0.05 and figure.layout.annotations[0].x == pytest.approx(np.log10(0.05))


def test_tradeoff_has_a_style_for_each_group():
    figure = plots.tradeoff(["a", "b", "c"], [1, 2, 3], [3, 2, 1], ["VAE", "GAN", "VAE"], "x", "y")
    assert [trace.name for trace in figure.data] == ["VAE", "GAN"] and list(figure.data[0].text) == ["a", "c"]
    assert figure.data[0].marker.symbol != figure.data[1].marker.symbol
