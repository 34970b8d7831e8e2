-- Comparisons with what was sent days before: of the settings, and of builds that replaced another one at once.
-- Grain: one row per baseline, candidate, side that is no current build, and build that this side consists of.
-- Reads: builds, comparisons, replacements
-- Feeds: sides, pairs
with
comparisons as (
    select
        baseline, candidate, builds_like, exposure, exposure_tolerance, 86400 * lag_days as lag_seconds, min_ratio,
        case lag_days when 1 then ' a day earlier' else ' ' || cast(lag_days as varchar) || ' days earlier' end as words
    from comparisons where lag_days > 0
)

-- Only if the store has enough history of the baseline.
select
    r.old_build || c.words as baseline, r.new_build as candidate, r.old_build || c.words as side, r.old_build as build,
    c.lag_seconds, r.opened_second, case when c.exposure = 'given' then 'estimated' else c.exposure end as exposure,
    c.exposure_tolerance, c.min_ratio
from replacements as r
inner join comparisons as c on r.baseline = c.baseline and r.candidate = c.candidate and r.builds_like = c.builds_like
where r.known_seconds >= c.lag_seconds
union distinct
-- All builds of a pattern are one side, named after the pattern.
select
    c.candidate || c.words as baseline, c.candidate,
    case sides.is_baseline when 1 then c.candidate || c.words else c.candidate end as side, b.build,
    sides.is_baseline * c.lag_seconds as lag_seconds, -62135596800 as opened_second, c.exposure, c.exposure_tolerance,
    c.min_ratio
from comparisons as c
inner join builds as b on b.build like c.builds_like escape '!'
cross join (values (0), (1)) as sides (is_baseline)
where c.baseline = 'earlier' and (sides.is_baseline = 1 or c.candidate <> b.build)
