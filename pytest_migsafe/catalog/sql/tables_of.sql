-- Relations, with the table instead of an index.
select coalesce((select i.indrelid from pg_catalog.pg_index i where i.indexrelid = o.oid), o.oid)
from pg_catalog.unnest({relations}) o (oid)
