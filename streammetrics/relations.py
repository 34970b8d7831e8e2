"""config.toml as relations: `rules`, `comparisons` and `settings`, replaced whole where they differ.

SQL reads settings as tables, never as holes in its text: a view cannot take parameters.
"""

import hashlib
import json

from sqlalchemy import Connection

from streammetrics.config import Config, Rule
from streammetrics.views import text_hash

_LIKE = str.maketrans({"%": "!%", "_": "!_", "!": "!!", "*": "%", "?": "_"})
"""A pattern with * and ? as one of LIKE ... ESCAPE '!'."""


def replace(connection: Connection, config: Config) -> None:
    """Make the relations say what `config` says, in the caller's transaction."""
    _replace(
        connection,
        "rules",
        [
            (rule.name, rule.detector, rule.bin_seconds, bins, rule.threshold, settings_hash(config, rule))
            for rule in config.rule
            for bins in rule.window_bins
        ],
    )
    _replace(
        connection,
        "comparisons",
        [(pair.baseline, pair.candidate, pair.builds.translate(_LIKE)) for pair in config.comparison],
    )
    _replace(connection, "settings", [(config.detect.lateness_seconds, config.detect.merge_seconds, False)])


def settings_hash(config: Config, rule: Rule) -> str:
    """What decides about the alerts of a rule: where it changes, its history is judged anew."""
    judged_by = {
        "rule": rule.model_dump(mode="json"),
        "comparisons": [pair.model_dump(mode="json") for pair in config.comparison],
        "lateness_seconds": config.detect.lateness_seconds,
        "sql": text_hash(),
    }
    return hashlib.sha256(json.dumps(judged_by, sort_keys=True).encode()).hexdigest()[:16]


def _replace(connection: Connection, table: str, rows: list[tuple[object, ...]]) -> None:
    stored = [tuple(row) for row in connection.exec_driver_sql(f"select * from {table}")]
    if sorted(stored, key=repr) == sorted(rows, key=repr):
        return
    connection.exec_driver_sql(f"delete from {table}")
    places = ", ".join("?" for _ in rows[0])
    connection.exec_driver_sql(f"insert into {table} values ({places})", rows)
