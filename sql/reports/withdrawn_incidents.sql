-- Numbers of incidents that no longer exist: all their alerts were retracted, or belong to another incident now.
select distinct incident_id from alerts
where incident_id not in (select incident_id from incidents)
order by incident_id
