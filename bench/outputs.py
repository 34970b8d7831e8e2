"""What a run leaves behind: the report page, the published file, and figures for Prometheus."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from bench.measure import YARDSTICK_SECONDS, Ran, Row, alternate, python, say, seconds, yardstick
from bench.sequential import add_minute, made_days
from bench.workshop import Workshop

CODES = 40


def published(shop: Workshop) -> list[Row]:
    """Publishing a day and a week of 40 codes after a pass over the newest minute, and `run` with metrics."""
    rows: list[Row] = []
    for days, limit in ((1, 1.0), (7, 3.0)):
        config = made_days(shop, f"published-{days}", CODES, days)
        plain = config.read_text("utf-8")
        target = shop.folder / f"published-{days}.file"
        target.unlink(missing_ok=True)
        say(f"judging {days} d, and publishing them for the first time")
        shop.run(config, "--accept-clock")
        config.write_text(f'{plain}[publish]\npath = "{target}"\n', "utf-8")
        first = python("bench.inside", "publish", config)

        minutes = iter(range(1000))
        after_a_pass = partial(_after_a_pass, shop, config, days, minutes)
        runs, yardsticks = alternate(shop.pairs, after_a_pass, yardstick)
        printed = tuple(float(ran.printed) for ran in runs)
        note = f"{float(first.printed):.1f} s the first time; {target.stat().st_size / 1e6:.0f} MB"
        what = f"publishing {days} d x {CODES} codes, {limit:g} s"
        rows.append(Row(what, printed, limit / YARDSTICK_SECONDS, seconds(yardsticks), note=note))
        config.write_text(plain, "utf-8")
        if days == 1:
            rows.append(_all_of_a_day(shop, config, target, minutes))
    exposed = config.with_name("exposed.toml")
    metrics = f'dir = "out"\nmetrics = "{shop.folder / "figures.prom"}"'
    exposed.write_text(plain.replace('dir = "out"', metrics), "utf-8")
    others, idle = alternate(3 * shop.pairs, lambda: shop.run(exposed), lambda: shop.run(config))
    return [*rows, Row("`run` with nothing new, with metrics / without", seconds(others), 1.1, seconds(idle))]


def _all_of_a_day(shop: Workshop, config: Path, target: Path, minutes: Iterator[int]) -> Row:
    """What notices, the report page and publishing add to a `run` over the newest minute."""
    plain, whole = config.read_text("utf-8"), config.with_name("whole.toml")
    channel = '[[channel]]\nname = "none"\nkind = "command"\ncommand = ["true"]\n'
    publish = f'[publish]\npath = "{target}"\nevery_seconds = 0\n'
    whole.write_text(plain.replace('dir = "out"', 'dir = "out"\nreport = true') + channel + publish, "utf-8")

    def fed(by: Path) -> Ran:
        add_minute(shop, config, CODES, 1, next(minutes))
        return shop.run(by, "--accept-clock")

    fed(whole)
    runs, others, yardsticks = alternate(shop.pairs, lambda: fed(whole), lambda: fed(config), yardstick)
    added = tuple(ran - other for ran, other in zip(seconds(runs), seconds(others), strict=True))
    what = f"notices, report and publishing after a pass, 1 d x {CODES} codes, 3 s"
    return Row(what, added, 3 / YARDSTICK_SECONDS, seconds(yardsticks))


def _after_a_pass(shop: Workshop, config: Path, days: int, minutes: Iterator[int]) -> Ran:
    add_minute(shop, config, CODES, days, next(minutes))
    shop.ingest(config)
    shop.detect(config)
    return python("bench.inside", "publish", config)
