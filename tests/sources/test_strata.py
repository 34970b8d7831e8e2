"""One version on two platforms is two builds, each of its platform's family."""

import json

import polars
import pytest

from streammetrics.store import builds
from tests.ingest.feeding import NOW, Shop

ROWS = [("2026-11-23 10:00:00", "5.9", "7"), ("2026-11-23 10:00:01", "", "7"), ("2026-11-23 10:00:02", "Canary", "")]


@pytest.mark.parametrize("name", ["quick.csv", "careful.csv", "errors.jsonl", "errors.parquet"])
def test_the_stratum_of_a_source_stands_before_its_builds(shop: Shop, name: str) -> None:
    path = shop.folder / name
    if name.endswith("parquet"):
        polars.DataFrame(ROWS, ["ts", "build", "code"], orient="row").write_parquet(path)
    elif name.endswith("jsonl"):
        path.write_text(
            "".join(json.dumps(dict(zip(("ts", "build", "code"), row, strict=True))) + "\n" for row in ROWS)
        )
    else:
        rows = ROWS if name.startswith("careful") else [ROWS[0], ROWS[2]]
        path.write_text("ts,build,code\n" + "".join(",".join(row) + "\n" for row in rows))
    (outcome,) = shop.feed(path, stratum="iOS")
    assert [build for _, build, _ in shop.events()] == ["iOS/5.9", "iOS/Canary"]
    assert shop.rows("select distinct build from counters order by all") == [("iOS/5.9",), ("iOS/Canary",)]
    assert [reason for _, reason, _ in shop.rejects()] == ["has no build"] * outcome.rejected
    assert outcome.rejected == (0 if name.startswith("quick") else 1)


def test_two_strata_are_two_families(shop: Shop) -> None:
    for stratum in ("ios", "android", None):
        path = shop.write(f"{stratum}.csv", f"ts,build,code\n{NOW},5.9,{stratum}\n{NOW},5.10,1\n".encode())
        shop.feed(path, stratum=stratum)
    with shop.connection.begin():
        found = [(place.family, place.build) for place in builds.in_order_of(shop.connection)]
    assert found == [
        ("", "5.9"), ("", "5.10"),
        ("android", "android/5.9"), ("android", "android/5.10"),
        ("ios", "ios/5.9"), ("ios", "ios/5.10"),
    ]  # fmt: skip
