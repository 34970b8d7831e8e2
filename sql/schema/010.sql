-- What passes estimated of the exposure of comparisons in blocks of two minutes; NULL where the stream told nothing.
create table remembered_estimates (
    rule text not null, baseline text not null, candidate text not null, settings_hash text not null,
    block_ts timestamp not null, sent_share double, candidate_share double, tested_share double
);
