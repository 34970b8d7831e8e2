"""Scenarios that are ready: the one of `demo`, and the mix that `generate` writes without a scenario file."""

from datetime import datetime
from math import cosh

from streammetrics.generate.sample import expected_records
from streammetrics.generate.scenario import Change, Scenario

_DEMO_SEED = 10


def demo_scenario(start: datetime) -> Scenario:
    """An hour of about 14,000 records that resembles a real export: many codes around zero, few far from it.

    Codes 2, 3 and 4 become more frequent in the candidate. The sizes are such that the rule `mean_difference` (bins of
    50 s, windows of 10 and 20 bins, threshold 6) sees means of 12 to 14 there; the most frequent level code has a
    standard deviation of 1.4 in a window of 10, so that nothing else comes near the threshold.
    """
    return Scenario(
        seed=_DEMO_SEED,
        start=start,
        seconds=3600,
        baseline="5.0007.510.011",
        candidate="5.0007.610.011",
        codes={str(code): round(0.386 / cosh(code / 4.4) ** 2, 5) for code in range(-17, 16)},
        changes=(
            Change(kind="step", code="2", at_second=15 * 60, ratio=2.5),
            Change(kind="step", code="3", at_second=20 * 60, ratio=3.2),
            Change(kind="step", code="4", at_second=25 * 60, ratio=3.5),
        ),
        fraction_digits=0,
    )


def default_scenario(seed: int, start: datetime, seconds: int, records: int, codes: int) -> Scenario:
    """A mix of all kinds of changes on codes whose rates are spread evenly on a log scale, over 2.5 decades.

    `records` is the mean over seeds; one stream deviates by about its square root. Changes go to the more frequent
    codes, so that they can be found; with few codes there are fewer changes.
    """
    import numpy as np

    rng = np.random.Generator(np.random.PCG64(seed))
    spread = 10 ** (-2.5 * np.arange(codes) / max(codes - 1, 1))
    names = [str(name) for name in rng.permutation(np.arange(codes) - codes // 2)]
    new_code = str(codes - codes // 2)
    size = records // 600

    def scaled(scale: float) -> Scenario:
        rates = {name: float(scale * rate) for name, rate in zip(names, spread, strict=True)}
        changes = _mix(names, new_code, 0.2 * scale, size, seconds)
        return Scenario(seed=seed, start=start, seconds=seconds, codes=rates, changes=changes)

    bursts = sum((change.bursts or 0) * (change.size or 0) for change in scaled(1.0).changes)
    return scaled((records - bursts) / (expected_records(scaled(1.0)) - bursts))


def _mix(names: list[str], new_code: str, new_rate: float, size: int, seconds: int) -> tuple[Change, ...]:
    """Changes on the 2nd to the 5th of `names`, most frequent first; times are fractions of the stream's length."""

    def at(fraction: float) -> int:
        return min(round(fraction * seconds), seconds - 1)

    def lasting(fraction: float) -> int:
        return max(1, round(fraction * seconds))

    single = (
        Change(kind="step", at_second=at(0.40), ratio=2),
        Change(kind="ramp", at_second=at(0.30), seconds=lasting(0.30), ratio=3),
        Change(kind="spike", at_second=at(0.70), seconds=lasting(0.10), ratio=4),
        Change(kind="improvement", at_second=at(0.50), ratio=0.5),
    )
    changes = [change.model_copy(update={"code": code}) for change, code in zip(single, names[1:], strict=False)]
    changes.append(Change(kind="new_code", code=new_code, at_second=at(0.60), rate=new_rate))
    changes.append(Change(kind="surge", at_second=at(0.20), seconds=lasting(0.05), ratio=2))
    if size > 1:
        changes.append(Change(kind="burst", bursts=12, size=size))
    return tuple(changes)
