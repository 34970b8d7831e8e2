"""Exact probabilities of counts, on numpy alone."""

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
Reals = NDArray[np.float64]


@cache
def _log_factorials(size: int) -> Reals:
    return np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, size, dtype=np.float64)))])


def log_factorial(counts: Counts) -> Reals:
    """ln(n!), by a table that grows in powers of two."""
    size = 1 << int(counts.max(initial=1) + 1).bit_length()
    return _log_factorials(size)[counts]


def binomial_log_tail(hits: Counts, trials: Counts, shares: Reals) -> Reals:
    """ln P(X >= hits) for X binomial; meant for hits > shares * trials, where the terms fall geometrically.

    Args:
        hits, trials, shares: arrays of one length; trials > 0, 0 < shares < 1. Where hits are not above the mean the
            result is ln(1/2), which is no tail.
    """
    above = hits > shares * trials
    k, n, p = hits[above].astype(np.float64), trials[above].astype(np.float64), shares[above]
    first = log_factorial(trials[above]) - log_factorial(hits[above]) - log_factorial(trials[above] - hits[above])
    first += k * np.log(p) + (n - k) * np.log1p(-p)
    odds = p / (1 - p)
    term, total = np.ones_like(k), np.ones_like(k)
    while term.size and float(np.max(term / total)) > 1e-9:
        term = term * np.maximum(n - k, 0) / (k + 1) * odds
        total = total + term
        k = k + 1
    tail = np.full(hits.shape, -math.log(2))
    tail[above] = np.minimum(first + np.log(total), 0)
    return tail


_LOG_GAMMA = np.frompyfunc(math.lgamma, 1, 1)


def log_beta(a: Reals, b: Reals) -> Reals:
    """ln B(a, b) for numbers above 0."""
    return np.asarray(_LOG_GAMMA(a) + _LOG_GAMMA(b) - _LOG_GAMMA(a + b), dtype=np.float64)
