"""Requests a URL when a job ends, so that a monitor notices when no job ends."""

from streammetrics.config import Config
from streammetrics.errors import NO_FAILURES, InputOutputError
from streammetrics.notify import http

TIMEOUT_SECONDS = 10


def beat(config: Config, job: str, code: int) -> None:
    """Request the URL of a job with a slash and its exit code appended; 0 for each code that is no failure.

    Raises:
        InputOutputError: it cannot be reached, or does not answer with success.
    """
    url = getattr(config.heartbeat, job)
    if url is None:
        return
    code = 0 if code in NO_FAILURES else code
    try:
        http.request(f"{url.get_secret_value().rstrip('/')}/{code}", None, TIMEOUT_SECONDS)
    except InputOutputError as error:
        raise InputOutputError(f"heartbeat.{job}: {error}") from None
