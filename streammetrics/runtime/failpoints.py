"""Injected faults for tests: a process that fails at the nth commit or rename.

`STREAMMETRICS_FAILPOINT` names a point, the visit of it that fails, and how: `commit.after:2:kill`. Points are
`commit.before`, `commit.after`, `rename.before` and `rename.after`; `kill` ends the process at once, `term` sends it
SIGTERM and `stop` stops it until SIGCONT, all as the system would; `raise` is an error of the disk. If the variable is
not set, a point costs almost nothing.
"""

import errno
import os
import signal
from collections import Counter
from typing import Any

VARIABLE = "STREAMMETRICS_FAILPOINT"

_WANTED = os.environ.get(VARIABLE, "")
_visits: Counter[str] = Counter()


def reach(point: str) -> None:
    """Fail here if the variable names this point.

    Raises:
        OSError: the variable says `raise`.
    """
    if not _WANTED:
        return
    _visits[point] += 1
    name, visit, how = _WANTED.split(":")
    if name != point or int(visit) != _visits[point]:
        return
    if how == "raise":
        raise OSError(errno.EIO, f"failpoint {_WANTED}")
    os.kill(os.getpid(), {"kill": signal.SIGKILL, "term": signal.SIGTERM, "stop": signal.SIGSTOP}[how])


def watch_commits(dialect: Any) -> None:
    """Add the points before and after each commit of an engine; does nothing if the variable is not set."""
    if not _WANTED:
        return
    commit = dialect.do_commit

    def do_commit(dbapi_connection: Any) -> None:
        try:
            reach("commit.before")
        except OSError:
            # A failed commit also rolls back.
            dbapi_connection.rollback()
            raise
        commit(dbapi_connection)
        reach("commit.after")

    dialect.do_commit = do_commit
