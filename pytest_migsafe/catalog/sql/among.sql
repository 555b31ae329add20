-- Some of the user's objects of a catalog.
select {catalog}, o.oid::pg_catalog.int8
from ({homes}) o (oid)
order by 2
