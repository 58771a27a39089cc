"""Figures hold the data they were given, in the style they promise."""

import json
import re

import numpy as np
import plotly.graph_objects as go
import pytest

from zoo import charts
from zoo.charts import distributions, layout, palette, rankings

DIGITS = [str(i) for i in range(10)]
OKABE_ITO = {"#000000", "#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7"}
LIGHT, DARK = "#FFFFFF", "#0E1117"


def three(draw):
    return {charts.REAL_NAME: draw(0), "VAE": draw(1), "GAN": draw(2)}


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
    "training_curve": lambda: charts.training_curve(HISTORY),
    "intensity_histogram": lambda: charts.intensity_histogram(three(pictures)),
    "class_histogram": lambda: charts.class_histogram(three(lambda i: np.arange(10) + i), DIGITS),
    "feature_pca": lambda: charts.feature_pca(three(normals), explained=(0.3, 0.2)),
    "latent_marginals": lambda: charts.latent_marginals(*marginals(), prior=True),
    "factor_histograms": lambda: charts.factor_histograms(three(factors)),
    "effect_bars": lambda: charts.effect_bars([(3, 0.2), (0, 0.1)]),
    "code_grid": lambda: charts.code_grid(np.arange(49).reshape(7, 7), 64),
    "latent_map": lambda: charts.latent_map(normals(0), np.arange(300) % 10, DIGITS),
    "latent_map without labels": lambda: charts.latent_map(normals(0)),
    "latent_bars": lambda: charts.latent_bars(np.linspace(-3, 3, 12)),
    "class_probabilities": lambda: charts.class_probabilities(np.full(10, 0.1), DIGITS),
    "reconstruction_bars": lambda: charts.reconstruction_bars({"AE": ERRORS, "VAE": ERRORS}),
    "ranking": lambda: charts.ranking(["a", "b"], [0.1, 3], [0.09, 2], [0.12, 5], "Fréchet distance", floor=0.05),
    "tradeoff": lambda: charts.tradeoff(["a", "b"], [20, 25], [0.1, 3], ["VAE", "RAE"], "PSNR", "Fréchet distance"),
    "path_profile": lambda: charts.path_profile(np.eye(10)[[3, 3, 8, 5]], DIGITS),
    "descent": lambda: charts.descent([[0.1, 0.02, 0.001], [0.2, 0.1]], ["seven", "two"], limit=0.002),
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
    drawn = figure.layout
    assert drawn.template == go.layout.Template(layout.TEMPLATE)
    assert drawn.paper_bgcolor is None and drawn.plot_bgcolor is None and drawn.font.color is None
    assert layout.TEMPLATE.layout.paper_bgcolor == layout.TEMPLATE.layout.plot_bgcolor == "rgba(0,0,0,0)"
    # Text brings a colour only where it brings its own plate.
    assert all(note.bgcolor for note in drawn.annotations if note.font.color)


def test_no_figure_has_a_second_y_axis_in_one_panel(figure):
    assert all(axis.overlaying is None for axis in axes(figure))
    logarithmic = [axis for axis in axes(figure) if axis.type == "log"]
    assert all("log scale" in axis.title.text for axis in logarithmic)


def test_figures_are_quick_to_draw(figure):
    assert not any(trace.type.endswith("gl") for trace in figure.data)  # WebGL contexts are few
    assert all(len(trace.x) <= layout.MAX_POINTS for trace in figure.data)


# Styles


def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return np.dot(linear, [0.2126, 0.7152, 0.0722])


def contrast(a, b):
    low, high = sorted([luminance(a), luminance(b)])
    return (high + 0.05) / (low + 0.05)


def test_the_fixed_styles_are_safe():
    styles = (charts.REAL, charts.A, charts.B)
    for style in styles:
        assert style.colour in OKABE_ITO
        assert contrast(style.colour, LIGHT) >= 3 and contrast(style.colour, DARK) >= 3  # WCAG 2.2, 1.4.11
    for field in charts.Style._fields:
        everything = [getattr(style, field) for style in (*styles, *charts.FURTHER)]
        assert len(set(everything)) == len(everything)  # colour is never the only difference
    assert contrast(palette.NEUTRAL, LIGHT) >= 3 and contrast(palette.NEUTRAL, DARK) >= 3


