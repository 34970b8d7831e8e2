-- End pauses at $after; the portion that begins there finds the rest of them again.
update pauses set until_ts = make_timestamp($after::bigint * 1000000)
where
    until_ts > make_timestamp($after::bigint * 1000000)
    and exists (
        select 1 from portion_scopes as scoped
        where scoped.baseline = pauses.baseline and scoped.candidate = pauses.candidate
    )
