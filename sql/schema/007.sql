-- The next pass fills these.
alter table builds add column family text default '';
alter table builds add column ordered_by text default 'first_seen';
alter table settings add column builds_order text;
alter table settings add column max_comparisons bigint;
alter table comparisons add column lag_days bigint default 0;
alter table comparisons add column min_ratio double default 1;
-- Whether a comparison is judged no longer, as one of its builds has gone, or others have taken its place.
alter table progress add column is_superseded boolean default false;
-- The records of each build in each hour of the clock, from epoch second hour_second on.
create table build_hours (build text not null, hour_second bigint not null, records bigint not null);
insert into build_hours
select build, cast(floor(epoch(second) / 3600) as bigint) * 3600, sum(errors)::bigint from counters group by all;
-- What there is to tell on a channel, as text and as JSON; NULL until the channel took it.
create sequence notice_ids;
create table notices (
    notice_id bigint not null, channel text not null, change text not null, code text, text text not null,
    json text not null, created_at timestamp not null, taken_at timestamp
);
-- A build is compared only where its records span 30 s; of what retention has removed that is not known.
update builds set since_second = null where last_second < first_second + interval 30 seconds;
update builds set since_second = greatest(builds.since_second, found.second) from (
    select build, min(second) as second from builds inner join counters using (build)
    where second >= first_second + interval 30 seconds group by build
) as found
where builds.build = found.build and builds.since_second is not null
    and not exists (select * from pruned where relation = 'counters');
