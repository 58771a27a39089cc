"""The numbers that say most about an entry, in one line."""

from zoo.entry import Entry

# In this order; the floor belongs to the Fréchet distance.
TEMPLATES = {
    "accuracy": "accuracy {accuracy:.2%}",
    "psnr": "PSNR {psnr:.1f} dB",
    "frechet": "Fréchet {frechet:.3g} (floor {frechet_floor:.2g})",
    "coverage": "coverage {coverage:.2f}",
}


def headline(entry: Entry) -> str:
    """Return e.g. "PSNR 22.2 dB, Fréchet 5.43 (floor 0.041), coverage 0.46"; "" for an entry that was not measured."""
    values = {name: metric.value for name, metric in entry.manifest.metrics.items()}
    values.setdefault("frechet_floor", float("nan"))
    return ", ".join(template.format(**values) for name, template in TEMPLATES.items() if name in values)
