"""config.toml as relations: `rules`, `hypotheses`, `comparisons`, `exposure`, `settings`; replaced where they differ.

SQL reads settings as tables, never as holes in its text: a view cannot take parameters.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from streammetrics.config import AnyRule, Config, SequentialRule
from streammetrics.store import builds
from streammetrics.store.rewind import rewind
from streammetrics.store.views import text_hash

_LIKE = str.maketrans({"%": "!%", "_": "!_", "!": "!!", "*": "%", "?": "_"})
"""A pattern with * and ? as one of LIKE ... ESCAPE '!'."""
_WRITTEN = {after: chr(before) for before, after in _LIKE.items()}


_OVERLAID = ("rules", "hypotheses", "comparisons", "settings", "progress")
_KEPT = ("builds", "exposure")

Users = Sequence[tuple[datetime, str, float]]
"""Rows of `exposure`: since when (naive UTC, whole seconds), build, users."""


def replace(connection: Connection, config: Config, users: Users, *, is_whole: bool = True) -> None:
    """Replace the settings tables by those of `config`, in the caller's transaction.

    Args:
        users: the rows of all [[exposure]] entries.
        is_whole: False if some of them could not be read: their former rows stay in use.
    """
    rules = [
        (rule.name, rule.detector, rule.bin_seconds, bins, rule.threshold, settings_hash(config, rule))
        for rule in config.rule
        for bins in rule.window_bins
    ]
    hypotheses = [
        (rule.name, place, ratio, rule.min_ratio, rule.least_bins)
        for rule in config.rule
        if isinstance(rule, SequentialRule)
        for place, ratio in enumerate(rule.rate_ratios, start=1)
    ]
    comparisons = [
        (
            pair.baseline,
            pair.together if pair.is_earlier else pair.candidate,
            (pair.together if pair.is_earlier else pair.builds).translate(_LIKE),
            pair.exposure or ("estimated" if pair.is_earlier else "given"),
            pair.exposure_tolerance,
            pair.lag_days,
            pair.min_ratio,
        )
        for pair in config.comparison
    ]
    _replace(connection, "rules", rules)
    _replace(connection, "hypotheses", hypotheses)
    _replace(connection, "comparisons", comparisons)
    counts = {(since, build): count for since, build, count in users}
    if not is_whole:
        # What was configured before stays in use where nothing else is.
        known = connection.exec_driver_sql("from exposure")
        counts = {**{(since, build): count for since, build, count in known}, **counts}
    changed = _replace(connection, "exposure", [(*key, count) for key, count in counts.items()])
    if changed:
        # If an exposure becomes known later, bins are judged again from the time at which it differs.
        rewind(connection, min(changed)[0])
    waits = config.detect.lateness_seconds, config.detect.merge_seconds
    ordered = config.builds.order, config.builds.max_comparisons
    limits = config.detect.late_limit_days, config.detect.joined_seconds
    if _replace(connection, "settings", [(*waits, False, *ordered, *limits)]):
        builds.place(connection)


def overlay(connection: Connection, config: Config, users: Users, *, is_whole: bool = True) -> None:
    """Make temporary settings tables of `config`, which this connection reads instead of the store's.

    The arguments are those of `replace`.
    """
    for name in _OVERLAID:
        connection.exec_driver_sql(f"create or replace temp table {name} as from main.{name} limit 0")
    # Builds may be in another order by `config`; the former exposure stays if its file cannot be read.
    for name in _KEPT:
        connection.exec_driver_sql(f"create or replace temp table {name} as from main.{name}")
    replace(connection, config, users, is_whole=is_whole)


def reveal(connection: Connection) -> None:
    """Take the temporary relations away again."""
    for name in (*_OVERLAID, *_KEPT):
        connection.exec_driver_sql(f"drop table if exists temp.main.{name}")


def as_written(builds_like: str) -> str:
    """The pattern of config.toml that `comparisons` holds as one of LIKE."""
    return re.sub("!.|[%_]", lambda found: _WRITTEN[found[0]], builds_like)


def settings_hash(config: Config, rule: AnyRule) -> str:
    """A hash of everything that decides the alerts of a rule: if it changes, the history is judged again."""
    judged_by = {
        "rule": rule.model_dump(mode="json"),
        "grid": (rule.window_bins, rule.threshold, getattr(rule, "rate_ratios", ()), getattr(rule, "least_bins", None)),
        "comparisons": [pair.model_dump(mode="json") for pair in config.comparison],
        "builds": config.builds.model_dump(mode="json"),
        "lateness_seconds": config.detect.lateness_seconds,
        "sql": text_hash(),
    }
    return hashlib.sha256(json.dumps(judged_by, sort_keys=True).encode()).hexdigest()[:16]


def _replace(connection: Connection, table: str, rows: Sequence[tuple[Any, ...]]) -> set[tuple[Any, ...]]:
    """Give a table these rows, whose values stand in the order of its columns; those that were added or removed."""
    stored = [tuple(row) for row in connection.exec_driver_sql(f"from {table}")]
    if sorted(stored, key=repr) != sorted(rows, key=repr):
        connection.exec_driver_sql(f"delete from {table}")  # noqa: S608 one of those above
        if rows:
            places = ", ".join("?" * len(rows[0]))
            connection.exec_driver_sql(f"insert into {table} values ({places})", list(rows))  # noqa: S608
    return set(stored) ^ set(rows)
