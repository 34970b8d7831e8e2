"""Sets `progress` back where records or settings changed, so that the next pass judges again."""

from datetime import datetime

from sqlalchemy import Connection

from streammetrics.store.statements import run

# A bin that begins before it holds it as well, and is judged by its end.
_REWIND = "update progress set judged_until = least(judged_until, greatest($since, timestamp '1678-01-01'))"


def rewind(connection: Connection, since: datetime) -> None:
    """Have the next pass judge again what ends after `since` (naive UTC)."""
    connection.exec_driver_sql(_REWIND, {"since": since})


def forget_batches(connection: Connection) -> None:
    """Have `progress` name no batch that is not in the ledger; in the caller's transaction."""
    run(connection, "jobs/forget_batches")
