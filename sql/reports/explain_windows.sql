-- Windows of reference rules; those that begin before the data do not exist.
select windows.* -- noqa: AM04
from windows
inner join span on windows.start_second >= floor(span.first_second / windows.bin_seconds) * windows.bin_seconds
