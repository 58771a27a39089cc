"""The one way to the Hugging Face Hub: its own client with a time limit on every request, its failures as sentences.

The client reads HF_ENDPOINT, HF_TOKEN, HF_HOME and HF_HUB_OFFLINE when it is first imported, which takes a second:
import it late. Left to itself it waits for a hung server for ever.
"""

import errno
import functools

TIMEOUT = 8.0  # seconds for each of connecting, sending and every single read
MEANWHILE = "the embedded zoo goes on working"


@functools.cache
def bound() -> None:
    """Give every request of the process's Hub client a time limit; call before the first one."""
    from huggingface_hub import set_client_factory
    from huggingface_hub.utils._http import default_client_factory  # its hook keeps offline mode and request ids

    def limit(request):
        wanted = request.extensions.get("timeout") or {}
        request.extensions["timeout"] = {
            phase: min(wanted.get(phase) or TIMEOUT, TIMEOUT) for phase in ("connect", "read", "write", "pool")
        }

    def factory():
        client = default_client_factory()
        hooks = client.event_hooks
        hooks["request"] = [*hooks["request"], limit]
        client.event_hooks = hooks
        return client

    set_client_factory(factory)


def api(token: str | None = None):
    """Return an HfApi whose requests have a time limit; `token` None stands for HF_TOKEN or a stored login."""
    from huggingface_hub import HfApi

    bound()
    return HfApi(token=token)


def sentence(error: BaseException, what: str) -> str:
    """Say in one sentence what went wrong between the Hub and `what` ("owner/name", "the collection owner/slug")."""
    import httpx2
    from huggingface_hub import errors

    # The downloader hides why the Hub could not be asked behind "not found on this machine".
    while isinstance(error, errors.LocalEntryNotFoundError) and error.__cause__ is not None:
        error = error.__cause__
    status = getattr(getattr(error, "response", None), "status_code", None)
    if isinstance(error, errors.GatedRepoError):
        reason = f"{what} is gated: ask for access on its page, then set HF_TOKEN to a token that may read it"
    elif isinstance(error, errors.RepositoryNotFoundError):
        reason = f"The Hub shows no {what}: check the name, and set HF_TOKEN if it is private"
    elif isinstance(error, errors.RevisionNotFoundError):
        reason = f"{what} has no such branch, tag or revision"
    elif isinstance(error, errors.EntryNotFoundError) and status == 404:
        reason = f"{what} does not hold the file that was asked for"
    elif isinstance(error, errors.OfflineModeIsEnabled | errors.LocalEntryNotFoundError):
        reason = f"{what} is not on this machine and HF_HUB_OFFLINE forbids to ask the Hub; {MEANWHILE}"
    elif status in (401, 403):
        reason = f"The Hub refuses the token for {what}: set HF_TOKEN to one that may do this"
    elif status == 429:
        wait = error.response.headers.get("Retry-After", "")
        reason = f"The Hub asks to slow down: try {what} again " + (f"in {wait} s" if wait.isdecimal() else "later")
    elif status is not None:
        reason = f"The Hub answers with error {status} for {what}: try again later; {MEANWHILE}"
    elif isinstance(error, httpx2.TimeoutException | TimeoutError):
        reason = f"The Hub did not answer in time for {what}: try again later; {MEANWHILE}"
    elif isinstance(error, httpx2.TransportError | ConnectionError):
        reason = f"The Hub cannot be reached for {what}: try again when there is a network; {MEANWHILE}"
    elif isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        reason = f"The disk is full, {what} cannot be kept: free some space and try again; {MEANWHILE}"
    elif isinstance(error, OSError) and error.errno is not None:
        reason = f"{what} cannot be kept on this machine ({error.strerror}); {MEANWHILE}"
    elif isinstance(error, OSError):
        reason = f"{what} arrived incomplete: try again; {MEANWHILE}"
    else:
        reason = f"The Hub gave an answer about {what} that makes no sense; {MEANWHILE}"
    return reason + "."
