import http.server
import io
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from zoo.data import datasets, decoding, downloads, files, fruits
from zoo.errors import DatasetUnavailable
from zoo.known import DATASETS

ROOT = Path(__file__).parent.parent
SHA = "0123456789abcdef0123456789abcdef01234567"


def _png(array):
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "PNG")
    return buffer.getvalue()


def _grey(count, side=8, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, side, side), dtype=np.uint8)


def _write(path, arrays, labels=None, names=None, column="image"):
    """A parquet file as the Hub's `datasets` library writes it."""
    cells = [a if isinstance(a, bytes) else _png(a) for a in arrays]
    table = {column: pa.array([{"bytes": c, "path": None} for c in cells])}
    features = {column: {"_type": "Image"}}
    if labels is not None:
        table["label"] = pa.array(labels, pa.int64())
        if names:
            features["label"] = {"names": names, "_type": "ClassLabel"}
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(table).replace_schema_metadata(metadata), path)


@pytest.fixture(autouse=True)
def empty_world(tmp_path, monkeypatch, quick_tables):
    """Neither local data nor a cache, whatever the machine has."""
    monkeypatch.delenv("ZOO_DATA", raising=False)
    monkeypatch.setattr(downloads.constants, "HF_HUB_CACHE", str(tmp_path / "no-cache"))


# Built in


def test_digits_are_scikit_learns_and_their_splits_share_none():
    train, test = datasets.load("digits", "train"), datasets.load("digits", "test")
    assert train.images.shape == (1437, 8, 8, 1) and test.images.shape == (360, 8, 8, 1)
    assert train.images.dtype == np.float32 and train.labels.dtype == np.int64
    assert np.bincount(test.labels).tolist() == [36] * 10
    labels = np.concatenate([train.labels, test.labels])
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]  # load_digits()'s
    assert 16 * (train.images.sum(dtype=float) + test.images.sum(dtype=float)) == 561_718
    assert {i.tobytes() for i in train.images}.isdisjoint(i.tobytes() for i in test.images)


def test_fruits_come_with_factors_and_their_splits_share_no_seed():
    train, test = datasets.load("fruits", "train", count=40), datasets.load("fruits", "test", count=40)
    assert train.images.shape == (40, 32, 32, 3) and train.classes == fruits.CLASSES
    assert np.array_equal(train.labels, train.factors["kind"])
    assert not (train.images == test.images).all(axis=(1, 2, 3)).any()
    assert np.array_equal(datasets.load("fruits", "train", count=90).images[:40], train.images)
    for seed in range(5):
        assert not np.array_equal(datasets.load("fruits", "train", count=1, seed=seed).images, test.images[:1])


@pytest.mark.parametrize("name", ["digits", "fruits"])
def test_what_is_built_in_is_always_available(name):
    assert datasets.available(name, "train") and datasets.available(name, "test")
    assert not datasets.available(name, "validation")
    with pytest.raises(DatasetUnavailable):
        datasets.load(name, "validation")


@pytest.mark.parametrize("wrong", [{"split": "tset"}, {"count": 0}, {"seed": -1}, {"size": 0}, {"size": 10_000}])
def test_wrong_arguments_are_refused(wrong):
    with pytest.raises(ValueError):
        datasets.load("digits", **wrong)


# Local


def test_zoo_data_is_tried_first(tmp_path, monkeypatch):
    monkeypatch.setenv("ZOO_DATA", str(tmp_path))
    arrays, labels = _grey(30, 28), np.arange(30) % 10
    _write(tmp_path / "ylecun/mnist/mnist/test-00000-of-00002.parquet", arrays[:20], labels[:20])
    _write(tmp_path / "ylecun/mnist/mnist/test-00001-of-00002.parquet", arrays[20:], labels[20:])
    split = datasets.load("mnist")
    assert np.array_equal(split.images[..., 0], (arrays / np.float32(255)).astype(np.float32))
    assert split.labels.tolist() == labels.tolist() and split.classes == tuple("0123456789")
    assert split.revision is None and "local folder" in split.source
    assert datasets.available("mnist", "test") and not datasets.available("mnist", "train")
    assert np.array_equal(datasets.load("ylecun/mnist").images, split.images)