def test_series_keep_their_styles_with_and_without_real_data():
    whole = charts.intensity_histogram({"VAE": pictures(1), charts.REAL_NAME: pictures(0), "GAN": pictures(2)})
    assert [t.name for t in whole.data] == [charts.REAL_NAME, "VAE", "GAN"]
    looks = {t.name: (t.line.color, t.line.dash) for t in whole.data}
    expected = {charts.REAL_NAME: charts.REAL, "VAE": charts.A, "GAN": charts.B}
    assert looks == {name: (style.colour, style.dash) for name, style in expected.items()}
    without = charts.intensity_histogram({"VAE": pictures(1), "GAN": pictures(2)})
    assert {t.name: (t.line.color, t.line.dash) for t in without.data} == {n: looks[n] for n in ("VAE", "GAN")}


def test_seventy_classes_look_different():
    assert len({palette.class_style(i) for i in range(70)}) == 70


# Data


def test_training_curve_has_a_panel_for_each_measure():
    figure = charts.training_curve(HISTORY)
    assert [t.name for t in figure.data] == ["loss", "validation loss", "accuracy", "Fréchet distance"]
    loss, validation, accuracy, frechet = figure.data
    assert list(loss.x) == HISTORY["images"] and list(loss.y) == HISTORY["loss"]
    assert loss.line.color == validation.line.color and loss.line.dash != validation.line.dash
    assert (loss.yaxis, accuracy.yaxis, frechet.yaxis) == ("y", "y2", "y3")
    axes = figure.layout
    assert (axes.yaxis.type, axes.yaxis2.type, axes.yaxis3.type) == ("log", None, "log")
    assert np.isnan(frechet.y[1]) and frechet.connectgaps


def test_training_curve_of_a_critic_that_goes_below_zero_is_linear():
    history = {"epoch": [1, 2], "images": [10, 20], "critic": [-500.0, 3.0], "frechet": [None, None]}
    figure = charts.training_curve(history)
    assert figure.layout.yaxis.type is None and figure.layout.yaxis2.type is None


def test_intensity_histogram_shares():
    levels = np.tile(np.arange(17, dtype=np.float32) / 16, 4).reshape(1, 4, 17, 1)
    black = np.zeros((2, 4, 4, 3), np.float32)
    real, a = charts.intensity_histogram({charts.REAL_NAME: levels, "black": black}).data
    assert real.y == pytest.approx(np.full(17, 100 / 17))  # each level of digits has its bin
    assert a.y == pytest.approx([100] + [0] * 16)


def test_class_histogram_marks_missing_classes():
    counts = {charts.REAL_NAME: np.array([50, 50, 0]), "GAN": np.array([99, 1, 0])}
    real, gan = charts.class_histogram(counts, ["apple", "orange", "pear"]).data
    assert real.y == pytest.approx([50, 50, 0]) and gan.y == pytest.approx([99, 1, 0])
    assert list(real.text) == ["", "", ""]  # no real pears, so nobody misses them
    assert list(gan.text) == ["", "missing", ""]
    (alone,) = charts.class_histogram({"GAN": counts["GAN"]}, ["apple", "orange", "pear"]).data
    assert list(alone.text) == ["", "missing", "missing"]


def test_feature_pca_outlines_hold_the_stated_mass():
    points = np.random.default_rng(0).normal(size=(20000, 2))
    edges = np.linspace([-5, -5], [5, 5], 101)
    mass = distributions._mass_outside(points, edges)
    cells = [np.clip(np.searchsorted(edges[:, i], points[:, i]) - 1, 0, 99) for i in range(2)]
    for share in (0.5, 0.9):
        assert np.mean(mass[tuple(cells)] <= share) == pytest.approx(share, abs=0.03)
    figure = charts.feature_pca({charts.REAL_NAME: points, "GAN": points + 1})
    kinds = [(t.type, t.legendgroup) for t in figure.data]
    assert kinds == [("scatter", "Real"), ("scatter", "GAN"), ("contour", "Real"), ("contour", "GAN")]
    assert all(len(t.x) == layout.MAX_POINTS for t in figure.data[:2])


