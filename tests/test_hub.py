"""Entries on the Hub, by the real client in processes of their own against a Hub on loopback."""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest
import tiny_entries as tiny
from conftest import ROOT

from zoo.hub import loopback

CARD = b"---\ntags: [latent-zoo]\n---\n# An entry\n"
SHEET, DECODER = "samples.png", "onnx/decoder.onnx"
# Answers one expression per line, so that one process serves many questions and the requests of each can be seen.
CLIENT = """
import json, resource, sys
from zoo.entries import catalog, remote as hub, sources
from zoo.hub import cache, errand, room
from zoo.entries import Entry

errand.TIMEOUT, errand.QUESTION_SECONDS = 1.0, 8.0

def pull(text, again=False, visitor=False):
    global found
    cache.forget()
    items = catalog.ordered(catalog.pull(sources.parse(text, visitor), again))
    found = {item.id: item for item in items if isinstance(item, Entry)}
    return {getattr(item, "id", item.name): item.origin.commit if item.name and isinstance(item, Entry) else item.reason
            for item in items}

def content(name, file):
    return found[name].content(file, 1 << 20).hex()

def again(name, file):
    cache.forget()
    return content(name, file)

def fetch(name, file, pieces=None):
    # gives it up after so many pieces
    parts = []
    cache.forget()
    hub.fetch(found[name], [file], parts.append, lambda: len(parts) == pieces)
    return parts == sorted(parts) and parts[-1] == 1.0

def limit(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, -1))

for line in sys.stdin:
    try:
        answer = {"value": eval(json.loads(line))}
    except Exception as error:
        answer = {"kind": type(error).__name__, "says": str(error)}
    print(json.dumps(answer), flush=True)
"""


class Refused(Exception):
    """What the client raised: its kind and its sentence."""


@pytest.fixture
def hub(tmp_path):
    with loopback.Hub(tmp_path / "hub") as server:
        yield server


@pytest.fixture
def start(hub, tmp_path):
    """Start a client: a function that evaluates an expression in a process with this Hub and one common cache."""
    running = []

    def begin(home="home", **settings):
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "ZOO_"))}
        environment = clean | hub.environment(tmp_path / home) | {"PYTHONPATH": str(ROOT)} | settings
        process = subprocess.Popen(
            [sys.executable, "-c", CLIENT], cwd=ROOT, env=environment, text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=(tmp_path / "log").open("a"),
        )  # fmt: skip
        running.append(process)

        def ask(expression):
            process.stdin.write(json.dumps(expression) + "\n")
            process.stdin.flush()
            answer = json.loads(process.stdout.readline() or '{"kind": "Ended", "says": "the process ended"}')
            if "kind" in answer:
                raise Refused(f"{answer['kind']}: {answer['says']}")
            return answer["value"]

        return ask

    yield begin
    for process in running:
        process.stdin.close()
        process.wait(30)
        process.stdout.close()


def published(hub, tmp_path, repo="zoo/some", files=None, spoil=None, **options):
    """Put a tiny entry on the Hub; return its commit and its files."""
    folder = tmp_path / "entries" / repo.replace("/", "-") / "some-vae"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    tiny.vae(folder, files={"README.md": CARD, SHEET: b"picture"} | (files or {}))
    found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return hub.put(repo, found | (spoil or {}), **options), found


def asked(hub):
    """Return what was requested since the last call, without queries and commits."""
    paths = [request.split("?")[0].rpartition("/resolve/") for request in hub.requests]
    hub.requests.clear()
    return [f"{start.split()[0]} {rest.partition('/')[2]}" if start else rest for start, _, rest in paths]


def is_one_sentence(text):
    return text.endswith(".") and ". " not in text


