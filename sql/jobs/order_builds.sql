-- The order, family and kind of order of $builds: lists of the same length $ranks, $families, $reasons.
update builds
set version_rank = placed.version_rank, family = placed.family, ordered_by = placed.ordered_by
from (
    select
        unnest($builds) as build, unnest($ranks) as version_rank, unnest($families) as family,
        unnest($reasons) as ordered_by
) as placed
where
    builds.build = placed.build
    and (builds.version_rank, builds.family, builds.ordered_by)
    is distinct from (placed.version_rank, placed.family, placed.ordered_by)
