"""The one way to the Hugging Face Hub: its own client with a time limit on every request, its failures as sentences.

The client reads HF_ENDPOINT, HF_TOKEN, HF_HOME and HF_HUB_OFFLINE when it is first imported, which takes a second:
from zoo.errors import Cancelled
import it late. Left to itself it waits for a hung server for ever, sleeps as long as the Hub says and asks again.
"""

import contextlib
import contextvars
import errno
import functools
import threading
import time
from collections.abc import Callable, Iterator

from zoo.errors import Cancelled

TIMEOUT = 8.0  # seconds for each of connecting, sending and every single read
DROPS = 2  # broken transfers that an errand resumes
PATIENCE = 20.0  # seconds for a question, and for a download besides what its size takes
SLOWEST = 50_000  # bytes per second
MAX_ANSWER_BYTES = 16 << 20
MEANWHILE = "the embedded zoo goes on working"


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


_lock = threading.Lock()
_errand: contextvars.ContextVar[Errand | None] = contextvars.ContextVar("errand", default=None)


@contextlib.contextmanager
def errand(*args, **options) -> Iterator[Errand]:
    """Bound all requests that this thread makes inside, as `Errand` says; what cannot be had fails at once."""
    found = Errand(*args, **options)
    token = _errand.set(found)
    try:
        yield found
    finally:
        _errand.reset(token)


def question() -> contextlib.AbstractContextManager[Errand]:
    """Bound a question to the Hub: PATIENCE seconds and MAX_ANSWER_BYTES for all its requests."""
    return errand(PATIENCE, MAX_ANSWER_BYTES)


def transfer(
    size: int,
    advanced: Callable[[int], None] = lambda count: None,
    cancelled: Callable[[], bool] = lambda: False,
    answers: int = 1 << 16,
) -> contextlib.AbstractContextManager[Errand]:
    """Bound a download of `size` bytes: the time of the slowest line, and `answers` more bytes for all else."""
    return errand(PATIENCE + size / SLOWEST, size + answers, advanced, cancelled)


def bound() -> None:
    """Give every request of the process's Hub client a time limit; call before the first one."""
    with _lock:  # a second factory would close the first one's client under a running request
        _bind()


@functools.cache
def _bind() -> None:
    import httpx2
    from huggingface_hub import set_client_factory
    from huggingface_hub.utils import disable_progress_bars, hf_raise_for_status
    from huggingface_hub.utils._http import default_client_factory  # its hook keeps offline mode and request ids

    disable_progress_bars("huggingface_hub.http_get")

    class Watched(httpx2.SyncByteStream):
        def __init__(self, stream, errand):
            self.stream, self.errand = stream, errand

        def __iter__(self):
            try:
                for piece in self.stream:
                    self.errand.take(len(piece))
                    yield piece
            except httpx2.TransportError as error:
                self.errand.dropped(error)
                raise

        def close(self):
            self.stream.close()

    def limit(request):
        errand = _errand.get()
        longest = TIMEOUT if errand is None else min(TIMEOUT, errand.left())
        if errand is not None:
            request.headers["Accept-Encoding"] = "identity"  # so that what is counted is what is kept
        wanted = request.extensions.get("timeout") or {}
        request.extensions["timeout"] = {
            phase: min(wanted.get(phase) or longest, longest) for phase in ("connect", "read", "write", "pool")
        }

    def watch(response):
        errand = _errand.get()
        if errand is None:
            return
        if response.status_code in (408, 429) or response.status_code >= 500:
            try:
                hf_raise_for_status(response)
            except httpx2.HTTPError as error:
                raise Ended from error
        told = [response.headers.get(name, "") for name in ("Content-Length", "X-Linked-Size")]
        if max(int(size) if size.isdecimal() else 0 for size in told) > errand.most:
            raise Ended from TooLarge(f"more than {errand.most:,} bytes")
        # Xet's own downloader knows no time limit; without this header the client takes plain HTTP.
        response.headers.pop("X-Xet-Hash", None)
        response.stream = Watched(response.stream, errand)

    def factory():
        client = default_client_factory()
        hooks = client.event_hooks
        client.event_hooks = {
            "request": [*hooks["request"], limit],
            "response": [*hooks["response"], watch],
        }
        send = client.send

        def send_once(*args, **options):
            try:
                return send(*args, **options)
            except httpx2.TransportError as error:
                if _errand.get() is None:
                    raise
                raise Ended from error

        client.send = send_once
        return client

    set_client_factory(factory)


def api(token: str | bool | None = None):
    """Return an HfApi whose requests have a time limit; `token` None stands for HF_TOKEN, False for no token at all."""
    from huggingface_hub import HfApi

    bound()
    return HfApi(token=token)


def sentence(error: BaseException, what: str, meanwhile: str = MEANWHILE) -> str:
    """Say in one sentence what went wrong between the Hub and `what` ("owner/name", "the collection owner/slug")."""
    import httpx2
    from huggingface_hub import errors

    # The downloader hides why the Hub could not be asked behind "not found on this machine".
    while isinstance(error, Ended | errors.LocalEntryNotFoundError) and error.__cause__ is not None:
        error = error.__cause__
    status = getattr(getattr(error, "response", None), "status_code", None)
    if isinstance(error, errors.GatedRepoError):
        reason = f"{what} is gated: ask for access on its page, then set HF_TOKEN to a token that may read it"
    elif isinstance(error, errors.RepositoryNotFoundError):
        reason = f"The Hub does not show {what}: check the name, and set HF_TOKEN if it is private"
    elif isinstance(error, errors.RevisionNotFoundError):
        reason = f"{what} has no such branch, tag or revision"
    elif isinstance(error, errors.EntryNotFoundError) and status == 404:
        reason = f"{what} does not hold the file that was asked for"
    elif isinstance(error, errors.OfflineModeIsEnabled | errors.LocalEntryNotFoundError):
        reason = f"{what} is not on this machine and HF_HUB_OFFLINE forbids to ask the Hub; {meanwhile}"
    elif isinstance(error, TooLarge):
        reason = f"{what} is refused: the Hub offers {error} where fewer were expected"
    elif status in (401, 403):
        reason = f"The Hub refuses the token for {what}: set HF_TOKEN to one that may do this"
    elif status == 404:
        reason = f"The Hub does not show {what}: check the name"
    elif status == 429:
        wait = getattr(error, "response").headers.get("Retry-After", "")  # noqa: B009 (no class declares it)
        reason = f"The Hub asks to slow down: try {what} again " + (f"in {wait} s" if wait.isdecimal() else "later")
    elif status is not None:
        reason = f"The Hub answers with error {status} for {what}: try again later; {meanwhile}"
    elif isinstance(error, httpx2.TimeoutException | TimeoutError):
        reason = f"The Hub did not answer in time for {what}: try again later; {meanwhile}"
    elif isinstance(error, httpx2.RemoteProtocolError):
        reason = f"The Hub broke off its answer for {what}: try again; {meanwhile}"
    elif isinstance(error, httpx2.TransportError | ConnectionError):
        reason = f"The Hub cannot be reached for {what}: try again when there is a network; {meanwhile}"
    elif isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        reason = f"The disk is full, {what} cannot be kept: free some space and try again; {meanwhile}"
    elif isinstance(error, OSError) and error.errno is not None:
        reason = f"{what} cannot be kept on this machine ({error.strerror}); {meanwhile}"
    elif isinstance(error, OSError):
        reason = f"{what} arrived incomplete: try again; {meanwhile}"
    else:
        reason = f"The Hub gave an answer about {what} that makes no sense; {meanwhile}"
    return reason + "."
