"""The exposure that passes before have estimated, block by block: the table `remembered_estimates`.

A pass looks back on hours of blocks, and what the stream told of their exposure is most of its work where codes are
many. What comes late is judged again from an hour before it on, and is estimated again from there on as well.
"""

from dataclasses import replace

from sqlalchemy import Connection

from streammetrics.config.rules import BLOCK_SECONDS, ESTIMATE_SECONDS
from streammetrics.store.statements import run
from streammetrics.store.views import Slice, compose

_NEW_ESTIMATES = """
select rule, pair_id, block_second, sent_share, candidate_share, tested_share
from estimates where block_second >= {next_block}
union all
select
    remembered.rule, pairs.pair_id, cast(epoch(remembered.block_ts) as bigint) as block_second, remembered.sent_share,
    remembered.candidate_share, remembered.tested_share
from remembered_estimates as remembered inner join pairs using (baseline, candidate)
where remembered.sent_share is not null and epoch(remembered.block_ts) < {next_block}
"""


def estimate(connection: Connection, piece: Slice, widest: int, is_final: bool, bases: dict[str, str]) -> None:
    """Make the temporary table `kept_estimates`.

    Args:
        piece: of the portion whose scopes are in `portion_scopes`.
        widest: the widest bin (s).
        is_final: the input is over.
        bases: stand for relations; `judged_bins` is one of them.
    """
    next_block = _next_block(piece)
    with connection.begin():
        if _is_known(connection, piece):
            since = next_block - ESTIMATE_SECONDS
            hour = replace(piece, lead_seconds=piece.after - since + widest)
            judged_bins = f"select * from ({bases['judged_bins']}) where bin_second >= {since:d}"  # noqa: S608 a number
            new = _NEW_ESTIMATES.format(next_block=next_block)
            select = compose(new, hour, is_final=is_final, **{**bases, "judged_bins": judged_bins})
        else:
            select = compose("select * from estimates", piece, is_final=is_final, **bases)
        connection.exec_driver_sql(f"create or replace temp table kept_estimates as\n{select}")


def remember(connection: Connection, piece: Slice) -> None:
    """Make `remembered_estimates` say what `kept_estimates` does of the portion, in the caller's transaction."""
    first_block = _next_block(piece) if _is_known(connection, piece) else _first_block(piece)
    blocks = {"from_block": first_block, "until": piece.until}
    run(connection, "jobs/forget_estimates", {**blocks, "oldest_block": piece.after - 2 * piece.lead_seconds})
    run(connection, "jobs/keep_estimates", blocks)


def _is_known(connection: Connection, piece: Slice) -> bool:
    blocks = {"from_block": _first_block(piece), "next_block": _next_block(piece)}
    return bool(run(connection, "jobs/knows_estimates", blocks).scalar_one())


def _first_block(piece: Slice) -> int:
    """The first block that is estimated from a whole hour of the slice."""
    begin = piece.after - piece.lead_seconds + ESTIMATE_SECONDS + BLOCK_SECONDS
    return -(-begin // BLOCK_SECONDS) * BLOCK_SECONDS


def _next_block(piece: Slice) -> int:
    """The block of two minutes that the portion begins in."""
    return piece.after // BLOCK_SECONDS * BLOCK_SECONDS
