"""The numbers that say most about an entry, in one line."""

from zoo.entries import Entry

# In this order; a floor belongs to its Fréchet distance.
TEMPLATES = {
    "accuracy": "accuracy {accuracy:.2%}",
    "psnr": "PSNR {psnr:.1f} dB",
    "frechet": "Fréchet {frechet:.3g} (floor {frechet_floor:.2g})",
    "frechet_random": "random-feature Fréchet {frechet_random:.3g} (floor {frechet_random_floor:.2g})",
    "modes": "{modes:,.0f} of 1,000 modes",
    "coverage": "coverage {coverage:.2f}",
}


def headline(entry: Entry) -> str:
    """Return e.g. "PSNR 22.2 dB, Fréchet 5.43 (floor 0.041), coverage 0.46"; "" for an entry that was not measured."""
    values = {name: metric.value for name, metric in entry.manifest.metrics.items()}
    if "frechet" in values:
        values.pop("frechet_random", None)  # the cross-check stands in only where no classifier of the dataset is known
    nothing = {"frechet_floor": float("nan"), "frechet_random_floor": float("nan")}
    return ", ".join(template.format(**nothing | values) for name, template in TEMPLATES.items() if name in values)
