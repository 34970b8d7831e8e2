"""Detectors from PyPI, run by the Python of .venv-bench: `foreign.py savvi|otava INPUT.npz OUTPUT.npz`.

It imports nothing of ours: apache-otava pins a numpy of its own, so that it cannot live beside what we pin.
"""

import sys
import time
from typing import Any

import numpy as np

MINUTE_BINS = 6
DAY_BINS = 8640

OTAVA_BLOCK_BINS = 30
OTAVA_WINDOW = 50
OTAVA_NEWEST = 12


def savvi(baseline: Any, candidate: Any, share: Any) -> tuple[list[int], list[int], list[int]]:
    """The canary test of Lindon & Malek (arXiv 2011.03567), updated each minute from the stream's begin.

    Its level is that of one false alarm in 1,000 code-days; it is two-sided, so only rises count. It takes one share
    for all time: the mean.
    """
    from savvi.multinomial import InhomogeneousPoissonProcess

    new = float(np.round(share.mean(), 6))
    shares = np.array([1 - new, new])
    alpha = baseline.shape[1] / DAY_BINS / 1000
    codes, starts, stops = [], [], []
    for code in range(baseline.shape[0]):
        test = InhomogeneousPoissonProcess(alpha, shares, np.array([[-1, 1]]))
        counts = np.stack([_blocks(baseline[code], MINUTE_BINS), _blocks(candidate[code], MINUTE_BINS)], axis=1)
        for minute, count in enumerate(counts):
            if count.any():
                test.update(count)
            if test.calculate_p_value() < alpha and test.theta[1] > new:
                codes.append(code)
                starts.append(minute * MINUTE_BINS)
                stops.append((minute + 1) * MINUTE_BINS - 1)
    return codes, starts, stops


def otava(baseline: Any, candidate: Any, share: Any) -> tuple[list[int], list[int], list[int]]:
    """Change points (Hunter: Fleming et al. 2023) in the candidate's part of the records, 5 minutes by 5 minutes.

    The series is judged again with each new point, as it is with each new commit; a rise that was not there before,
    within the newest hour, is an alert. Settings are its defaults: windows of 50 points, p < .001. Each part is divided
    by what the shares let expect.
    """
    from otava.analysis import compute_change_points, fill_missing

    expected = share[: len(share) // OTAVA_BLOCK_BINS * OTAVA_BLOCK_BINS].reshape(-1, OTAVA_BLOCK_BINS).mean(axis=1)
    codes, starts, stops = [], [], []
    for code in range(baseline.shape[0]):
        old, new = _blocks(baseline[code], OTAVA_BLOCK_BINS), _blocks(candidate[code], OTAVA_BLOCK_BINS)
        total = old + new
        parts = [float(k / n / p) if n else None for k, n, p in zip(new, total, expected, strict=True)]
        known: set[int] = set()
        for end in range(OTAVA_NEWEST, len(parts) + 1):
            begin = max(0, end - 4 * OTAVA_WINDOW)
            series = parts[begin:end]
            fill_missing(series)
            if series[-1] is None:
                continue
            points, _ = compute_change_points(series, window_len=OTAVA_WINDOW)
            rises = {begin + p.index for p in points if p.stats.mean_2 > p.stats.mean_1 and p.index > len(series) - 12}
            if any(all(abs(rise - old_one) > OTAVA_NEWEST for old_one in known) for rise in rises):
                codes.append(code)
                starts.append((end - 1) * OTAVA_BLOCK_BINS)
                stops.append(end * OTAVA_BLOCK_BINS - 1)
            known |= rises
    return codes, starts, stops


def _blocks(counts: Any, size: int) -> Any:
    return counts[: counts.size // size * size].reshape(-1, size).sum(axis=1)


def main() -> None:
    name, source, target = sys.argv[1:]
    with np.load(source) as stream:
        started = time.perf_counter()
        found = {"savvi": savvi, "otava": otava}[name](stream["baseline"], stream["candidate"], stream["share"])
        seconds = time.perf_counter() - started
    code, start, stop = (np.array(column, dtype=np.int64) for column in found)
    np.savez(target, code=code, start=start, stop=stop, seconds=seconds)


if __name__ == "__main__":
    main()
