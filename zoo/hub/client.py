"""The Hub's own client with a time limit on every request.

Left to itself it waits for a hung server for ever, sleeps as long as the Hub says and asks again. Importing this takes
a second; it reads HF_ENDPOINT, HF_TOKEN, HF_HOME and HF_HUB_OFFLINE then.
"""

import functools
from collections.abc import Iterator

import httpx2
from huggingface_hub import set_client_factory
from huggingface_hub.utils import disable_progress_bars, hf_raise_for_status
from huggingface_hub.utils._http import default_client_factory  # its hook keeps offline mode and request ids

from zoo.hub import errand
from zoo.hub.errand import Ended, Errand, TooLarge


@functools.cache
def limit_requests() -> None:
    """Give every client that huggingface_hub makes from now on the bounds of the errand that it is on."""
    disable_progress_bars("huggingface_hub.http_get")
    set_client_factory(_client)


class _Watched(httpx2.SyncByteStream):
    """A stream whose pieces are counted by an errand."""

    def __init__(self, stream: httpx2.SyncByteStream, running: Errand) -> None:
        self.stream, self.errand = stream, running

    def __iter__(self) -> Iterator[bytes]:
        try:
            for piece in self.stream:
                self.errand.take(len(piece))
                yield piece
        except httpx2.TransportError as error:
            self.errand.dropped(error)
            raise

    def close(self) -> None:
        self.stream.close()


def _limit(request: httpx2.Request) -> None:
    running = errand.current()
    longest = errand.TIMEOUT if running is None else min(errand.TIMEOUT, running.left())
    if running is not None:
        request.headers["Accept-Encoding"] = "identity"  # so that what is counted is what is kept
    wanted = request.extensions.get("timeout") or {}
    request.extensions["timeout"] = {
        phase: min(wanted.get(phase) or longest, longest) for phase in ("connect", "read", "write", "pool")
    }


def _watch(response: httpx2.Response) -> None:
    running = errand.current()
    if running is None:
        return
    if response.status_code in (408, 429) or response.status_code >= 500:
        try:
            hf_raise_for_status(response)
        except httpx2.HTTPError as error:
            raise Ended from error
    sizes = [response.headers.get(name, "") for name in ("Content-Length", "X-Linked-Size")]
    if max(int(size) if size.isdecimal() else 0 for size in sizes) > running.most:
        raise Ended from TooLarge(f"more than {running.most:,} bytes")
    # Xet's own downloader knows no time limit; without this header the client takes plain HTTP.
    response.headers.pop("X-Xet-Hash", None)
    if isinstance(response.stream, httpx2.SyncByteStream):
        response.stream = _Watched(response.stream, running)


def _client() -> httpx2.Client:
    client = default_client_factory()
    hooks = client.event_hooks
    client.event_hooks = {"request": [*hooks["request"], _limit], "response": [*hooks["response"], _watch]}
    send = client.send

    def send_once(*args, **options):
        try:
            return send(*args, **options)
        except httpx2.TransportError as error:
            if errand.current() is None:
                raise
            raise Ended from error

    client.send = send_once
    return client
