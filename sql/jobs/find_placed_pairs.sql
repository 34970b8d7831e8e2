-- Pairs that had not ended by $from_second, and have a place in the slice or do not compete for one.
create or replace temp table placed_pairs as
select * from compared_pairs -- noqa: AM04
where
    until_second > $from_second
    and pair_id not in (select pair_id from kept_places group by pair_id having not bool_or(is_compared))
