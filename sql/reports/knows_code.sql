-- Whether any build has sent a code.
select count(*) > 0 as is_known from codes where code = $code
