"""Maps, clusters and densities of codes, computed by a process of its own that can be ended at any time.

It takes codes on its standard input and tells its progress and its result on its standard output, a line of JSON each.
So a page stays quick, what is no longer wanted costs nothing more, and libraries that take seconds to import are
imported only there.
"""

import base64
import io
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np

from zoo import limits
from zoo.analysis import clusters, embedding
from zoo.errors import Cancelled, EntryError

MEMORY = 4 << 30  # bytes above what the empty process takes
SECONDS = 600  # of processor time
CLOCK_SECONDS = 900.0  # seconds on the clock, for a machine that is busy
AT_ONCE = 2
CALM = {"OMP_WAIT_POLICY": "PASSIVE"}  # threads that wait for each other leave the processor to other visitors
POLL = 0.1  # seconds between looks at whether the work is still wanted
_turns = threading.Semaphore(AT_ONCE)

Settings = embedding.Settings | clusters.Settings | None


def compute(
    codes: np.ndarray, settings: Settings, report: Callable[[float], None], cancelled: Callable[[], bool]
) -> np.ndarray:
    """Return what settings ask of codes (N, D): places (N, K), clusters (N,), or without settings `sparseness` (N,).

    At most AT_ONCE run at the same time, the others wait.

    Raises:
        Cancelled: it was given up.
        EntryError: it cannot be computed, or takes more than the limits allow.
    """
    while not _turns.acquire(timeout=POLL):
        if cancelled():
            raise Cancelled
    try:
        return _run(codes, settings, report, cancelled)
    finally:
        _turns.release()


def _run(codes: np.ndarray, settings: Settings, report: Callable, cancelled: Callable[[], bool]) -> np.ndarray:
    task = {"settings": settings and asdict(settings), "kind": type(settings).__module__}
    content = io.BytesIO()
    np.save(content, np.asarray(codes, np.float32))
    child = subprocess.Popen(
        [sys.executable, "-m", "zoo.analysis.apart", json.dumps(task)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, cwd=limits.ROOT, env=limits.environment() | CALM,
    )  # fmt: skip
    answer: dict[str, Any] = {}
    talk = threading.Thread(target=_talk, args=[child, content.getvalue(), report, answer], daemon=True)
    talk.start()
    try:
        while talk.is_alive():
            talk.join(POLL)
            if cancelled():
                raise Cancelled
    finally:
        child.kill()
        talk.join()
        child.wait()
    if "done" in answer:
        return np.load(io.BytesIO(base64.b64decode(answer["done"])))
    if "wrong" in answer:
        raise EntryError(answer["wrong"])
    late = child.returncode == -signal.SIGXCPU
    reason = f"it takes more than {SECONDS} seconds of computing" if late else "its process was ended"
    raise EntryError(f"The map cannot be computed: {reason}. Choose fewer images.")


def _talk(child: subprocess.Popen, content: bytes, report: Callable[[float], None], answer: dict) -> None:
    """Send the codes and read lines until there are no more."""
    assert child.stdin is not None and child.stdout is not None  # both are pipes
    try:
        child.stdin.write(content)
        child.stdin.close()
        for line in child.stdout:
            answer.update(json.loads(line))
            report(answer.get("part", 0.0))
    except (OSError, ValueError):  # how it ended tells why
        pass


def main(task: dict, codes: np.ndarray, report: Callable[[float], None]) -> np.ndarray:
    """Do a task; ValueError says what is wrong with it."""
    if not np.isfinite(codes).all():
        raise ValueError("The codes hold values that are not finite.")
    if task["settings"] is None:
        return clusters.sparseness(codes)
    if task["kind"] == clusters.__name__:
        return clusters.cluster(codes, clusters.Settings(**task["settings"]))
    settings = embedding.Settings(**task["settings"])
    return (embedding.umap if settings.method == "umap" else embedding.tsne)(codes, settings, report)


def _say(answer: dict) -> None:
    print(json.dumps(answer), file=sys.__stdout__, flush=True)


if __name__ == "__main__":
    limits.limit(MEMORY, SECONDS)
    try:
        found = main(
            json.loads(sys.argv[1]), np.load(io.BytesIO(sys.stdin.buffer.read())), lambda part: _say({"part": part})
        )
        content = io.BytesIO()
        np.save(content, found)
        _say({"done": base64.b64encode(content.getvalue()).decode()})
    except (ValueError, ImportError) as error:
        _say({"wrong": " ".join(str(error).split())[:300]})
