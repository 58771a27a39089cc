"""The replay of a game of two players: recorded in training, resumed, exported, read, and refused when it is wrong."""

import io
import json
import math

import numpy as np
import pytest
import tiny_entries as tiny

from zoo import entries
from zoo.analysis import replay
from zoo.errors import EntryError

GANS = {"dcgan", "wgan_gp", "lsgan", "sngan", "r3gan", "cgan", "infogan", "bigan", "progressive"}
ADVERSARIAL = GANS | {"aae", "vaegan", "cvaegan"}


@pytest.fixture(scope="module", params=["cgan", "aae"])
def whole(request, tmp_path_factory, few_measured):
    """A run of 3 epochs of 9 steps: a game about images and labels, or one about codes."""
    from training import run

    return run.train(options(request.param), tmp_path_factory.mktemp(request.param))


def options(family: str):
    from tiny_runs import tiny as recipe

    return recipe(family, images=144, batch=16, epochs=3, snapshots=1)


def test_a_run_of_two_players_leaves_a_replay(whole, tmp_path):
    from training import export

    made = export.export(whole.path, tmp_path)
    found = replay.load(made)
    moments = len(found.seen)
    assert moments >= 10 and found.seen[0] == 16 and found.seen[-1] == made.manifest.provenance.images_seen == 432
    assert (np.diff(found.seen)[0] < np.diff(found.seen)[-1]) and np.sum(found.seen <= 216) > moments / 2
    assert found.samples.shape == (moments, 16, 8, 8, 1) and found.samples.dtype == np.uint8
    assert np.ptp(found.samples[-1].astype(int), axis=0).max() > 0, "different latents make different images"
    assert (found.labels is not None) == made.conditional
    assert np.isfinite(found.losses).all() and np.ptp(found.losses, axis=0).min() > 0
    assert (found.real.sum(1) == 144).all() and (found.fake.sum(1) == 144).all()
    assert (found.frechet >= 0).all() and found.frechet.shape == found.coverage.shape == (moments,)
    assert "144 training images" in found.protocol and "digits-classifier" in found.protocol
    assert (made.folder / replay.FILE).stat().st_size < 200_000


def test_the_families_with_two_players_are_these():
    pytest.importorskip("tensorflow", reason="training needs TensorFlow: pip install -r requirements.txt")
    from training import library

    assert {name for name in library.families() if library.family(name).players} == ADVERSARIAL


def test_an_interrupted_run_leaves_the_same_replay(whole, tmp_path):
    from tiny_runs import train_in_parts

    parts = train_in_parts(options(whole.path.name), tmp_path)
    with np.load(whole.path / replay.FILE) as a, np.load(parts.path / replay.FILE) as b:
        assert a.files == b.files and 18 * 16 not in a["seen"], "a moment's losses span the interruption"
        for name in a.files:
            if name == "samples":
                left, right = (np.cumsum(x[name], axis=3, dtype=np.uint8).astype(int) for x in (a, b))
                assert np.abs(left - right).max() <= 1
            else:
                np.testing.assert_allclose(a[name], b[name], rtol=1e-4, atol=1e-6, err_msg=name)


