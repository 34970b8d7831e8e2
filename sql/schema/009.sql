-- Passes fill the table anew.
alter table settings add column late_limit_days bigint;
-- Where the header stands by which the columns are read behind a batch; NULL where it is the first of the file.
alter table contents add column header_line bigint;
