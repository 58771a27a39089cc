"""What the loopback Hub keeps: repositories with commits, branches and tags in a folder; it survives a restart."""

import hashlib
import json
import re
import threading
import time
from pathlib import Path

import yaml

LARGE = {".h5", ".keras", ".npz", ".npy", ".onnx", ".bin", ".pb", ".png", ".gif", ".zip", ".safetensors"}
ATTRIBUTES = "".join(f"*{suffix} filter=lfs diff=lfs merge=lfs -text\n" for suffix in sorted(LARGE)).encode()


class Refusal(Exception):
    """An answer other than success: status, what the Hub calls it, and its message."""

    def __init__(self, status: int, message: str, code: str | None = None) -> None:
        self.status, self.message, self.code = status, message, code


def git_hash(content: bytes) -> str:
    """Return the sha1 under which Git keeps a file, 40 hex digits."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def front_matter(text: str) -> dict:
    """Return the YAML between the first two lines of ---, as JSON can hold it; {} without such a head."""
    found = re.match(r"\s*---\r?\n(.*?)\r?\n---", text, re.S)
    head = yaml.safe_load(found[1]) if found else None
    return json.loads(json.dumps(head, default=str)) if isinstance(head, dict) else {}


def now() -> str:
    """Return the time as the Hub writes it, UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())


class Store:
    """blobs/<hash> and repos/<owner>/<name>.json; a tree maps a path to {oid, size, lfs: sha256 or None}."""

    def __init__(self, folder: Path, lfs: bool) -> None:
        self.folder, self.lfs, self.lock = folder, lfs, threading.RLock()
        self.repos, self.blobs, self.collections = (self.folder / n for n in ("repos", "blobs", "collections.json"))
        for created in (self.repos, self.blobs):
            created.mkdir(parents=True, exist_ok=True)

    def load(self, repo: str) -> dict:
        try:
            return json.loads((self.repos / f"{repo}.json").read_text())
        except OSError:
            raise Refusal(404, "Repository not found", "RepoNotFound") from None

    def save(self, repo: str, state: dict) -> None:
        path = self.repos / f"{repo}.json"
        path.parent.mkdir(exist_ok=True)
        path.with_suffix(".tmp").write_text(json.dumps(state))
        path.with_suffix(".tmp").replace(path)

    def create(self, repo: str, private: bool = False) -> bool:
        """Make an empty repository, as the Hub does with a first commit; False when there is one."""
        with self.lock:
            if (self.repos / f"{repo}.json").exists():
                return False
            state = {"branches": {}, "tags": {}, "commits": {}, "private": private, "gated": False, "created": now()}
            self.commit(state, {".gitattributes": self.file(".gitattributes", ATTRIBUTES)}, "initial commit")
            self.save(repo, state)
            return True

    def keep(self, name: str, content: bytes) -> None:
        temporary = self.blobs / f".{name}.{threading.get_ident()}"
        temporary.write_bytes(content)
        temporary.replace(self.blobs / name)

    def large(self, path: str, size: int, sample: bytes) -> bool:
        return self.lfs and (Path(path).suffix in LARGE or size > 10 << 20 or b"\0" in sample)

    def file(self, path: str, content: bytes) -> dict:
        """Keep a file's content and describe it as a tree does."""
        if self.large(path, len(content), content[:512]):
            sha256 = hashlib.sha256(content).hexdigest()
            self.keep(sha256, content)
            return self.pointer(sha256)
        self.keep(git_hash(content), content)
        return {"oid": git_hash(content), "size": len(content), "lfs": None}

    def pointer(self, sha256: str) -> dict:
        path = self.blobs / sha256
        if not path.exists():
            raise Refusal(400, "The LFS object was not uploaded")
        size = path.stat().st_size
        text = f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n"
        return {"oid": git_hash(text.encode()), "size": size, "lfs": sha256}

    def commit(self, state: dict, tree: dict, title: str, branch: str = "main", message: str = "") -> str:
        parent = state["branches"].get(branch)
        identity = json.dumps([sorted(tree.items()), title, parent, time.time_ns()])
        sha = hashlib.sha1(identity.encode()).hexdigest()
        about = {"title": title, "message": message, "parent": parent, "date": now()}
        state["commits"][sha] = {"tree": tree, **about}
        state["branches"][branch] = sha
        return sha

    def resolve(self, state: dict, revision: str) -> str:
        for names in (state["branches"], state["tags"]):
            if revision in names:
                return names[revision]
        if revision in state["commits"]:
            return revision
        raise Refusal(404, f"Invalid rev id: {revision}", "RevisionNotFound")

    def tree(self, state: dict, revision: str) -> dict:
        return state["commits"][self.resolve(state, revision)]["tree"]

    def info(self, repo: str, state: dict, revision: str = "main", blobs: bool = False) -> dict:
        """What the Hub tells about a repository; its tags come from the card's metadata."""
        sha, card = self.resolve(state, revision), {}
        tree = self.tree(state, revision)
        if "README.md" in tree:
            content = self.blobs / (tree["README.md"]["lfs"] or tree["README.md"]["oid"])
            card = front_matter(content.read_text(encoding="utf-8", errors="replace"))
        tags = [card[key] for key in ("library_name", "pipeline_tag") if card.get(key)] + list(card.get("tags") or [])
        for key, prefix in (("license", "license:"), ("datasets", "dataset:")):
            values = card.get(key) or []
            tags += [prefix + value for value in ([values] if isinstance(values, str) else values)]
        siblings = [{"rfilename": path} for path in sorted(tree)]
        for sibling in siblings if blobs else []:
            file = tree[sibling["rfilename"]]
            sibling |= {"size": file["size"], "blobId": file["oid"]}
            if file["lfs"]:
                sibling["lfs"] = {"sha256": file["lfs"], "size": file["size"], "pointerSize": 134}
        identity = {"_id": hashlib.md5(repo.encode()).hexdigest()[:24], "id": repo, "modelId": repo}
        about = {key: card[key] for key in ("library_name", "pipeline_tag", "model-index") if card.get(key)}
        dates = {"createdAt": state["created"], "lastModified": state["commits"][sha]["date"]}
        access = {"private": state["private"], "gated": "manual" if state["gated"] else False, "disabled": False}
        found = {"sha": sha, "siblings": siblings, "cardData": card, "tags": tags, "downloads": 0, "likes": 0}
        return identity | {"author": repo.split("/")[0]} | dates | access | about | found
