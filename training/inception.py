"""Features of Inception-v3 as published with FID (Heusel et al. 2017), by torch-fidelity, where that is installed.

Papers on larger images quote a distance in these features. They were learned on photographs and say little about
digits; so neither torch nor the network is part of this project.
"""

import importlib
import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np

from zoo.errors import EntryError

BATCH = 64


def features() -> Callable[[np.ndarray], np.ndarray]:
    """Return a function from images (N, H, W, 1 or 3) in [0, 1] to their features (N, 2048).

    Nothing is downloaded. Raises EntryError where the package or the file of the network is missing.
    """
    try:
        torch: Any = importlib.import_module("torch")
        published: Any = importlib.import_module("torch_fidelity.feature_extractor_inceptionv3")
    except ImportError as error:
        raise EntryError(
            f"Inception FID needs a package that is not there ({error}): pip install torch torchvision torch-fidelity."
        ) from None
    url = published.URL_INCEPTION_V3
    weights = pathlib.Path(torch.hub.get_dir(), "checkpoints", url.rsplit("/", 1)[1])
    if not weights.is_file():
        raise EntryError(f"Inception FID needs the network of torch-fidelity: save {url} as {weights}.")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    network = published.FeatureExtractorInceptionV3("inception", ["2048"], str(weights)).to(device)

    def see(images: np.ndarray) -> np.ndarray:
        found = []
        for start in range(0, len(images), BATCH):
            pixels = np.round(255 * images[start : start + BATCH]).astype("uint8").transpose(0, 3, 1, 2)
            pixels = np.broadcast_to(pixels, (len(pixels), 3, *pixels.shape[2:]))
            with torch.inference_mode():
                found.append(network(torch.tensor(pixels, device=device))[0].cpu().numpy())
        return np.concatenate(found)

    return see
