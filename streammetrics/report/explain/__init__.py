"""Why a rule fired for a code at a time, or why not: counts, exposure, evidence, and the gate that said no."""

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import Connection

from streammetrics.config import AnyRule, Config
from streammetrics.errors import UsageError
from streammetrics.report import wording
from streammetrics.report.explain.facts import UNITS, Explanation, Ratio, Window, explain_rule
from streammetrics.report.explain.words import render
from streammetrics.runtime import terminal, utc
from streammetrics.store.builds import codes
from streammetrics.store.connection import Store

__all__ = ["Explanation", "Ratio", "Window", "as_json", "explain", "render"]

_CODES = "select distinct code from codes"


def explain(store: Store, config: Config, code: str, at: datetime, rule: str | None = None) -> list[Explanation]:
    """Explain the bins that hold the moment `at` (naive UTC), rule by rule and comparison by comparison.

    The rules are those of `config`, whether or not a pass has judged by them.

    Raises:
        UsageError: there is no such rule, or no build has ever sent the code.
        StoreBusyError, InputOutputError: the store cannot be read.
    """
    rules = _rules(config, rule)
    with store.read() as connection:
        _refuse_unknown(connection, code)
        return [
            found for chosen in rules for found in explain_rule(connection, config, chosen, code, utc.second_of(at))
        ]


def as_json(found: Explanation) -> str:
    """The same as one line of JSON, times as ISO text in UTC, with the units of its figures."""
    return terminal.as_json({**asdict(found), "units": UNITS[found.detector]})


def _rules(config: Config, name: str | None) -> list[AnyRule]:
    rules = [rule for rule in config.rule if name in (None, rule.name)]
    if not rules:
        raise UsageError(f"--rule {name}: there is no such rule; there are: {', '.join(r.name for r in config.rule)}")
    return rules


def _refuse_unknown(connection: Connection, code: str) -> None:
    known = codes.ordered(connection.exec_driver_sql(_CODES).scalars())
    if code not in known:
        shown = ", ".join(known[: wording.MOST_LINES]) or "none, for it holds no records"
        more = f" and {len(known) - wording.MOST_LINES:,} more" if len(known) > wording.MOST_LINES else ""
        raise UsageError(f"--code {code}: no build in the store has sent it; its codes are: {shown}{more}")
