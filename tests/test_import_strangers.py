"""Files as strangers publish them come in with the right role, range and weights, or are truly refused."""

import re

import h5py
import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="importing needs TensorFlow: pip install -r requirements.txt")

import training.device  # noqa: F401  (imports Keras quietly)

from import_builds import built, drafts  # isort: skip
import import_beyond_keras  # noqa: F401  (more of STRANGERS)
from import_strangers import STRANGERS

from training.importing import Refused, entry
from training.importing.options import Options, Source
from zoo import models


def difference(wanted, networks):
    """The largest difference of all answers, relative to values above 1; shapes must be equal."""
    largest = 0.0
    for answer in wanted.answers:
        got = np.asarray(networks[answer.entry][answer.role](answer.inputs, training=False)[answer.output])
        assert got.shape == answer.expected.shape
        scale = max(1.0, float(np.abs(answer.expected).max()))
        largest = max(largest, float(np.abs(got - answer.expected).max()) / scale)
    return largest


def write(wanted, found, tmp_path):
    source, options = Source(wanted.path.name, wanted.path), Options(**wanted.options)
    return entry.write(source, found, tmp_path / "entries", options, lambda text: None)


@pytest.mark.parametrize("name", STRANGERS)
def test_a_strangers_file_comes_in_right_or_is_refused_for_its_reason(tmp_path, name):
    (tmp_path / "in").mkdir()
    wanted = STRANGERS[name](tmp_path / "in")
    if wanted.refused:
        with pytest.raises(Refused) as refusal:
            found = drafts(wanted.path, tmp_path, **wanted.options)
            assert wanted.exported, "it came in"
            write(wanted, found, tmp_path)
        assert re.search(wanted.refused, str(refusal.value)) and str(refusal.value).endswith(".")
        return
    found = drafts(wanted.path, tmp_path, **wanted.options)
    assert [set(draft.parts) for draft in found] == wanted.roles
    networks = [built(draft, **wanted.options) for draft in found]
    if wanted.among_choices and not difference(wanted, networks) <= 1e-5:
        tried = [wanted.options | choice for choice in found[0].choices]
        others = [[built(draft, **o) for draft in drafts(wanted.path, tmp_path, **o)] for o in tried]
        assert min(difference(wanted, item) for item in others) <= 1e-5
    else:
        assert difference(wanted, networks) <= 1e-5
    chosen, _ = entry.as_in_the_tutorial(found[0].parts, Options(**wanted.options), found[0].found.guesses)
    assert wanted.prior in ("", chosen.prior or "normal")
    said = [*found[0].found.guesses, *(model.format for model in found[0].models)]
    assert wanted.says in " ".join(said)
    if wanted.exported:
        (made,) = write(wanted, found, tmp_path)
        assert wanted.prior in ("", made[0].prior)


@pytest.mark.parametrize("name", ["a_colourisation", "a_super_resolution", "a_segmentation_of_colour_images"])
def test_a_translator_answers_in_the_app_as_the_original(tmp_path, name):
    (tmp_path / "in").mkdir()
    wanted = STRANGERS[name](tmp_path / "in")
    source, options = Source(wanted.path.name, wanted.path), Options(**wanted.options)
    found = drafts(wanted.path, tmp_path, **wanted.options)
    ((made, report),) = entry.write(source, found, tmp_path / "entries", options, lambda text: None)
    (answer,) = wanted.answers
    assert made.capabilities == {"translate"} and made.has("samples.png")
    assert models.source_shape(made) == answer.inputs.shape[1:] and made.shape == answer.expected.shape[1:]
    np.testing.assert_allclose(models.translate(made, answer.inputs), np.clip(answer.expected, 0, 1), atol=1e-4)
    with pytest.raises(ValueError, match="translates images of shape"):
        models.translate(made, np.zeros((1, 5, 5, 1), "float32"))
    assert "source" in report.roles["translator"]


def weights_of_many_ends(folder, factor):
    """Weights that several ends fit, the last kernel made larger or smaller."""
    folder.mkdir()
    wanted = STRANGERS["weights_with_tanh_but_no_normalisation"](folder)

    def scale(_: str, item: object) -> None:
        if isinstance(item, h5py.Dataset) and item.shape == (128, 784):
            item[...] = factor * item[...]

    with h5py.File(wanted.path, "r+") as file:
        file.visititems(scale)
    return wanted.path


def test_choices_show_what_the_same_weights_would_paint(tmp_path):
    path = weights_of_many_ends(tmp_path / "in", 0.3)  # far from 0 a linear end counts as logits, as sigmoid does
    source, options = Source(path.name, path), Options()
    found = drafts(path, tmp_path)
    ((_, report),) = entry.write(source, found, tmp_path / "entries", options, lambda text: None)
    assert [choice["corrections"] for choice in report.choices] == found[0].choices
    pictures = {choice["picture"] for choice in report.choices}
    assert len(pictures) == len(report.choices) >= 3


def test_of_two_choices_that_paint_the_same_one_is_offered(tmp_path):
    path = weights_of_many_ends(tmp_path / "in", 4.0)
    (draft,) = drafts(path, tmp_path)
    shown = entry.choices(Source(path.name, path), draft, Options(), lambda text: None)
    ends = [choice["corrections"]["last"] for choice in shown]
    assert {choice["last"] for choice in draft.choices} == {"sigmoid", "tanh", "linear"}
    assert set(ends) == {"sigmoid", "tanh"} and len({choice["picture"] for choice in shown}) == len(shown)
