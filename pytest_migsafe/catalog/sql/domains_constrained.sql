-- Domains with a constraint that was added, or (by a scan of them all) changed.
select 'type', c.contypid::pg_catalog.int8
from pg_catalog.pg_constraint c
where c.contypid > 0::pg_catalog.oid and (
    c.oid > {highest}
    or ({is_updated} and c.oid >= 16384 and pg_catalog.age(c.xmin) <= (select pg_catalog.age({since}::pg_catalog.xid)))
)
order by 2
