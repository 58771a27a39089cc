"""On real full and read-only disks train, export, evaluate and publish end in one sentence and leave no part behind."""

import errno
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
import tiny_entries as tiny
from conftest import opened
from streamlit.testing.v1 import AppTest  # noqa: F401  (its import needs such a folder)

from training import cli
from zoo import atomic
from zoo.entries import catalog, read
from zoo.errors import EntryError
from zoo.sharing import publish

RECIPE = """
title = "An autoencoder of eight units"
family = "autoencoder"
dataset = "digits"
network = "dense"
width = 8
latent = 2
images = 64
batch = 32
epochs = 2
snapshots = 1
precision = "float32"
"""


@pytest.fixture
def disk(tmp_path):
    """Mount a disk of so many KiB; `lock` makes it read-only, `fill` leaves so many KiB of it."""
    place = tmp_path / "disk"
    place.mkdir()

    def mounted(*words: str) -> None:
        done = subprocess.run(["mount", *words], capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"a file system cannot be mounted here: {done.stderr.strip()}")

    class Disk:
        path = place

        def lock(self) -> None:
            mounted("-o", "remount,ro", str(place))

        def fill(self, left: int) -> None:
            (place / "filling").write_bytes(bytes(shutil.disk_usage(place).free - (left << 10)))

    if shutil.which("mount") is None:
        pytest.skip("mount is not installed")
    mounted("-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place))
    yield Disk()
    subprocess.run(["umount", str(place)], check=True)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The folder of a recipe, of its run and of its entry, all named tiny."""
    pytest.importorskip("tensorflow", reason="training needs TensorFlow: pip install -r requirements.txt")
    place = tmp_path_factory.mktemp("trained")
    (place / "tiny.toml").write_text(RECIPE)
    assert cli.main(["train", str(place / "tiny.toml"), "--runs", str(place)]) == 0
    assert cli.main(["export", "tiny", "--runs", str(place), "--entries", str(place / "zoo")]) == 0
    return place


def ends(capsys, *words: str) -> str:
    """Return the one sentence with which a command fails."""
    capsys.readouterr()
    assert cli.main(list(words)) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1 and "Traceback" not in lines[0] and lines[0].endswith(".")
    return lines[0]


def content(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file() and path.name != "filling")


@pytest.mark.parametrize("left", [1, 10])
def test_training_on_a_full_disk_keeps_what_was_finished(trained, disk, capsys, left):
    disk.fill(left)
    said = ends(capsys, "train", str(trained / "tiny.toml"), "--runs", str(disk.path))
    assert "the disk is full" in said and "resumes" in said
    assert not [name for name in content(disk.path) if name.startswith("checkpoint") or name.startswith(".")]


@pytest.mark.parametrize("left", [4, 20, 40, 60])
def test_an_export_to_a_full_disk_leaves_nothing(trained, disk, capsys, left):
    disk.fill(left)
    assert "the disk is full" in ends(capsys, "export", "tiny", "--runs", str(trained), "--entries", str(disk.path))
    assert content(disk.path) == [] and [path.name for path in disk.path.iterdir()] == ["filling"]


def test_an_evaluation_on_a_full_disk_leaves_the_entry_as_it_was(trained, disk, capsys):
    shutil.copytree(trained / "zoo" / "tiny", disk.path / "tiny")
    disk.fill(30)
    before = (disk.path / "tiny" / "zoo.json").read_bytes()
    words = ["evaluate", "tiny", "--only", "reconstruction", "--entries", str(disk.path)]
    assert "the disk is full" in ends(capsys, *words)
    assert (disk.path / "tiny" / "zoo.json").read_bytes() == before
    assert sorted(path.name for path in disk.path.iterdir()) == ["filling", "tiny"]
    (disk.path / "filling").unlink()
    assert cli.main(words) == 0


def test_a_disk_that_can_only_be_read_is_named(trained, disk, capsys):
    shutil.copytree(trained / "zoo" / "tiny", disk.path / "tiny")
    disk.lock()
    for words in (
        ["train", str(trained / "tiny.toml"), "--runs", str(disk.path)],
        ["export", "tiny", "--runs", str(trained), "--entries", str(disk.path)],
        ["evaluate", "tiny", "--only", "reconstruction", "--entries", str(disk.path)],
    ):
        said = ends(capsys, *words)
        assert "the disk can only be read" in said and str(disk.path) in said


def test_publishing_on_a_full_disk_is_one_sentence(disk, monkeypatch, tmp_path):
    entry = tiny.vae(tmp_path / "vae")
    monkeypatch.setattr(tempfile, "tempdir", str(disk.path))
    disk.fill(4)
    refused = pytest.raises(EntryError, match="^The entry vae cannot be copied to be published: the disk is full; free")
    with refused, publish.staged(entry, "ada/vae"):
        pass
    assert content(disk.path) == []


@pytest.mark.parametrize("kind", ["command", "page"])
def test_without_a_folder_for_temporary_files_publishing_says_so(monkeypatch, kind):
    def nowhere() -> str:
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp', '/srv/secret']")

    monkeypatch.setattr(atomic.tempfile, "gettempdir", nowhere)
    said = "there is no folder for temporary files that can be written; free some space or set TMPDIR"
    if kind == "page":
        app = opened("pages/share/publish.py", entry="digits-vae")
        assert any(said in warning.value.replace("\\", "") for warning in app.warning)
        assert not any("/srv" in warning.value for warning in app.warning)
    else:
        with pytest.raises(EntryError, match=said), publish.staged(read(catalog.EMBEDDED / "digits-vae"), "ada/x"):
            pass


def test_reasons_of_disks_are_told_from_others():
    assert atomic.reason(OSError(errno.ENOSPC, "x")) == "the disk is full"
    assert atomic.reason(OSError("Can't write data (errno = 28, message = 'No space')")) == "the disk is full"
    assert atomic.reason(shutil.Error([("a", "b", "[Errno 30] Read-only file system")])) == "the disk can only be read"
    assert atomic.reason(ConnectionResetError(errno.ECONNRESET, "x")) is None
    assert atomic.reason(TimeoutError()) is None