def test_only_what_is_looked_at_is_fetched_and_then_nothing_is_asked(hub, start, tmp_path):
    commit, files = published(hub, tmp_path, tags=["v1"])
    client = start()
    assert client("pull('zoo/some')") == {"zoo/some": commit}
    assert asked(hub) == ["GET /api/models/zoo/some/revision/main", "HEAD zoo.json", "GET zoo.json",
                          f"HEAD {SHEET}", f"GET {SHEET}"]  # fmt: skip
    assert client(f"content('zoo/some', '{SHEET}')") == b"picture".hex()
    assert asked(hub) == []
    assert client(f"content('zoo/some', '{DECODER}')") == files[DECODER].hex()
    assert asked(hub) == [f"HEAD {DECODER}", f"GET {DECODER}"]
    assert client("found['zoo/some'].origin.asked, found['zoo/some'].name") == ["main", "some-vae"]

    newer, _ = published(hub, tmp_path, files={"history.json": b"{}"})
    assert newer != commit
    for settings in ({}, {"HF_HUB_OFFLINE": "1"}, {"HF_ENDPOINT": "http://127.0.0.1:9"}):
        later = start(**settings)
        assert later("pull('zoo/some')") == {"zoo/some": commit}
        assert later(f"content('zoo/some', '{DECODER}')") == files[DECODER].hex()
    assert asked(hub) == []

    assert client("pull('zoo/some@v1')") == {"zoo/some@v1": commit}
    assert client(f"pull('zoo/some@{commit}')") == {f"zoo/some@{commit}": commit}
    assert asked(hub) == ["GET /api/models/zoo/some/revision/v1"]
    assert client("pull('zoo/some', again=True)") == {"zoo/some": newer}
    assert "HEAD zoo.json" in asked(hub)
    assert client("pull('zoo/some')") == {"zoo/some": newer}
    assert asked(hub) == []
    with pytest.raises(Refused, match="zoo/some has no such branch, tag or revision"):
        client("pull('zoo/some@v2')")


def test_an_owner_and_a_collection_are_listed_once(hub, start, tmp_path):
    commits = {repo: published(hub, tmp_path, repo)[0] for repo in ("zoo/a", "zoo/b", "friend/a")}
    hub.put("zoo/keras", {"config.json": b"{}"})
    hub.put("zoo/strange", {"README.md": CARD})
    hub.collection("zoo/favourites-1", ["friend/a", "zoo/b", "zoo/keras", "zoo/gone"])
    client = start()
    owner = client("pull('zoo')")
    assert owner.pop("zoo/strange").startswith("zoo/strange is not an entry: it holds no zoo.json; if it holds a Keras")
    assert owner == {repo: commits[repo] for repo in ("zoo/a", "zoo/b")}
    favourites = client("pull('collections/zoo/favourites-1')")
    assert "Import page" in favourites.pop("zoo/keras")
    assert favourites.pop("zoo/gone").startswith("The Hub does not show zoo/gone")
    assert favourites == {repo: commits[repo] for repo in ("friend/a", "zoo/b")}
    asked(hub)
    assert start()("pull('zoo')").items() >= {repo: commits[repo] for repo in ("zoo/a", "zoo/b")}.items()
    assert not any("onnx" in request or "/api/" in request for request in asked(hub))
    for text, says in (("nobody", "no repository with the tag"), ("collections/zoo/none", "not show the collection")):
        with pytest.raises(Refused, match=says):
            client(f"pull('{text}')")
    # Two repositories of one entry are two entries, also beside a folder with the same one.
    both = client("[(e.id, e.name) for e in catalog.ordered([*catalog.pull(sources.parse('friend')), *found.values(),"
                  f" *catalog.load(['{tmp_path}/entries/zoo-a'])])]")  # fmt: skip
    assert both == [["some-vae", "some-vae"], ["friend/a", "some-vae"], ["zoo/b", "some-vae"]]


def test_what_only_the_host_may_read_is_not_for_visitors(hub, start, tmp_path):
    secret, _ = published(hub, tmp_path, "zoo/secret", private=True)
    gated, _ = published(hub, tmp_path, "friend/gated", gated=True)
    public, _ = published(hub, tmp_path, "zoo/public")
    client = start(ZOO_HOSTED="1")
    assert client("pull('zoo')") == {"zoo/secret": secret, "zoo/public": public}
    assert (
        "friend/gated is gated: this app shows its visitors only what everybody may read"
        in client("pull('friend/gated')")["friend/gated"]
    )
    assert client("pull('zoo', visitor=True)") == {"zoo/public": public}
    for text in ("zoo/secret", f"zoo/secret@{secret}"):  # although both lie in the cache
        with pytest.raises(Refused, match="The Hub does not show zoo/secret"):
            client(f"pull('{text}', visitor=True)")
    with pytest.raises(Refused, match="friend/gated is private or gated"):
        client("pull('friend/gated', visitor=True)")
    stranger = start("elsewhere", HF_TOKEN="")
    with pytest.raises(Refused, match="does not show zoo/secret: check the name, and set HF_TOKEN if it is private"):
        stranger("pull('zoo/secret')")
    assert "is gated" in stranger("pull('friend/gated')")["friend/gated"]
    with pytest.raises(Refused, match="The Hub refuses the token for zoo/public"):
        start("elsewhere", HF_TOKEN="hf_wrong")("pull('zoo/public')")
    with pytest.raises(Refused, match="zoo/public is not on this machine and HF_HUB_OFFLINE forbids"):
        start("elsewhere", HF_HUB_OFFLINE="1")("pull('zoo/public')")
    with pytest.raises(Refused, match="The Hub cannot be reached for zoo/public"):
        start("elsewhere", HF_ENDPOINT="http://127.0.0.1:9")("pull('zoo/public')")


