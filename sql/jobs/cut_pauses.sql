-- What lies behind the scope of a portion is cut off, for the next portion knows better.
update pauses set until_ts = make_timestamp($after::bigint * 1000000)
where
    until_ts > make_timestamp($after::bigint * 1000000)
    and exists (
        select 1 from portion_scopes as scoped
        where scoped.baseline = pauses.baseline and scoped.candidate = pauses.candidate
    )
