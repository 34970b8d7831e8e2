-- Alerts that may belong to an open incident, or to one that another alert would reopen.
select * from main.alerts -- noqa: AM04
where
    end_ts >= (
        select
            min(progress.settled_until)
            - to_seconds(greatest(any_value(settings.merge_seconds), any_value(settings.reopen_seconds)))
        from progress cross join settings
        where progress.rule in (select rule from rules) and not progress.is_superseded
    )