def test_stacked_digits_are_three_digits_in_three_channels(tmp_path, monkeypatch):
    monkeypatch.setenv("ZOO_DATA", str(tmp_path))
    for part, first in (("train", 0), ("test", 100)):
        shades = np.full((20, 28, 28), 0, np.uint8) + np.arange(first, first + 20, dtype=np.uint8)[:, None, None]
        _write(tmp_path / f"ylecun/mnist/mnist/{part}-00000-of-00001.parquet", shades, np.arange(20) % 10)
    train, test = datasets.load("stacked_mnist", "train", count=50, seed=3), datasets.load("stacked_mnist", count=50)
    for split, first in ((train, 0), (test, 100)):
        assert split.images.shape == (50, 28, 28, 3) and split.images.dtype == np.float32
        digits = (np.rint(255 * split.images[:, 5, 5]).astype(int) - first) % 10
        assert split.labels.tolist() == [int("".join(map(str, row))) for row in digits]
        assert split.classes[7] == "007" and len(split.classes) == 1000
    assert train.images.max() < 100 / 255 <= test.images.min()
    more, other = (datasets.load("stacked_mnist", "train", count=70, seed=seed) for seed in (3, 4))
    assert np.array_equal(more.images[:50], train.images) and not np.array_equal(more.labels, other.labels)
    assert datasets.available("stacked_mnist", "train") and not datasets.available("stacked_mnist", "validation")
    with pytest.raises(ValueError, match="fit into memory"):
        datasets.load("stacked_mnist", count=10**6)
    monkeypatch.delenv("ZOO_DATA")
    assert not datasets.available("stacked_mnist")


def test_classes_are_drawn_evenly(tmp_path):
    labels = np.repeat([0, 1, 3], [40, 4, 9])
    rows = datasets.evenly(labels)
    assert np.bincount(labels[rows]).tolist() == [4, 4, 0, 4] and len(set(rows)) == 12
    more = datasets.evenly(labels, 50, seed=1)
    assert np.bincount(labels[more[:48]]).tolist() == [16, 16, 0, 16]
    assert len(set(more[labels[more] == 0])) == (labels[more] == 0).sum()
    assert np.bincount(more, minlength=53)[40:44].min() >= 4
    assert not np.array_equal(more, datasets.evenly(labels, 50, seed=2))
    _write(tmp_path / "a/test.parquet", _grey(53), labels, list("abcd"))
    split = datasets.load(tmp_path / "a", balanced=True)
    assert np.array_equal(split.images, datasets.load(tmp_path / "a").images[rows])
    assert np.bincount(split.labels).tolist() == [4, 4, 0, 4]
    assert len(datasets.load(tmp_path / "a", count=30, balanced=True).images) == 30
    _write(tmp_path / "b/test.parquet", _grey(5))
    with pytest.raises(ValueError, match="no labels"):
        datasets.load(tmp_path / "b", balanced=True)


def test_a_known_dataset_never_tests_on_its_training_split(tmp_path, monkeypatch):
    monkeypatch.setenv("ZOO_DATA", str(tmp_path))
    _write(tmp_path / "ylecun/mnist/mnist/train-00000-of-00001.parquet", _grey(30, 28), np.arange(30) % 10)
    assert not datasets.available("mnist", "test")


def test_count_is_a_seeded_subset_that_grows(tmp_path):
    _write(tmp_path / "train.parquet", _grey(50), np.arange(50))
    _write(tmp_path / "test.parquet", _grey(5), np.arange(5))
    few, many = (datasets.load(tmp_path, "train", count=c, seed=4) for c in (7, 20))
    assert few.name == tmp_path.name and few.split == "train"
    assert np.array_equal(few.images, many.images[:7]) and np.array_equal(few.labels, many.labels[:7])
    assert len(set(many.labels)) == 20 and sorted(many.labels) != many.labels.tolist()
    everything = datasets.load(tmp_path, "train")
    assert everything.labels.tolist() == list(range(50))
    assert np.array_equal(everything.images[many.labels], many.images)
    assert datasets.load(tmp_path, "train", count=7, seed=5).labels.tolist() != few.labels.tolist()


