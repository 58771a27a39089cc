"""The one way to the Hugging Face Hub: its own client with a time limit on every request, its failures as sentences."""

import errno
import threading

from zoo.hub.errand import Ended, TooLarge
from zoo.settings import hosted

MEANWHILE = "the embedded zoo goes on working"
PUBLIC = "this app shows its visitors only what everybody may read"

_lock = threading.Lock()


def bound() -> None:
    """Give every request of the process's Hub client a time limit; call before the first one."""
    from zoo.hub import client  # takes a second to import

    with _lock:  # a second factory would close the first one's client under a running request
        client.limit_requests()


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
        reason = f"{what} is gated: " + (PUBLIC if hosted() else "ask for access on its page, then set HF_TOKEN")
    elif isinstance(error, errors.RepositoryNotFoundError):
        private = "" if hosted() else ", and set HF_TOKEN if it is private"
        reason = f"The Hub does not show {what}: check the name{private}"
    elif isinstance(error, errors.RevisionNotFoundError):
        reason = f"{what} has no such branch, tag or revision"
    elif isinstance(error, errors.EntryNotFoundError) and status == 404:
        reason = f"{what} does not hold the file that was asked for"
    elif isinstance(error, errors.OfflineModeIsEnabled | errors.LocalEntryNotFoundError):
        reason = f"{what} is not on this machine and HF_HUB_OFFLINE forbids to ask the Hub; {meanwhile}"
    elif isinstance(error, TooLarge):
        reason = f"{what} is refused: the Hub offers {error} where fewer were expected"
    elif status in (401, 403):
        remedy = "give one that may do this" if hosted() else "set HF_TOKEN to one that may do this"
        reason = f"The Hub refuses the token for {what}: {remedy}"
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
