-- How many of the objects up to an oid are members of extensions: ALTER EXTENSION ADD and DROP change nothing else
-- of an object.
select pg_catalog.count(*)
from pg_catalog.pg_depend d
where d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass and d.deptype = 'e' and d.objid <= {highest}
