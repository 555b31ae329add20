-- What ALL PRIVILEGES stands for on this server, by what it is granted on: an owner has them all (manual: "Privileges").
-- MAINTAIN came with PostgreSQL 17.
select kind.granted_on, pg_catalog.array_agg(owners.privilege_type order by owners.privilege_type)
from (values
    ('table', 'r'), ('tables', 'r'), ('view', 'r'), ('sequence', 's'), ('sequences', 's'), ('function', 'f'), ('functions', 'f'),
    ('type', 'T'), ('types', 'T'), ('schema', 'n'), ('schemas', 'n'), ('language', 'l'), ('foreign-data wrapper', 'F'),
    ('server', 'S'), ('large objects', 'L')
) kind (granted_on, letter)
cross join lateral pg_catalog.aclexplode(pg_catalog.acldefault(kind.letter::pg_catalog."char", 10)) owners
where owners.grantee = 10
group by 1
order by 1
