-- Which alerts of a rule, comparison and code may end in one bin: of means one of each length of window, of sequential
-- one. Rule, baseline, candidate, code, stop_ts and this are an alert's key.
create or replace temp macro slot_of(detector, window_bins) as
case when detector = 'sequential' then 0 else window_bins end
