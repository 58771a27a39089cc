"""Arrays become plotly figures and pictures of curves; no Streamlit."""

from zoo.charts.classification import class_probabilities, path_profile
from zoo.charts.descent import descent
from zoo.charts.distributions import class_histogram, factor_histograms, feature_pca, intensity_histogram
from zoo.charts.history import training_curve
from zoo.charts.latent import (
    code_grid,
    effect_bars,
    latent_bars,
    latent_map,
    latent_marginals,
    neuron_bars,
    selected_classes,
)
from zoo.charts.numerals import boxed, returned
from zoo.charts.palette import FURTHER, REAL, REAL_NAME, A, B, Style
from zoo.charts.poster import Row, lines, poster
from zoo.charts.rankings import parameter_bars, ranking, reconstruction_bars, tradeoff
from zoo.charts.scores import grouped_bars, label_curves, score_histogram

__all__ = [
    "FURTHER",
    "REAL",
    "REAL_NAME",
    "A",
    "B",
    "Row",
    "Style",
    "boxed",
    "class_histogram",
    "class_probabilities",
    "code_grid",
    "descent",
    "effect_bars",
    "factor_histograms",
    "feature_pca",
    "grouped_bars",
    "intensity_histogram",
    "label_curves",
    "latent_bars",
    "latent_map",
    "latent_marginals",
    "neuron_bars",
    "lines",
    "parameter_bars",
    "path_profile",
    "poster",
    "ranking",
    "reconstruction_bars",
    "returned",
    "score_histogram",
    "selected_classes",
    "tradeoff",
    "training_curve",
]
