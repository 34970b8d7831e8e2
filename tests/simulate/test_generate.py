"""Streams whose truth is known: every kind of change does what it says, and the truth says what was done."""

import csv
import gzip
from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from streammetrics.errors import InputOutputError, UsageError
from streammetrics.simulate.generate import (
    Change,
    Scenario,
    Truth,
    default_scenario,
    demo_scenario,
    effect,
    generate,
    truth,
    write,
)
from streammetrics.simulate.generate.stream import Stream

START = datetime(2026, 11, 23, 10)


def scenario(*changes: Change, **values: Any) -> Scenario:
    """Two codes for 1,000 s: A with 20 errors a second, B with 4, half of them of each build."""
    settings: dict[str, Any] = {"seed": 1, "start": START, "seconds": 1000, "codes": {"A": 20.0, "B": 4.0}}
    return Scenario(**{**settings, "changes": changes, **values})


def count(stream: Stream, build: str, code: str, since: int = 0, until: int = 1000) -> int:
    """Records of a build and code in the seconds [since, until)."""
    seconds = (stream.ts - np.datetime64(START)) / np.timedelta64(1, "s")
    is_wanted = (
        (stream.build == ("1.0", "1.1").index(build))
        & (stream.code == list(stream.scenario.codes).index(code))
        & (seconds >= since)
        & (seconds < until)
    )
    return int(is_wanted.sum())


def assert_poisson(found: int, mean: float) -> None:
    """`found` is within 5 standard deviations of a Poisson mean; the seeds are fixed, so this is no matter of luck."""
    assert abs(found - mean) <= 5 * mean**0.5, f"{found} records where about {mean:g} belong"


def test_the_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one.csv", "two.csv", "one.csv.gz", "two.csv.gz"):
        write(generate(scenario(Change(kind="burst", code="B", seconds=9, size=50))), tmp_path / name)
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()
    assert (tmp_path / "one.csv.gz").read_bytes() == (tmp_path / "two.csv.gz").read_bytes()
    assert gzip.decompress((tmp_path / "one.csv.gz").read_bytes()) == (tmp_path / "one.csv").read_bytes()
    assert (tmp_path / "one.truth.json").read_bytes() == (tmp_path / "two.truth.json").read_bytes()


def test_another_seed_draws_other_records() -> None:
    one, two = generate(scenario(seed=1)), generate(scenario(seed=2))
    assert one.ts[:100].tolist() != two.ts[:100].tolist()


def test_rates_are_those_of_the_scenario() -> None:
    stream = generate(scenario())
    for build in ("1.0", "1.1"):
        assert_poisson(count(stream, build, "A"), 10_000)
        assert_poisson(count(stream, build, "B"), 2_000)


def test_counts_scatter_as_poisson() -> None:
    stream = generate(scenario(codes={"A": 40.0}))
    per_second = np.bincount((stream.ts - np.datetime64(START)).astype("timedelta64[s]").astype(np.int64))
    # The variance of 1,000 Poisson counts is their mean, give or take sqrt(2 / 1000).
    assert abs(per_second.var() / per_second.mean() - 1) <= 5 * (2 / 1000) ** 0.5


def test_totals_of_many_seeds_scatter_as_poisson() -> None:
    totals = np.array([len(generate(scenario(seed=seed, seconds=10, codes={"A": 10.0})).ts) for seed in range(200)])
    assert abs(totals.mean() - 100) <= 5 * (100 / 200) ** 0.5
    assert abs(totals.var() / 100 - 1) <= 5 * (2 / 200) ** 0.5


def test_records_are_in_order_and_within_the_span() -> None:
    stream = generate(scenario())
    assert bool((np.diff(stream.ts) >= np.timedelta64(0, "s")).all())
    assert stream.ts[0] >= np.datetime64(START)
    assert stream.ts[-1] < np.datetime64(START + timedelta(seconds=1000))


def test_times_are_whole_seconds_and_their_records_in_no_order(tmp_path: Path) -> None:
    stream = generate(scenario(seconds=10))
    write(stream, tmp_path / "s.csv")
    rows = list(csv.DictReader((tmp_path / "s.csv").open(encoding="utf-8")))
    assert len(rows) == len(stream.ts)
    assert {row["ts"] for row in rows} == {f"2026-11-23 10:00:0{second}" for second in range(10)}
    # Within a second builds and codes come in no order: sorted, they would change a handful of times.
    first = [row["build"] + row["code"] for row in rows if row["ts"] == "2026-11-23 10:00:00"]
    assert sum(one != two for one, two in pairwise(first)) > 6


