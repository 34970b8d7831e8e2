"""A stream as a CSV file, and what is true of it, the yardstick of detectors, as JSON beside it."""

from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from streammetrics.config import Section
from streammetrics.errors import InputOutputError, UsageError
from streammetrics.runtime import atomic_files
from streammetrics.simulate.generate.sample import Stream, candidate_factor, middles, piece_edges
from streammetrics.simulate.generate.scenario import Scenario

_ABOVE_ONE = 1 + 1e-9
"""A step of 2 upon an improvement of 0.5 is level, whatever the last bits say."""


class Increase(Section):
    """A code that is worse in the candidate: since when, and how many times at the most (None: only it sends it)."""

    code: str
    since_ts: datetime
    ratio: float | None = None


class Truth(Section):
    """`increased` is what a detector should find, and no more. Times are naive UTC."""

    scenario: Scenario
    increased: tuple[Increase, ...]


def truth(scenario: Scenario) -> Truth:
    """What is true of every stream that is drawn from a scenario."""
    return Truth(
        scenario=scenario, increased=tuple(one for code in scenario.codes if (one := _increase(scenario, code)))
    )


def truth_path(path: Path) -> Path:
    """Where the truth of the stream in `path` lies: stream.csv.gz → stream.truth.json.

    Raises:
        UsageError: the suffix is neither .csv nor .csv.gz.
    """
    name = path.name.removesuffix(".gz").removesuffix(".csv")
    if not name or path.name not in (f"{name}.csv", f"{name}.csv.gz"):
        raise UsageError(f"{path}: streams are written as FILE.csv or FILE.csv.gz")
    return path.with_name(f"{name}.truth.json")


def write(stream: Stream, path: Path) -> None:
    """Write `path` with the header ts,build,code and `truth_path(path)`; each appears whole or not at all.

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
            # The truth first: where records are, their truth is.
            atomic_files.put(labels, truth_file)
            atomic_files.put(records, path)
    except (OSError, duckdb.IOException) as error:
        raise InputOutputError(f"{path}: cannot be written: {atomic_files.reason(error)}") from None


def _write_csv(stream: Stream, path: Path) -> None:
    import duckdb

    builds = [stream.scenario.baseline, stream.scenario.candidate]
    with duckdb.connect() as connection:
        connection.register("stream", {"ts": stream.ts, "build": stream.build, "code": stream.code})
        # Lists begin with 1 in SQL.
        connection.sql(
            "select ts, $builds[build + 1] as build, $codes[code + 1] as code from stream",
            params={"builds": builds, "codes": list(stream.scenario.codes)},
        ).write_csv(str(path), header=True)


def _increase(scenario: Scenario, code: str) -> Increase | None:
    if code in scenario.new_codes:
        return Increase(code=code, since_ts=scenario.start + timedelta(seconds=scenario.new_codes[code]))
    edges = piece_edges(scenario)
    is_higher = candidate_factor(scenario, code, middles(edges)) > _ABOVE_ONE
    if not is_higher.any():
        return None
    since_ts = scenario.start + timedelta(seconds=float(edges[is_higher.argmax()]))
    return Increase(code=code, since_ts=since_ts, ratio=round(float(candidate_factor(scenario, code, edges).max()), 9))
