"""Scenarios that are ready: the one of `demo`, and the mix that `generate` writes without a scenario file."""

from datetime import datetime
from math import cosh

from streammetrics.simulate.generate.sample import expected_arrivals
from streammetrics.simulate.generate.scenario import Change, Scenario


def demo_scenario(start: datetime) -> Scenario:
    """An hour of about 14,000 records that resembles a real export: many codes around zero, few far from it.

    Codes 2, 3 and 4 become more frequent in the candidate. The sizes are such that the rule `mean_difference` (bins of
    50 s, windows of 10 and 20 bins, threshold 6) sees means of 12 to 14 there; the most frequent level code has a
    standard deviation of 1.4 in a window of 10, so that nothing else comes near the threshold.
    """
    return Scenario(
        seed=10,
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
    )


def default_scenario(seed: int, start: datetime, seconds: int, records: int, codes: int) -> Scenario:
    """A mix of all kinds of changes on codes whose rates are spread evenly on a log scale, over 2.5 decades.

    The changes are on the most frequent of the `codes`, at least five, so that they can be found. `records` is the mean
    over seeds; one stream deviates by about its square root. A fiftieth of them come in bursts.
    """
    import numpy as np

    rng = np.random.Generator(np.random.PCG64(seed))
    names = [str(name) for name in rng.permutation(np.arange(codes) - codes // 2)]
    spread = 10 ** (-2.5 * np.arange(codes) / (codes - 1))
    sixtieth, size = seconds / 60, records // 600
    changes = (
        Change(kind="surge", at_second=int(12 * sixtieth), seconds=int(3 * sixtieth), ratio=2),
        Change(kind="improvement", code=names[0], at_second=int(30 * sixtieth), ratio=0.5),
        Change(kind="step", code=names[1], at_second=int(24 * sixtieth), ratio=2),
        Change(kind="ramp", code=names[2], at_second=int(18 * sixtieth), seconds=int(18 * sixtieth), ratio=3),
        Change(kind="spike", code=names[3], at_second=int(42 * sixtieth), seconds=int(6 * sixtieth), ratio=4),
        Change(kind="new_code", code=names[4], at_second=int(36 * sixtieth)),
    )
    bursts = tuple(
        Change(kind="burst", code=str(rng.choice(names)), at_second=int(second), seconds=3, size=size)
        for second in rng.integers(seconds - 2, size=12 if size else 0)
    )
    draft = Scenario(
        seed=seed, start=start, seconds=seconds, codes=dict(zip(names, spread, strict=True)), changes=changes
    )
    scale = (records - size * len(bursts)) / expected_arrivals(draft)
    rates = {name: float(rate * scale) for name, rate in draft.codes.items()}
    return draft.model_copy(update={"codes": rates, "changes": (*changes, *bursts)})