def test_the_candidate_has_its_share_of_exposure() -> None:
    stream = generate(scenario(candidate_share=0.1))
    assert_poisson(count(stream, "1.1", "A"), 2_000)
    assert_poisson(count(stream, "1.0", "A"), 18_000)


def test_a_step_multiplies_the_candidates_rate_of_its_code() -> None:
    stream = generate(scenario(Change(kind="step", code="A", at_second=500, ratio=2)))
    assert_poisson(count(stream, "1.1", "A", 0, 500), 5_000)
    assert_poisson(count(stream, "1.1", "A", 500), 10_000)
    assert_poisson(count(stream, "1.0", "A", 500), 5_000)
    assert_poisson(count(stream, "1.1", "B", 500), 1_000)


def test_a_change_without_a_code_is_one_of_all_codes() -> None:
    stream = generate(scenario(Change(kind="step", at_second=500, ratio=3)))
    assert_poisson(count(stream, "1.1", "A", 500), 15_000)
    assert_poisson(count(stream, "1.1", "B", 500), 3_000)
    assert_poisson(count(stream, "1.0", "B", 500), 1_000)


def test_a_ramp_grows_and_stays() -> None:
    stream = generate(scenario(Change(kind="ramp", code="A", at_second=200, seconds=400, ratio=5)))
    assert_poisson(count(stream, "1.1", "A", 0, 200), 2_000)
    assert_poisson(count(stream, "1.1", "A", 200, 400), 4_000)  # the ratio goes from 1 to 3
    assert_poisson(count(stream, "1.1", "A", 400, 600), 8_000)  # from 3 to 5
    assert_poisson(count(stream, "1.1", "A", 600), 20_000)
    assert_poisson(count(stream, "1.0", "A", 600), 4_000)


def test_a_spike_passes() -> None:
    stream = generate(scenario(Change(kind="spike", code="B", at_second=400, seconds=100, ratio=10)))
    assert_poisson(count(stream, "1.1", "B", 0, 400), 800)
    assert_poisson(count(stream, "1.1", "B", 400, 500), 2_000)
    assert_poisson(count(stream, "1.1", "B", 500), 1_000)
    assert_poisson(count(stream, "1.0", "B", 400, 500), 200)


def test_a_new_code_comes_from_the_candidate_alone() -> None:
    stream = generate(scenario(Change(kind="new_code", code="B", at_second=500)))
    assert count(stream, "1.1", "B", 0, 500) == 0
    assert_poisson(count(stream, "1.1", "B", 500), 1_000)
    assert count(stream, "1.0", "B") == 0
    assert_poisson(count(stream, "1.1", "A"), 10_000)


def test_an_improvement_lowers_the_candidates_rate() -> None:
    stream = generate(scenario(Change(kind="improvement", code="A", at_second=500, ratio=0.25)))
    assert_poisson(count(stream, "1.1", "A", 0, 500), 5_000)
    assert_poisson(count(stream, "1.1", "A", 500), 1_250)
    assert_poisson(count(stream, "1.0", "A", 500), 5_000)


def test_a_surge_raises_both_builds() -> None:
    stream = generate(scenario(Change(kind="surge", at_second=500, seconds=100, ratio=3)))
    for build in ("1.0", "1.1"):
        assert_poisson(count(stream, build, "A", 500, 600), 3_000)
        assert_poisson(count(stream, build, "B", 500, 600), 600)
        assert_poisson(count(stream, build, "A", 600), 4_000)


def test_a_burst_is_many_records_of_one_build_within_its_seconds() -> None:
    burst = Change(kind="burst", code="B", at_second=100, seconds=3, size=500)
    stream = generate(scenario(burst, codes={"A": 1e-9, "B": 1e-9}))
    assert len(stream.ts) == 500
    assert sorted(count(stream, build, "B", 100, 103) for build in ("1.0", "1.1")) == [0, 500]


def test_bursts_fall_on_builds_by_their_share() -> None:
    bursts = [Change(kind="burst", code="A", at_second=second, seconds=1, size=1) for second in range(1000)]
    stream = generate(scenario(*bursts, codes={"A": 1e-9}, candidate_share=0.2))
    assert abs(count(stream, "1.1", "A") - 200) <= 5 * (1000 * 0.2 * 0.8) ** 0.5


