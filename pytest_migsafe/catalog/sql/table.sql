-- Tables: ordinary, partitioned and foreign (manual: "pg_class").
select
    c.oid::pg_catalog.regclass::pg_catalog.text as name,
    case c.relkind when 'r' then 'table' when 'p' then 'partitioned table' else 'foreign table' end as kind,
    case c.relpersistence when 'u' then 'unlogged' else 'permanent' end as persistence,
    pg_catalog.pg_get_userbyid(c.relowner) as owner,
    c.relrowsecurity as row_security,
    c.relforcerowsecurity as force_row_security,
    case when c.relkind = 'p' then pg_catalog.pg_get_partkeydef(c.oid) end as partition_key,
    case when c.relispartition then pg_catalog.pg_get_expr(c.relpartbound, c.oid) end as partition_bound,
    array(
        select i.inhparent::pg_catalog.regclass::pg_catalog.text from pg_catalog.pg_inherits i
        where i.inhrelid = c.oid order by i.inhseqno
    ) as parents,
    case when c.reloftype <> 0 then pg_catalog.format_type(c.reloftype, null) end as of_type,
    coalesce(c.reloptions, array[]::pg_catalog.text[]) || array(
        select 'toast.' || o
        from pg_catalog.pg_class toast, pg_catalog.unnest(toast.reloptions) o where toast.oid = c.reltoastrelid
    ) as options,
    (select am.amname::pg_catalog.text from pg_catalog.pg_am am where am.oid = c.relam) as access_method,
    (
        select ts.spcname::pg_catalog.text from pg_catalog.pg_tablespace ts where ts.oid = c.reltablespace
    ) as tablespace,
    case c.relreplident
        when 'd' then 'default' when 'n' then 'nothing' when 'f' then 'full'
        else (
            select 'index ' || i.indexrelid::pg_catalog.regclass
            from pg_catalog.pg_index i where i.indrelid = c.oid and i.indisreplident
        )
    end as replica_identity,
    c.relispartition and exists (
        select from pg_catalog.pg_inherits i where i.inhrelid = c.oid and i.inhdetachpending
    ) as detach_pending,
    (
        select pg_catalog.quote_ident(s.srvname)
        from pg_catalog.pg_foreign_table f join pg_catalog.pg_foreign_server s on s.oid = f.ftserver
        where f.ftrelid = c.oid
    ) as server,
    array(
        select pg_catalog.unnest(f.ftoptions) from pg_catalog.pg_foreign_table f where f.ftrelid = c.oid
    ) as foreign_options,
    (
        select d.description from pg_catalog.pg_description d
        where d.objoid = c.oid and d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objsubid = 0
    ) as comment,
    (
        select pg_catalog.count(*)::pg_catalog.int4 from pg_catalog.pg_attribute a
        where a.attrelid = c.oid and a.attnum > 0 and a.attisdropped
    ) as dropped_columns
from pg_catalog.pg_class c
where c.relkind in ('r', 'p', 'f') and c.oid {restriction}
order by 1