def test_columns_are_found_by_type_and_names_by_metadata(tmp_path):
    colour = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 3), dtype=np.uint8)
    _write(tmp_path / "plain/test-00000-of-00001.parquet", colour, [0, 1, 2, 0, 1, 2], ["a", "b", "c"], column="img")
    split = datasets.load(tmp_path)
    assert split.images.shape == (6, 8, 8, 3) and split.classes == ("a", "b", "c")
    assert np.array_equal(split.images, (colour / np.float32(255)).astype(np.float32))
    assert np.array_equal(datasets.load(tmp_path, image_column="img", label_column="label").labels, split.labels)
    for wrong in ({"image_column": "label"}, {"label_column": "img"}, {"image_column": "picture"}):
        with pytest.raises(DatasetUnavailable):
            datasets.load(tmp_path, **wrong)


def test_labels_may_be_missing(tmp_path):
    _write(tmp_path / "none/test.parquet", _grey(4))
    _write(tmp_path / "hidden/test.parquet", _grey(4), [-1] * 4, ["a", "b"])
    for folder in ("none", "hidden"):
        split = datasets.load(tmp_path / folder)
        assert split.labels is None and split.classes == ()


def test_a_folder_of_pictures_is_cropped_and_divided(tmp_path):
    for kind, shade in (("dark", 20), ("train", 220)):  # a class called like a split
        (tmp_path / kind).mkdir()
        for i in range(20):
            side = (12, 8) if i == 3 else (10, 10)
            Image.new("RGB", side, (shade, 0, i)).save(tmp_path / kind / f"{i}.png")
    train, test = datasets.load(tmp_path, "train"), datasets.load(tmp_path, "test")
    assert train.images.shape == (36, 10, 10, 3) and test.images.shape == (4, 10, 10, 3)
    assert train.classes == test.classes == ("dark", "train")
    for split in (train, test):
        assert np.array_equal(split.images[:, 5, 5, 0] > 0.5, split.labels == 1)
        assert "held out" in split.source
    assert "resized to 10×10" in train.source
    colours = {tuple(c) for s in (train, test) for c in s.images[:, 5, 5]}
    assert len(colours) == 40
    assert datasets.load(tmp_path, "train", size=6, count=3).images.shape == (3, 6, 6, 3)


def test_a_folder_with_splits_and_classes(tmp_path):
    for split, shades in (("train", 3), ("test", 2)):
        for kind in ("a", "b"):
            for i in range(shades):
                path = tmp_path / split / kind / f"test_{i}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.new("L", (9, 9), i).save(path)
    train, test = datasets.load(tmp_path, "train"), datasets.load(tmp_path, "test")
    assert len(train.images) == 6 and len(test.images) == 4 and test.images.shape[3] == 1
    assert train.classes == ("a", "b") and "held out" not in test.source
    with pytest.raises(DatasetUnavailable, match="there is train, test"):
        datasets.load(tmp_path, "validation")


def test_a_class_that_a_split_lacks_keeps_its_number(tmp_path):
    for split, kinds in (("train", "abc"), ("test", "bc")):
        for kind in kinds:
            (tmp_path / split / kind).mkdir(parents=True)
            Image.new("L", (9, 9)).save(tmp_path / split / kind / "0.png")
    train, test = datasets.load(tmp_path, "train"), datasets.load(tmp_path, "test")
    assert train.classes == test.classes == ("a", "b", "c")
    assert train.labels.tolist() == [0, 1, 2] and test.labels.tolist() == [1, 2]


def test_large_pictures_are_bounded(tmp_path, monkeypatch):
    (tmp_path / "big").mkdir()
    for i in range(3):
        Image.new("L", (800, 400), i).save(tmp_path / "big" / f"{i}.png")
    assert datasets.load(tmp_path, "train").images.shape == (2, 128, 256, 1)
    monkeypatch.setattr(decoding, "MAX_VALUES", 128 * 256)
    with pytest.raises(DatasetUnavailable, match="ask for fewer"):
        datasets.load(tmp_path, "train")
    assert len(datasets.load(tmp_path, "train", count=1).images) == 1