EXPECTED_TRUTH = """{
  "scenario": {
    "seed": 5,
    "start": "2026-11-23T10:00:00",
    "seconds": 60,
    "baseline": "1.0",
    "candidate": "1.1",
    "codes": {
      "A": 20.0,
      "B": 4.0,
      "N": 0.5
    },
    "candidate_share": 0.5,
    "changes": [
      {
        "kind": "ramp",
        "code": "B",
        "at_second": 10,
        "seconds": 20,
        "ratio": 2.5
      },
      {
        "kind": "burst",
        "code": "A",
        "at_second": 50,
        "seconds": 3,
        "size": 40
      },
      {
        "kind": "new_code",
        "code": "N",
        "at_second": 30
      }
    ]
  },
  "increased": [
    {
      "code": "B",
      "since_ts": "2026-11-23T10:00:10",
      "ratio": 2.5
    },
    {
      "code": "N",
      "since_ts": "2026-11-23T10:00:30"
    }
  ]
}
"""


def test_the_truth_lies_beside_the_records(tmp_path: Path) -> None:
    small = scenario(
        Change(kind="ramp", code="B", at_second=10, seconds=20, ratio=2.5),
        Change(kind="burst", code="A", at_second=50, seconds=3, size=40),
        Change(kind="new_code", code="N", at_second=30),
        seed=5,
        seconds=60,
        codes={"A": 20.0, "B": 4.0, "N": 0.5},
    )
    write(generate(small), tmp_path / "new" / "s.2.csv.gz")
    assert (tmp_path / "new" / "s.2.truth.json").read_text(encoding="utf-8") == EXPECTED_TRUTH
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["s.2.csv.gz", "s.2.truth.json"]


@pytest.mark.parametrize(
    ("changes", "increased"),
    [
        ([], []),
        ([Change(kind="improvement", code="A", ratio=0.5)], []),
        ([Change(kind="surge", seconds=10, ratio=2)], []),
        ([Change(kind="burst", code="A", seconds=5, size=9)], []),
        ([Change(kind="new_code", code="B", at_second=60)], [("B", 60, None)]),
        ([Change(kind="spike", code="B", at_second=60, seconds=5, ratio=4)], [("B", 60, 4.0)]),
        ([Change(kind="step", at_second=60, ratio=2)], [("A", 60, 2.0), ("B", 60, 2.0)]),
        ([Change(kind="ramp", code="A", at_second=400, ratio=3)], [("A", 400, 3.0)]),
        # Together they leave the code level, until the second step.
        (
            [
                Change(kind="improvement", code="A", ratio=0.05),
                Change(kind="step", code="A", at_second=100, ratio=20),
                Change(kind="step", code="A", at_second=300, ratio=1.5),
            ],
            [("A", 300, 1.5)],
        ),
    ],
)
def test_increased_is_what_got_worse_in_the_candidate(
    changes: list[Change], increased: list[tuple[str, int, float | None]]
) -> None:
    found = truth(scenario(*changes)).increased
    assert [(one.code, (one.since_ts - START).total_seconds(), one.ratio) for one in found] == increased


def test_texts_are_written_as_csv_quotes_them(tmp_path: Path) -> None:
    write(generate(scenario(codes={'a,"b"': 20.0}, seconds=5, baseline="5,0")), tmp_path / "s.csv")
    rows = list(csv.reader((tmp_path / "s.csv").open(encoding="utf-8")))
    assert rows[0] == ["ts", "build", "code"]
    assert {(build, code) for _, build, code in rows[1:]} == {("5,0", 'a,"b"'), ("1.1", 'a,"b"')}


@pytest.mark.parametrize("name", ["s.parquet", "s", ".csv", "s.csv.zst"])
def test_other_suffixes_are_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with pytest.raises(UsageError) as error:
        write(generate(scenario(seconds=1)), path)
    assert str(error.value) == f"{path}: streams are written as FILE.csv or FILE.csv.gz"
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "s.csv").mkdir()
    with pytest.raises(InputOutputError) as error:
        write(generate(scenario(seconds=1)), tmp_path / "s.csv")
    assert str(error.value) == f"{tmp_path / 's.csv'}: cannot be written: Is a directory"
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".tmp")]


