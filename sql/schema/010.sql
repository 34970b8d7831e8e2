-- The incident of a notice; the key that all notices of an incident, storm, feed or job share, and that of the message
-- in which it was sent.
alter table notices add column incident_id bigint;
alter table notices add column notice_key text;
alter table notices add column sent_key text;
-- Last: DuckDB 1.5 commits no other change of a table that has rows after one with a default.
alter table notices add column is_held_back boolean default false;
-- How each job ended last, and how many of its runs have failed since one did not; NULL before the first.
create table jobs (job text not null, ended_at timestamp, exit_code bigint, failed_runs bigint not null);
insert into jobs select unnest(['run', 'ingest', 'detect']), null, null, 0;