@pytest.mark.parametrize("cell", [b"no picture", b"", _png(_grey(1, 64)[0])[:-3000], None])
def test_damaged_pictures_are_left_out_and_named(tmp_path, quick_tables, cell):
    table = pa.table({"image": pa.array([{"bytes": _png(_grey(1)[0])}, {"bytes": cell}])})
    pq.write_table(table, tmp_path / "test.parquet")
    found = datasets.load(tmp_path)
    assert len(found.images) == 1 and found.source.endswith(", 1 image left out: row 1.")


def test_damaged_files_are_refused(tmp_path):
    _write(tmp_path / "a/test.parquet", _grey(40), np.arange(40))
    data = (tmp_path / "a/test.parquet").read_bytes()
    (tmp_path / "b").mkdir()
    for broken in (data[: len(data) // 2], b"", b"PAR1"):
        (tmp_path / "b/test.parquet").write_bytes(broken)
        with pytest.raises(DatasetUnavailable):
            datasets.load(tmp_path / "b")
    _write(tmp_path / "c/test.parquet", _grey(3), [0, 1, 7], ["a", "b"])
    with pytest.raises(DatasetUnavailable, match="label 7"):
        datasets.load(tmp_path / "c")
    with pytest.raises(DatasetUnavailable):
        datasets.load(tmp_path / "nothing")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetUnavailable):
        datasets.load(tmp_path / "empty")


@pytest.mark.parametrize(
    ("names", "split", "expected"),
    [
        (["cropped/train-0", "cropped/test-0", "cropped/test-1", "full/test-0"], "test", (1, 2)),
        (["data/train-0", "data/val-0"], "validation", (1,)),
        (["data/train-0", "data/val-0"], "test", (0,)),
        (["a/training/0", "a/training/1", "b/training/0"], "train", (0, 1)),
        (["0", "1"], "train", (0, 1)),
        (["trainer/test-0", "trainer/train-0"], "train", (1,)),
    ],
)
def test_parquet_splits_and_configurations(names, split, expected):
    names = [f"{name}.parquet" for name in names]
    found = files.split_files(names, split)
    assert found.names == [names[i] for i in expected]
    assert found.held_out == (split != "validation" and not any("test-" in name for name in names))


@pytest.mark.parametrize("name", ["nothing", "../../etc", "a/b/c", "/no/such/folder", "owner/.."])
def test_unknown_names_are_refused_in_one_sentence(name, tmp_path, monkeypatch):
    monkeypatch.setenv("ZOO_DATA", str(tmp_path))
    assert not datasets.available(name)
    with pytest.raises(DatasetUnavailable) as error:
        datasets.load(name)
    assert str(error.value).endswith(".") and ". " not in str(error.value)


def test_strangers_do_not_see_the_hosts_own_data(tmp_path, monkeypatch):
    for index in range(4):
        folder = tmp_path / "patients" / "ab"[index % 2]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((8, 8), 60 * index, np.uint8)).save(folder / f"{index}.png")
    monkeypatch.setenv("ZOO_DATA", str(tmp_path))
    assert datasets.available("patients", "train")
    monkeypatch.setenv("ZOO_HOSTED", "1")
    assert not datasets.available("patients", "train")


def test_shared_datasets_have_the_catalogues_shapes(monkeypatch):
    if not (ROOT.parent / "shared" / "datasets" / "ylecun").is_dir():
        pytest.skip("../shared/datasets is not here")
    monkeypatch.setenv("ZOO_DATA", str(ROOT.parent / "shared" / "datasets"))
    for name in ("mnist", "fashion_mnist"):
        known = DATASETS[name]
        split = datasets.load(name, "test")
        assert split.images.shape == (10_000, *known.shape) and split.classes == known.classes
        assert np.bincount(split.labels).min() > 800


# The Hub, by its real client against a server on this machine


