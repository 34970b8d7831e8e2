-- All alerts that an open incident may have, and some more, so that the view `incidents`, which says what is open, need
-- not read the whole history. What ended long before all that is settled is not open.
select * from main.alerts -- noqa: AM04
where
    end_ts >= (
        select min(progress.settled_until) - to_seconds(any_value(settings.merge_seconds))
        from progress cross join settings
        where progress.rule in (select rule from rules) and not progress.is_superseded
    )
