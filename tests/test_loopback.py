"""The Hub on loopback answers the real client, by Git LFS and regularly, keeps what it has, and fails on demand."""

import json
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from zoo.hub.loopback import Hub
from zoo.hub.loopback.__main__ import main

ROOT = Path(__file__).resolve().parent.parent
CARD = b"---\nlibrary_name: keras\nlicense: mit\ntags: [latent-zoo]\ndatasets: [ylecun/mnist]\n---\n# Hello\n"
PUBLISH = """
import os, pathlib
from huggingface_hub import HfApi, snapshot_download
api, folder = HfApi(), pathlib.Path("entry")
assert api.whoami()["name"] == "zoo"
assert api.create_repo("zoo/first") == api.create_repo("zoo/first", exist_ok=True)
first = api.upload_folder(repo_id="zoo/first", folder_path=folder)
again = api.upload_folder(repo_id="zoo/first", folder_path=folder)
assert first.oid == again.oid
api.create_tag("zoo/first", tag="v1", revision=first.oid)
found = list(api.list_models(author="zoo", filter=["latent-zoo", "keras", "dataset:ylecun/mnist"], full=True))
assert [model.id for model in found] == ["zoo/first"] and found[0].sha == first.oid
assert not list(api.list_models(filter="other")) and not list(api.list_models(author="nobody"))
assert [ref.target_commit for ref in api.list_repo_refs("zoo/first").tags] == [first.oid]
info = {file.rfilename: file for file in api.model_info("zoo/first", files_metadata=True).siblings}
assert info["onnx/a.onnx"].size == 200_000 and info["README.md"].lfs is None
assert bool(info["onnx/a.onnx"].lfs) == (os.environ["LFS"] == "1")
tree = [item.path for item in api.list_repo_tree("zoo/first")]
assert "onnx" in tree and "onnx/a.onnx" not in tree
assert [item.size for item in api.get_paths_info("zoo/first", ["onnx/a.onnx", "missing"])] == [200_000]
try:
    api.upload_file(repo_id="zoo/first", path_or_fileobj=b"1", path_in_repo="a", parent_commit="0" * 40)
except Exception as error:
    assert error.response.status_code == 412
else:
    raise AssertionError("a stale parent was accepted")
assert len(api.list_repo_commits("zoo/first")) == 2
assert [item.item_id for item in api.get_collection("zoo/best-1").items] == ["zoo/first"]
snapshot_download("zoo/first", revision=first.oid)
print(first.oid)
"""
PULL = """
import pathlib, sys
from huggingface_hub import snapshot_download
place = pathlib.Path(snapshot_download("zoo/first", revision=sys.argv[1]))
for path in pathlib.Path("entry").rglob("*"):
    assert path.is_dir() or (place / path.relative_to("entry")).read_bytes() == path.read_bytes()
"""
STRANGER = """
from huggingface_hub import HfApi, hf_hub_download
from huggingface_hub.errors import *
def refused(what, *args, **options):
    try:
        what(*args, **options)
    except HfHubHTTPError as error:
        return type(error).__name__
api, nobody = HfApi(), HfApi(token=False)
print([
    refused(api.model_info, "other/private"), refused(nobody.model_info, "other/private"),
    refused(nobody.model_info, "other/missing"), refused(HfApi(token="wrong").whoami),
    refused(api.create_repo, "other/mine"), refused(api.model_info, "other/gated"),
    refused(hf_hub_download, "other/gated", "f"), refused(hf_hub_download, "zoo/gated", "f", token=False),
    refused(hf_hub_download, "zoo/gated", "f"), refused(hf_hub_download, "zoo/gated", "g"),
    refused(api.model_info, "zoo/gated", revision="v9"),
    [model.id for model in nobody.list_models()], len(list(api.list_models())),
])
"""


