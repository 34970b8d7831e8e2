-- All alerts of which at least a part lies between $after and $until, microseconds since the epoch.
select * from main.alerts -- noqa: AM04
where
    end_ts > make_timestamp(cast($after as bigint)) and start_ts < make_timestamp(cast($until as bigint))
