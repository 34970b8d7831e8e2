-- Store incidents as they are before a pass: those that end before $until and are not stored yet.
insert into incidents_before by name
select incidents_now.* from incidents_now -- noqa: AM04
where
    epoch(incidents_now.end_ts) < $until
    and incidents_now.incident_id not in (select kept.incident_id from incidents_before as kept)
