"""The Hub's cache within a bound: what was used longest ago goes, never what is in use or being downloaded."""

import os
import time

import pytest
from huggingface_hub import constants

from zoo.errors import HubError
from zoo.hub import room


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache bounded to 10 MB that holds four repositories of 2 MB, last used one to four days ago, ada's last."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("ZOO_CACHE_GB", "0.01")
    for days, name in enumerate(["models--ada--vae", "models--eve--gan", "datasets--bob--set", "models--kim--ae"], 1):
        blob = tmp_path / "hub" / name / "blobs" / "content"
        blob.parent.mkdir(parents=True)
        blob.write_bytes(bytes(2_000_000))
        link = tmp_path / "hub" / name / "snapshots" / "0" / "file"
        link.parent.mkdir(parents=True)
        link.symlink_to("../../blobs/content")
        then = time.time() - days * 86_400
        for path in (blob, link.parent, blob.parent, blob.parent.parent):
            os.utime(path, (then, then))
        os.utime(link, (then, then), follow_symlinks=False)
    return tmp_path / "hub"


def names(cache) -> list[str]:
    return sorted(path.name.split("--")[1] for path in cache.iterdir())


def test_what_was_used_longest_ago_goes_until_there_is_room(cache):
    with room.reserved("models--new--one", 1_000_000):
        assert names(cache) == ["ada", "bob", "eve", "kim"]
        with room.reserved("models--new--two", 2_000_000):
            assert names(cache) == ["ada", "bob", "eve"]
    with room.reserved("models--new--one", 5_000_000):
        assert names(cache) == ["ada", "eve"]


def test_what_is_in_use_or_being_downloaded_stays(cache):
    room.used(cache / "models--kim--ae" / "snapshots" / "0" / "file")
    with room.reserved("datasets--bob--set", 1_000_000), room.reserved("models--new--one", 2_000_000):
        assert names(cache) == ["ada", "bob", "kim"]
        refused = pytest.raises(HubError, match="all of it is in use: try again in 10 minutes")
        with refused, room.reserved("models--new--two", 4_000_000):
            pass
    assert not room._coming


def test_what_is_larger_than_the_bound_costs_nobody_anything(cache):
    with (
        pytest.raises(HubError, match="11 MB would have to be fetched, more than"),
        room.reserved("models--new--one", 11_000_000),
    ):
        pass
    assert len(names(cache)) == 4


def test_without_a_bound_nothing_goes_and_a_full_disk_is_told(cache, monkeypatch):
    monkeypatch.delenv("ZOO_CACHE_GB")
    with room.reserved("models--new--one", 11_000_000):
        assert len(names(cache)) == 4
    monkeypatch.setattr(room, "SPARE_BYTES", 1 << 60)
    with pytest.raises(OSError, match="No space left"), room.reserved("models--new--one", 1):
        pass
    monkeypatch.setenv("ZOO_CACHE_GB", "many")
    with (
        pytest.raises(HubError, match="ZOO_CACHE_GB takes a number of gigabytes, not 'many'"),
        room.reserved("models--new--one", 1),
    ):
        pass


def test_a_use_keeps_the_time_of_the_content(cache):
    blob = cache / "models--kim--ae" / "blobs" / "content"
    before = blob.stat().st_mtime_ns
    room.used(cache / "models--kim--ae" / "snapshots" / "0" / "file")
    assert blob.stat().st_mtime_ns == before and time.time() - blob.stat().st_atime < 100
    room.used(cache / "nothing")
