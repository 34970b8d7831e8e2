-- Keep the fingerprints of rows that the next run sees again. One text is bound in a hundredth of the time of a list.
-- Parameters: $batch_id, $source, $fingerprints (hexadecimal, with blanks between them).
insert into cursor_rows
select $batch_id, $source, unhex(unnest(string_split($fingerprints, ' '))) as fingerprint
