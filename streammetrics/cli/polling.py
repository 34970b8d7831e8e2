"""A verdict, asked for again until there is one."""

import time

from streammetrics.cli.session import Session
from streammetrics.errors import StoreBusyError
from streammetrics.report import verdict as verdicts
from streammetrics.report.verdict import Verdict

POLL_SECONDS = 10.0


def verdict(
    session: Session, baseline: str | None, candidate: str | None, code: str | None, wait_seconds: float
) -> int:
    """Print the verdicts and return the exit code of the worst; for `wait_seconds` as long as data are not enough."""
    deadline = time.monotonic() + wait_seconds

    def current() -> list[Verdict]:
        return verdicts.verdicts(session.store, session.config, session.clock(), baseline, candidate, code)

    found = current()
    while verdicts.is_open(found) and (left := deadline - time.monotonic()) > 0:
        time.sleep(min(POLL_SECONDS, left))
        try:
            found = current()
        except StoreBusyError as error:
            # A run that takes long is no reason to end a rollout.
            if time.monotonic() >= deadline:
                raise error
    for one in found:
        for line in [verdicts.as_json(one)] if session.as_json else verdicts.render(one):
            session.out(line) if session.as_json else session.show(line)
    return verdicts.exit_code(found)
