-- Insert hours in which a build had no records before. Reads `arrived_hours`.
insert into build_hours
select build, hour_second, records from arrived_hours anti join build_hours using (build, hour_second)
