"""The networks of the VQ-VAE: the decoder quantises, and the prior never sees what it predicts."""

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="training needs TensorFlow: pip install -r requirements.txt")

from training import networks
from zoo.latent import codes


@pytest.mark.parametrize("changed", range(12))
def test_a_code_moves_only_the_logits_after_it(changed):
    """Causality on a grid of 3 rows and 4 columns, in raster order."""
    prior = networks.pixelcnn((3, 4), 5, width=8, depth=2)
    given = np.random.default_rng(0).integers(5, size=(1, 3, 4)).astype("int32")
    other = given.copy()
    other[0, changed // 4, changed % 4] = (other[0, changed // 4, changed % 4] + 1) % 5
    before, after = (np.asarray(prior(x)["logits"]).reshape(12, 5) for x in (given, other))
    np.testing.assert_array_equal(before[: changed + 1], after[: changed + 1])
    moved = np.abs(before - after).max(1) > 0
    assert moved[changed + 1 :].any() == (changed < 11)
    if changed + 1 < 12 and changed % 4 < 3:
        assert moved[changed + 1], "the next code in the row is told"


def test_the_first_code_is_told_to_the_last():
    prior = networks.pixelcnn((7, 7), 4, width=8, depth=3)
    given = np.zeros((2, 7, 7), "int32")
    given[1, 0, 6] = 1
    first, second = np.asarray(prior(given)["logits"])[:, 6, 6]
    assert np.abs(first - second).max() > 0


def test_the_decoder_paints_from_the_nearest_vector():
    decoder = networks.quantising_decoder(3, 10, (8, 8, 1), width=8)
    rng = np.random.default_rng(0)
    table = decoder.get_layer("quantised").embeddings
    table.assign(rng.normal(size=(10, 3)))
    networks.tie(decoder)
    book, z = networks.codebook(decoder), rng.normal(size=(16, 2, 2, 3)).astype("float32")
    nearest = np.linalg.norm(z[..., None, :] - book, axis=-1).argmin(-1)
    np.testing.assert_array_equal(codes.nearest(z, book), nearest)
    free, quantised = (np.asarray(decoder(x)["image"]) for x in (z, book[nearest]))
    np.testing.assert_allclose(free, quantised, atol=1e-6)
    assert np.ptp(quantised, axis=0).max() > 1e-3
