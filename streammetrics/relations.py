"""config.toml as relations: `rules`, `comparisons` and `settings`, replaced whole where they differ.

SQL reads settings as tables, never as holes in its text: a view cannot take parameters.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from streammetrics.config import Config, Rule
from streammetrics.views import text_hash

_LIKE = str.maketrans({"%": "!%", "_": "!_", "!": "!!", "*": "%", "?": "_"})
"""A pattern with * and ? as one of LIKE ... ESCAPE '!'."""


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
_COMPARISONS = _Statements(
    "select baseline, candidate, builds_like from comparisons",
    "delete from comparisons",
    "insert into comparisons values (?, ?, ?)",
)
_SETTINGS = _Statements(
    "select lateness_seconds, merge_seconds, is_final from settings",
    "delete from settings",
    "insert into settings values (?, ?, ?)",
)


def replace(connection: Connection, config: Config) -> None:
    """Make the relations say what `config` says, in the caller's transaction."""
    rules = [
        (rule.name, rule.detector, rule.bin_seconds, bins, rule.threshold, settings_hash(config, rule))
        for rule in config.rule
        for bins in rule.window_bins
    ]
    comparisons = [(pair.baseline, pair.candidate, pair.builds.translate(_LIKE)) for pair in config.comparison]
    _replace(connection, _RULES, rules)
    _replace(connection, _COMPARISONS, comparisons)
    _replace(connection, _SETTINGS, [(config.detect.lateness_seconds, config.detect.merge_seconds, False)])


def settings_hash(config: Config, rule: Rule) -> str:
    """What decides about the alerts of a rule: where it changes, its history is judged anew."""
    judged_by = {
        "rule": rule.model_dump(mode="json"),
        "comparisons": [pair.model_dump(mode="json") for pair in config.comparison],
        "lateness_seconds": config.detect.lateness_seconds,
        "sql": text_hash(),
    }
    return hashlib.sha256(json.dumps(judged_by, sort_keys=True).encode()).hexdigest()[:16]


def _replace(connection: Connection, statements: _Statements, rows: Sequence[tuple[object, ...]]) -> None:
    stored = [tuple(row) for row in connection.exec_driver_sql(statements.read)]
    if sorted(stored, key=repr) != sorted(rows, key=repr):
        connection.exec_driver_sql(statements.empty)
        connection.exec_driver_sql(statements.insert, list(rows))
