"""Chance at bin level: how many records a build sends of each code in each bin of 10 s. Shapes are (codes, bins)."""

from functools import cache
from pathlib import Path

import numpy as np
from numpy.random import Generator

from bench.detection.streams import BIN_SECONDS, DAY_BINS, Counts, Reals

SPREAD_SECONDS = 5
"""Within so many seconds one client sends the records of its burst."""


def poisson(chance: Generator, means: Reals) -> Counts:
    """Independent records; `means` is records per bin."""
    return chance.poisson(means).astype(np.int64)


def bursts(chance: Generator, means: Reals, dispersion: float) -> Counts:
    """Clusters of records of one client, at most 5 s long: compound Poisson with geometric sizes.

    `dispersion` is variance over mean of the counts in 2-minute blocks, which is E[S²] / E[S] = 2 E[S] - 1 for sizes S
    with a geometric distribution; clusters that reach over a block's end lower it by a few per cent.
    """
    size = (dispersion + 1) / 2
    starts = chance.poisson(means / size)
    place = np.repeat(np.arange(starts.size), starts.ravel())
    sizes = chance.geometric(1 / size, place.size)
    # A record comes a uniform time after the cluster's start; those beyond the bin's end fall into the next bin.
    until_end = (1 - chance.random(place.size)) * BIN_SECONDS
    late = chance.binomial(sizes, np.clip(1 - until_end / SPREAD_SECONDS, 0, 1))
    counts = np.bincount(place, weights=sizes - late, minlength=starts.size).reshape(starts.shape)
    over = np.bincount(place, weights=late, minlength=starts.size).reshape(starts.shape)
    counts[:, 1:] += over[:, :-1]
    return counts.astype(np.int64)


def daily(bins: int) -> Reals:
    """A day's cycle around 1, from .2 at midnight to 1.8 at noon: shape (1, bins)."""
    return (1 - 0.8 * np.cos(2 * np.pi * np.arange(bins) / DAY_BINS))[np.newaxis]


@cache
def requests() -> Reals:
    """Two weeks of requests to a load balancer in production around their mean, smoothed over an hour: shape (1, bins).

    It serves a request in five seconds: of its own counts, each of five minutes, much is chance.

    Source: realAWSCloudwatch/elb_request_count_8c0756.csv of the Numenta Anomaly Benchmark, copyright Numenta Inc.,
    under the MIT license; see LICENSE-requests.txt.
    """
    path = Path(__file__).with_name("requests.csv")
    counts = np.repeat(np.loadtxt(path, delimiter=",", skiprows=1, usecols=1), 300 // BIN_SECONDS)
    hour = np.ones(3600 // BIN_SECONDS)
    smooth = np.convolve(counts, hour, "same") / np.convolve(np.ones(counts.size), hour, "same")
    shape: Reals = (smooth / smooth.mean())[np.newaxis]
    return shape


def gamma(chance: Generator, codes: int, bins: int, shape: float = 2, minutes: int = 1) -> Reals:
    """A rate that both builds share and that is drawn again each minute, gamma distributed around 1."""
    length = minutes * 60 // BIN_SECONDS
    draws = chance.gamma(shape, 1 / shape, (codes, -(-bins // length)))
    return np.repeat(draws, length, axis=1)[:, :bins]


def dispersion(counts: Counts) -> float:
    """Variance over mean of 2-minute blocks, the mean over codes."""
    block = 120 // BIN_SECONDS
    whole = counts.shape[1] // block * block
    blocks = counts[:, :whole].reshape(counts.shape[0], -1, block).sum(axis=2)
    return float(np.mean(blocks.var(axis=1, ddof=1) / blocks.mean(axis=1)))
