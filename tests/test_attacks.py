"""What attackers bring, one test per kind; memory is measured in a process of its own."""

import json
import os
import re
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import large_entries
import numpy as np
import pytest
import tiny_entries as tiny
from conftest import ROOT, opened
from PIL import Image

from zoo import atomic, images, models
from zoo.analysis.history import history
from zoo.errors import EntryError
from zoo.hub import connection
from zoo.networks import trial

SHEET = """
import resource, sys
from pathlib import Path
from zoo import images
data = Path(sys.argv[1]).read_bytes()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    images.open_sheet(data, 8 << 20, 720)
    print("shown")
except ValueError as error:
    print(error)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.parametrize("size", [(1, 700), (1, 2000), (4, 1_000_000), (700, 1), (3, 29), (2, 20), (1, 1)])
def test_a_sheet_of_any_aspect_takes_little_memory(tmp_path, size):
    Image.new("RGB", size).save(tmp_path / "samples.png")
    command = [sys.executable, "-c", SHEET, str(tmp_path / "samples.png")]
    said, kilobytes = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    assert said == "shown" or re.search("10 times as long as wide", said)
    assert int(kilobytes) < 100_000


def test_an_enlarged_sheet_stays_within_the_bound():
    for width, height in [(60, 600), (719, 1), (72, 72), (10, 99)]:
        content = images.png(np.zeros((height, width, 3), np.uint8))
        if max(width, height) > images.MAX_ASPECT * min(width, height):
            continue
        sheet = images.open_sheet(content, 1 << 20, 720)
        assert sheet.shape[0] * sheet.shape[1] <= images.MAX_SHEET_PIXELS and sheet.shape[1] % width == 0
    assert images.open_sheet(images.png(np.zeros((72, 72, 3), np.uint8)), 1 << 20, 720).shape == (720, 720, 3)


def test_the_libraries_leave_an_empty_home_empty(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    code = (
        "import zoo.models, zoo.charts, zoo.widgets; from zoo import samplers, models\n"
        "from zoo.entries import catalog\n"
        "models.sample(catalog.find('digits-vae', [catalog.EMBEDDED]), 4, 0)\n"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "XDG_", "ORT_"))}
    environment |= {"HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True, capture_output=True)
    assert [path.name for path in home.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("value", ["Infinity", "-Infinity", "1e300"])
def test_a_history_without_end_is_refused(tmp_path, value):
    content = f'{{"images": [0, 1], "loss": [1.0, {value}]}}'.encode()
    made = tiny.write(tmp_path / "vae", tiny.encoder(), tiny.decoder(), files={"history.json": content})
    with pytest.raises(EntryError, match="holds a number too large to be drawn"):
        history(made)


def test_a_history_with_gaps_is_read(tmp_path):
    content = json.dumps({"images": [0, 1], "loss": [1.0, None]}).encode()
    made = tiny.write(tmp_path / "vae", tiny.encoder(), tiny.decoder(), files={"history.json": content})
    assert history(made)["loss"][0] == 1.0 and np.isnan(history(made)["loss"][1])


def test_visitors_of_a_hosted_app_are_not_told_to_set_the_token_of_the_host(monkeypatch):
    errors = pytest.importorskip("huggingface_hub.errors")
    httpx2 = pytest.importorskip("httpx2")
    response = httpx2.Response(401, request=httpx2.Request("GET", "http://127.0.0.1/"))
    refusals = [kind("no", response=response) for kind in (errors.GatedRepoError, errors.RepositoryNotFoundError)]
    assert all("HF_TOKEN" in connection.sentence(error, "ada/x") for error in refusals)
    monkeypatch.setenv("ZOO_HOSTED", "1")
    assert not any("HF_TOKEN" in connection.sentence(error, "ada/x") for error in refusals)


def test_an_exchange_of_folders_leaves_one_of_them_in_place(tmp_path, monkeypatch):
    for one_step in (True, False):
        for name in ("old", "new"):
            (tmp_path / name).mkdir(exist_ok=True)
            (tmp_path / name / "x").write_text(name)
        if not one_step:
            monkeypatch.setattr(atomic, "_swap", lambda one, other: False)
        atomic.exchange(tmp_path / "new", tmp_path / "old")
        assert (tmp_path / "old" / "x").read_text() == "new" and not (tmp_path / "new").exists()
        assert [path.name for path in tmp_path.iterdir()] == ["old"]


def test_a_write_that_fails_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    atomic.write(tmp_path / "x", "first")

    def full(self: Path, content: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError):
        atomic.write(tmp_path / "x", "second")
    assert (tmp_path / "x").read_text() == "first" and len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("page", ["generation", "reconstruction"])
def test_a_link_that_names_an_entry_twice_shows_it_once(page):
    app = opened(f"pages/explore/{page}.py", entries=["digits-vae", "digits-vae"], dataset="digits", input="digits")
    assert app.multiselect(key="entries").value == ["digits-vae"]


def test_a_harmless_entry_does_not_wait_behind_a_hostile_one(tmp_path, monkeypatch):
    network = tiny.vae(tmp_path / "vae").manifest.networks["decoder"]
    running, end, tried = threading.Event(), threading.Event(), []

    def slowly(content: bytes, task: str) -> tuple[str, bool]:
        tried.append(content)
        if content.startswith(b"slow"):
            running.set()
            assert end.wait(30)
        return "", True

    monkeypatch.setattr(trial, "_tried", slowly)
    monkeypatch.setattr(trial, "_verdicts", {})
    with ThreadPoolExecutor(8) as pool:
        hostile = [pool.submit(trial.refusal, b"slow %d" % n, network, 0, 1, "mallory") for n in range(6)]
        assert running.wait(30)
        assert pool.submit(trial.refusal, b"quick", network, 0, 1, "ada").result(30) is None
        assert len(tried) == 2 and tried[1] == b"quick" and not any(future.done() for future in hostile)
        end.set()
        assert [future.result(30) for future in hostile] == [None] * 6


def test_who_has_waited_longest_is_next_and_no_source_runs_twice_at_once():
    turns, order, held = trial.Turns(1), [], threading.Event()

    def take(source: str, first: bool = False) -> None:
        with turns.of(source):
            order.append(source)
            assert not first or held.wait(30)

    def waiting(count: int) -> None:
        while sum(turns._waiting.values()) < count:
            time.sleep(0.001)

    with ThreadPoolExecutor(8) as pool:
        pool.submit(take, "mallory", True)
        while not order:
            time.sleep(0.001)
        for number, source in enumerate(["mallory", "mallory", "mallory", "eve", "ada"], start=1):
            pool.submit(take, source)
            waiting(number)
        held.set()
    assert order[:4] == ["mallory", "eve", "ada", "mallory"] and len(order) == 6
    assert not turns._waiting and not turns._running and not turns._last


LARGE = """
import gc, sys
sys.path.insert(0, "tests")
from pathlib import Path
import large_entries
from conftest import opened

