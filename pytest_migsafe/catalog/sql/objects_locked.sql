-- What this transaction has locked that is no relation: COMMENT locks what it takes the comment from, and of that
-- nothing else remains (manual: "pg_locks").
select l.classid, l.objid
from pg_catalog.pg_locks l
where l.locktype = 'object' and l.pid = pg_catalog.pg_backend_pid() and l.objid >= 16384
order by 1, 2
