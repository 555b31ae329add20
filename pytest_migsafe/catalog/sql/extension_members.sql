-- How many members extensions have: ALTER EXTENSION ADD and DROP change nothing else of an object.
select pg_catalog.count(*)
from pg_catalog.pg_depend d
where d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass and d.deptype = 'e'
