"""The whole job on an hour of records whose truth is known, and what was found beside that truth."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from streammetrics import generate, jobs, narrate, pictures
from streammetrics.config import Config, OutputSettings, Source, StoreSettings
from streammetrics.errors import StreammetricsError
from streammetrics.generate import Truth
from streammetrics.jobs import Session

_CONFIG = """\
# Made by `streammetrics demo`. Try: streammetrics query --config {path} "select * from incidents"

[store]
path = "streammetrics.duckdb"

[[source]]
name = "demo"
path = "incoming/*.csv"

[output]
dir = "out"
"""


def demo(session: Session, folder: Path) -> int:
    """Make `folder` anew, run the job in it, and print incidents beside the truth and the pictures' paths.

    Raises:
        StreammetricsError: `folder` holds something else than an earlier demo.
    """
    _make_room(folder)
    hour = session.clock().replace(minute=0, second=0, microsecond=0)
    scenario = generate.demo_scenario(hour - timedelta(hours=1))
    stream = generate.generate(scenario)
    generate.write(stream, folder / "incoming" / "errors.csv")
    path = folder / "config.toml"
    path.write_text(_CONFIG.format(path=path), encoding="utf-8")
    config = Config(
        store=StoreSettings(path="streammetrics.duckdb"),
        source=(Source(name="demo", path="incoming/*.csv"),),
        output=OutputSettings(dir="out"),
        base=folder,
    )
    session = Session(config, session.progress, session.out, session.clock)
    session.say(f"{len(stream.ts):,} records of an hour and two builds: {folder / 'incoming' / 'errors.csv'}")
    code = jobs.ingest(session)
    if code:
        return code
    with session.store.write() as connection:
        jobs.judge(session, connection, is_final=True)
        with connection.begin():
            rows = connection.exec_driver_sql("select * from incidents order by start_ts, incident_id").mappings().all()
        paths = pictures.draw_all(connection, config, config.output_dir)
    for line in _report(config, generate.truth(scenario), [dict(row) for row in rows], paths):
        session.out(line)
    return 0


def _make_room(folder: Path) -> None:
    """Empty the folder of an earlier demo; anything else is not ours to delete."""
    import shutil

    if folder.exists() and any(folder.iterdir()):
        marker = folder / "config.toml"
        if not marker.is_file() or "streammetrics demo" not in marker.read_text(encoding="utf-8", errors="replace"):
            raise StreammetricsError(f"{folder}: is not empty and not of an earlier demo; name another with --dir")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)


def _report(config: Config, truth: Truth, rows: list[dict[str, Any]], paths: list[Path]) -> Iterator[str]:
    """The truth, then for each rule what it found: the true increases line by line, the rest counted."""
    true_codes = {increase.code for increase in truth.increased}
    found: dict[str, dict[str, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        found[row["rule"]][row["code"]].append(row)
    builds = truth.builds
    yield f"\nThe truth: {len(true_codes)} of {len(truth.codes)} codes increased in build {builds.candidate}"
    for increase in truth.increased:
        yield f"  code {increase.code:>3}  x{increase.ratio:g} since {narrate.moment(increase.since_ts)} UTC"
    for rule in sorted(config.rule, key=lambda rule: len(found[rule.name])):
        codes = found[rule.name]
        extras = sorted(codes.keys() - true_codes, key=int)
        missed = sorted(true_codes - codes.keys(), key=int)
        yield f"\nRule {rule.name} ({rule.detector}): {_verdict(len(codes), extras, missed)}"
        for code in sorted(true_codes & codes.keys(), key=int):
            for incident in codes[code]:
                yield f"  {narrate.incident_line(incident)}"
        if extras:
            count = sum(len(codes[code]) for code in extras)
            yield f"  and {count} incidents on codes that did not increase: {', '.join(extras)}"
            yield "  (This rule is like that: at such rates the mean of ratios exceeds its threshold by chance.)"
    yield "\nHeatmaps:"
    for path in paths:
        yield f"  {path}"
    yield f"\nAsk further: streammetrics query --config {config.base / 'config.toml'} 'select * from incidents'"  # noqa: S608


def _verdict(found: int, extras: list[str], missed: list[str]) -> str:
    if not extras and not missed:
        return "exactly the truth"
    parts = [f"{found} codes alerted"]
    if extras:
        parts.append(f"{len(extras)} of them without cause")
    if missed:
        parts.append(f"missed: {', '.join(missed)}")
    return "; ".join(parts)
