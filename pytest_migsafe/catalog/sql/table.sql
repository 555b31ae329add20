-- Tables: ordinary, partitioned and foreign (manual: "pg_class").
select
    pg_catalog.format('%I.%I', n.nspname, c.relname) as name,
    case c.relkind when 'r' then 'table' when 'p' then 'partitioned table' else 'foreign table' end as kind,
    case c.relpersistence when 'u' then 'unlogged' else 'permanent' end as persistence,
    pg_catalog.pg_get_userbyid(c.relowner) as owner,
    c.relrowsecurity as row_security,
    c.relforcerowsecurity as force_row_security,
    case when c.relkind = 'p' then pg_catalog.pg_get_partkeydef(c.oid) end as partition_key,
    case when c.relispartition then pg_catalog.pg_get_expr(c.relpartbound, c.oid) end as partition_bound,
    array(
        select pg_catalog.format('%I.%I', pn.nspname, p.relname)
        from pg_catalog.pg_inherits i
        join pg_catalog.pg_class p on p.oid = i.inhparent
        join pg_catalog.pg_namespace pn on pn.oid = p.relnamespace
        where i.inhrelid = c.oid
        order by i.inhseqno
    ) as parents,
    case when c.reloftype <> 0 then pg_catalog.format_type(c.reloftype, null) end as of_type,
    array(
        select o from pg_catalog.unnest(c.reloptions) o
        union all
        select 'toast.' || o
        from pg_catalog.pg_class toast, pg_catalog.unnest(toast.reloptions) o where toast.oid = c.reltoastrelid
        order by 1
    ) as options,
    am.amname::pg_catalog.text as access_method,
    ts.spcname::pg_catalog.text as tablespace,
    case c.relreplident
        when 'd' then 'default' when 'n' then 'nothing' when 'f' then 'full'
        else (
            select 'index ' || pg_catalog.quote_ident(ic.relname)
            from pg_catalog.pg_index i join pg_catalog.pg_class ic on ic.oid = i.indexrelid
            where i.indrelid = c.oid and i.indisreplident
        )
    end as replica_identity,
    (
        select pg_catalog.quote_ident(srv.srvname)
        from pg_catalog.pg_foreign_table f join pg_catalog.pg_foreign_server srv on srv.oid = f.ftserver
        where f.ftrelid = c.oid
    ) as server,
    array(
        select o from pg_catalog.pg_foreign_table f, pg_catalog.unnest(f.ftoptions) o
        where f.ftrelid = c.oid order by 1
    ) as server_options,
    d.description as comment
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
left join pg_catalog.pg_am am on am.oid = c.relam
left join pg_catalog.pg_tablespace ts on ts.oid = c.reltablespace
left join pg_catalog.pg_description d
    on d.objoid = c.oid and d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objsubid = 0
where c.relkind in ('r', 'p', 'f') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    and c.oid not in (
        select e.objid from pg_catalog.pg_depend e
        where e.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
            and e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and e.deptype = 'e'
    )
    and {restriction}
order by 1
