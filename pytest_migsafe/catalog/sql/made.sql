-- The user's objects of a catalog that fulfil a condition on their oids.
select {catalog}, o.oid::pg_catalog.int8
from ({homes}) o (oid)
where {condition}
order by 2