def test_latent_marginals_are_densities_ranked_by_their_distance_from_the_prior():
    counts, edges = marginals(dimensions=20)
    figure = charts.latent_marginals(counts, edges, prior=True)
    panels = [t for t in figure.data if t.name == "aggregate posterior"]
    assert len(panels) == 16 and sum(t.name == "prior N(0, 1)" for t in figure.data) == 16
    assert [note.text for note in figure.layout.annotations][:3] == ["z19", "z18", "z17"]  # means grow with z
    assert np.trapezoid(panels[0].y, panels[0].x) == pytest.approx(1, abs=0.02)
    chosen = charts.latent_marginals(counts, edges, prior=False, dimensions=[2, 0], style=charts.B)
    assert [note.text for note in chosen.layout.annotations] == ["z2", "z0"]
    assert [t.line.color for t in chosen.data] == [charts.B.colour] * 2


def test_factor_histograms_leave_out_what_could_not_be_measured_and_keep_red_whole():
    values = {"hue": np.array([355.0, 5.0, np.nan, 0.0]), "size": np.array([8.0, np.nan, 9.0, 10.0])}
    figure = charts.factor_histograms({charts.REAL_NAME: values, "GAN": {k: v * np.nan for k, v in values.items()}})
    hue, nothing, size, _ = figure.data
    assert sum(hue.y) == pytest.approx(100) and sum(size.y) == pytest.approx(100) and sum(nothing.y) == 0
    assert figure.layout.xaxis.range == (-5, 5)
    assert figure.layout.xaxis2.title.text == distributions.FACTORS["size"]


def test_effect_bars_show_the_strongest():
    ranking = [(d, 1 / (d + 1)) for d in range(50)]
    (bars,) = charts.effect_bars(ranking, limit=4).data
    assert list(bars.x) == ["z0", "z1", "z2", "z3"] and list(bars.y) == [1, 1 / 2, 1 / 3, 1 / 4]


def test_latent_map_points_lead_back_to_their_rows():
    latents, labels = np.random.default_rng(0).normal(size=(3000, 2)), np.arange(3000) % 10
    figure = charts.latent_map(latents, labels, DIGITS)
    assert [t.name for t in figure.data] == DIGITS == [note.text for note in figure.layout.annotations]
    assert sum(len(t.x) for t in figure.data) == layout.MAX_POINTS
    for digit, trace in enumerate(figure.data):
        assert np.array_equal(latents[trace.customdata], np.column_stack([trace.x, trace.y]))
        assert np.all(labels[trace.customdata] == digit)


def test_latent_bars_and_class_probabilities():
    (bars,) = charts.latent_bars(np.ones((2, 3))).data
    assert list(bars.x) == list(range(6)) and list(bars.y) == [1] * 6
    (bars,) = charts.class_probabilities(np.array([0.9, 0.099, 0.001]), ["a", "b", "c"]).data
    assert bars.x == pytest.approx([90, 9.9, 0.1]) and list(bars.text) == ["90 %", "10 %", ""]


def test_reconstruction_bars_show_mean_and_spread():
    values = {"mse": np.linspace(0, 1, 11)}
    (point,) = charts.reconstruction_bars({"AE": values}).data
    assert point.x == pytest.approx((0.5,)) and list(point.y) == ["AE"]
    assert (point.error_x.array[0], point.error_x.arrayminus[0]) == pytest.approx((0.4, 0.4))
    figure = charts.reconstruction_bars({"AE": ERRORS, "VAE": ERRORS})
    assert len(figure.data) == 6 and figure.layout.xaxis2.title.text == rankings.METRICS["psnr"]


def test_path_profile_shows_only_classes_that_appear():
    probabilities = np.array([[0.97, 0.03, 0], [0.5, 0.02, 0.48], [0, 0, 1]])
    three, eight = charts.path_profile(probabilities, ["3", "5", "8"]).data
    assert (three.name, eight.name) == ("3", "8")
    assert list(three.x) == [0, 0.5, 1] and eight.y == pytest.approx([0, 48, 100])


