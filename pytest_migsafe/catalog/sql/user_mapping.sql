-- User mappings (manual: "pg_user_mappings"): the view hides options from whoever may not read them, the catalog itself is
-- for superusers only.
select
    case u.umuser when 0 then 'PUBLIC' else pg_catalog.pg_get_userbyid(u.umuser)::pg_catalog.text end
        || ' on ' || pg_catalog.quote_ident(u.srvname) as name,
    case
        when u.umoptions is not null then u.umoptions
        -- The condition of the view.
        when (select r.rolsuper from pg_catalog.pg_roles r where r.rolname = current_user) or (
            u.umuser = 0 and pg_catalog.pg_has_role(
                (select s.srvowner from pg_catalog.pg_foreign_server s where s.oid = u.srvid), 'USAGE')
        ) or (u.usename = current_user and (
            pg_catalog.pg_has_role((select s.srvowner from pg_catalog.pg_foreign_server s where s.oid = u.srvid), 'USAGE')
            or pg_catalog.has_server_privilege(u.srvid, 'USAGE')
        )) then array[]::pg_catalog.text[]
        else array['(may not be read)']
    end as foreign_options
from pg_catalog.pg_user_mappings u
where u.umid >= 16384 and not exists (
        select from pg_catalog.pg_depend e
        where e.classid = 'pg_catalog.pg_user_mapping'::pg_catalog.regclass and e.objid = u.umid and e.deptype = 'e'
    )
order by 1