class _Hub(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    files: dict[str, bytes] = {}
    requests: list[str] = []

    def do_GET(self, body=True):
        type(self).requests.append(self.path)
        path = self.path.split("?")[0]
        headers, status, data = {}, 200, b""
        if path.startswith("/api/datasets/owner/name"):
            siblings = [{"rfilename": n, "size": len(d)} for n, d in self.files.items()]
            data = json.dumps({"id": "owner/name", "sha": SHA, "siblings": siblings}).encode()
        elif path.startswith(f"/datasets/owner/name/resolve/{SHA}/"):
            data = self.files[path.split(SHA + "/")[1]]
            headers = {"X-Repo-Commit": SHA, "ETag": f'"{hash(data) & 0xFFFFFFFF:x}"'}
        else:
            status, headers = 404, {"X-Error-Code": "RepoNotFound"}
        self.send_response(status)
        for key, value in (headers | {"Content-Length": str(len(data))}).items():
            self.send_header(key, value)
        self.end_headers()
        if body:
            self.wfile.write(data)

    def do_HEAD(self):
        self.do_GET(body=False)

    def log_message(self, *args):
        pass


_SCRIPT = """
import json, sys
from zoo.data import datasets
from zoo.errors import DatasetUnavailable
for question in sys.argv[1:]:
    name, split = question.split(":")
    seen = []
    answer = {"before": datasets.available(name, split), "progress": seen}
    try:
        found = datasets.load(name, split, progress=lambda fraction, text: seen.append(fraction))
        answer |= {"images": found.images.shape, "labels": found.labels.tolist(), "revision": found.revision}
        answer["source"] = found.source
    except DatasetUnavailable as error:
        answer["error"] = str(error)
    print(json.dumps(answer))
"""


@pytest.fixture
def hub(tmp_path):
    for name, count in (("data/train-00000-of-00001.parquet", 12), ("data/test-00000-of-00001.parquet", 5)):
        _write(tmp_path / name, _grey(count), np.arange(count) % 3, ["a", "b", "c"])
        _Hub.files[name] = (tmp_path / name).read_bytes()
    _Hub.requests.clear()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def ask(*questions, **settings):
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "ZOO_"))}
        environment |= {"HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}", "HF_HOME": str(tmp_path / "home"),
                        "HF_HUB_DISABLE_XET": "1", "NO_PROXY": "127.0.0.1"} | settings  # fmt: skip
        done = subprocess.run([sys.executable, "-c", _SCRIPT, *questions], cwd=ROOT, env=environment, text=True,
                              capture_output=True, timeout=120)  # fmt: skip
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    yield ask
    server.shutdown()
    server.server_close()


def _is_one_sentence(text):
    return text.endswith(".") and ". " not in text


def test_a_hub_dataset_is_fetched_once_and_then_needs_no_network(hub):
    first, validation, missing = hub("owner/name:test", "owner/name:validation", "owner/missing:test")
    assert first["images"] == [5, 8, 8, 1] and first["labels"] == [0, 1, 2, 0, 1] and first["revision"] == SHA
    assert first["source"] == "Read from the Hub dataset owner/name at revision 0123456789ab."
    assert not first["before"] and first["progress"] == sorted(first["progress"]) and first["progress"][-1] == 1
    assert not any("train-0" in path for path in _Hub.requests)
    assert _is_one_sentence(validation["error"]) and "there is train, test" in validation["error"]
    assert _is_one_sentence(missing["error"]) and "digits and fruits need no download" in missing["error"]

    _Hub.requests.clear()
    again, mnist = hub("owner/name:test", "mnist:test", HF_HUB_OFFLINE="1")
    assert again["before"] and again["labels"] == first["labels"] and again["revision"] == SHA
    assert _is_one_sentence(mnist["error"]) and "digits and fruits need no download" in mnist["error"]

    (refused,) = hub("owner/name:train", ZOO_CACHE_GB="0.0000001")
    assert _is_one_sentence(refused["error"]) and "more than the cache of this app may hold; mean" in refused["error"]
    _Hub.requests.clear()
    warm, unreachable = hub("owner/name:test", "owner/name:train", HF_ENDPOINT="http://127.0.0.1:9")
    assert warm["labels"] == first["labels"] and not unreachable["before"]
    assert "cannot be reached" in unreachable["error"]
    assert _Hub.requests == []
