-- The errors of both builds of a pair together, by second and code: their builds are drawn at random.
select
    cast(epoch(originals.second) as bigint) as second, numbered_codes.place as code,
    cast(sum(originals.errors) as bigint) as errors
from originals
inner join numbered_codes on originals.code = numbered_codes.code
where
    originals.build in ($baseline, $candidate) and epoch(originals.second) >= $from_second
    and epoch(originals.second) < $until_second
group by originals.second, numbered_codes.place
order by originals.second, numbered_codes.place