FAULTS = {
    "401": "refuses the token|does not show",
    "403": "refuses the token",
    "404": "does not show|does not hold|holds no",
    "429": "in 7 s",
    "500": "error 500",
    "hang": "did not answer in time",
    "slow": "did not answer in time",
    "drop": "broke off",
    "truncate": "broke off",
    "garbage": "makes no sense|arrived incomplete|cannot be|sha256|not valid|offers more",
}


def test_every_fault_is_one_sentence_and_passes(hub, start, tmp_path):
    commit, files = published(hub, tmp_path, files={"history.json": b" " * 4000})
    hub.collection("zoo/all-1", ["zoo/some"])
    client = start()
    for kind, says in FAULTS.items():
        client(f"setattr(errand, 'QUESTION_SECONDS', {1.0 if kind == 'slow' else 8.0})")
        hub.fail("/api/", kind)
        for text in ("zoo/some", "zoo", "collections/zoo/all-1") if kind in ("500", "garbage") else ("zoo/some",):
            with pytest.raises(Refused, match=says) as refused:
                client(f"pull('{text}')")
            assert is_one_sentence(str(refused.value)), (kind, str(refused.value))
        hub.heal()
        if kind in ("404", "429", "500", "drop", "garbage"):
            hub.fail("zoo.json", kind)
            reason = client("pull('zoo/some')")["zoo/some"]
            assert re.search(says, reason) and is_one_sentence(reason), (kind, reason)
            hub.heal()
    assert client("pull('zoo/some')") == {"zoo/some": commit}
    for kind, says in FAULTS.items():
        client(f"setattr(errand, 'QUESTION_SECONDS', {1.0 if kind == 'slow' else 8.0})")
        hub.fail("history.json", kind)
        with pytest.raises(Refused, match=says) as refused:
            client("again('zoo/some', 'history.json')")
        assert is_one_sentence(str(refused.value)), (kind, str(refused.value))
        hub.heal()
        hub.requests.clear()
        with pytest.raises(Refused, match=says):  # for a while the same answer, without asking
            client("content('zoo/some', 'history.json')")
        assert hub.requests == []
    assert client("again('zoo/some', 'history.json')") == files["history.json"].hex()


def test_what_arrives_or_lies_there_damaged_is_fetched_again_once(hub, start, tmp_path):
    commit, files = published(hub, tmp_path)
    client = start()
    client("pull('zoo/some')")
    hub.fail(f"GET .*{DECODER}", "tamper")
    asked(hub)
    with pytest.raises(Refused, match="zoo/some is refused: onnx/decoder.onnx is not the file .* sha256 differs"):
        client(f"content('zoo/some', '{DECODER}')")
    assert asked(hub).count(f"GET {DECODER}") == 2
    hub.heal()
    assert client(f"again('zoo/some', '{DECODER}')") == files[DECODER].hex()

    hub.fail(f"GET .*{DECODER}", "truncate", times=1)
    cached = tmp_path / "home/hub/models--zoo--some/snapshots" / commit / DECODER
    cached.resolve().write_bytes(files[DECODER][::-1])  # as long as it was
    assert client(f"content('zoo/some', '{DECODER}')") == files[DECODER].hex()
    assert sum("GET" in request for request in asked(hub)[-3:]) == 2  # what broke off was resumed
    cached.resolve().write_bytes(files[DECODER][:-9])
    assert client(f"content('zoo/some', '{DECODER}')") == files[DECODER].hex()
    (cached.parents[1] / "zoo.json").resolve().write_bytes(b"{")
    assert start()("pull('zoo/some')") == {"zoo/some": commit}
    for name in ("blobs", "refs"):
        shutil.rmtree(cached.parents[3] / name, ignore_errors=True)
    assert start()("pull('zoo/some')") == {"zoo/some": commit}


def test_what_is_too_large_is_not_downloaded(hub, start, tmp_path):
    published(hub, tmp_path, spoil={"zoo.json": b" " * (2 << 20)})
    published(hub, tmp_path, "zoo/grown", spoil={DECODER: bytes(1 << 20)})
    client = start()
    assert "zoo/some is refused: the Hub offers more than" in client("pull('zoo/some')")["zoo/some"]
    assert "GET zoo.json" not in asked(hub)
    client("pull('zoo/grown')")
    with pytest.raises(Refused, match="zoo/grown is refused: the Hub offers more than"):
        client(f"content('zoo/grown', '{DECODER}')")
    assert f"GET {DECODER}" not in asked(hub)