def test_losses_are_means_over_the_steps_since_the_moment_before(whole):
    from training import library

    with np.load(whole.path / replay.FILE) as found:
        steps = np.diff(found["seen"] // 16, prepend=0)
        mean = (found["losses"] * steps[:, None]).sum(0) / 27
    history = json.loads((whole.path / "history.json").read_text())
    for index, name in enumerate(library.family(whole.path.name).players):
        np.testing.assert_allclose(mean[index], np.mean(history[name]), rtol=1e-4)


def test_written_arrays_are_read_back_exactly(tmp_path):
    made = entry(tmp_path / "tiny", written(GOOD))
    found = replay.load(made)
    for name, value in vars(found).items():
        np.testing.assert_array_equal(value, getattr(GOOD, name), err_msg=name)
    assert replay.load(tiny.vae(tmp_path / "bare")) is None


# What strangers may send ---------------------------------------------------------------------------------------------

RNG = np.random.default_rng(0)
GOOD = replay.Replay(
    seen=np.array([1, 5, 10]),
    samples=RNG.integers(0, 256, (3, 4, *tiny.SHAPE)).astype(np.uint8),
    labels=np.array([0, 1, 2, 0]),
    losses=RNG.normal(size=(3, 2)),
    real=RNG.integers(0, 9, (3, 5)),
    fake=RNG.integers(0, 9, (3, 5)),
    edges=np.sort(RNG.normal(size=(3, 6))),
    frechet=np.array([3.0, 2.0, 1.0]),
    coverage=np.array([0.0, 0.5, 1.0]),
    protocol="Measured on 45 images; Fréchet distance of none.",
)


def written(made: replay.Replay) -> bytes:
    stream = io.BytesIO()
    replay.write(stream, made)
    return stream.getvalue()


def changed(**changes) -> bytes:
    """The good file with some arrays replaced, or left out where the change is None."""
    with np.load(io.BytesIO(written(GOOD))) as found:
        arrays = {name: array for name, array in (dict(found) | changes).items() if array is not None}
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return stream.getvalue()


def entry(folder, content: bytes, conditional: bool = True, **changes) -> entries.Entry:
    folder.mkdir()
    provenance = {"recipe": "tiny", "seed": 0, "images_seen": 10}
    parts = tiny.decoder("generator", conditional=conditional), tiny.discriminator()
    more = {"family": "cgan", "conditional": conditional, "provenance": provenance} | changes
    return tiny.write(folder, *parts, files={replay.FILE: content}, **more)


def text(words: str | bytes) -> np.ndarray:
    return np.frombuffer(words if isinstance(words, bytes) else words.encode(), np.uint8)


HOSTILE = {
    "no archive": (b"no zip at all", "cannot be read"),
    "cut": (written(GOOD)[:-40], "cannot be read"),
    "objects": (changed(losses=np.array([[{}, {}]] * 3, object)), "cannot be read"),
    "bomb": (changed(samples=np.zeros((3, 64, 512, 512), np.uint8)), "unpacks to more than 16 MiB"),
    "nothing": (changed(**dict.fromkeys(replay.REQUIRED)), "lacks the array edges"),
    "no scores": (changed(real=None), "lacks the array real"),
    "no labels": (changed(labels=None), "lacks the array labels"),
    "half measured": (changed(coverage=None), "lacks the array coverage"),
    "no axes": (changed(real=np.int64(3)), "wrong number of axes"),
    "no moments": (changed(samples=np.zeros((0, 4, *tiny.SHAPE), np.uint8)), "has 0 moments"),
    "many samples": (changed(samples=np.zeros((3, 65, *tiny.SHAPE), np.uint8)), "of 65 samples"),
    "many bins": (changed(real=np.zeros((3, 201), int)), "201 bins"),
    "long protocol": (changed(protocol=text("x" * 2001)), "2,001 bytes of protocol"),
    "other images": (changed(samples=np.zeros((3, 4, 5, 5, 1), np.uint8)), "holds samples as uint8"),
    "samples as floats": (changed(samples=np.zeros((3, 4, *tiny.SHAPE), np.float32)), "holds samples as float32"),
    "scores as floats": (changed(real=np.zeros((3, 5))), "holds real as float64"),
    "short": (changed(frechet=np.ones(2)), "holds frechet as float64"),
    "edges missing": (changed(edges=GOOD.edges[:, :-1]), "holds edges as float64"),
    "not finite": (changed(losses=np.full((3, 2), np.nan)), "losses that are not finite"),
    "infinite": (changed(frechet=np.array([np.inf, 1, 1])), "frechet that are not finite"),
    "standing still": (changed(seen=np.array([1, 5, 5])), "do not rise"),
    "before the start": (changed(seen=np.array([0, 5, 9])), "do not rise"),
    "after the end": (changed(seen=np.array([1, 5, 11])), "do not rise"),
    "no such class": (changed(labels=np.array([0, 1, 2, 3])), "none of the 3 classes"),
    "no class": (changed(labels=np.array([0, 1, 2, -1])), "none of the 3 classes"),
    "bins that fall": (changed(edges=-GOOD.edges), "bins that do not rise"),
    "fewer than none": (changed(fake=GOOD.fake - 9), "counts below 0"),
    "nearer than near": (changed(frechet=-GOOD.frechet), "frechet below 0"),
    "more than all": (changed(coverage=GOOD.coverage + 0.1), "coverage outside"),
    "no text": (changed(protocol=text(b"\xff\xfe")), "no plain text"),
    "text that turns": (changed(protocol=text("\u202eabc")), "no plain text"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_file_is_refused_in_one_sentence(case, tmp_path):
    content, reason = HOSTILE[case]
    made = entry(tmp_path / "tiny", content)
    with pytest.raises(EntryError, match=reason) as refusal:
        replay.load(made)
    said = str(refusal.value)
    assert said.startswith("The entry tiny is refused: replay.npz") and said.endswith(".") and "\n" not in said


def test_labels_without_classes_to_ask_for_are_refused(tmp_path):
    made = entry(tmp_path / "tiny", written(GOOD), conditional=False)
    with pytest.raises(EntryError, match="holds labels, but no class can be asked for"):
        replay.load(made)


def test_a_file_of_many_bytes_is_not_even_opened(tmp_path):
    noise = RNG.integers(0, 256, (3, 4, 1200, 1200), dtype=np.uint8)
    assert math.prod(noise.shape) > replay.MAX_BYTES
    made = entry(tmp_path / "tiny", changed(samples=noise))
    with pytest.raises(EntryError, match="more than 16,777,216"):
        replay.load(made)
