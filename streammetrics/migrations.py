"""How a store of an earlier version becomes one of this: the statements.

A migration is a list of statements; its place in `MIGRATIONS` is the version that it leads from. Migrations that were
released are never edited: a store that lies somewhere was made by them.
"""

# No primary keys and no indexes on the large tables: they slow appends, and the ledger already makes records unique.
# `second` is a plain TIMESTAMP: compared with a literal, TIMESTAMP_S is cast, and everything is read.
_VERSION_1 = (
    "create table store_info (schema_version bigint not null, views_hash text not null)",
    "insert into store_info values (0, '')",
    "create sequence batch_ids",
    "create sequence run_ids",
    "create sequence alert_ids",
    """create table batches (
        batch_id bigint not null, source text not null, path text not null, range_start bigint not null,
        range_end bigint not null, fingerprint text not null, modified_ns bigint not null, records bigint not null,
        rejected bigint not null, min_ts timestamp, max_ts timestamp, loaded_at timestamp not null, duplicate_of bigint
    )""",
    "create table events (ts timestamp not null, build text not null, code text not null, batch_id bigint not null)",
    """create table counters (
        second timestamp not null, build text not null, code text not null, errors bigint not null,
        batch_id bigint not null
    )""",
    """create table rejects (
        batch_id bigint not null, source text not null, path text not null, line bigint not null, reason text not null,
        content text not null
    )""",
    """create table builds (
        build text not null, version_rank bigint not null, first_second timestamp not null, since_second timestamp,
        last_second timestamp not null
    )""",
    "create table codes (build text not null, code text not null)",
    """create table rules (
        rule text not null, detector text not null, bin_seconds bigint not null, window_bins bigint not null,
        threshold double not null, settings_hash text not null
    )""",
    "create table comparisons (baseline text not null, candidate text not null, builds_like text not null)",
    """create table settings (
        lateness_seconds bigint not null, merge_seconds bigint not null, is_final boolean not null
    )""",
    """create table progress (
        rule text not null, baseline text not null, candidate text not null, settings_hash text not null,
        judged_until timestamp not null, settled_until timestamp not null, seen_batch_id bigint not null
    )""",
    """create table runs (
        run_id bigint not null, started_at timestamp not null, finished_at timestamp not null, state text not null,
        scope_start timestamp, scope_end timestamp, watermark timestamp, settings_hash text not null,
        alerts_new bigint not null, alerts_revised bigint not null, alerts_retracted bigint not null, error text
    )""",
    """create table alerts (
        alert_id bigint not null, rule text not null, detector text not null, baseline text not null,
        candidate text not null, code text not null, start_ts timestamp not null, stop_ts timestamp not null,
        bin_seconds bigint not null, window_bins bigint not null, value double not null, threshold double not null,
        baseline_errors bigint not null, candidate_errors bigint not null, ratio double, ratio_low double,
        ratio_high double, state text not null, revision bigint not null, run_id bigint not null,
        created_at timestamp not null, updated_at timestamp not null, end_ts timestamp not null,
        incident_id bigint not null
    )""",
)

# The detector `sequential`: how many users a build has, and what its alerts tell beyond their counts.
_VERSION_2 = (
    "create table exposure (since_ts timestamp not null, build text not null, users double not null)",
    """create table hypotheses (
        rule text not null, place bigint not null, rate_ratio double not null, min_ratio double not null
    )""",
    "alter table comparisons add column exposure text",
    "alter table comparisons add column exposure_tolerance double",
    "alter table alerts add column judged_ts timestamp",
    "alter table alerts add column exposure text",
    "alter table alerts add column candidate_share double",
    "alter table alerts add column dispersion double",
    # Last: DuckDB does not commit rows that were changed before their table was altered.
    "update alerts set judged_ts = start_ts",
)

_VERSION_3 = (
    # What people were told to act on, and when it was last so.
    "create table advice (text text not null, seen_at timestamp not null)",
    # How far a database was read: by a batch up to `mark`, under `settings`; and the next run begins at `floor`.
    """create table cursor_marks (
        batch_id bigint not null, source text not null, cursor text not null, kind text not null, mark text not null,
        floor text not null, settings text not null
    )""",
    # The rows that the next run will see again, by the batch that they were taken in.
    "create table cursor_rows (batch_id bigint not null, source text not null, fingerprint blob not null)",
    # What an alert said before late records revised or withdrew it.
    """create table alert_revisions (
        alert_id bigint not null, revision bigint not null, state text not null, start_ts timestamp not null,
        end_ts timestamp not null, window_bins bigint not null, value double not null, threshold double not null,
        baseline_errors bigint not null, candidate_errors bigint not null, ratio double, ratio_low double,
        ratio_high double, exposure text, candidate_share double, dispersion double, run_id bigint not null,
        replaced_by_run_id bigint not null, replaced_at timestamp not null
    )""",
    # Where late records moved its window, `sequential` withdrew an alert and stored another: one of them stays.
    """delete from alerts where detector = 'sequential' and alert_id not in (
        select arg_min(alert_id, (state, alert_id)) from alerts group by rule, baseline, candidate, code, stop_ts
    )""",
    """update alerts set incident_id = heirs.alert_id from (
        select incident_id, min(alert_id) as alert_id
        from alerts where incident_id not in (select alert_id from alerts) group by incident_id
    ) as heirs where alerts.incident_id = heirs.incident_id""",
    # Stretches in which a pair was not judged, for one of its builds was silent.
    """create table pauses (
        baseline text not null, candidate text not null, from_ts timestamp not null, until_ts timestamp not null
    )""",
    # What retention has removed: a row a step and batch (or none), so that sums by batch still add up.
    """create table pruned (
        relation text not null, before_ts timestamp not null, batch_id bigint, records bigint not null,
        removed_at timestamp not null
    )""",
    # How a content is known again, up to the end of its batch's range; `file_bytes` is the size of the file on disk.
    """create table contents (
        batch_id bigint not null, file_bytes bigint not null, inode text not null, head text not null,
        prefix text not null, lines bigint, settings text not null
    )""",
    # Paths that hold other content than was read of them up to `read_bytes`; `found_as`: where that lies now.
    """create table replaced (
        batch_id bigint not null, path text not null, read_bytes bigint not null, state text not null,
        replaced_at timestamp not null, found_as text
    )""",
)

