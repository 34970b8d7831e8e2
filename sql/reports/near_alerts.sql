-- The alerts of incidents that have one which ends at or behind epoch second $since: an incident is reported whole.
select * from main.alerts -- noqa: AM04
where
    incident_id in (
        select near.incident_id from main.alerts as near
        where near.end_ts >= make_timestamp(cast($since as bigint) * 1000000)
    )
