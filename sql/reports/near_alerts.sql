-- All alerts of the incidents with an alert that ends at or after epoch second $since.
select * from main.alerts -- noqa: AM04
where
    incident_id in (
        select near.incident_id from main.alerts as near
        where near.end_ts >= make_timestamp(cast($since as bigint) * 1000000)
    )
