-- Comparisons with what was sent days before: of the settings, and of builds that replaced another one at once.
-- Grain: one row per baseline, candidate, side of it that is no build of now, and build that this side is made of.
-- Reads: builds, comparisons, replacements
-- Feeds: sides, pairs, side_codes, side_counters
with
comparisons as (
    select
        baseline, candidate, builds_like, exposure, exposure_tolerance, 86400 * lag_days as lag_seconds, min_ratio,
        case lag_days when 1 then ' a day earlier' else ' ' || cast(lag_days as varchar) || ' days earlier' end as words
    from comparisons where lag_days > 0
),

-- Where so much of the baseline is known.
replaced as (
    select
        r.old_build || c.words as baseline, r.new_build as candidate, r.old_build as build, c.lag_seconds,
        r.opened_second, case when c.exposure = 'given' then 'estimated' else c.exposure end as exposure,
        c.exposure_tolerance, c.min_ratio
    from replacements as r
    inner join comparisons as c
        on r.baseline = c.baseline and r.candidate = c.candidate and r.builds_like = c.builds_like
    where r.known_seconds >= c.lag_seconds
),

-- All builds of a pattern together are one, by the name of the pattern.
together as (
    select
        c.candidate || c.words as baseline, c.candidate, b.build, c.lag_seconds, c.exposure, c.exposure_tolerance,
        c.min_ratio
    from comparisons as c inner join builds as b on b.build like c.builds_like escape '!'
    where c.baseline = 'earlier'
),

found as (
    select
        baseline, candidate, baseline as side, build, lag_seconds, opened_second, exposure, exposure_tolerance,
        min_ratio
    from replaced
    union distinct
    select
        baseline, candidate, baseline as side, build, lag_seconds, -62135596800 as opened_second, exposure,
        exposure_tolerance, min_ratio
    from together
    union distinct
    select
        baseline, candidate, candidate as side, build, 0 as lag_seconds, -62135596800 as opened_second, exposure,
        exposure_tolerance, min_ratio
    from together where candidate <> build
)

select baseline, candidate, side, build, lag_seconds, opened_second, exposure, exposure_tolerance, min_ratio
from found
