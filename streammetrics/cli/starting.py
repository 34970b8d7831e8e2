"""`init`: writes the first config.toml from the shipped one and a sample file, and tries it on the sample."""

import json
import os
import re
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from streammetrics.cli.reading import read
from streammetrics.cli.session import Session
from streammetrics.config import DEFAULT_CONFIG, load
from streammetrics.detect import passes
from streammetrics.errors import UsageError
from streammetrics.runtime.terminal import printable, printable_lines
from streammetrics.sources.guess import guess
from streammetrics.store.builds import ESTABLISHED
from streammetrics.store.connection import Store
from streammetrics.store.statements import folder, run

_BUILDS = "select build, sum(errors) from counters join builds using (build) group by 1 order by min(version_rank)"


def init(session: Session, sample: Path | None) -> int:
    """Write config.toml and print what was found in `sample` and assumed; the exit code of a run with it."""
    if os.path.lexists(DEFAULT_CONFIG):
        raise UsageError(f"{DEFAULT_CONFIG}: exists and is never overwritten; move it away, or use another folder")
    # Beside sql/, in a checkout and in an installed package.
    text = (folder().parent / "config.toml").read_text("utf-8")
    with TemporaryDirectory(prefix="streammetrics-") as scratch:
        lines = [f"{DEFAULT_CONFIG}: written; set path of [[source]] to your files, then `streammetrics run`"]
        trial = Path(scratch, "trial.duckdb")
        if sample is not None:
            path = os.path.abspath(sample) if ".." in sample.parts else str(sample)  # noqa: PTH100 - without its ..
            with Store(trial).write() as connection:
                found = guess(connection, sample, Path(scratch, "sample"))
            text = filled(text, {"path": path, **found.keys})
            lines = [f"{DEFAULT_CONFIG}: written; its path is {path} alone; check these assumptions:", *found.assumed]
        with DEFAULT_CONFIG.open("x", encoding="utf-8") as stream:
            stream.write(text)
        session.say(printable_lines("\n".join(lines)))
        return 0 if sample is None else _try(session, trial)


def filled(text: str, keys: dict[str, object]) -> str:
    """The settings text with these keys set in the first [[source]]; their comments stay."""
    before, mark, rest = text.partition("[[source]]")
    for key, value in keys.items():
        new = f"{key} = {_toml(value)}"
        line = re.compile(rf"^(?:# )?{key} = .*?(?: +(# .*))?$", re.MULTILINE)
        rest = line.sub(lambda old: f"{new:<36} {old[1]}" if old[1] else new, rest, count=1)  # noqa: B023
    return before + mark + rest


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(inner)}" for key, inner in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _try(session: Session, trial: Path) -> int:
    """Ingest with config.toml into a temporary store, and print its builds and comparisons."""
    config = load(DEFAULT_CONFIG, {**os.environ, "STREAMMETRICS_STORE_PATH": str(trial)})
    with Store(trial).write() as connection:
        code = read(replace(session, config=config), connection, (), None, is_final=True)
        with connection.begin():
            passes.plan(connection, config)
            builds = [f"{build} ({errors:,} records)" for build, errors in connection.exec_driver_sql(_BUILDS)]
            pairs = [
                f"{baseline} -> {candidate}" for baseline, candidate, *_ in run(connection, "reports/pairs_of_now")
            ]
    session.say(printable(f"builds, in order: {', '.join(builds[-10:]) or 'none'}"))
    pairs = pairs[-10:] or [f"none yet: a comparison needs a second build with {ESTABLISHED}"]
    session.say(printable(f"comparisons: {', '.join(pairs)}; next: `streammetrics run`"))
    return code
