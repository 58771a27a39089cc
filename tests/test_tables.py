"""Parquet files of strangers: bombs are refused in a sentence, in little memory, by a process that ends."""

import json
import os
import re
import subprocess
import sys
import time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import ROOT
from PIL import Image
from test_pictures import cells, encoded, shade, shades

from zoo.data import apart, datasets, decoding, pools, records
from zoo.errors import DatasetUnavailable

LOADED = """
import json, resource, sys
from zoo.data import datasets, pools
from zoo.errors import DatasetUnavailable
from pathlib import Path
pools.store = lambda: Path(sys.argv[2])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # of who started this process, where that was more
try:
    answer = str(datasets.load(sys.argv[1], "test", 8).images.shape)
except DatasetUnavailable as error:
    answer = str(error)
here, there = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
print(json.dumps([answer, here - before >> 10, there >> 10]))
"""


def repeated(path, content: bytes, rows: int) -> None:
    """A file in which one value of a dictionary stands in all rows."""
    column = pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int8)), pa.array([content]))
    pq.write_table(pa.table({"image": column}), path, compression="zstd", row_group_size=rows)


def dictionary(path):
    repeated(path, encoded(shade(3)), 1_500_000)


def prefixes(path):
    """Every value but the first is the one before it, which DELTA_BYTE_ARRAY writes as a length."""
    image = pa.array([encoded(shade(3))] * 200_000, pa.binary())
    table = pa.table({"image": image})
    pq.write_table(table, path, use_dictionary=False, column_encoding={"image": "DELTA_BYTE_ARRAY"}, compression="zstd")


def many_rows(path):
    repeated(path, encoded(shade(3)), records.MAX_ROWS + 1)


BOMBS = {
    "dictionary": (dictionary, "1,500,000 images have [0-9,]+ bytes together"),
    "prefixes": (prefixes, "200,000 images have [0-9,]+ bytes together"),
    "rows": (many_rows, "between 1 and 2,000,000 can be read"),
}


