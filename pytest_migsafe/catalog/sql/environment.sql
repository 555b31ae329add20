-- What stands around a schema beside `cluster`: this database, whatever its name is, and what belongs to roles and
-- tablespaces. What came with later versions is looked up by its name alone.
select 'database' as kind, v.name, v.definition
from (
    select d.*, pg_catalog.to_jsonb(d) as more
    from pg_catalog.pg_database d where d.datname = pg_catalog.current_database()
) d
cross join lateral (
    values
        ('owner', pg_catalog.pg_get_userbyid(d.datdba)::pg_catalog.text),
        ('encoding', pg_catalog.pg_encoding_to_char(d.encoding)::pg_catalog.text),
        ('collate', d.datcollate::pg_catalog.text),
        ('ctype', d.datctype::pg_catalog.text),
        ('locale provider', case coalesce(d.more ->> 'datlocprovider', 'c')
            when 'c' then 'libc' when 'i' then 'icu' when 'b' then 'builtin' end),
        ('locale', coalesce(d.more ->> 'datlocale', d.more ->> 'daticulocale')),
        ('collation rules', d.more ->> 'daticurules'),
        ('collation version', d.more ->> 'datcollversion'),
        ('tablespace', (select t.spcname from pg_catalog.pg_tablespace t where t.oid = d.dattablespace)::pg_catalog.text),
        ('connection limit', nullif(d.datconnlimit, -1)::pg_catalog.text),
        ('template', nullif(d.datistemplate, false)::pg_catalog.text),
        ('comment', pg_catalog.shobj_description(d.oid, 'pg_database'))
) v (name, definition)
where v.definition is not null
union all
select 'database',
    'grants to ' || case a.grantee when 0 then 'PUBLIC' else pg_catalog.pg_get_userbyid(a.grantee)::pg_catalog.text end,
    pg_catalog.string_agg(a.privilege_type || case when a.is_grantable then '*' else '' end, ', ' order by a.privilege_type)
from pg_catalog.pg_database d
cross join lateral pg_catalog.aclexplode(coalesce(d.datacl, pg_catalog.acldefault('d', d.datdba))) a
where d.datname = pg_catalog.current_database()
group by a.grantee
union all
select 'database', 'setting' || coalesce(' of role ' || pg_catalog.pg_get_userbyid(nullif(s.setrole, 0)), ''),
    pg_catalog.array_to_string(array(select o from pg_catalog.unnest(s.setconfig) o order by 1), ', ')
from pg_catalog.pg_db_role_setting s
where s.setdatabase = (select d.oid from pg_catalog.pg_database d where d.datname = pg_catalog.current_database())
union all
select 'role comment', r.rolname::pg_catalog.text, pg_catalog.shobj_description(r.oid, 'pg_authid')
from pg_catalog.pg_roles r where pg_catalog.shobj_description(r.oid, 'pg_authid') is not null
union all
select 'membership options', pg_catalog.pg_get_userbyid(m.member) || ' in ' || pg_catalog.pg_get_userbyid(m.roleid),
    pg_catalog.concat_ws(', ', case when m.more ->> 'inherit_option' = 'false' then 'INHERIT FALSE' end,
        case when m.more ->> 'set_option' = 'false' then 'SET FALSE' end)
from (select a.*, pg_catalog.to_jsonb(a) as more from pg_catalog.pg_auth_members a) m
where m.member >= 16384 and 'false' in (m.more ->> 'inherit_option', m.more ->> 'set_option')
union all
select 'tablespace options', t.spcname::pg_catalog.text,
    pg_catalog.concat_ws('; ', pg_catalog.array_to_string(t.spcoptions, ', '), pg_catalog.array_to_string(t.spcacl, ', '))
from pg_catalog.pg_tablespace t where coalesce(t.spcoptions::pg_catalog.text, t.spcacl::pg_catalog.text) is not null
order by 1, 2, 3
