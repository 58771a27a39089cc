"""One row per figure: everything that a board, a card, a page, `evaluate` or README needs to know of it.

A figure is stored in an entry's manifest under its name, with "@sampler" behind it where it was measured with another
sampler than the entry's first, and "_floor" or "_real" where it was measured on real images instead of samples.
"""

from typing import Literal, NamedTuple

PIXELS, RANDOM = "on the pixels", "in the features of a fixed random network"


class Figure(NamedTuple):
    """What one figure is called, means, and how it is shown."""

    name: str
    label: str
    meaning: str
    better: Literal["lower", "higher", "near one"] = "higher"
    format: str = ".3g"  # of a value in a table or a sentence
    column: str = ""  # heading on the leaderboard, "" for a figure that is no column there
    help: str = ""  # of that heading
    ranking: str = ""  # name where rows are ranked by it, "" for a figure that ranks nothing
    headline: str = ""  # template of its part in an entry's headline, which may use the floor as well
    headline_rank: int = 0  # its place there
    of_samples: bool = False  # true of the sampler it was measured with, not of the entry as a whole
    compared: bool = False  # measured live by the page on distributions too
    floor: bool = False  # real images give a floor, not a goal
    space: str = ""  # where distances between images are measured; "" stands for the features of a classifier

    @property
    def arrow(self) -> str:
        """Where it should go: down, up, or towards one."""
        return {"lower": "↓", "higher": "↑", "near one": "→ 1"}[self.better]

    def written(self, value: float) -> str:
        """Return a value as short as its kind allows."""
        return f"{value:{self.format}}".replace("-", "−")

    def cost(self, value: float) -> float:
        """Return a number that is lower for better values."""
        return {"lower": value, "higher": -value, "near one": abs(value - 1)}[self.better]


FIGURES: dict[str, Figure] = {}


def register(*rows: Figure) -> None:
    """Add figures; where rows have an order, it is that of their registration. Raises ValueError for a known name."""
    for row in rows:
        if row.name in FIGURES:
            raise ValueError(f"The figure {row.name} is registered already.")
        FIGURES[row.name] = row


def figure(name: str) -> Figure:
    """Return the row of a stored figure: "frechet" for "frechet", "frechet@gmm" and "frechet_floor"."""
    return FIGURES[base(name)]


def base(name: str) -> str:
    """Return the name of the figure that a stored name belongs to."""
    return name.partition("@")[0].removesuffix("_floor").removesuffix("_real")


def known(name: str) -> bool:
    """Return whether a stored name belongs to a figure that is registered."""
    return base(name) in FIGURES


