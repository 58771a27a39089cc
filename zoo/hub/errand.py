"""An errand to the Hub: the bounds of one question or download, over all requests that it takes."""

import contextlib
import contextvars
import time
from collections.abc import Callable, Iterator

from zoo.errors import Cancelled

TIMEOUT = 8.0  # seconds for each of connecting, sending and every single read
DROPS = 2  # broken transfers that an errand resumes
QUESTION_SECONDS = 20.0  # seconds for a question, and for a download besides what its size takes
SLOWEST = 50_000  # bytes per second
MAX_ANSWER_BYTES = 16 << 20


class TooLarge(ValueError):
    """More is offered than was allowed."""


class Ended(Exception):
    """The errand ends here: its cause says why. No exception of httpx, so the client does not try again."""


class Errand:
    """The bounds of one question or download: a deadline over all its requests, and how many bytes may come."""

    def __init__(
        self,
        seconds: float,
        most: int,
        advanced: Callable[[int], None] = lambda count: None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        """`advanced` is told of every piece that arrives; `cancelled` is asked between pieces."""
        self.deadline, self.most = time.monotonic() + seconds, most
        self.advanced, self.cancelled, self.received, self.drops = advanced, cancelled, 0, 0

    def left(self) -> float:
        """Return the seconds that are left; raises when there are none or the errand was cancelled."""
        if self.cancelled():
            raise Cancelled
        if (left := self.deadline - time.monotonic()) <= 0:
            raise Ended from TimeoutError("the deadline has passed")
        return left

    def take(self, count: int) -> None:
        self.received += count
        if self.received > self.most:
            raise Ended from TooLarge(f"more than {self.most:,} bytes")
        self.advanced(count)
        self.left()

    def dropped(self, error: Exception) -> None:
        self.drops += 1
        if self.drops > DROPS:
            raise Ended from error


_current: contextvars.ContextVar[Errand | None] = contextvars.ContextVar("errand", default=None)


@contextlib.contextmanager
def errand(*args, **options) -> Iterator[Errand]:
    """Bound all requests that this thread makes inside, as `Errand` says; what cannot be had fails at once."""
    found = Errand(*args, **options)
    token = _current.set(found)
    try:
        yield found
    finally:
        _current.reset(token)


def question() -> contextlib.AbstractContextManager[Errand]:
    """Bound a question to the Hub: QUESTION_SECONDS seconds and MAX_ANSWER_BYTES for all its requests."""
    return errand(QUESTION_SECONDS, MAX_ANSWER_BYTES)


def transfer(
    size: int,
    advanced: Callable[[int], None] = lambda count: None,
    cancelled: Callable[[], bool] = lambda: False,
    answers: int = 1 << 16,
) -> contextlib.AbstractContextManager[Errand]:
    """Bound a download of `size` bytes: the time of the slowest line, and `answers` more bytes for all else."""
    return errand(QUESTION_SECONDS + size / SLOWEST, size + answers, advanced, cancelled)


def current() -> Errand | None:
    """Return the errand that bounds the requests of this thread, or None."""
    return _current.get()
