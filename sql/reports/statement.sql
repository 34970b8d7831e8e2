-- Whether DuckDB's parser reads a text as SELECT statements, and which table functions and relations they use.
select
    (parsed.tree ->> '$.error') = 'false' as is_select,
    json_extract_string(parsed.tree, '$..function.function_name') as functions,
    json_extract_string(parsed.tree, '$..table_name') as relations
from (select json_serialize_sql($statement::varchar) as tree) as parsed
