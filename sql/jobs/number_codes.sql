-- A number for each code, which replaces its name in the draws.
create or replace temp table numbered_codes as
select code, row_number() over (order by code) as place from codes group by code
