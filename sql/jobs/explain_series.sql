-- The numbers of rule, comparison and code in relations that have no names.
create or replace temp table explained_series as
select distinct series, detector, baseline, candidate from explained_bins
