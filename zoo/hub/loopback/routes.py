"""The routes of the loopback Hub: what the real client asks, answered as the Hub answers."""

import base64
import hashlib
import json
import re
import threading
from http.server import BaseHTTPRequestHandler
from typing import Any, Protocol
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from zoo.hub.loopback.store import Refusal, Store, front_matter, git_hash, now

NAME = r"[A-Za-z0-9][\w.\-]*"
REPO = rf"(?P<repo>{NAME}/{NAME})"
MODEL = rf"/api/models/{REPO}"
REVISION = r"(?P<revision>[^/]+)"
LICENCES = ("mit", "apache-2.0", "cc-by-4.0", "cc-by-sa-4.0", "openrail", "other", "unknown")  # the Hub knows more


class Served(Protocol):
    """What a request asks of the Hub that it is made to; its attributes are told there."""

    store: Store
    token: str
    owners: tuple[str, ...]
    page: int
    pace: float
    requests: list[str]
    tokens: set[str]
    closed: threading.Event

    def fault(self, request: str) -> str | None: ...
    def tag(self, repo: str, name: str, revision: str = "main") -> bool: ...
    def collections(self) -> dict[str, list[str]]: ...


class Handler(BaseHTTPRequestHandler):
    """One request: faults first, then the route. `hub` is the Hub that it is made to."""

    protocol_version = "HTTP/1.1"
    hub: Served

    def log_message(self, format: str, *args: object) -> None:
        """Write no log: `requests` of the Hub holds what was asked."""

    def answer(self) -> None:
        """Answer any request: with its fault, by its route in ROUTES, or with a refusal."""
        self.body, url = self.received(), urlsplit(self.path)
        self.asked, request = parse_qs(url.query), f"{self.command} {self.path}"
        self.hub.requests.append(request)
        self.fault = self.hub.fault(request)
        self.base, self.store = f"http://{self.headers['Host']}", self.hub.store
        given = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        self.known = given == self.hub.token
        self.hub.tokens.add(given)
        try:
            if self.fault == "hang":
                self.hub.closed.wait()
            if self.fault in ("hang", "drop"):
                self.close_connection = True
                return
            if self.fault and self.fault.isdecimal():
                raise Refusal(int(self.fault), "Invalid credentials in Authorization header" * (self.fault == "401"))
            if given and not self.known:
                raise Refusal(401, "Invalid credentials in Authorization header")
            for methods, pattern, route in self.ROUTES:
                if self.command in methods.split() and (found := re.fullmatch(pattern, url.path)):
                    arguments = {name: unquote(value) for name, value in found.groupdict().items() if value is not None}
                    return route(self, **arguments)
            raise Refusal(404, "This Hub does not know this route")
        except Refusal as refusal:
            headers = {"X-Error-Message": refusal.message} if refusal.message else {}
            headers |= {"X-Error-Code": refusal.code} if refusal.code else {}
            headers |= {"Retry-After": "7"} if refusal.status == 429 else {}
            self.send(refusal.status, {"error": refusal.message or "refused"}, headers)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    do_GET = do_HEAD = do_POST = do_PUT = answer

    def received(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", "").lower():
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        content = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            content += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return content

    def send(self, status: int, content: Any = b"", headers: dict | None = None, length: int | None = None) -> None:
        """Send bytes, or anything else as JSON, spoiled as the fault says; `length` is what a HEAD declares."""
        kind = "application/octet-stream" if isinstance(content, bytes) else "application/json"
        content = content if isinstance(content, bytes) else json.dumps(content).encode()
        if self.fault == "lost":  # it was done, but nobody hears of it
            self.close_connection = True
            return
        if self.fault == "garbage":
            content = b"<html>This is not what you asked for"
        if self.fault == "tamper":
            content = content.translate(bytes(value ^ 1 for value in range(256)))
        self.send_response(status)
        declared = len(content) if length is None else length
        for name, value in ({"Content-Type": kind, "Content-Length": declared} | (headers or {})).items():
            self.send_header(name, str(value))
        self.end_headers()
        if self.command == "HEAD":
            return
        if self.fault == "truncate":
            content, self.close_connection = content[: len(content) // 2], True
        if self.fault != "slow":
            self.wfile.write(content)
            return
        for value in content:
            self.wfile.write(bytes([value]))
            if self.hub.closed.wait(self.hub.pace):
                self.close_connection = True
                return

    def json(self) -> dict:
        return json.loads(self.body or b"{}")

    def writer(self, owner: str) -> None:
        if not self.known:
            raise Refusal(401, "Invalid username or password.")
        if owner not in self.hub.owners:
            raise Refusal(403, f'You don\'t have the rights to create a model under the namespace "{owner}"')

    def reader(self, repo: str, content: bool = False) -> dict:
        """The repository's state, if whoever asks may know of it, and with `content` read its files."""
        with self.store.lock:
            try:
                state = self.store.load(repo)
            except Refusal:
                if self.known:
                    raise
                state = {"private": True}
        if state["private"] and not self.known:  # strangers are not told which of both it is
            raise Refusal(401, "Invalid username or password.", "RepoNotFound")
        if content and state["gated"] and not (self.known and repo.split("/")[0] in self.hub.owners):
            message = f"Access to model {repo} is restricted."
            raise Refusal(403 if self.known else 401, message, "GatedRepo")
        return state

    # Routes

    def whoami(self) -> None:
        if not self.known:
            raise Refusal(401, "Invalid username or password.")
        name, *more = self.hub.owners
        organisations = [{"type": "org", "id": other, "name": other, "roleInOrg": "write"} for other in more]
        token = {"accessToken": {"role": "write", "displayName": "local"}}
        user = {"type": "user", "id": name, "name": name, "fullname": name}
        self.send(200, user | {"orgs": organisations, "auth": token})

    def create(self) -> None:
        asked = self.json()
        owner = asked.get("organization") or self.hub.owners[0]
        self.writer(owner)
        repo = f"{owner}/{asked['name']}"
        if asked.get("type") not in (None, "model") or not re.fullmatch(REPO, repo):
            raise Refusal(400, "Only models with plain names live here")
        told = {"url": f"{self.base}/{repo}", "name": repo, "id": repo}
        if not self.store.create(repo, asked.get("visibility") == "private" or asked.get("private") is True):
            return self.send(409, told | {"error": "You already created this model repo"})
        self.send(200, told)

    def validate(self) -> None:
        try:
            found = front_matter(self.json()["content"])
        except Exception as error:  # whatever the YAML reader dislikes
            return self.send(400, {"errors": [{"message": str(error)}], "warnings": []})
        if found.get("license", "mit") not in LICENCES:
            message = f'"license" must be one of {", ".join(LICENCES)}'
            return self.send(400, {"errors": [{"message": message}], "warnings": []})
        self.send(200, {"errors": [], "warnings": [] if found else [{"message": "empty or missing yaml metadata"}]})

    def listing(self) -> None:
        found, asked = [], {name: values[0] for name, values in self.asked.items()}
        for path in self.store.repos.glob("*/*.json"):
            repo = f"{path.parent.name}/{path.stem}"
            info = self.store.info(repo, state := self.store.load(repo))
            if (
                (self.known or not state["private"])
                and set(self.asked.get("filter", [])) <= set(info["tags"])
                and asked.get("author") in (None, info["author"])
                and asked.get("search", "").lower() in repo.lower()
                and asked.get("pipeline_tag") in (None, info.get("pipeline_tag"))
            ):
                hidden = {"siblings", "cardData", "sha", "model-index"}
                hidden -= set(self.asked.get("expand", [])) | ({*hidden} if "full" in asked else set())
                hidden -= {"cardData", "model-index"} if "cardData" in asked else set()
                found.append({key: value for key, value in info.items() if key not in hidden})
        found.sort(key=lambda info: (info.get(asked.get("sort", "createdAt")) or 0, info["id"]), reverse=True)
        start, count = int(asked.get("cursor", 0)), min(int(asked.get("limit", self.hub.page)), self.hub.page)
        following = self.asked | {"cursor": [start + count]}
        link = f'<{self.base}/api/models?{urlencode(following, doseq=True)}>; rel="next"'
        self.send(200, found[start : start + count], {"Link": link} if start + count < len(found) else None)

    def info(self, repo: str, revision: str = "main") -> None:
        self.send(200, self.store.info(repo, self.reader(repo), revision, "blobs" in self.asked))

    @staticmethod
    def described(path: str, file: dict) -> dict:
        large = {"lfs": {"oid": file["lfs"], "size": file["size"], "pointerSize": 134}} if file["lfs"] else {}
        return {"type": "file", "path": path, "oid": file["oid"], "size": file["size"]} | large

    def tree(self, repo: str, revision: str, folder: str = "") -> None:
        tree = self.store.tree(self.reader(repo), revision)
        start, found = f"{folder.strip('/')}/".lstrip("/"), {}
        for path in sorted(path for path in tree if path.startswith(start)):
            parts = path.removeprefix(start).split("/")
            for depth in range(1, len(parts)):
                parent = start + "/".join(parts[:depth])
                found[parent] = {"type": "directory", "path": parent, "oid": git_hash(parent.encode()), "size": 0}
            found[path] = self.described(path, tree[path])
        if start and not found:
            raise Refusal(404, "Entry not found", "EntryNotFound")
        deep = self.asked.get("recursive", ["false"])[0].lower() in ("1", "true")
        self.send(200, [entry for path, entry in found.items() if deep or "/" not in path.removeprefix(start)])

    def paths(self, repo: str, revision: str) -> None:
        tree = self.store.tree(self.reader(repo), revision)
        wanted = self.json() if self.body.startswith(b"{") else parse_qs(self.body.decode())
        self.send(200, [self.described(path, tree[path]) for path in wanted["paths"] if path in tree])

    def preupload(self, repo: str, revision: str) -> None:
        self.writer(repo.split("/")[0])
        tree, files = self.store.tree(self.reader(repo), revision), []
        for file in self.json()["files"]:
            old, sample = tree.get(file["path"]), base64.b64decode(file.get("sample") or "")
            mode = "lfs" if self.store.large(file["path"], file["size"], sample) else "regular"
            same = {"oid": (old["lfs"] or old["oid"]) if old else None}  # the client leaves out what has not changed
            files.append({"path": file["path"], "uploadMode": mode, "shouldIgnore": False} | same)
        self.send(200, {"files": files})

    def batch(self, repo: str) -> None:
        self.writer(repo.split("/")[0])
        objects = []
        for wanted in self.json()["objects"]:
            described = {"oid": wanted["oid"], "size": wanted["size"]}
            if not (self.store.blobs / wanted["oid"]).exists():
                place = f"{self.base}/lfs/{wanted['oid']}"
                described["actions"] = {"upload": {"href": place}, "verify": {"href": f"{place}/verify"}}
            objects.append(described)
        self.send(200, {"transfer": "basic", "objects": objects})

    def put_large(self, sha256: str) -> None:
        if hashlib.sha256(self.body).hexdigest() != sha256:
            raise Refusal(422, "The content has another sha256")
        self.store.keep(sha256, self.body)
        self.send(200, {})

    def verify_large(self, sha256: str) -> None:
        path = self.store.blobs / sha256
        self.send(200 if path.exists() and path.stat().st_size == self.json()["size"] else 404, {})

    def commit(self, repo: str, revision: str) -> None:
        self.writer(repo.split("/")[0])
        steps = [json.loads(line) for line in self.body.splitlines() if line.strip()]
        with self.store.lock:
            state = self.store.load(repo)
            if revision not in state["branches"]:
                raise Refusal(404, f"Invalid rev id: {revision}", "RevisionNotFound")
            head, header = state["branches"][revision], {}
            tree = dict(self.store.tree(state, head))
            for kind, value in ((step["key"], step["value"]) for step in steps):
                if kind == "header":
                    header = value
                    if value.get("parentCommit") not in (None, head):
                        raise Refusal(412, "A commit has happened since. Please refresh and try again.")
                elif kind == "file":
                    content = base64.b64decode(value["content"])
                    self.store.keep(git_hash(content), content)
                    tree[value["path"]] = {"oid": git_hash(content), "size": len(content), "lfs": None}
                elif kind == "lfsFile":
                    tree[value["path"]] = self.store.pointer(value["oid"])
                elif kind == "deletedFile":
                    if tree.pop(value["path"], None) is None:
                        raise Refusal(404, "A file with this name does not exist", "EntryNotFound")
                elif kind == "deletedFolder":
                    tree = {path: file for path, file in tree.items() if not path.startswith(value["path"])}
            title, message = header.get("summary", ""), header.get("description", "")
            sha = self.store.commit(state, tree, title, revision, message)
            self.store.save(repo, state)
        told = {"success": True, "commitOid": sha, "commitUrl": f"{self.base}/{repo}/commit/{sha}", "hookOutput": ""}
        self.send(200, told)

    def refs(self, repo: str) -> None:
        state = self.reader(repo)
        named = {
            kind: [{"name": name, "ref": f"refs/{place}/{name}", "targetCommit": sha} for name, sha in refs.items()]
            for kind, place, refs in (("branches", "heads", state["branches"]), ("tags", "tags", state["tags"]))
        }
        self.send(200, named | {"converts": []})

    def tag(self, repo: str, revision: str) -> None:
        self.writer(repo.split("/")[0])
        if not self.hub.tag(repo, self.json()["tag"], revision):
            raise Refusal(409, "Tag reference exists already")
        self.send(200, {})

    def commits(self, repo: str, revision: str) -> None:
        state, found = self.reader(repo), []
        sha = self.store.resolve(state, revision)
        while sha:
            commit = state["commits"][sha]
            told = {key: commit[key] for key in ("title", "message", "date")}
            found.append({"id": sha, "authors": [{"user": repo.split("/")[0]}]} | told)
            sha = commit["parent"]
        self.send(200, found)

    def file(self, repo: str, revision: str, path: str) -> None:
        state = self.reader(repo, content=True)
        sha = self.store.resolve(state, revision)
        file = state["commits"][sha]["tree"].get(path)
        if file is None:  # with the commit, by which the client remembers that it is not there
            return self.send(404, {"error": "Entry not found"}, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": sha})
        tag = file["lfs"] or file["oid"]
        headers = {"X-Repo-Commit": sha, "ETag": f'"{tag}"', "Accept-Ranges": "bytes"}
        if file["lfs"]:
            headers |= {"X-Linked-Etag": f'"{tag}"', "X-Linked-Size": file["size"]}
        if self.command == "HEAD":
            return self.send(200, b"", headers, file["size"])
        content = (self.store.blobs / tag).read_bytes()
        if found := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or ""):
            first, last = int(found[1]), int(found[2] or len(content) - 1)
            headers["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
            return self.send(206, content[first : last + 1], headers)
        self.send(200, content, headers)

    def collection(self, slug: str) -> None:
        found = self.hub.collections().get(slug)
        if found is None:
            raise Refusal(404, "Collection not found")
        items = []
        for position, repo in enumerate(found):
            told = {"_id": git_hash(repo.encode())[:24], "id": repo, "type": "model", "position": position}
            items.append({"author": repo.split("/")[0], "private": False, "gated": False} | told)
        owner = {"_id": "0", "name": slug.split("/")[0], "fullname": slug.split("/")[0], "type": "user"}
        title = slug.split("/")[1].rpartition("-")[0] or slug.split("/")[1]
        about = {"slug": slug, "title": title, "owner": owner, "items": items, "lastUpdated": now(), "position": 0}
        self.send(200, about | {"private": False, "theme": "blue", "upvotes": 0, "description": ""})

    ROUTES = (
        ("GET", "/api/whoami-v2", whoami),
        ("POST", "/api/repos/create", create),
        ("POST", "/api/validate-yaml", validate),
        ("GET", "/api/models", listing),
        ("GET", MODEL, info),
        ("GET", f"{MODEL}/revision/{REVISION}", info),
        ("GET", rf"{MODEL}/tree/{REVISION}(?P<folder>/.*)?", tree),
        ("POST", f"{MODEL}/paths-info/{REVISION}", paths),
        ("POST", f"{MODEL}/preupload/{REVISION}", preupload),
        ("POST", f"{MODEL}/commit/{REVISION}", commit),
        ("GET", f"{MODEL}/refs", refs),
        ("GET", f"{MODEL}/commits/{REVISION}", commits),
        ("POST", f"{MODEL}/tag/{REVISION}", tag),
        ("POST", rf"/{REPO}\.git/info/lfs/objects/batch", batch),
        ("PUT", "/lfs/(?P<sha256>[0-9a-f]{64})", put_large),
        ("POST", "/lfs/(?P<sha256>[0-9a-f]{64})/verify", verify_large),
        ("GET HEAD", rf"/{REPO}/resolve/{REVISION}/(?P<path>.+)", file),
        ("GET", rf"/api/collections/(?P<slug>{NAME}/{NAME})", collection),
    )
