-- A row if the last batch was loaded more than an hour after $now.
select
    format(
        'the last file was loaded at {}, and the clock shows {}',
        cast(max(loaded_at) as varchar), cast(cast($now as timestamp) as varchar)
    ) as what
from batches
having max(loaded_at) > cast($now as timestamp) + interval 1 hour
