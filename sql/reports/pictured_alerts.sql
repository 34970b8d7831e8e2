-- All alerts of which at least a part lies between epoch seconds $after and $until.
select * from main.alerts -- noqa: AM04
where
    end_ts > make_timestamp(cast($after as bigint) * 1000000)
    and start_ts < make_timestamp(cast($until as bigint) * 1000000)
