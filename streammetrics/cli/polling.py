"""Computes verdicts again until there are enough data, or the time is over."""

import time

from streammetrics.cli.session import Session
from streammetrics.errors import StoreBusyError
from streammetrics.report import verdict as verdicts

POLL_SECONDS = 10.0


def verdict(
    session: Session, baseline: str | None, candidate: str | None, code: str | None, wait_seconds: float
) -> int:
    """Print the verdicts and return the exit code of the worst. Waits up to `wait_seconds` for enough data."""
    deadline = time.monotonic() + wait_seconds

    while True:
        left = deadline - time.monotonic()
        try:
            found = verdicts.verdicts(session.store, session.config, session.clock(), baseline, candidate, code)
            if left <= 0 or not verdicts.is_open(found):
                break
        except StoreBusyError:
            # A long run that holds the store must not fail a rollout.
            if left <= 0:
                raise
        time.sleep(min(POLL_SECONDS, max(0, left)))
    for one in found:
        for line in [verdicts.as_json(one)] if session.as_json else verdicts.render(one):
            session.out(line) if session.as_json else session.show(line)
    return verdicts.exit_code(found)
