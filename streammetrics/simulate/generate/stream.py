"""Draws the records of a scenario: Poisson arrivals at its rates, and bursts.

The generator is PCG64 with the scenario's seed, and draws in a fixed order: one numpy version makes the same records of
a scenario everywhere. (numpy does not promise the same draws across its own versions: NEP 19.) A stream is written as
CSV, and its truth as JSON beside it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from streammetrics.config import Section
from streammetrics.errors import InputOutputError, UsageError
from streammetrics.runtime import atomic_files
from streammetrics.simulate.generate.scenario import Scenario, middles

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_ABOVE_ONE = 1 + 1e-9
"""A tolerance for rounding: a step of 2 on top of an improvement of 0.5 is no increase."""


@dataclass(frozen=True, eq=False)
class Stream:
    """Records in order of time; those of one second are in random order.

    `ts` are datetime64[s], UTC; `build` is 0 for the baseline and 1 for the candidate, `code` an index into the
    scenario's codes.
    """

    scenario: Scenario
    ts: "NDArray[np.datetime64]"
    build: "NDArray[np.int64]"
    code: "NDArray[np.int64]"


class Increase(Section):
    """A code that is worse in the candidate: since when, and the largest ratio (None: only the candidate sends it)."""

    code: str
    since_ts: datetime
    ratio: float | None = None


class Truth(Section):
    """`increased` is exactly what a detector should find. Times are naive UTC."""

    scenario: Scenario
    increased: tuple[Increase, ...]


def generate(scenario: Scenario) -> Stream:
    """Draw the records of a scenario; the same scenario gives the same records."""
    import numpy as np

    rng = np.random.Generator(np.random.PCG64(scenario.seed))
    edges, places = scenario.edges(), {code: index for index, code in enumerate(scenario.codes)}
    parts: list[tuple[Floats, int, int]] = []
    for code, index in places.items():
        for build, rates in enumerate(scenario.rates(code)):
            parts.append((_arrivals(rng, edges, rates), build, index))
    for change in scenario.changes:
        if change.kind == "burst" and change.code is not None:
            times = rng.uniform(change.at_second, scenario.end_second(change), change.size)
            parts.append((times, int(rng.random() < scenario.candidate_share), places[change.code]))
    lengths = [len(times) for times, _, _ in parts]
    times = np.concatenate([times for times, _, _ in parts])
    order = np.argsort(times)
    # Rounding may give the end itself, which is excluded.
    seconds = np.minimum(times[order].astype(np.int64), scenario.seconds - 1)
    return Stream(
        scenario=scenario,
        ts=np.datetime64(scenario.start, "s") + seconds.astype("timedelta64[s]"),
        build=np.repeat([build for _, build, _ in parts], lengths)[order],
        code=np.repeat([code for _, _, code in parts], lengths)[order],
    )


def truth(scenario: Scenario) -> Truth:
    """The truth of every stream that is drawn from a scenario."""
    increased = tuple(one for code in scenario.codes if (one := _increase(scenario, code)))
    return Truth(scenario=scenario, increased=increased)


def truth_path(path: Path) -> Path:
    """The path of the truth of the stream in `path`: stream.csv.gz → stream.truth.json.

    Raises:
        UsageError: the suffix is neither .csv nor .csv.gz.
    """
    name = path.name.removesuffix(".gz").removesuffix(".csv")
    if not name or path.name not in (f"{name}.csv", f"{name}.csv.gz"):
        raise UsageError(f"{path}: streams are written as FILE.csv or FILE.csv.gz")
    return path.with_name(f"{name}.truth.json")


def write(stream: Stream, path: Path) -> None:
    """Write `path`, with the header ts,build,code, and `truth_path(path)`; each atomically.

    Raises:
        UsageError: the suffix is neither .csv nor .csv.gz.
        InputOutputError: a file cannot be written.
    """
    import duckdb

    truth_file = truth_path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=f".{path.name}.tmp-", dir=path.parent) as folder:
            records, labels = Path(folder, path.name), Path(folder, truth_file.name)
            _write_csv(stream, records)
            labels.write_text(truth(stream.scenario).model_dump_json(indent=2, exclude_none=True) + "\n", "utf-8")
            # The truth first, so that there are never records without it.
            atomic_files.put(labels, truth_file)
            atomic_files.put(records, path)
    except (OSError, duckdb.IOException) as error:
        raise InputOutputError(f"{path}: cannot be written: {atomic_files.reason(error)}") from None


def _write_csv(stream: Stream, path: Path) -> None:
    import duckdb

    builds = [stream.scenario.baseline, stream.scenario.candidate]
    with duckdb.connect() as connection:
        connection.register("stream", {"ts": stream.ts, "build": stream.build, "code": stream.code})
        # Lists begin at 1 in SQL.
        connection.sql(
            "select ts, $builds[build + 1] as build, $codes[code + 1] as code from stream",
            params={"builds": builds, "codes": list(stream.scenario.codes)},
        ).write_csv(str(path), header=True)


def _increase(scenario: Scenario, code: str) -> Increase | None:
    if code in scenario.new_codes:
        return Increase(code=code, since_ts=scenario.start + timedelta(seconds=scenario.new_codes[code]))
    edges = scenario.edges()
    is_higher = scenario.candidate_factor(code, middles(edges)) > _ABOVE_ONE
    if not is_higher.any():
        return None
    since_ts = scenario.start + timedelta(seconds=float(edges[is_higher.argmax()]))
    return Increase(code=code, since_ts=since_ts, ratio=round(float(scenario.candidate_factor(code, edges).max()), 9))


def _arrivals(rng: "np.random.Generator", edges: "Floats", rates: "Floats") -> "Floats":
    """Times of a Poisson process whose rate is `rates` between neighboring `edges`: uniform in its cumulative."""
    import numpy as np

    cumulative = np.concatenate([[0.0], np.cumsum(rates * np.diff(edges))])
    count = rng.poisson(cumulative[-1])
    times: Floats = np.interp(rng.random(count) * cumulative[-1], cumulative, edges)
    return times
