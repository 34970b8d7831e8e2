"""config.toml as relations: `rules`, `hypotheses`, `comparisons`, `exposure`, `settings`; replaced where they differ.

SQL reads settings as tables, never as holes in its text: a view cannot take parameters.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True)
class _Statements:
    read: str
    empty: str
    insert: str


_RULES = _Statements(
    "select rule, detector, bin_seconds, window_bins, threshold, settings_hash from rules",
    "delete from rules",
    "insert into rules values (?, ?, ?, ?, ?, ?)",
)
_HYPOTHESES = _Statements(
    "select rule, place, rate_ratio, min_ratio, min_bins from hypotheses",
    "delete from hypotheses",
    "insert into hypotheses values (?, ?, ?, ?, ?)",
)
_COMPARISONS = _Statements(
    "select baseline, candidate, builds_like, exposure, exposure_tolerance, lag_days, min_ratio from comparisons",
    "delete from comparisons",
    "insert into comparisons values (?, ?, ?, ?, ?, ?, ?)",
)
_EXPOSURE = _Statements(
    "select since_ts, build, users from exposure",
    "delete from exposure",
    "insert into exposure values (?, ?, ?)",
)

_OVERLAID = ("rules", "hypotheses", "comparisons", "settings", "progress")
_KEPT = ("builds", "exposure")

_SETTINGS = _Statements(
    "select lateness_seconds, merge_seconds, is_final, builds_order, max_comparisons, late_limit_days from settings",
    "delete from settings",
    "insert into settings values (?, ?, ?, ?, ?, ?)",
)


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
    _replace(connection, _RULES, rules)
    _replace(connection, _HYPOTHESES, hypotheses)
    _replace(connection, _COMPARISONS, comparisons)
    counts = {(since, build): count for since, build, count in users}
    if not is_whole:
        # Former rows stay in use unless new ones replace them.
        known = connection.exec_driver_sql(_EXPOSURE.read)
        counts = {**{(since, build): count for since, build, count in known}, **counts}
    changed = _replace(connection, _EXPOSURE, [(*key, count) for key, count in counts.items()])
    if changed:
        # If an exposure becomes known later, bins are judged again from the time at which it differs.
        rewind(connection, min(changed)[0])
    waits = config.detect.lateness_seconds, config.detect.merge_seconds
    ordered = config.builds.order, config.builds.max_comparisons
    if _replace(connection, _SETTINGS, [(*waits, False, *ordered, config.detect.late_limit_days)]):
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


def _replace(connection: Connection, statements: _Statements, rows: Sequence[tuple[Any, ...]]) -> set[tuple[Any, ...]]:
    """The rows that were added or removed."""
    stored = [tuple(row) for row in connection.exec_driver_sql(statements.read)]
    if sorted(stored, key=repr) != sorted(rows, key=repr):
        connection.exec_driver_sql(statements.empty)
        if rows:
            connection.exec_driver_sql(statements.insert, list(rows))
    return set(stored) ^ set(rows)
