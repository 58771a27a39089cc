"""Codes as tables, and as the files of the Embedding Projector: what they hold is what was given."""

import io
import re
import zipfile

import numpy as np
import pytest
from PIL import Image

from zoo import images, projector


def test_csv_holds_the_latents_to_float_precision():
    latents = np.random.default_rng(0).normal(size=(4, 2, 3)).astype(np.float32)
    head, *lines = projector.csv(latents, labels=np.arange(4)).splitlines()
    assert head == "index,label,z0,z1,z2,z3,z4,z5"
    table = np.array([line.split(",") for line in lines], float)
    assert np.allclose(table[:, 2:], latents.reshape(4, 6), rtol=1e-7) and table[:, 1].tolist() == [0, 1, 2, 3]


def test_an_archive_for_the_projector_holds_vectors_names_and_the_sprite():
    rng = np.random.default_rng(0)
    latents, labels = rng.normal(size=(7, 2, 2)).astype(np.float32), np.array([0, 1, 1, 0, 2, 2, 1])
    pictures = rng.random((7, 6, 4, 1)).astype(np.float32)
    made = projector.archive(latents, pictures, labels, ["a\tb", "b", "c"])
    assert made == projector.archive(latents, pictures, labels, ["a\tb", "b", "c"])
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    vectors = np.loadtxt(io.BytesIO(files["vectors.tsv"]), delimiter="\t")
    np.testing.assert_allclose(vectors, latents.reshape(7, 4), rtol=1e-6)
    assert files["metadata.tsv"].decode().splitlines() == ["a b", "b", "b", "a b", "c", "c", "b"]
    sprite = np.asarray(Image.open(io.BytesIO(files["sprite.png"])))
    assert sprite.shape == (3 * 6, 3 * 4, 3)  # a grid as wide as it is high in images
    assert np.array_equal(sprite[6:12, 8:12, :1], images.to_uint8(pictures[5]))
    assert not sprite[12:, 4:].any()
    named = re.findall(r'"(.*?)"', files["projector_config.pbtxt"].decode())
    assert set(named) == set(files) - {"projector_config.pbtxt"}
    assert "single_image_dim: [4, 6]" in files["projector_config.pbtxt"].decode()


def test_without_classes_codes_are_numbered():
    made = projector.archive(np.zeros((2, 3)), np.zeros((2, 4, 4, 3)))
    assert zipfile.ZipFile(io.BytesIO(made)).read("metadata.tsv") == b"0\n1\n"


def test_what_fits_into_no_sprite_is_refused():
    for count, pictures in ((0, (0, 4, 4, 1)), (2, (3, 4, 4, 1)), (1, (1, 9000, 4, 1))):
        with pytest.raises(ValueError, match="do not fit into a sprite"):
            projector.archive(np.zeros((count, 3)), np.zeros(pictures))
