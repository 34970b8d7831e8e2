-- Store the fingerprints of rows that the next run sees again. Binding one text is a hundred times faster than a list.
-- Parameters: $batch_id, $source, $fingerprints (hexadecimal, with blanks between them).
insert into cursor_rows
select $batch_id, $source, unhex(unnest(string_split($fingerprints, ' '))) as fingerprint