@pytest.mark.parametrize("make, reason", BOMBS.values(), ids=BOMBS)
def test_a_bomb_is_refused_in_little_memory(tmp_path, make, reason):
    make(tmp_path / "test.parquet")
    assert (tmp_path / "test.parquet").stat().st_size < 32_000
    command = [sys.executable, "-c", LOADED, str(tmp_path), str(tmp_path / "pools")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    answer, here, there = json.loads(done.stdout)
    assert re.search(reason, answer) and answer.endswith(".") and ". " not in answer
    assert here < 100 and there < 300  # MB


def test_what_takes_too_long_is_ended(tmp_path, monkeypatch):
    large = encoded(Image.fromarray(np.zeros((3600, 3600), np.uint8)))
    pq.write_table(pa.table({"image": cells([large] * 900)}), tmp_path / "test.parquet")
    monkeypatch.setattr(apart, "SECONDS", 1)
    with pytest.raises(DatasetUnavailable, match="takes more than 1 seconds of computing to read"):
        datasets.load(tmp_path)
    monkeypatch.setattr(apart, "_run", lambda *given: pytest.fail("it was begun again"))
    with pytest.raises(DatasetUnavailable, match="takes more than 1 seconds"):
        datasets.load(tmp_path)
    assert not [path for path in pools.store().glob(".*") if any(path.iterdir())]


def test_what_takes_too_much_memory_is_ended(tmp_path, monkeypatch):
    noise = np.random.default_rng(0).integers(0, 255, (1500, 1500, 3), np.uint8)
    pq.write_table(pa.table({"image": cells([encoded(Image.fromarray(noise))])}), tmp_path / "test.parquet")
    monkeypatch.setattr(apart, "MEMORY", 4 << 20)
    with pytest.raises(DatasetUnavailable) as refused:
        datasets.load(tmp_path)
    assert "GiB of memory to read" in str(refused.value) or "no image of it is whole" in str(refused.value)


def test_the_process_gets_no_token_and_does_not_outlive_who_waits(tmp_path, monkeypatch):
    pq.write_table(pa.table({"image": cells(shades() * 50)}), tmp_path / "test.parquet")
    monkeypatch.setenv("HF_TOKEN", "secret")
    begun = []

    class Watched(subprocess.Popen):
        def __init__(self, *args, **options):
            super().__init__(*args, **options)
            begun.append((self, options["env"]))

    class Stopped(Exception):
        pass

    def stop(part: float, text: str) -> None:
        raise Stopped

    monkeypatch.setattr(apart.subprocess, "Popen", Watched)
    with pytest.raises(Stopped):
        datasets.load(tmp_path, progress=stop)
    (child, environment) = begun[0]
    assert child.returncode is not None and "HF_TOKEN" not in environment
    assert not list(pools.store().glob("*/test.parquet"))


def test_a_few_images_of_many_are_decoded_alone(tmp_path, quick_tables):
    pq.write_table(
        pa.table({"image": cells([None, *shades()[1:]]), "label": list(range(20))}), tmp_path / "test.parquet"
    )
    few = datasets.load(tmp_path, count=4, seed=1)
    whole = datasets.load(tmp_path)
    assert len(whole.images) == 19 and len(np.load(next(pools.store().glob("*-4-1/images.npy")))) == len(few.images)
    for image, label in zip(few.images, few.labels, strict=True):
        assert np.array_equal(image, whole.images[whole.labels == label][0])
    assert np.array_equal(datasets.load(tmp_path, count=12, seed=1).images[: len(few.images)], few.images)


# Pools


def test_what_was_decoded_is_not_decoded_again_until_a_file_changes(tmp_path, monkeypatch, quick_tables):
    path = tmp_path / "test.parquet"
    pq.write_table(pa.table({"image": cells(shades()), "label": list(range(20))}), path)
    whole = datasets.load(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(apart, "_run", lambda *given: pytest.fail("it was decoded again"))
        part = datasets.load(tmp_path, count=7, seed=3)
        assert np.array_equal(part.images, whole.images[part.labels])
        assert datasets.load(tmp_path).source == whole.source
    pq.write_table(pa.table({"image": cells(shades()[:9])}), path)
    assert len(datasets.load(tmp_path).images) == 9 and datasets.load(tmp_path).labels is None


def test_of_a_large_split_only_what_is_asked_for_is_kept(tmp_path, monkeypatch, quick_tables):
    pq.write_table(pa.table({"image": cells(shades()), "label": list(range(20))}), tmp_path / "test.parquet")
    whole = datasets.load(tmp_path)
    os.utime(tmp_path / "test.parquet", (1, 1))
    monkeypatch.setattr(decoding, "MAX_WHOLE", 100)
    part = datasets.load(tmp_path, count=7, seed=3)
    assert len(part.images) == 7 and np.array_equal(part.images, whole.images[part.labels])
    assert max(len(np.load(path)) for path in pools.store().glob("*-7-3/images.npy")) == 7


def test_pools_stay_within_their_bound_and_the_last_used_stay(tmp_path, monkeypatch):
    monkeypatch.setattr(pools, "store", lambda: tmp_path / "pools")
    monkeypatch.setattr(pools, "LIMIT", 6 * 1200)

    def keep(name: str) -> None:
        def make(folder):
            pools.write(folder, {}, np.zeros((10, 8, 8, 1), np.uint8))
            return name

        pools.keep(make)
        time.sleep(0.02)

    for name in "abcdef":
        keep(name)
    assert pools.find("a") is not None
    time.sleep(0.02)
    for name in "ghij":
        keep(name)
    kept = {path.name for path in (tmp_path / "pools").iterdir()}
    assert "a" in kept and "j" in kept and "b" not in kept and len(kept) < 10
    assert sum(file.stat().st_size for file in (tmp_path / "pools").rglob("*.np?")) <= 6 * 1200


def test_without_a_place_to_write_images_are_held_in_memory(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(pools, "store", lambda: tmp_path / "file" / "pools")
    first, again = (datasets.load("fruits", "test", 5) for _ in range(2))
    assert np.array_equal(first.images, again.images)


def test_a_damaged_pool_is_made_anew(tmp_path, monkeypatch):
    monkeypatch.setattr(pools, "store", lambda: tmp_path)
    found = datasets.load("fruits", "test", 5).images
    (path,) = tmp_path.glob("*/images.npy")
    path.write_bytes(path.read_bytes()[:200])
    assert np.array_equal(datasets.load("fruits", "test", 5).images, found)
