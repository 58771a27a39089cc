"""Work that must not hold up a page: each in a thread of its own, watched, cancelled, and abandoned at its deadline."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import fields, is_dataclass
from typing import Any

from zoo.errors import Cancelled

RESTING = 60.0  # seconds after which a failure is tried again
LIMIT = 256 << 20  # bytes of all results that a process keeps


class Task:
    """A call of `work(report, cancelled)` in a thread; a thread that hangs is left behind at the deadline."""

    def __init__(self, work: Callable[[Callable[[float], None], Callable[[], bool]], Any], seconds: float) -> None:
        self.part, self.result, self.error, self.size = 0.0, None, None, 0
        self.deadline, self.ended = time.monotonic() + seconds, None
        self._cancel, self._done, self._waiting = threading.Event(), threading.Event(), set()
        threading.Thread(target=self._run, args=[work], daemon=True).start()

    def _run(self, work: Callable) -> None:
        try:
            self.result = work(self._report, lambda: self.cancelled or time.monotonic() > self.deadline)
            self.size = _size(self.result)
        except BaseException as error:  # told by whoever waits
            self.error = TimeoutError() if isinstance(error, Cancelled) and not self.cancelled else error
        self.ended = time.monotonic()
        self._done.set()

    def _report(self, part: float) -> None:
        self.part = part

    def cancel(self) -> None:
        self.ended = self.ended or time.monotonic()
        self._cancel.set()

    def join(self, visitor: Hashable) -> None:
        """Note that a visitor waits for this."""
        self._waiting.add(visitor)

    def leave(self, visitor: Hashable) -> None:
        """Note that a visitor waits no longer; cancelled once nobody does."""
        self._waiting.discard(visitor)
        if not self._waiting:
            self.cancel()

    @property
    def cancelled(self) -> bool:
        return self._cancel.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait at most so long; return whether the task is over."""
        return self._done.wait(max(0.0, min(seconds, self.deadline - time.monotonic()))) or self.over

    @property
    def over(self) -> bool:
        return self._done.is_set() or self.cancelled or time.monotonic() > self.deadline

    @property
    def failure(self) -> BaseException | None:
        """What went wrong: the work's exception, Cancelled or TimeoutError; None while it runs or when it is good."""
        if self._done.is_set():
            return self.error
        if self.cancelled:
            return Cancelled()
        return TimeoutError() if self.over else None


class Tasks:
    """The tasks of a process by key, bounded by their number and by the LIMIT of their results.

    Begun anew are failed ones after RESTING seconds, cancelled ones at once.
    """

    def __init__(self, most: int = 256) -> None:
        self._tasks: OrderedDict[Hashable, Task] = OrderedDict()
        self._most, self._lock = most, threading.Lock()

    def get(self, key: Hashable, work: Callable, seconds: float) -> tuple[Task, bool]:
        """Return the task of this key, begun if there is none, and whether that was now."""
        with self._lock:
            task = self._tasks.get(key)
            stale = task and task.failure and (task.cancelled or time.monotonic() - _end(task) > RESTING)
            fresh = task is None or bool(stale)
            if task is None or fresh:
                task = self._tasks[key] = Task(work, seconds)
            self._tasks.move_to_end(key)
            while len(self._tasks) > self._most or (len(self._tasks) > 1 and self._size() > LIMIT):
                self._tasks.popitem(last=False)[1].cancel()
            return task, fresh

    def known(self, key: Hashable) -> bool:
        """Whether there is a task of this key that is good or still runs."""
        with self._lock:
            task = self._tasks.get(key)
            return task is not None and task.failure is None

    def _size(self) -> int:
        return sum(task.size for task in self._tasks.values())

    def drop(self, key: Hashable) -> None:
        """Forget a task, so that it is begun anew."""
        with self._lock:
            self._tasks.pop(key, None)


def _end(task: Task) -> float:
    return task.ended or task.deadline


def _size(value: Any) -> int:
    """Return the bytes of the arrays, strings and bytes in a result, which may be nested."""
    if isinstance(value, str | bytes):
        return len(value)
    if isinstance(value, dict):
        return sum(map(_size, value.values()))
    if isinstance(value, list | tuple):
        return sum(map(_size, value))
    if is_dataclass(value):
        return sum(_size(getattr(value, field.name)) for field in fields(value))
    return int(getattr(value, "nbytes", 0))
