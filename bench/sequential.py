"""What `sequential` costs by the number of codes, and by how late a record is."""

from pathlib import Path

from bench.measure import Ran, Row, alternate, peaks, python, say, seconds
from bench.workshop import Workshop

MANY_CODES = (10, 1000, 100_000)
LATE_SECONDS = 6 * 86400


def codes(shop: Workshop) -> list[Row]:
    """A million records of a day with ten codes, and with a thousand and 100,000; and then the newest minute."""
    configs = {number: made_days(shop, f"codes-{number}", number, 1) for number in MANY_CODES}
    few, *others = alternate(
        shop.pairs, *(lambda config=config: shop.judge_anew(config) for config in configs.values())
    )
    rows = [
        Row(f"ingest + detect 1 M records: {number:,} codes / 10", seconds(runs), 1.5, seconds(few))
        for number, runs in zip(MANY_CODES[1:], others, strict=True)
    ]
    rows.append(Row("memory: 1 M records of 100,000 codes", peaks(others[-1]), 1000, unit="MB"))
    config = configs[MANY_CODES[-1]]
    passes = []
    for minute in range(shop.pairs + 1):
        add_minute(shop, config, MANY_CODES[-1], 1, minute)
        shop.ingest(config)
        passes.append(python("bench.inside", "pass", config))
    # The first one begins the day's last minute again.
    printed = tuple(float(ran.printed) for ran in passes[1:])
    return [*rows, Row("newest minute, the pass, 100,000 codes known", printed, 1)]


def late(shop: Workshop) -> list[Row]:
    """`run` over a minute with a record six days late, against one without; a week of 40 codes."""
    config = made_days(shop, "late", 40, 7)
    say("judging a week")
    shop.run(config)
    minutes = iter(range(1000))

    def fed(late_seconds: int) -> Ran:
        add_minute(shop, config, 40, 7, next(minutes), late_seconds)
        return shop.run(config)

    fed(0)
    usual, others = alternate(shop.pairs, lambda: fed(0), lambda: fed(LATE_SECONDS))
    return [Row("a minute with a record six days late / one without", seconds(others), 1.5, seconds(usual))]


def made_days(shop: Workshop, name: str, codes: int, days: int) -> Path:
    """A config file with the default rule, whose source is a folder with the records of so many days in it."""
    folder = shop.folder / name
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    python("bench.inputs", "codes", folder / "0.csv", codes, days)
    return shop.config(name, f"{name}/*.csv", rules="")


def add_minute(shop: Workshop, config: Path, *numbers: int) -> None:
    """Add a minute's file: how many codes and days there are, the minute's number, how late (s) a record of it is."""
    python("bench.inputs", "more", shop.folder / config.stem / f"{numbers[2]:04}-more.csv", *numbers)
