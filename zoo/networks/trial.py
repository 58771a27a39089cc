"""The first run of a stranger's network, in a process of its own with limits on memory and time.

Checks of a file say what it holds, not what it costs: an innocent graph may need hours or all memory. So before the app
opens a network that is not its own, a child process reads, checks and runs it once with every size of batch that the
app will use. No size in a network that passes depends on data (see zoo.networks.checks), so no later run costs more.
"""

import contextlib
import hashlib
import json
import math
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from types import MappingProxyType

import numpy as np

from zoo import limits
from zoo.manifest import Network
from zoo.networks.checks import check
from zoo.networks.session import Shapes, open_session, run_batch, sizes, typed

MEMORY = 1 << 30  # bytes above what the empty process and five copies of the file take
SECONDS = 20  # of processor time, start of the process included
DRAWING = 300  # of processor time for one batch of images that a prior draws code by code
CLOCK_SECONDS = 90  # seconds on the clock, for a machine that is busy
MAX_VERDICTS = 512
AT_ONCE = 3  # trials, each within MEMORY
RESTING = 60.0  # seconds until a network is tried again that failed for want of a machine with room

_verdicts: dict[tuple[str, str], tuple[str, float]] = {}  # why not, or "", and until when that holds


class Turns:
    """Who may run now: at most `most` at once and one of each source; then the source that was let in longest ago.

    So a source whose networks are slow, or that brings many, holds up its own alone."""

    def __init__(self, most: int) -> None:
        self._most, self._change, self._count = most, threading.Condition(), 0
        self._waiting: Counter[str] = Counter()
        self._running: set[str] = set()
        self._last: dict[str, int] = {}  # number of the turn that a source had last

    @contextlib.contextmanager
    def of(self, source: str) -> Iterator[None]:
        """Wait for a turn of this source, and hold it while the block runs."""
        with self._change:
            self._waiting[source] += 1
            self._change.wait_for(lambda: len(self._running) < self._most and self._next() == source)
            self._waiting[source] -= 1
            self._count += 1
            self._last[source] = self._count
            self._running.add(source)
            self._change.notify_all()
        try:
            yield
        finally:
            with self._change:
                self._running.remove(source)
                self._waiting = +self._waiting
                if source not in self._waiting:
                    del self._last[source]
                self._change.notify_all()

    def _next(self) -> str | None:
        ready = [source for source, count in self._waiting.items() if count and source not in self._running]
        return min(ready, key=lambda source: self._last.get(source, 0), default=None)


_turns = Turns(AT_ONCE)


def refusal(
    content: bytes, network: Network, classes: int, batch: int, source: str, inner: Shapes = MappingProxyType({})
) -> str | None:
    """Return why a network must not be run, as "needs more than 1 GiB of memory", or None; asked once per content.

    What a busy machine may have caused is asked again after RESTING seconds.

    Args:
        content: the ONNX file.
        network: what the manifest declares of it.
        classes: how many values a label may have.
        batch: the largest number of images that the app will run at once.
        source: who brings it, as the owner on the Hub; trials of one source wait for each other.
        inner: outputs of the file that the manifest does not declare.
    """
    task = json.dumps({
        "network": network.model_dump(mode="json", include={"file", "inputs", "outputs", "parameters"}),
        "classes": classes, "batch": batch, "memory": MEMORY + 5 * len(content), "seconds": SECONDS,
        "drawing": DRAWING, "inner": dict(inner),
    })  # fmt: skip
    key = (hashlib.sha256(content).hexdigest(), task)
    if (reason := _known(key)) is None:
        with _turns.of(source):
            if (reason := _known(key)) is None:
                reason, lasting = _tried(content, task)
                _verdicts[key] = reason, math.inf if lasting else time.monotonic() + RESTING
            while len(_verdicts) > MAX_VERDICTS:
                del _verdicts[next(iter(_verdicts))]
    return reason or None


def _known(key: tuple[str, str]) -> str | None:
    reason, until = _verdicts.get(key, (None, 0.0))
    return reason if time.monotonic() < until else None


def _tried(content: bytes, task: str) -> tuple[str, bool]:
    """Return the reason, and whether it lies in the network alone."""
    try:
        child = subprocess.run(
            [sys.executable, "-m", "zoo.networks.trial", task],
            input=content, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=CLOCK_SECONDS,
            cwd=limits.ROOT, env=limits.environment(),
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"takes more than {CLOCK_SECONDS} seconds to try", False
    except OSError as error:
        return f"cannot be tried in a process of its own ({error.strerror})", False
    if child.returncode < 0 and child.returncode == -signal.SIGXCPU:
        return f"takes more than {SECONDS} seconds of computing when it is tried", True
    if child.returncode < 0 and child.returncode == -signal.SIGKILL:  # as the system does without memory
        return "is killed when it is tried, perhaps because this machine has no memory left", False
    if child.returncode:
        return "crashes when it is tried", True
    return json.loads(child.stdout), True


def main(task: dict) -> str:
    """Read a network from stdin and run it under the limits of the task; return why it is refused, or ""."""
    limits.limit(task["memory"], task["seconds"])
    network, random = Network.model_validate_json(json.dumps(task["network"])), np.random.default_rng(0)
    draw = {"latent": random.standard_normal, "image": random.random, "source": random.random}
    draw["label"] = lambda shape: random.integers(task["classes"], size=shape)
    draw["codes"] = lambda shape: random.integers(network.outputs["logits"][-1], size=(*shape,))
    try:
        content = sys.stdin.buffer.read()
        check(content, task["batch"])
        inner = {name: tuple(shape) for name, shape in task["inner"].items()}
        session = open_session(content, network, inner=inner)
        for size in sizes(task["batch"]):
            batch = {name: draw[name]((size, *shape)) for name, shape in network.inputs.items()}
            started = time.process_time()
            run_batch(session, network, typed(batch), inner)
            if "codes" in batch and (time.process_time() - started) * batch["codes"][0].size > task["drawing"]:
                return f"takes more than {task['drawing']} seconds of computing to draw {size} images code by code"
    except MemoryError:
        pass
    except ValueError as error:
        # ONNX Runtime reports memory that it does not get as any other failure.
        if not any(word in str(error) for word in ("bad_alloc", "allocate memory", "available memory")):
            return str(error)
    else:
        return ""
    return f"needs more than {MEMORY >> 30} GiB of memory for one batch"


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))
