-- The alerts that may belong to an open incident: those that did not end long before.
select * from main.alerts -- noqa: AM04
where
    end_ts >= (
        select min(progress.settled_until) - to_seconds(any_value(settings.merge_seconds))
        from progress cross join settings
        where progress.rule in (select rule from rules) and not progress.is_superseded
    )
