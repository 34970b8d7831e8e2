-- Delete pauses that begin in the scope of a portion or later.
delete from pauses
where
    from_ts >= make_timestamp($after::bigint * 1000000)
    and exists (
        select 1 from portion_scopes as scoped
        where scoped.baseline = pauses.baseline and scoped.candidate = pauses.candidate
    )
