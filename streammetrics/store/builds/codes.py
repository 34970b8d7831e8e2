"""What each build has sent of each code, in the table `codes`: from when to when, how many errors, in how many seconds.

Ingest adds what its batches hold, in the transaction of their counters. The figures follow from all counters that were
ever stored, whatever the order of batches. Retention does not change them: what a build has sent, it has sent.

`repeat_batch_id` is the first batch with which the code had come in two different seconds; NULL while it has not.
"""

from sqlalchemy import Connection

from streammetrics.store.statements import run

_OVERLAP = "select min(first_second), max(last_second) from arrived where is_overlapping"


def add(connection: Connection, batch_id: int) -> bool:
    """Add the batch `batch_id` and what came after it, in the caller's transaction; whether a pair was not known.

    Leaves the temporary table `arrived`: what these batches hold of each pair of build and code.
    """
    batch = {"batch_id": batch_id}
    run(connection, "jobs/find_arrived_codes", batch)
    first, last = connection.exec_driver_sql(_OVERLAP).one()
    if first is not None:
        within = {**batch, "first_second": first, "last_second": last}
        run(connection, "jobs/count_arrived_seconds", within)
        run(connection, "jobs/find_arrived_repeats", within)
    run(connection, "jobs/add_to_codes")
    has_new_pair = connection.exec_driver_sql("select count(*) > 0 from arrived where is_new").scalar_one()
    if has_new_pair:
        run(connection, "jobs/add_codes")
    return bool(has_new_pair)


def count(connection: Connection) -> None:
    """Make the temporary table `codes_counted` from all counters, in another way than ingest does."""
    run(connection, "checks/codes_counted")


def complete(connection: Connection) -> None:
    """If counters were removed: raise the table to at least those that are kept; needs `codes_counted`."""
    run(connection, "jobs/complete_codes")
    run(connection, "jobs/list_codes")
