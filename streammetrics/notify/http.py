"""Requests to channels. URLs may hold passwords: no error repeats them."""

import json
from collections.abc import Mapping, Sequence

from streammetrics.errors import InputOutputError


def post_json(url: str, payload: Mapping[str, object] | Sequence[object], timeout_seconds: float) -> None:
    """Post `payload` as JSON.

    Raises:
        InputOutputError: there is no answer in time, or it is not a success.
    """
    request(url, json.dumps(payload).encode(), timeout_seconds)


def request(url: str, body: bytes | None, timeout_seconds: float) -> None:
    """Post `body`, or get the URL if it is None. Raises like `post_json`."""
    # Imported late, because most runs send nothing.
    from http.client import HTTPException
    from urllib.error import HTTPError, URLError
    from urllib.request import Request, urlopen

    if not url.startswith(("http://", "https://")):
        raise InputOutputError("its URL does not begin with http:// or https://")
    headers = {"User-Agent": "streammetrics", **({} if body is None else {"Content-Type": "application/json"})}
    try:
        with urlopen(Request(url, body, headers), timeout=timeout_seconds):  # noqa: S310 the scheme is checked
            pass
    except HTTPError as error:
        # The answer may repeat the URL.
        error.close()
        raise InputOutputError(f"HTTP {error.code}") from None
    except URLError as error:
        raise InputOutputError(f"cannot be reached: {_reason(error.reason)}") from None
    except (OSError, HTTPException) as error:
        raise InputOutputError(f"cannot be reached: {_reason(error)}") from None
    except ValueError:
        raise InputOutputError("its URL is not valid") from None


def _reason(error: object) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return (isinstance(error, OSError) and error.strerror) or type(error).__name__
