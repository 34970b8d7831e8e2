-- No primary keys and no indexes on the large tables: they slow appends, and the ledger already makes records unique.
-- `second` is a plain TIMESTAMP: compared with a literal, TIMESTAMP_S is cast, and everything is read.
create table store_info (schema_version bigint not null, views_hash text not null);
insert into store_info values (0, '');
create sequence batch_ids;
create sequence run_ids;
create sequence alert_ids;
create table batches (
    batch_id bigint not null, source text not null, path text not null, range_start bigint not null,
    range_end bigint not null, fingerprint text not null, modified_ns bigint not null, records bigint not null,
    rejected bigint not null, min_ts timestamp, max_ts timestamp, loaded_at timestamp not null, duplicate_of bigint
);
create table events (ts timestamp not null, build text not null, code text not null, batch_id bigint not null);
create table counters (
    second timestamp not null, build text not null, code text not null, errors bigint not null,
    batch_id bigint not null
);
create table rejects (
    batch_id bigint not null, source text not null, path text not null, line bigint not null, reason text not null,
    content text not null
);
create table builds (
    build text not null, version_rank bigint not null, first_second timestamp not null, since_second timestamp,
    last_second timestamp not null
);
create table codes (build text not null, code text not null);
create table rules (
    rule text not null, detector text not null, bin_seconds bigint not null, window_bins bigint not null,
    threshold double not null, settings_hash text not null
);
create table comparisons (baseline text not null, candidate text not null, builds_like text not null);
create table settings (
    lateness_seconds bigint not null, merge_seconds bigint not null, is_final boolean not null
);
create table progress (
    rule text not null, baseline text not null, candidate text not null, settings_hash text not null,
    judged_until timestamp not null, settled_until timestamp not null, seen_batch_id bigint not null
);
create table runs (
    run_id bigint not null, started_at timestamp not null, finished_at timestamp not null, state text not null,
    scope_start timestamp, scope_end timestamp, watermark timestamp, settings_hash text not null,
    alerts_new bigint not null, alerts_revised bigint not null, alerts_retracted bigint not null, error text
);
create table alerts (
    alert_id bigint not null, rule text not null, detector text not null, baseline text not null,
    candidate text not null, code text not null, start_ts timestamp not null, stop_ts timestamp not null,
    bin_seconds bigint not null, window_bins bigint not null, value double not null, threshold double not null,
    baseline_errors bigint not null, candidate_errors bigint not null, ratio double, ratio_low double,
    ratio_high double, state text not null, revision bigint not null, run_id bigint not null,
    created_at timestamp not null, updated_at timestamp not null, end_ts timestamp not null,
    incident_id bigint not null
);
