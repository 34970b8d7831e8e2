-- In how many bins an increase must show. Passes fill the table anew.
alter table hypotheses add column min_bins bigint;
