"""The intervals of ratios beside the alerts that a pass has found."""

from sqlalchemy import Connection

from streammetrics.detect.intervals import ratio_intervals

_UNBOUNDED = """
select distinct
    cast(baseline_errors as double), cast(candidate_errors as double), candidate_share, tested_share, dispersion
from found
where candidate_share is not null
"""

_BOUND = """
update found set ratio_low = bounds.low, ratio_high = bounds.high
from (
    select
        unnest($errors) as baseline_errors, unnest($more) as candidate_errors, unnest($shares) as candidate_share,
        unnest($tested) as tested_share, unnest($dispersions) as dispersion, unnest($lows) as low,
        unnest(cast($highs as double[])) as high
) as bounds
where
    found.baseline_errors = bounds.baseline_errors and found.candidate_errors = bounds.candidate_errors
    and found.candidate_share = bounds.candidate_share and found.tested_share = bounds.tested_share
    and found.dispersion = bounds.dispersion
"""


def put(connection: Connection) -> None:
    """Fill ratio_low and ratio_high of the alerts in the temporary table `found` whose rule tells how sure it is."""
    rows = [tuple(row) for row in connection.exec_driver_sql(_UNBOUNDED)]
    if not rows:
        return
    names = ("errors", "more", "shares", "tested", "dispersions")
    intervals = dict(zip(("lows", "highs"), map(list, zip(*ratio_intervals(rows), strict=True)), strict=True))
    columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    connection.exec_driver_sql(_BOUND, {**columns, **intervals})
