"""Notices as `run` prints them on stdout."""

from collections.abc import Iterator, Sequence

from streammetrics.notify.messages import Notice
from streammetrics.report import wording


def of(notices: Sequence[Notice], *, as_json: bool) -> Iterator[str]:
    """All of them as JSON; or as text for people, with changes of incidents past the first ones counted by code."""
    if as_json:
        yield from (one.json for one in notices)
        return
    yield from wording.first_lines(
        [(one.code or "", one.text) for one in notices if one.incident_id is not None], "change"
    )
    yield from (one.text for one in notices if one.incident_id is None)
