-- What a run has still to report: incidents as they were before its pass, of those that end at or behind since_second,
-- and the batches that passes had seen. A run that is killed leaves them to the next one.
create table unreported (since_second bigint not null);
create table incidents_before (
    incident_id bigint not null, rule text not null, detector text not null, baseline text not null,
    candidate text not null, code text not null, start_ts timestamp not null, stop_ts timestamp not null,
    end_ts timestamp not null, alerts bigint not null, peak_value double not null, threshold double not null,
    baseline_errors bigint not null, candidate_errors bigint not null, ratio double, ratio_low double,
    ratio_high double, state text not null, exposure text, candidate_share double, dispersion double,
    opened_ts timestamp not null, doublings double,
    again struct(
        start_ts timestamp, peak_value double, threshold double, baseline_errors bigint, candidate_errors bigint,
        ratio double, ratio_low double, ratio_high double, exposure text, candidate_share double
    )
);
create table seen_before (baseline text not null, candidate text not null, batch_id bigint not null);
