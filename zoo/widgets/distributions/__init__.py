"""Widgets of Distributions."""

from zoo.widgets.distributions.codes import codes_section
from zoo.widgets.distributions.findings import findings, section
from zoo.widgets.distributions.pairs import count_inputs, pair_picker
from zoo.widgets.distributions.panel import metric_panel
from zoo.widgets.distributions.sets import overlap, pictures, real_columns, summaries
from zoo.widgets.distributions.uploads import own_images

__all__ = [
    "codes_section",
    "count_inputs",
    "findings",
    "metric_panel",
    "overlap",
    "own_images",
    "pair_picker",
    "pictures",
    "real_columns",
    "section",
    "summaries",
]
