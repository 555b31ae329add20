-- How many of the objects up to an oid are members of extensions: ALTER EXTENSION ADD and DROP change nothing else
-- of an object. And how many objects go with an extension (ALTER ... DEPENDS ON EXTENSION): they are named in what it is.
select
    pg_catalog.count(*) filter (where d.deptype = 'e' and d.objid <= {highest}),
    pg_catalog.count(*) filter (where d.deptype = 'x')
from pg_catalog.pg_depend d
where d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass and d.deptype in ('e', 'x')
