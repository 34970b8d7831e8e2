"""The whole job on an hour of synthetic records, and its results beside the known increases."""

import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from streammetrics import config
from streammetrics.cli import pipeline
from streammetrics.cli.session import Session
from streammetrics.config import AnyRule, Rule
from streammetrics.detect import incidents
from streammetrics.detect.incidents import Incident
from streammetrics.errors import StreammetricsError
from streammetrics.report import heatmap, page, wording
from streammetrics.runtime import terminal
from streammetrics.simulate import generate
from streammetrics.simulate.generate import Truth

_CONFIG = """\
# Made by `streammetrics demo`. Try: streammetrics query --config {path} "select * from incidents"

[store]
path = "streammetrics.duckdb"

[[source]]
name = "demo"
path = "incoming/*.csv"

[output]
dir = "out"

# The default rule, and the two reference rules beside it.
[[rule]]
name = "regression"
detector = "sequential"

{rules}"""


def demo(session: Session, folder: Path) -> int:
    """Recreate `folder`, run the job in it, print incidents beside the truth, then the paths of heatmaps and report.

    Raises:
        StreammetricsError: `folder` contains anything but an earlier demo.
    """
    _make_room(folder)
    hour = session.clock().replace(minute=0, second=0, microsecond=0)
    scenario = generate.demo_scenario(hour - timedelta(hours=1))
    stream = generate.generate(scenario)
    records, path = folder / "incoming" / "errors.csv", folder / "config.toml"
    generate.write(stream, records)
    path.write_text(_CONFIG.format(path=path, rules=config.REFERENCE_TOML), encoding="utf-8")
    session = replace(session, config=config.load(path, {}))
    session.say(f"{len(stream.ts):,} records of an hour and two builds: {records}")
    code = pipeline.ingest(session)
    if code:
        return code
    # The page shows the default rule alone: what the mean of ratios finds by chance would hide the true increases.
    default = replace(session, config=session.config.model_copy(update={"rule": config.DEFAULT_RULES}))
    with session.store.write() as connection:
        pipeline.judge(default, connection, is_final=True)
    report = page.write(session.store, default.config, session.config.output_dir, session.clock())
    with session.store.write() as connection:
        pipeline.judge(session, connection, is_final=True)
        with connection.begin():
            rows = incidents.every(connection)
    paths = heatmap.draw_all(heatmap.last_day(session.store, session.config), session.config.output_dir)
    found: dict[str, dict[str, list[Incident]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        found[row.rule][row.code].append(row)
    for line in _report(generate.truth(scenario), session.config.rule, found):
        session.out(line)
    session.out("\n".join(["\nHeatmaps:", *(f"  {picture}" for picture in paths)]))
    # The program's path as it was called: in a fresh checkout it is not in PATH.
    program = sys.argv[0] if Path(sys.argv[0]).name == "streammetrics" else "streammetrics"
    session.out(f"\nQuery further: {program} query --config {path} 'select * from incidents'")  # noqa: S608
    session.out(f"\nReport of rule regression, to be opened in a browser: {report}")
    return 0


def _make_room(folder: Path) -> None:
    """Empty the folder of an earlier demo; refuse to delete anything else."""
    import shutil

    if folder.exists() and any(folder.iterdir()):
        marker = folder / "config.toml"
        if not marker.is_file() or "`streammetrics demo`" not in marker.read_text(encoding="utf-8", errors="replace"):
            raise StreammetricsError(f"{folder}: is not empty and is no earlier demo; name another folder with --dir")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)


def _report(truth: Truth, rules: Iterable[AnyRule], found: dict[str, dict[str, list[Incident]]]) -> Iterator[str]:
    """The truth, then what each rule found (rule → code → incidents): true incidents listed, false ones counted."""
    true_codes = {increase.code for increase in truth.increased}
    scenario = truth.scenario
    yield f"\nThe truth: {len(true_codes)} of {len(scenario.codes)} codes increased in build {scenario.candidate}"
    for increase in truth.increased:
        yield f"  code {increase.code:>3}  x{increase.ratio:g} since {terminal.moment(increase.since_ts)} UTC"
    is_explained = False
    for rule in sorted(rules, key=lambda rule: len(found[rule.name])):
        codes = found[rule.name]
        extras = sorted(codes.keys() - true_codes, key=int)
        missed = sorted(true_codes - codes.keys(), key=int)
        parts = [f"{len(codes)} codes alerted, {len(extras)} of them without cause"] if extras else []
        parts += [f"missed: {', '.join(missed)}"] if missed else []
        yield f"\nRule {rule.name} ({rule.detector}): {'; '.join(parts) or 'exactly the truth'}"
        for code in sorted(true_codes & codes.keys(), key=int):
            yield from (f"  {wording.incident_line(incident)}" for incident in codes[code])
        if isinstance(rule, Rule) and not is_explained:
            is_explained = True
            yield (
                '  (An incident\'s "since" is the beginning of the first window above the threshold: '
                "it lies before the change by up to the length of a window.)"
            )
        if extras:
            count = sum(len(codes[code]) for code in extras)
            yield f"  and {count} incidents on codes that did not increase: {', '.join(extras)}"
        if extras and rule.detector == "mean_ratio":
            yield "  (Expected: at such rates the mean of ratios exceeds its threshold by chance.)"
