"""Groups of figures that `evaluate` measures; where a group does not apply to an entry, it has no figures.

A figure of another sampler than the entry's first one is named after it: frechet@gmm.
"""

from collections.abc import Callable
from typing import Any

from training.measures import codes, networks, samples
from zoo.analysis.scores import Real
from zoo.entries import Entry

Group = Callable[[Entry, Real, int], dict[str, dict[str, Any]]]  # entry, real images, seed -> metrics by name

GROUPS: dict[str, Group] = {
    "accuracy": networks.accuracy,
    "reconstruction": networks.reconstruction_errors,
    "generation": samples.generation,
    "samplers": samples.further_samplers,
    "modes": samples.covered_modes,
    "likelihood": codes.likelihoods,
    "codes": codes.information,
    "categories": samples.purity_of_categories,
    "speed": networks.speed,
}
APART: dict[str, Group] = {"inception": samples.inception_distance}  # measured only when it is named
