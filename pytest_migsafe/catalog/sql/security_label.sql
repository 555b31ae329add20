-- Security labels (manual: "pg_seclabel"). One on a column is named after its table and itself.
select
    i.type || ' ' || i.identity || ' for ' || pg_catalog.quote_ident(l.provider) as name,
    l.label as label
from pg_catalog.pg_seclabel l
cross join lateral pg_catalog.pg_identify_object(l.classoid, l.objoid, l.objsubid) i
where l.objoid >= 16384 and i.identity is not null
order by 1
