"""Work that is no command: `python -m bench.inside pass CONFIG`, `draw CONFIG FILE`, `publish CONFIG` or
`commands CONFIG NAME ...`.

All but the last print the seconds that the work took without the process around it.
"""

import sys
import time
from pathlib import Path

from streammetrics import config as configuration
from streammetrics.store.connection import Store


def judge(config: configuration.Config) -> float:
    """One pass over what waits."""
    from streammetrics.cli.session import utc_now
    from streammetrics.detect import passes

    with Store(config.store_path).write() as connection:
        started = time.perf_counter()
        done = passes.judge(connection, config, utc_now)
        seconds = time.perf_counter() - started
    if done.until is None:
        raise RuntimeError("nothing waited to be judged, so nothing was measured")
    return seconds


def draw(config: configuration.Config, target: Path) -> float:
    """The slowest picture of the last day: from arrays to PNG; the first one imports matplotlib."""
    from streammetrics.report import heatmap

    with Store(config.store_path).read() as connection:
        drawn = heatmap.heatmaps(connection, config)
    slowest = 0.0
    for one in drawn:
        started = time.perf_counter()
        heatmap.draw_one(one, target)
        slowest = max(slowest, time.perf_counter() - started)
    return slowest


def publish(config: configuration.Config) -> float:
    """Write the file of [publish], as a run does."""
    from streammetrics.cli.session import utc_now
    from streammetrics.query import publish as publishing

    store, target = Store(config.store_path), config.publish_path
    if target is None:
        raise RuntimeError("the settings have no [publish] path")
    with store.read():
        pass
    started = time.perf_counter()
    publishing.publish(store, config, target, utc_now)
    return time.perf_counter() - started


def commands(config: str, names: list[str]) -> None:
    """Several commands in one process, as `run` has them, but without its pictures."""
    from streammetrics.cli import main

    for name in names:
        try:
            main([name, "--config", config])
        except SystemExit as end:
            if end.code:
                raise


if __name__ == "__main__":
    sys.modules.setdefault("pandas", None)  # type: ignore[arg-type]  # as the command line does: DuckDB would import it
    work, path, *rest = sys.argv[1:]
    if work == "commands":
        commands(path, rest)
    else:
        settings = configuration.load(Path(path), {})
        works = {"pass": judge, "publish": publish}
        print(draw(settings, Path(rest[0])) if work == "draw" else works[work](settings))
