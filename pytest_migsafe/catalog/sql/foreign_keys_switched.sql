-- Tables with a foreign key of which a trigger was updated: it may be on the other table (ALTER TABLE ... DISABLE TRIGGER).
select distinct 'relation', c.conrelid::pg_catalog.int8
from pg_catalog.pg_trigger t
join pg_catalog.pg_constraint c on c.oid = t.tgconstraint
where t.tgisinternal and t.tgrelid >= 16384 and pg_catalog.age(t.xmin) <= (select pg_catalog.age({since}::pg_catalog.xid))
order by 2
