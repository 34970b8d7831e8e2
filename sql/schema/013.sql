-- Who sent a record: the installation, user or session; NULL where its source names no such column.
alter table events add column client text;
