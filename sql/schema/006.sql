-- Paths, and names of databases, that the last run to meet them refused, and the settings it had.
create table refused (
    path text not null, source text not null, settings text not null, reason text not null,
    refused_at timestamp not null
);
-- Batches whose records were removed by `unload`; `run_id`: the last pass before that.
create table unloaded (
    batch_id bigint not null, source text not null, path text not null, range_start bigint not null,
    range_end bigint not null, records bigint not null, rejected bigint not null, min_ts timestamp,
    max_ts timestamp, loaded_at timestamp not null, unloaded_at timestamp not null, run_id bigint not null
);