# In how many bins an increase must show. Passes fill the table anew.
_VERSION_4 = ("alter table hypotheses add column min_bins bigint",)

_VERSION_5 = (
    # What each build has sent of each code; see `codes`. Of pairs of which retention keeps no counter: no errors.
    "alter table codes add column first_second timestamp",
    "alter table codes add column last_second timestamp",
    "alter table codes add column errors bigint default 0",
    "alter table codes add column seconds bigint default 0",
    "alter table codes add column repeat_batch_id bigint",
    """update codes
    set
        first_second = sent.first_second, last_second = sent.last_second, errors = sent.errors, seconds = sent.seconds,
        repeat_batch_id = sent.repeat_batch_id
    from (
        select
            build, code, min(second) as first_second, max(second) as last_second, sum(errors)::bigint as errors,
            count(*) as seconds, min(batch_id, 2)[2] as repeat_batch_id
        from (
            select build, code, second, sum(errors) as errors, min(batch_id) as batch_id
            from counters group by build, code, second
        )
        group by build, code
    ) as sent
    where codes.build = sent.build and codes.code = sent.code""",
)

_VERSION_6 = (
    # Paths, and names of databases, that the last run to meet them refused, and the settings it had.
    """create table refused (
        path text not null, source text not null, settings text not null, reason text not null,
        refused_at timestamp not null
    )""",
    # Batches whose records were removed by `unload`; `run_id`: the last pass before that.
    """create table unloaded (
        batch_id bigint not null, source text not null, path text not null, range_start bigint not null,
        range_end bigint not null, records bigint not null, rejected bigint not null, min_ts timestamp,
        max_ts timestamp, loaded_at timestamp not null, unloaded_at timestamp not null, run_id bigint not null
    )""",
)

_VERSION_7 = (
    # The next pass fills these.
    "alter table builds add column family text default ''",
    "alter table builds add column ordered_by text default 'first_seen'",
    "alter table settings add column builds_order text",
    "alter table settings add column max_comparisons bigint",
    "alter table comparisons add column lag_days bigint default 0",
    "alter table comparisons add column min_ratio double default 1",
    # Whether a comparison is judged no longer, as one of its builds has gone, or others have taken its place.
    "alter table progress add column is_superseded boolean default false",
    # The records of each build in each hour of the clock, from epoch second hour_second on.
    "create table build_hours (build text not null, hour_second bigint not null, records bigint not null)",
    """insert into build_hours
    select build, cast(floor(epoch(second) / 3600) as bigint) * 3600, sum(errors)::bigint from counters group by all""",
    # What there is to tell on a channel, as text and as JSON; NULL until the channel took it.
    "create sequence notice_ids",
    """create table notices (
        notice_id bigint not null, channel text not null, change text not null, code text, text text not null,
        json text not null, created_at timestamp not null, taken_at timestamp
    )""",
    # A build is compared only where its records span 30 s; of what retention has removed that is not known.
    "update builds set since_second = null where last_second < first_second + interval 30 seconds",
    """update builds set since_second = greatest(builds.since_second, found.second) from (
        select build, min(second) as second from builds inner join counters using (build)
        where second >= first_second + interval 30 seconds group by build
    ) as found
    where builds.build = found.build and builds.since_second is not null
        and not exists (select * from pruned where relation = 'counters')""",
)

_VERSION_8 = (
    # Incidents count up by one; those that are known keep their numbers.
    "create sequence incident_ids",
    "select max(nextval('incident_ids')) from range((select coalesce(max(incident_id), 0) from alerts))",
    "alter table alerts drop column judged_ts",
)

_VERSION_9 = (
    # Passes fill the table anew.
    "alter table settings add column late_limit_days bigint",
    # Where the header stands by which the columns are read behind a batch; NULL where it is the first of the file.
    "alter table contents add column header_line bigint",
)

_VERSION_10 = (
    # What passes estimated of the exposure of comparisons in blocks of two minutes; NULL where the stream told nothing.
    """create table remembered_estimates (
        rule text not null, baseline text not null, candidate text not null, settings_hash text not null,
        block_ts timestamp not null, sent_share double, candidate_share double, tested_share double
    )""",
)

MIGRATIONS = (
    _VERSION_1, _VERSION_2, _VERSION_3, _VERSION_4, _VERSION_5, _VERSION_6, _VERSION_7, _VERSION_8, _VERSION_9,
    _VERSION_10,
)  # fmt: skip