def alerts_by_plain_counting(stream: Stream) -> dict[str, set[int]]:
    """Rule mean_difference by the book: code → window lengths (10 or 20 bins of 50 s) with a mean above 6."""
    counts: Counter[tuple[str, int]] = Counter()
    codes = list(stream.scenario.codes)
    bins = (stream.ts.astype("datetime64[s]").astype(np.int64) // 50).tolist()
    for build, code, place in zip(stream.build.tolist(), stream.code.tolist(), bins, strict=True):
        counts[codes[code], place] += 1 if build == 1 else -1
    found: dict[str, set[int]] = {}
    for code in codes:
        differences = [counts[code, place] for place in range(bins[0], bins[-1] + 1)]
        for length in (10, 20):
            if any(sum(differences[i : i + length]) > 6 * length for i in range(len(differences) - length + 1)):
                found.setdefault(code, set()).add(length)
    return found


@pytest.mark.parametrize("start", [START, START + timedelta(minutes=7, seconds=13)])
def test_in_the_demo_mean_difference_finds_exactly_the_truth(start: datetime) -> None:
    demo = demo_scenario(start)
    stream = generate(demo)
    assert alerts_by_plain_counting(stream) == {"2": {10, 20}, "3": {10, 20}, "4": {10, 20}}
    assert [(one.code, one.since_ts - start, one.ratio) for one in truth(demo).increased] == [
        ("2", timedelta(minutes=15), 2.5),
        ("3", timedelta(minutes=20), 3.2),
        ("4", timedelta(minutes=25), 3.5),
    ]
    assert abs(len(stream.ts) - 14_000) <= 140
    assert tuple(demo.codes) == tuple(str(code) for code in range(-17, 16))
    assert (demo.baseline, demo.candidate) == ("5.0007.510.011", "5.0007.610.011")


def test_the_default_mix_has_all_kinds_and_the_records_requested() -> None:
    mix = default_scenario(1, START, 3600, 100_000, 40)
    kinds = {"step", "ramp", "spike", "new_code", "improvement", "surge", "burst"}
    assert {change.kind for change in mix.changes} == kinds
    bursts = [change for change in mix.changes if change.kind == "burst"]
    assert [change.size for change in bursts] == [100_000 // 600] * 12
    assert mix.expected_records() == pytest.approx(100_000 - 12 * (100_000 // 600))
    assert abs(len(generate(mix).ts) - 100_000) <= 1_000
    assert len(mix.codes) == 40
    rates = sorted(mix.codes.values())
    assert rates[-1] / rates[0] == pytest.approx(10**2.5)
    assert np.diff(np.log(rates)) == pytest.approx(np.full(39, np.log(10**2.5) / 39))
    by_kind = {change.kind: change.code for change in mix.changes}
    worse = {by_kind[kind] for kind in ("step", "ramp", "spike", "new_code")}
    assert {one.code for one in truth(mix).increased} == worse


def test_the_default_mix_of_a_small_stream_is_a_scenario_too() -> None:
    mix = default_scenario(1, START, 36, 1, 5)
    assert mix.expected_records() == pytest.approx(1)
    assert len(mix.codes) == 5


def test_effects_stand_in_place_of_the_mix() -> None:
    effects = [effect("0=2.5@600"), effect("-2=0.5@0")]
    made = default_scenario(1, START, 3600, 50_000, 5, share=0.2, effects=effects)
    assert made.changes == (
        Change(kind="step", code="0", at_second=600, ratio=2.5),
        Change(kind="step", code="-2", at_second=0, ratio=0.5),
    )
    assert made.candidate_share == 0.2
    assert made.expected_records() == pytest.approx(50_000)
    assert [(one.code, one.since_ts - START, one.ratio) for one in truth(made).increased] == [
        ("0", timedelta(minutes=10), 2.5)
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("7", "is not of the form CODE=RATIO@SECOND, such as 7=2.5@1800"),
        ("7=-2@5", "is not of the form CODE=RATIO@SECOND, such as 7=2.5@1800"),
        ("7=2@5", "the codes are -2 to 2, and the stream ends at second 60"),
        ("2=2@60", "the codes are -2 to 2, and the stream ends at second 60"),
    ],
)
def test_an_effect_that_cannot_be_is_named(text: str, words: str) -> None:
    with pytest.raises(UsageError) as error:
        default_scenario(1, START, 60, 100, 5, effects=[effect(text)])
    assert str(error.value) == f"--effect {text}: {words}"


def test_the_truth_is_json_that_reads_back() -> None:
    label = truth(default_scenario(1, START, 600, 1000, 5))
    assert Truth.model_validate_json(label.model_dump_json(exclude_none=True)) == label
