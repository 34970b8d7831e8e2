"""How the feed of each source goes: when something last came, how old its newest record is, and whether that is usual.

Only the ledger is asked. What is usual a feed tells itself: one that delivers every hour is not silent after ten
minutes, and one that rests at night is not silent at night. So it is called silent where nothing new has come for more
than twice its usual pause at that time of day, and 20 records at least were to be expected meanwhile.
"""

from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from streammetrics.store.statements import run

HABIT_DAYS = 15
"""Two weekends: the longest of the pauses is left out, for it may be a failure, and the next is the habit."""


class Feed(BaseModel):
    """One source; times are naive UTC. What is usual is None where too little has come to tell.

    `lag_seconds`: how old the newest record was when it came. `expected_records`: since that one, at the mean rate.
    """

    model_config = ConfigDict(frozen=True)

    source: str
    last_ts: datetime
    loaded_at: datetime
    lag_seconds: int
    usual_lag_seconds: int | None
    usual_pause_seconds: int | None
    expected_records: int | None
    is_silent: bool
    is_late: bool


def feeds(connection: Connection, sources: Sequence[str], waiting: Sequence[str], now: datetime) -> tuple[Feed, ...]:
    """The feeds of these sources, those with a trouble first.

    Args:
        waiting: the sources of which something waits to be read: they are not silent.
        now: naive UTC.
    """
    asked = {"sources": list(sources), "waiting": list(waiting), "now": now, "days": HABIT_DAYS}
    return tuple(Feed(**found) for found in run(connection, "reports/feeds", asked).mappings())
