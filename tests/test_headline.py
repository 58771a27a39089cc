"""The line under an entry's name: the figures that say most, and what stands in for those that cannot be had."""

from zoo.analysis.headline import headline
from zoo.entries import catalog


def test_the_distance_on_classifier_features_comes_with_its_floor():
    made = catalog.find("mnist-dcgan")
    values = {name: metric.value for name, metric in made.manifest.metrics.items()}
    assert headline(made) == (
        f"Fréchet {values['frechet']:.3g} (floor {values['frechet_floor']:.2g}), coverage {values['coverage']:.2f}"
    )


def test_without_a_classifier_the_random_features_stand_in():
    made = catalog.find("stacked-r3gan")
    metrics = made.manifest.metrics
    assert "frechet" not in metrics
    told = headline(made)
    assert told.startswith(f"random-feature Fréchet {metrics['frechet_random'].value:.3g} (floor ")
    assert told.endswith(f"{metrics['modes'].value:.0f} of 1,000 modes")
