"""What a process leaves that is killed while it writes: swept and put back at the next start; full and read-only disks
end in one sentence."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import tiny_entries as tiny
from conftest import ROOT

from zoo import atomic
from zoo.entries import catalog
from zoo.sharing import publish

# Each is killed, as if by kill -9, when it calls the function of os that is named; what it prints first is read.
KILLED = """
import os, shutil, signal, sys
from pathlib import Path
from zoo import atomic

folder, moment = Path(sys.argv[1]), sys.argv[2]
moves = []

def killed(*arguments):
    os.kill(os.getpid(), signal.SIGKILL)

def replace(source, destination, move=os.replace):
    move(source, destination)
    moves.append(destination)
    if moment == "between two renames" and len(moves) == 1:
        killed()

if moment == "between two renames":
    atomic._swap = lambda one, other: False
if moment == "before the swap":
    atomic._swap = killed
if moment == "while a file is written":
    os.replace = killed
    atomic.write(folder / "vae" / "zoo.json", "half")
with atomic.room(folder) as draft:
    shutil.copytree(folder / "vae", draft / "vae")
    (draft / "vae" / "README.md").write_text("new")
    if moment == "while a folder is filled":
        killed()
    os.replace = replace
    atomic.exchange(draft / "vae", folder / "vae")
"""
MOMENTS = ["between two renames", "before the swap", "while a file is written", "while a folder is filled"]


def drafts(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob(f"{atomic.DRAFT}*")]


@pytest.fixture
def zoo(tmp_path):
    tiny.write(tmp_path / "zoo" / "vae", tiny.encoder(), tiny.decoder(), files={"README.md": b"old"})
    return tmp_path / "zoo"


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_process_that_is_killed_leaves_the_entry_and_after_the_next_start_nothing_else(zoo, moment):
    child = subprocess.run([sys.executable, "-c", KILLED, zoo, moment], cwd=ROOT)
    assert child.returncode == -signal.SIGKILL
    assert drafts(zoo)
    assert (zoo / "vae").exists() == (moment != "between two renames")
    found = catalog.load([zoo])
    assert [(entry.name, entry.path("README.md").read_text()) for entry in found] == [("vae", "old")]
    atomic.write(zoo / "vae" / "note", "")
    assert drafts(zoo) == []


LIVING = """
import sys
import tempfile
from pathlib import Path
from zoo import atomic
with atomic.room(Path(sys.argv[1])) as draft:
    (draft / "before" / "gone").mkdir(parents=True)
    print(draft, flush=True)
    sys.stdin.read()
"""


def test_what_a_living_process_owns_is_left_alone(tmp_path):
    command = [sys.executable, "-c", LIVING, tmp_path]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as owner:
        draft = Path(owner.stdout.readline().strip())
        atomic.sweep(tmp_path)
        with atomic.room(tmp_path):
            assert (draft / "before" / "gone").is_dir() and not (tmp_path / "gone").exists()
        owner.kill()
        owner.wait()
    assert draft.exists()
    atomic.sweep(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["gone"]


def test_only_drafts_are_swept_and_no_link_is_followed(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "x").write_text("kept")
    place = tmp_path / "place"
    place.mkdir()
    (place / f"{atomic.DRAFT}link").symlink_to(tmp_path / "elsewhere")
    (place / ".git").mkdir()
    os.mkfifo(place / f"{atomic.DRAFT}pipe")
    (place / f"{atomic.DRAFT}dead").mkdir()
    atomic.sweep(place)
    assert (tmp_path / "elsewhere" / "x").exists()
    assert sorted(path.name for path in place.iterdir()) == [".git", f"{atomic.DRAFT}link", f"{atomic.DRAFT}pipe"]


TEMPORARY = """
import os, signal
from zoo import atomic
with atomic.room() as draft:
    (draft / "weights").write_bytes(bytes(1 << 20))
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_copies_of_a_killed_publish_or_import_go_when_the_next_one_begins(tmp_path, monkeypatch):
    subprocess.run([sys.executable, "-c", TEMPORARY], cwd=ROOT, env=os.environ | {"TMPDIR": str(tmp_path)})
    assert len(list(tmp_path.rglob("weights"))) == 1
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with publish.staged(tiny.vae(tmp_path / "vae"), "ada/vae") as copy:
        assert copy.folder.is_relative_to(tmp_path) and list(tmp_path.rglob("weights")) == []
        assert len(drafts(tmp_path)) == 1
    assert drafts(tmp_path) == []