def held(name):
    return next(int(line.split()[1]) >> 10 for line in open("/proc/self/status") if line.startswith(name))

folder = Path(sys.argv[1])
large_entries.gan(folder / "large", 512)
opened("pages/explore/generation.py", entries="digits-vae", dataset="digits")
before = held("VmRSS")
app = opened("pages/explore/generation.py", source=str(folder), entries="large", count="96")
tiles = [json for json in app.get("bidi_component") if json.proto.id.endswith("tile_large-tiles")]
print(len(__import__("json").loads(tiles[0].proto.json)["tiles"]), [caption.value for caption in app.caption][:3])
del app, tiles
gc.collect()
print(held("VmHWM") - before, held("VmRSS") - before)
"""


def test_an_entry_of_large_pictures_takes_little_and_leaves_less(tmp_path):
    environment = os.environ | {"ZOO_SOURCES": str(tmp_path), "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-c", LARGE, str(tmp_path)]
    child = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    shown, megabytes = child.stdout.splitlines()[-2:]
    assert shown.startswith("8 ") and "8 at a time" in shown
    peak, left = map(int, megabytes.split())
    assert peak < 600 and left < 300


@pytest.mark.parametrize(("side", "wanted", "count"), [(512, 96, 8), (512, 4, 4), (64, 96, 96), (128, 200, 128)])
def test_as_many_images_are_made_at_once_as_their_pixels_allow(tmp_path, side, wanted, count):
    entry = large_entries.gan(tmp_path / "large", side)
    assert models.affordable(entry, wanted) == count
    assert models.affordable(entry, wanted, 1) == 1
