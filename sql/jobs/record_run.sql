-- What a pass, or a portion of one, judged and changed; $error where it failed.
insert into runs
with judged as (select max(judged_until) as watermark from progress),

known as (select distinct settings_hash from rules),

hashed as (select coalesce(md5(string_agg(settings_hash, '' order by settings_hash)), '') as settings_hash from known)

select
    $run as run_number, $started_at as started, $finished_at as finished, $state as run_state,
    $scope_start as scope_begin, $scope_end as scope_finish, judged.watermark, hashed.settings_hash,
    $new as added, $revised as changed, $retracted as removed, $error as error_text
from judged cross join hashed
