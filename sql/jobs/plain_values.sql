-- Values of JSON lines as records, if they need no closer look. Reads `found_values` (ts, code and client as texts,
-- build_value as text, or as JSON, because as text the number 5.90 would be 5.9).
-- Numbers with a fraction or an exponent, texts that could be such numbers, and other types need a closer look.
-- Parameters: $is_build_text, $has_escapes (the text has a backslash), $longest_text, $before_build.
with texts as (
    select
        *,
        case
            when $is_build_text or not starts_with(cast(build_value as varchar), '"') then cast(build_value as varchar)
            else substring(cast(build_value as varchar), 2, length(cast(build_value as varchar)) - 2)
        end as build
    from found_values
)

select
    * exclude (build_value),  -- noqa: AM04
    strlen(build) between 1 and $longest_text - strlen($before_build)
    and case
        when $is_build_text
            then if(
                build < ':' and build like '%.%.%',
                true,
                not regexp_matches(build, '^-?\d.*[.eE]|^[\[{]|^true$|^false$|^(?i)-?(nan|inf(inity)?)$')
            )
        else if(
            starts_with(cast(build_value as varchar), '"'),
            true, build between '-' and ':' and not contains(build, '.') and not contains(build, 'e')
        )
    end
    and case
        when code < ':' then not contains(code, '.') and not contains(code, 'e')
        else not regexp_matches(code, '^[\[{]|^true$|^false$|^(?i)-?(nan|inf(inity)?)$')
    end
    and not ($has_escapes and (contains(build, '\') or contains(build, chr(0)) or contains(code, chr(0))))
    and not coalesce($has_escapes and (contains(client, '\') or contains(client, chr(0))), false) as is_whole
from texts