# Boards and tables follow this order.
register(
    Figure("frechet_ratio", "Fréchet / floor", "1 is as good as real images", "lower", ".2f", "Fréchet / floor",
           "1 is as good as real images", "Fréchet distance over its floor", of_samples=True, compared=True),
    Figure("frechet", "Fréchet distance",
           "between Gaussians fitted to the features of both sides; not Inception FID", "lower",
           column="Fréchet", help="Distance on classifier features, not Inception FID", ranking="Fréchet distance",
           headline="Fréchet {value:.3g} (floor {floor:.2g})", headline_rank=2,
           of_samples=True, compared=True, floor=True),
    Figure("frechet_random_ratio", "Random Fréchet / floor", "1 is as good as real images", "lower", ".2f",
           of_samples=True, compared=True),
    Figure("frechet_random", "Fréchet, random features",
           "the same distance in the features of a network nobody trained", "lower",
           column="Fréchet, random", help="On features of a network that nobody trained: a cross-check",
           ranking="Fréchet distance, random features",
           headline="random-feature Fréchet {value:.3g} (floor {floor:.2g})", headline_rank=3,
           of_samples=True, compared=True, floor=True, space=RANDOM),
    Figure("modes", "Modes", "of the 1,000 numbers that three digits make, those that one sample at least shows",
           format=".0f", column="Modes", help="Of 1,000 three-digit numbers, those that samples show",
           ranking="modes of 1,000", headline="{value:,.0f} of 1,000 modes", headline_rank=4, of_samples=True),
    Figure("coverage", "Coverage", "share of real images with a sample in their neighbourhood (Naeem et al. 2020)",
           format=".2f", column="Coverage", help="Share of real images with a sample in their neighbourhood",
           ranking="coverage", headline="coverage {value:.2f}", headline_rank=5, of_samples=True, compared=True),
    Figure("precision", "Precision", "share of samples among the real images (Kynkäänniemi et al. 2019)", format=".2f",
           column="Precision", help="Share of samples among the real images", of_samples=True, compared=True),
    Figure("recall", "Recall", "share of real images among the samples (Kynkäänniemi et al. 2019)", format=".2f",
           column="Recall", help="Share of real images among the samples", of_samples=True, compared=True),
    Figure("density", "Density", "real neighbourhoods around a sample; 1 for real images (Naeem et al. 2020)",
           "near one", ".2f", of_samples=True, compared=True),
    Figure("kid", "KID", "unbiased kernel distance (Bińkowski et al. 2018)", "lower", of_samples=True, compared=True,
           floor=True),
    Figure("sliced_wasserstein", "Sliced Wasserstein",
           "distance of the pixels along random directions (Rabin et al. 2011)", "lower",
           of_samples=True, compared=True, floor=True, space=PIXELS),
    Figure("duplicates", "Near-duplicates", "pairs among the samples that are nearly one image (Arora et al. 2018)",
           "lower", ",.0f", of_samples=True, compared=True, space=RANDOM),
    Figure("class_distance", "Class distance", "total variation between the class histograms, 0 to 1", "lower", ".2f",
           of_samples=True, compared=True),
    Figure("missing_classes", "Missing classes", "classes that the samples hardly show", "lower", ",.0f",
           of_samples=True, compared=True),
    Figure("obedience", "Obedience", "share of samples that the classifier gives the class they were asked for",
           of_samples=True),
    Figure("modes_kl", "KL to even modes (nats)",
           "from an even coverage of all modes (Lin et al. 2018); 0: even, complete", "lower",
           of_samples=True, floor=True),
    Figure("memorisation", "Memorisation ratio",
           "distance to training over distance to held-out images; 1: nothing copied", of_samples=True, space=RANDOM),
    Figure("cas", "Classification accuracy score",
           "trained on samples, tested on real images (Ravuri and Vinyals 2019)", format=".3f", column="CAS",
           help="Classification accuracy score: trained on samples, tested on real images", of_samples=True),
    Figure("psnr", "PSNR (dB)", "peak signal-to-noise ratio", format=".1f", column="PSNR", help="Reconstruction, in dB",
           ranking="PSNR (dB)", headline="PSNR {value:.1f} dB", headline_rank=1),
    Figure("ssim", "SSIM", "structural similarity (Wang et al. 2004)", format=".3f", column="SSIM",
           help="Reconstruction, structural similarity"),
    Figure("mse", "MSE", "mean squared error per pixel", "lower"),
    Figure("accuracy", "Accuracy", "share of images whose most probable class is the true one", format=".3f",
           headline="accuracy {value:.2%}", headline_rank=0),
    Figure("elbo", "ELBO (nats)", "evidence lower bound on the log-likelihood"),
    Figure("log_likelihood", "Log-likelihood (nats)", "importance-weighted bound, k = 5,000 (Burda et al. 2016)",
           format=".1f", column="Log-likelihood", help="Importance-weighted bound in nats, on binarised images"),
    Figure("kl", "KL divergence (nats)", "information in the code, by the posterior's distance from the prior"),
    Figure("dead_dimensions", "Dead dimensions", "latent dimensions that tell less than 0.01 nats", "lower", ",.0f"),
    Figure("probe", "Linear probe", "accuracy of a linear classifier on the code (Alain and Bengio 2016)", format=".3f",
           column="Probe", help="Accuracy of a linear classifier on the code"),
    Figure("mig", "MIG", "mutual information gap, 0 to 1 (Chen et al. 2018)", format=".2f", column="MIG",
           help="Mutual information gap: disentanglement, where the factors are known"),
    Figure("dci_disentanglement", "DCI disentanglement",
           "each dimension means one factor, 0 to 1 (Eastwood and Williams)"),
    Figure("dci_completeness", "DCI completeness",
           "each factor is in one dimension, 0 to 1 (Eastwood and Williams 2018)"),
    Figure("dci_informativeness", "DCI informativeness",
           "how well a forest reads the factors (Eastwood and Williams 2018)"),
    Figure("sap", "SAP", "separated attribute predictability, 0 to 1 (Kumar et al. 2018)"),
    Figure("purity", "Purity of categories", "samples that show the commonest class of their category"),
    Figure("inception_fid", "Inception FID", "in features learned on photographs (Heusel et al. 2017)", "lower",
           of_samples=True),
    Figure("images_per_second", "Images per second", "drawn on a CPU; depends on the machine", format=".0f",
           column="Images / s", help="Drawn on a CPU; on which one, the entry's page tells"),
)  # fmt: skip