def test_ranking_draws_intervals_and_the_floor_on_its_axis():
    figure = charts.ranking(["a", "b"], [0.1, 3.0], [0.09, 2.0], [0.12, 5.0], "Fréchet distance", floor=0.05)
    bars = figure.data[0].error_x
    assert np.allclose(bars.array, [0.02, 2.0]) and np.allclose(bars.arrayminus, [0.01, 1.0])
    assert figure.layout.xaxis.type == "log" and figure.layout.yaxis.autorange == "reversed"
    assert figure.layout.shapes[0].x0 == 0.05 and figure.layout.annotations[0].x == pytest.approx(np.log10(0.05))


def test_tradeoff_has_a_style_for_each_group():
    figure = charts.tradeoff(["a", "b", "c"], [1, 2, 3], [3, 2, 1], ["VAE", "GAN", "VAE"], "x", "y")
    assert [trace.name for trace in figure.data] == ["VAE", "GAN"] and list(figure.data[0].text) == ["a", "c"]
    assert figure.data[0].marker.symbol != figure.data[1].marker.symbol


# Strings of strangers

HOSTILE = '<a href="http://evil.example">x</a><b>&'
BY_STRANGERS = {
    "training_curve": lambda: charts.training_curve({"images": [1, 2], HOSTILE: [1.0, 2.0]}),
    "intensity_histogram": lambda: charts.intensity_histogram({HOSTILE: pictures(0)}),
    "class_histogram": lambda: charts.class_histogram({HOSTILE: np.arange(2)}, [HOSTILE, "b"]),
    "feature_pca": lambda: charts.feature_pca({HOSTILE: normals(0)}),
    "factor_histograms": lambda: charts.factor_histograms({HOSTILE: factors(0)}),
    "latent_map": lambda: charts.latent_map(normals(0), np.zeros(300, int), [HOSTILE]),
    "class_probabilities": lambda: charts.class_probabilities(np.array([0.5, 0.5]), [HOSTILE, "b"]),
    "path_profile": lambda: charts.path_profile(np.eye(2), [HOSTILE, "b"]),
    "reconstruction_bars": lambda: charts.reconstruction_bars({HOSTILE: ERRORS}),
    "descent": lambda: charts.descent([[0.1]], [HOSTILE]),
    "ranking": lambda: charts.ranking([HOSTILE], [1], [1], [1], HOSTILE),
    "tradeoff": lambda: charts.tradeoff([HOSTILE], [1], [1], [HOSTILE], HOSTILE, HOSTILE),
}


def strings(part, key=""):
    """Return all strings of a figure's JSON but those of templates, which are ours."""
    if isinstance(part, str):
        return [] if key in layout.OWN else [part]
    if isinstance(part, dict):
        return [text for name, inner in part.items() for text in strings(inner, name)]
    return [text for inner in part for text in strings(inner, key)] if isinstance(part, list) else []


@pytest.mark.parametrize("name", BY_STRANGERS)
def test_no_string_of_a_stranger_is_markup(name):
    found = strings(json.loads(BY_STRANGERS[name]().to_json()))
    assert not [text for text in found if "<" in text or ">" in text]
    assert any("&lt;a href" in text and "&lt;b&gt;&amp;" in text for text in found)


def test_every_place_of_a_figure_is_escaped():
    figure = go.Figure(go.Bar(x=[HOSTILE], y=[1], name=HOSTILE, text=[HOSTILE], hovertext=[HOSTILE], ids=[HOSTILE]))
    figure.add_annotation(text=HOSTILE, hovertext=HOSTILE)
    figure.add_hline(1, annotation_text=HOSTILE)
    figure.update_xaxes(title_text=HOSTILE, tickvals=[0], ticktext=[HOSTILE])
    figure.update_traces(hovertemplate="%{y}<extra></extra>")
    drawn = layout.laid_out(figure, title_text=HOSTILE, legend_title_text=HOSTILE)
    found = strings(json.loads(drawn.to_json()))
    assert sum("&lt;a href" in text for text in found) == 12 and not [text for text in found if "<" in text]
    assert drawn.data[0].hovertemplate == "%{y}<extra></extra>"
