-- The rows of a source that the next run sees again: how many have a fingerprint, and the settings of their batch.
-- Parameters: $source.
select cursor_rows.fingerprint, cursor_marks.settings, count(*) as copies
from cursor_rows
left join cursor_marks using (batch_id)
where cursor_rows.source = $source
group by cursor_rows.fingerprint, cursor_marks.settings
