-- Incidents count up by one; those that are known keep their numbers.
create sequence incident_ids;
select max(nextval('incident_ids')) from range((select coalesce(max(incident_id), 0) from alerts));
alter table alerts drop column judged_ts;
