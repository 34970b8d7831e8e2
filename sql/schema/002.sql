-- The detector `sequential`: how many users a build has, and what its alerts tell beyond their counts.
create table exposure (since_ts timestamp not null, build text not null, users double not null);
create table hypotheses (
    rule text not null, place bigint not null, rate_ratio double not null, min_ratio double not null
);
alter table comparisons add column exposure text;
alter table comparisons add column exposure_tolerance double;
alter table alerts add column judged_ts timestamp;
alter table alerts add column exposure text;
alter table alerts add column candidate_share double;
alter table alerts add column dispersion double;
-- Last: DuckDB does not commit rows that were changed before their table was altered.
update alerts set judged_ts = start_ts;
