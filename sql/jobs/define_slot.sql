-- Distinguishes alerts of a rule, comparison and code that end in the same bin: for rules of means one per window
-- length, for sequential only one. An alert's key is rule, baseline, candidate, code, stop_ts and slot.
create or replace temp macro slot_of(detector, window_bins) as
case when detector = 'sequential' then 0 else window_bins end
