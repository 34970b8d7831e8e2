"""Injected increases: errors added to the candidate, and how long it takes to detect them."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlalchemy import Connection

from streammetrics.config import Config
from streammetrics.config.rules import BLOCK_SECONDS
from streammetrics.errors import UsageError
from streammetrics.runtime import utc
from streammetrics.runtime.terminal import moment
from streammetrics.simulate.backtest.history import Copy
from streammetrics.simulate.backtest.results import Detection
from streammetrics.simulate.backtest.shares import Pair, Seconds, fetched, pairs_of
from streammetrics.store.statements import run, statement

INJECTED = -1
"""The batch number of added errors."""

_FORM = "is not of the form code=C,ratio=R,at=TIME, such as code=E_TIMEOUT,ratio=2,at=2026-11-23T06:00"


@dataclass(frozen=True)
class Injection:
    """From `at` (naive UTC) on, multiply the candidate's rate of a code by `ratio`."""

    code: str
    ratio: float
    at: datetime


@dataclass(frozen=True)
class Added:
    """Errors added to a candidate. `is_expected`: the ratio multiplies the rate expected from the baseline's errors."""

    injection: Injection
    pair: Pair
    errors: int
    is_expected: bool


def parse(text: str) -> Injection:
    """Parse an argument of `--inject`.

    Raises:
        UsageError: it is of another form, or a value is not allowed.
    """
    parts = dict(part.partition("=")[::2] for part in text.rsplit(",", 2))
    if parts.keys() != {"code", "ratio", "at"} or not parts["code"]:
        raise UsageError(f"--inject {text}: {_FORM}")
    try:
        at = utc.naive(datetime.fromisoformat(parts["at"]))
        ratio = float(parts["ratio"])
    except ValueError:
        raise UsageError(f"--inject {text}: {_FORM}") from None
    if not 1 < ratio <= 1e6 or not math.isfinite(ratio):
        raise UsageError(f"--inject {text}: the ratio must be above 1: it multiplies the rate")
    return Injection(parts["code"], ratio, at)


def add_all(
    connection: Connection, config: Config, injections: Sequence[Injection], copy: Copy, seed: int
) -> list[Added]:
    """Add errors to the candidate of each pair from a time on; once per build, also if it is in several pairs.

    The number per second is a Poisson draw of the missing rate. The candidate's rate is the mean of its own errors over
    blocks of two minutes; if the candidate has no error of the code, it is the rate expected from the baseline's errors
    and the exposure.

    Raises:
        UsageError: a time does not lie in the span, or there is nothing to multiply.
    """
    if not injections:
        return []
    with connection.begin():
        pairs = [pair for one in config.comparison for pair in pairs_of(connection, config, one, copy)]
        return [
            added
            for number, wanted in enumerate(injections)
            for added in _add(connection, wanted, pairs, copy, [seed, number])
        ]


def detection(connection: Connection, added: Added, rule: str, merge_seconds: int) -> Detection:
    """The end of the bin of the first alert after the beginning of an injection."""
    wanted, pair = added.injection, added.pair
    names = {"rule": rule, "baseline": pair.baseline, "candidate": pair.candidate, "code": wanted.code}
    parameters = {"at": wanted.at, "merge_seconds": merge_seconds, **names}
    end, is_open = run(connection, "reports/first_alert_since", parameters).one()
    return Detection(
        **names,
        ratio=wanted.ratio,
        at=wanted.at,
        errors_added=added.errors,
        is_expected_rate=added.is_expected,
        found_after_seconds=None if end is None else (end - wanted.at).total_seconds(),
        was_open=is_open,
    )


def _add(
    connection: Connection, wanted: Injection, pairs: Iterable[Pair], copy: Copy, seed: list[int]
) -> Iterable[Added]:
    start = utc.second_of(wanted.at)
    if not copy.after <= start < copy.until:
        raise UsageError(
            f"--inject at={moment(wanted.at)}: does not lie in the span, "
            f"{moment(utc.at_second(copy.after))} to {moment(utc.at_second(copy.until))}"
        )
    found: dict[str, Added] = {}
    for pair in pairs:
        since, until = max(start, pair.from_second), min(copy.until, pair.until_second)
        if since < until and pair.candidate not in found:
            made = _add_to(connection, wanted, pair, since, until, [*seed, len(found)])
            if made is not None:
                found[pair.candidate] = made
    if not found:
        raise UsageError(
            f"--inject code={wanted.code}: no two builds that are compared send it after {moment(wanted.at)}, "
            "so that there is no rate to multiply"
        )
    return found.values()


def _add_to(
    connection: Connection, wanted: Injection, pair: Pair, since: int, until: int, seed: list[int]
) -> Added | None:
    parameters = {
        "code": wanted.code, "baseline": pair.baseline, "candidate": pair.candidate, "from_second": since,
        "until_second": until,
    }  # fmt: skip
    tallies = fetched(connection, statement("reports/errors_of_code"), parameters)
    seconds: Seconds = np.arange(since, until)
    own, others = np.zeros(len(seconds)), np.zeros(len(seconds))
    own[tallies["second"] - since] = tallies["candidate_errors"]
    others[tallies["second"] - since] = tallies["baseline_errors"]
    is_expected = not own.any()
    if is_expected and not others.any():
        return None
    shares = pair.shares_at(seconds)
    rates = wanted.ratio * others * shares / (1 - shares) if is_expected else (wanted.ratio - 1) * own
    # A mean over a block, so that errors of one second are not all added to the same second.
    starts = np.arange(0, len(seconds), BLOCK_SECONDS)
    sums = np.add.reduceat(rates, starts)
    lengths = np.diff(np.append(starts, len(seconds)))
    more = np.random.default_rng(seed).poisson(np.repeat(sums / lengths, lengths))
    driver = connection.connection.driver_connection
    driver.register("injected_errors", {"second": seconds[more > 0], "errors": more[more > 0]})  # type: ignore[union-attr]
    run(connection, "jobs/add_injected_errors", {"build": pair.candidate, "code": wanted.code, "batch_id": INJECTED})
    driver.unregister("injected_errors")  # type: ignore[union-attr]
    return Added(wanted, pair, int(more.sum()), is_expected)
