-- User mappings (manual: "pg_user_mappings"): the view hides options from whoever may not read them, the catalog itself is
-- for superusers only.
select
    case u.umuser when 0 then 'PUBLIC' else pg_catalog.pg_get_userbyid(u.umuser)::pg_catalog.text end
        || ' on ' || pg_catalog.quote_ident(u.srvname) as name,
    coalesce(u.umoptions, array[]::pg_catalog.text[]) as foreign_options
from pg_catalog.pg_user_mappings u
where u.umid >= 16384 and not exists (
        select from pg_catalog.pg_depend e
        where e.classid = 'pg_catalog.pg_user_mapping'::pg_catalog.regclass and e.objid = u.umid and e.deptype = 'e'
    )
order by 1