def test_a_full_disk_and_a_cancelled_download(hub, start, tmp_path):
    published(hub, tmp_path, files={"history.json": b"[" * 300_000})
    client = start()
    client("pull('zoo/some')")
    client("[setattr(room, 'SPARE_BYTES', 1 << 60)]")
    with pytest.raises(Refused, match="The disk is full, zoo/some cannot be kept: free some space") as refused:
        client(f"content('zoo/some', '{DECODER}')")
    assert is_one_sentence(str(refused.value))
    client("[setattr(room, 'SPARE_BYTES', 0)]")
    client("limit(100_000)")
    with pytest.raises(Refused, match="zoo/some cannot be kept on this machine .File too large."):
        client("again('zoo/some', 'history.json')")
    client("limit(-1)")
    hub.fail("GET .*history.json", "slow")
    with pytest.raises(Refused, match="Cancelled"):
        client("fetch('zoo/some', 'history.json', pieces=3)")
    hub.heal()
    assert client("fetch('zoo/some', 'history.json')")
    assert client("found['zoo/some'].here('history.json')")
    assert not list((tmp_path / "home/hub").rglob("*.incomplete"))


def test_a_bounded_cache_lets_go_what_was_used_longest_ago_and_fetches_it_again(hub, start, tmp_path):
    for name in ("first", "second", "third"):
        published(hub, tmp_path, f"zoo/{name}", files={"history.json": b"[" * 900_000})
    client = start(ZOO_CACHE_GB="0.0025")
    for name in ("first", "second"):
        client(f"pull('zoo/{name}')")
        client(f"content('zoo/{name}', 'history.json')")
    assert "The cache of this app is full, and all of it is in use" in client("pull('zoo/third')")["zoo/third"]
    client("[setattr(room, 'IN_USE', 0.0)]")
    client("pull('zoo/third')")
    assert client("content('zoo/third', 'history.json')")
    assert [path.name for path in (tmp_path / "home/hub").glob("models--*first*")] == []
    client("pull('zoo/first')")
    asked(hub)
    assert client("content('zoo/first', 'history.json')")
    assert "GET history.json" in asked(hub)
    held = sum(path.lstat().st_size for path in (tmp_path / "home/hub").rglob("*"))
    assert held < 2_500_000


def test_looking_for_changes_loses_nothing_that_was_good(hub, start, tmp_path):
    first, _ = published(hub, tmp_path)
    client = start()
    assert client("pull('zoo/some')") == {"zoo/some": first}
    second, _ = published(hub, tmp_path, files={"history.json": b"{}"})
    hub.fail("zoo.json", "500")
    shown = client("[getattr(item, 'reason', None) or item.origin.commit "
                   "for item in catalog.pull(sources.parse('zoo/some'), True)]")  # fmt: skip
    assert shown[0] == first and "error 500" in shown[1] and len(shown) == 2
    for client in (start(HF_ENDPOINT="http://127.0.0.1:9"), start()):
        assert client("pull('zoo/some')") == {"zoo/some": first}
    hub.heal()
    assert client("pull('zoo/some', again=True)") == {"zoo/some": second}


def test_names_and_commits_from_the_hub_lead_nowhere_else(hub, start, tmp_path, monkeypatch):
    published(hub, tmp_path, "zoo/a")
    good, files = published(hub, tmp_path, "zoo/b")
    client = start()
    client("pull('zoo/a')")  # now there is a folder to climb out of
    for path, content in files.items():
        (tmp_path / "home/outside" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "home/outside" / path).write_bytes(content)
    told, spoilt = hub.store.info, {"zoo/a": {"sha": "../../../../outside"}, "zoo/c": {"id": "../../c"}}
    published(hub, tmp_path, "zoo/c")
    monkeypatch.setattr(hub.store, "info", lambda repo, *rest, **options: told(repo, *rest, **options)
                        | spoilt.get(repo, {}))  # fmt: skip
    hub.collection("zoo/odd-1", ["../../c", "zoo/b", "/etc", "zoo/.."])
    found = client("pull('zoo')")
    assert found.keys() == {"zoo/a", "zoo/b"} and found["zoo/b"] == good
    assert "makes no sense" in found["zoo/a"]
    assert client("pull('collections/zoo/odd-1')") == {"zoo/b": good}
