"""A Hugging Face Hub on loopback: what the real client asks, answered from a folder.

    with Hub(folder) as hub:
        subprocess.run(command, env=os.environ | hub.environment(home))

    python -m zoo.hub.loopback --port 8123 --zoo

Repositories of models with commits, branches, tags, Git LFS and regular files, private and gated ones, collections, and
faults on demand. Not the Hub's Xet storage: clients set HF_HUB_DISABLE_XET=1. People try publishing with it before they
have a token, and the tests talk to it through the real client.
"""

import json
import re
import threading
from collections.abc import Iterable, Mapping, Sequence
from http.server import ThreadingHTTPServer
from pathlib import Path

from zoo.hub.loopback.routes import Handler
from zoo.hub.loopback.store import ATTRIBUTES, Store


class Hub:
    """The server as a context manager; also lets tests commit, tag and break things from behind.

    Args:
        folder: where everything is kept; an existing one goes on.
        token: the one valid token. It reads every private repository; in the namespaces of `owners` (the first is the
            user, the others are organisations) it also writes, and only there it reads gated ones.
        lfs: whether large and binary files go through Git LFS or everything is regular.
    """

    page = 1000  # repositories in one answer of a listing
    pace = 0.05  # seconds between two bytes of a "slow" answer

    def __init__(
        self,
        folder: Path | str,
        token: str = "hf_local",
        lfs: bool = True,
        port: int = 0,
        owners: Sequence[str] = ("zoo",),
    ) -> None:
        self.store, self.token, self.owners = Store(Path(folder), lfs), token, tuple(owners)
        self.requests: list[str] = []  # "GET /path?query", in order
        self.tokens: set[str] = set()  # that were shown; "" is none
        self.closed = threading.Event()
        self._faults: list[list] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", port), type("Bound", (Handler,), {"hub": self}))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> "Hub":
        threading.Thread(target=self._server.serve_forever, args=[0.05], daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        self.closed.set()
        self._server.shutdown()
        self._server.server_close()

    def environment(self, home: Path | str) -> dict[str, str]:
        """Variables that point a client at this Hub, with everything it keeps under `home`."""
        return {
            "HF_ENDPOINT": self.url,
            "HF_HOME": str(home),
            "HF_HUB_CACHE": str(Path(home) / "hub"),
            "HF_TOKEN": self.token,
            "HF_HUB_OFFLINE": "0",
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "NO_PROXY": "127.0.0.1",
        }

    def put(
        self,
        repo: str,
        files: Mapping[str, bytes | Path | str],
        private: bool | None = None,
        gated: bool | None = None,
        tags: Iterable[str] = (),
        branch: str = "main",
    ) -> str:
        """Make a repository whose branch holds exactly these files (bytes or paths), and `tags` on the commit.

        Returns the commit, which is a new one only when something changed."""
        self.store.create(repo)
        with self.store.lock:
            state = self.store.load(repo)
            state["private"] = state["private"] if private is None else private
            state["gated"] = state["gated"] if gated is None else gated
            contents = {
                path: file if isinstance(file, bytes) else Path(file).read_bytes() for path, file in files.items()
            }
            contents.setdefault(".gitattributes", ATTRIBUTES)
            tree = {path: self.store.file(path, content) for path, content in contents.items()}
            sha = state["branches"].get(branch)
            if sha is None or state["commits"][sha]["tree"] != tree:
                sha = self.store.commit(state, tree, "put", branch)
            state["tags"] |= dict.fromkeys(tags, sha)
            self.store.save(repo, state)
            return sha

    def files(self, repo: str, revision: str = "main") -> dict[str, bytes]:
        """Every file of a revision with its content."""
        tree = self.store.tree(self.store.load(repo), revision)
        return {path: (self.store.blobs / (file["lfs"] or file["oid"])).read_bytes() for path, file in tree.items()}

    def tag(self, repo: str, name: str, revision: str = "main") -> bool:
        """Tag a revision; False when the tag exists."""
        with self.store.lock:
            state = self.store.load(repo)
            if name in state["tags"]:
                return False
            state["tags"][name] = self.store.resolve(state, revision)
            self.store.save(repo, state)
            return True

    def collections(self) -> dict[str, list[str]]:
        return json.loads(self.store.collections.read_text()) if self.store.collections.exists() else {}

    def collection(self, slug: str, repos: list[str]) -> None:
        """Make or replace a collection "owner/title-id"."""
        with self.store.lock:
            self.store.collections.write_text(json.dumps(self.collections() | {slug: list(repos)}))

    def fail(self, pattern: str, kind: str, times: int | None = None) -> None:
        """Spoil the answers to requests whose "METHOD /path?query" matches, at most `times` of them.

        Kinds: a status ("404", "429", …), "hang" (no answer until closed), "drop" (the connection ends without one),
        "lost" (carried out, but the answer never arrives), "slow" (drips), "truncate" (closed halfway), "garbage" (not
        JSON) and "tamper" (right length, other bytes)."""
        self._faults.append([re.compile(pattern), kind, times])

    def heal(self) -> None:
        self._faults.clear()

    def fault(self, request: str) -> str | None:
        """The fault that this request meets."""
        with self.store.lock:
            for fault in self._faults:
                if fault[0].search(request) and fault[2] != 0:
                    fault[2] = None if fault[2] is None else fault[2] - 1
                    return fault[1]
        return None

    def wait(self) -> None:
        """Serve in the foreground."""
        self._server.serve_forever()
