-- What people were told to act on, and when it was last so.
create table advice (text text not null, seen_at timestamp not null);
-- How far a database was read: by a batch up to `mark`, under `settings`; and the next run begins at `floor`.
create table cursor_marks (
    batch_id bigint not null, source text not null, cursor text not null, kind text not null, mark text not null,
    floor text not null, settings text not null
);
-- The rows that the next run will see again, by the batch that they were taken in.
create table cursor_rows (batch_id bigint not null, source text not null, fingerprint blob not null);
-- What an alert said before late records revised or withdrew it.
create table alert_revisions (
    alert_id bigint not null, revision bigint not null, state text not null, start_ts timestamp not null,
    end_ts timestamp not null, window_bins bigint not null, value double not null, threshold double not null,
    baseline_errors bigint not null, candidate_errors bigint not null, ratio double, ratio_low double,
    ratio_high double, exposure text, candidate_share double, dispersion double, run_id bigint not null,
    replaced_by_run_id bigint not null, replaced_at timestamp not null
);
-- Where late records moved its window, `sequential` withdrew an alert and stored another: one of them stays.
delete from alerts where detector = 'sequential' and alert_id not in (
    select arg_min(alert_id, (state, alert_id)) from alerts group by rule, baseline, candidate, code, stop_ts
);
update alerts set incident_id = heirs.alert_id from (
    select incident_id, min(alert_id) as alert_id
    from alerts where incident_id not in (select alert_id from alerts) group by incident_id
) as heirs where alerts.incident_id = heirs.incident_id;
-- Stretches in which a pair was not judged, for one of its builds was silent.
create table pauses (
    baseline text not null, candidate text not null, from_ts timestamp not null, until_ts timestamp not null
);
-- What retention has removed: a row a step and batch (or none), so that sums by batch still add up.
create table pruned (
    relation text not null, before_ts timestamp not null, batch_id bigint, records bigint not null,
    removed_at timestamp not null
);
-- How a content is known again, up to the end of its batch's range; `file_bytes` is the size of the file on disk.
create table contents (
    batch_id bigint not null, file_bytes bigint not null, inode text not null, head text not null,
    prefix text not null, lines bigint, settings text not null
);
-- Paths that hold other content than was read of them up to `read_bytes`; `found_as`: where that lies now.
create table replaced (
    batch_id bigint not null, path text not null, read_bytes bigint not null, state text not null,
    replaced_at timestamp not null, found_as text
);