def client(code: str, folder: Path, environment: dict, *arguments: str) -> str:
    """Run code with the real client in a process of its own, in `folder`; return what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.strip()


@pytest.mark.parametrize("lfs", [True, False], ids=["lfs", "regular"])
def test_the_real_client_creates_publishes_lists_pins_pulls_and_then_needs_nobody(tmp_path, lfs):
    (tmp_path / "entry" / "onnx").mkdir(parents=True)
    (tmp_path / "entry" / "README.md").write_bytes(CARD)
    (tmp_path / "entry" / "onnx" / "a.onnx").write_bytes(os.urandom(200_000))
    with Hub(tmp_path / "hub", lfs=lfs) as hub:
        hub.collection("zoo/best-1", ["zoo/first"])
        environment = hub.environment(tmp_path / "home") | {"LFS": str(int(lfs))}
        commit = client(PUBLISH, tmp_path, environment)
        assert any(request.startswith("PUT /lfs/") for request in hub.requests) == lfs
        hub.requests.clear()
        client(PULL, tmp_path, environment, commit)
        assert hub.requests == []  # pinned and in the cache
    client(PULL, tmp_path, environment | {"HF_HUB_OFFLINE": "1"}, commit)
    with Hub(tmp_path / "hub", lfs=lfs) as again:  # what it holds survives
        assert again.files("zoo/first", "v1")["README.md"] == CARD
        client(PULL, tmp_path, again.environment(tmp_path / "other home"), commit)


def test_who_may_not_know_or_read_is_told_what_the_hub_tells(tmp_path):
    with Hub(tmp_path / "hub") as hub:
        hub.put("other/private", {"f": b"1"}, private=True)
        for repo in ("other/gated", "zoo/gated"):
            hub.put(repo, {"f": b"1"}, gated=True)
        told = client(STRANGER, tmp_path, hub.environment(tmp_path / "home"))
    missing, gated = "RepositoryNotFoundError", "GatedRepoError"
    expected = [None, missing, missing, "HfHubHTTPError", "HfHubHTTPError", None, gated, gated, None]
    expected += ["RemoteEntryNotFoundError", "RevisionNotFoundError", ["zoo/gated", "other/gated"], 3]
    assert told.replace("'", '"').replace("None", "null") == json.dumps(expected)


def test_a_commit_from_behind_replaces_the_files_and_is_none_when_nothing_changed(tmp_path):
    hub = Hub(tmp_path)
    first = hub.put("a/b", {"x": b"1", "y": b"2"}, tags=["v1"])
    assert hub.put("a/b", {"x": b"1", "y": b"2"}) == first
    second = hub.put("a/b", {"x": b"3"})
    assert set(hub.files("a/b")) == {".gitattributes", "x"} and hub.files("a/b", "v1")["y"] == b"2"
    assert second != first and not hub.tag("a/b", "v1") and hub.tag("a/b", "v2", first)


def ask(hub: Hub, path: str, timeout: float = 5):
    with urllib.request.urlopen(hub.url + path, timeout=timeout) as answer:
        return answer.read()


def test_faults_do_what_they_say_and_end(tmp_path):
    content = bytes(range(256)) * 8
    path = "/a/b/resolve/main/x.bin"
    with Hub(tmp_path) as hub:
        hub.put("a/b", {"x.bin": content})
        for status in (401, 403, 404, 429, 500):
            hub.fail("GET .*x[.]bin", str(status), times=1)
            with pytest.raises(urllib.error.HTTPError) as refused:
                ask(hub, path)
            assert refused.value.code == status and (refused.value.headers["Retry-After"] == "7") == (status == 429)
        assert ask(hub, path) == content  # once was enough
        hub.fail("x.bin", "tamper")
        assert ask(hub, path) != content and len(ask(hub, path)) == len(content)
        assert b"a/b" in ask(hub, "/api/models")  # other paths are well
        hub.heal()
        for kind, error in (
            ("truncate", "IncompleteRead"),
            ("drop", "RemoteDisconnected"),
            ("lost", "RemoteDisconnected"),
        ):
            hub.fail("x.bin", kind)
            with pytest.raises(Exception) as broken:
                ask(hub, path)
            assert type(broken.value).__name__ == error
            hub.heal()
        hub.fail("/api/models", "garbage")
        with pytest.raises(ValueError):
            json.loads(ask(hub, "/api/models"))
        hub.heal()
        hub.fail("x.bin", "hang")
        with pytest.raises(TimeoutError):
            ask(hub, path, timeout=0.3)
        hub.heal()
        hub.pace = 0
        hub.fail("x.bin", "slow")
        assert ask(hub, path) == content


def test_a_developer_starts_it_with_entries_to_see(tmp_path, monkeypatch, capsys):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    monkeypatch.setattr(sys, "argv", ["hub", "--folder", str(tmp_path / "hub"), "--port", port, "--zoo"])
    monkeypatch.setattr(Hub, "wait", lambda self: None)
    main()
    told = capsys.readouterr().out
    assert f"HF_ENDPOINT=http://127.0.0.1:{port} HF_TOKEN=hf_local" in told and "publish" in told
    assert "zoo.json" in Hub(tmp_path / "hub").files("zoo/digits-vae")
