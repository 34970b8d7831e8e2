-- The first and last second of builds that sent more records. Reads `arrived`.
update builds
set
    first_second = least(builds.first_second, found.first_second),
    last_second = greatest(builds.last_second, found.last_second)
from (
    select build, min(first_second) as first_second, max(last_second) as last_second from arrived group by build
) as found
where builds.build = found.build
