-- Rows about batches that are not in the ledger, and revisions of alerts that are not there.
with mentions as (
    select 'contents' as relation, batch_id from contents
    union distinct
    select 'replaced' as relation, batch_id from replaced
    union distinct
    select 'cursor_marks' as relation, batch_id from cursor_marks
    union distinct
    select 'cursor_rows' as relation, batch_id from cursor_rows
)

select format('{} refers to batch {}, which is not in the ledger', relation, batch_id) as what
from mentions
where batch_id not in (select batches.batch_id from batches)
union all
select distinct format('alert_revisions refers to alert {}, which does not exist', alert_id) as what
from alert_revisions
where alert_id not in (select alerts.alert_id from alerts)
