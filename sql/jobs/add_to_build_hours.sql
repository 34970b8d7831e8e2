-- Add records to existing hours. Reads `arrived_hours`.
update build_hours set records = build_hours.records + arrived_hours.records
from arrived_hours
where build_hours.build = arrived_hours.build and build_hours.hour_second = arrived_hours.hour_second
