-- The relation, type or function that objects belong to, or the group that they are read with; null for what is no kind
-- of ours.
select distinct
    case d.classid
        when 'pg_catalog.pg_proc'::pg_catalog.regclass then 'function'
        when 'pg_catalog.pg_type'::pg_catalog.regclass then 'type'
        when 'pg_catalog.pg_class'::pg_catalog.regclass then (
            select case x.relkind when 'c' then 'type' else 'relation' end
            from pg_catalog.pg_class x where x.oid = d.objid
        )
        when 'pg_catalog.pg_constraint'::pg_catalog.regclass then (
            select case x.conrelid when 0 then 'type' else 'relation' end
            from pg_catalog.pg_constraint x where x.oid = d.objid
        )
        when 'pg_catalog.pg_attrdef'::pg_catalog.regclass then 'relation'
        when 'pg_catalog.pg_rewrite'::pg_catalog.regclass then 'relation'
        when 'pg_catalog.pg_trigger'::pg_catalog.regclass then 'relation'
        when 'pg_catalog.pg_policy'::pg_catalog.regclass then 'relation'
        when 'pg_catalog.pg_event_trigger'::pg_catalog.regclass then 'event trigger'
        when 'pg_catalog.pg_statistic_ext'::pg_catalog.regclass then 'statistics'
        when 'pg_catalog.pg_publication'::pg_catalog.regclass then 'publication'
        when 'pg_catalog.pg_publication_rel'::pg_catalog.regclass then 'publication'
        when 'pg_catalog.pg_subscription'::pg_catalog.regclass then 'subscription'
        when 'pg_catalog.pg_cast'::pg_catalog.regclass then 'cast'
        when 'pg_catalog.pg_operator'::pg_catalog.regclass then 'operator'
        when 'pg_catalog.pg_opclass'::pg_catalog.regclass then 'operator'
        when 'pg_catalog.pg_opfamily'::pg_catalog.regclass then 'operator'
        when 'pg_catalog.pg_amop'::pg_catalog.regclass then 'operator'
        when 'pg_catalog.pg_amproc'::pg_catalog.regclass then 'operator'
        when 'pg_catalog.pg_collation'::pg_catalog.regclass then 'collation'
        when 'pg_catalog.pg_conversion'::pg_catalog.regclass then 'conversion'
        when 'pg_catalog.pg_ts_parser'::pg_catalog.regclass then 'text search'
        when 'pg_catalog.pg_ts_template'::pg_catalog.regclass then 'text search'
        when 'pg_catalog.pg_ts_dict'::pg_catalog.regclass then 'text search'
        when 'pg_catalog.pg_ts_config'::pg_catalog.regclass then 'text search'
        when 'pg_catalog.pg_foreign_data_wrapper'::pg_catalog.regclass then 'foreign data'
        when 'pg_catalog.pg_foreign_server'::pg_catalog.regclass then 'foreign data'
        when 'pg_catalog.pg_user_mapping'::pg_catalog.regclass then 'foreign data'
        when 'pg_catalog.pg_language'::pg_catalog.regclass then 'language'
        when 'pg_catalog.pg_transform'::pg_catalog.regclass then 'language'
        when 'pg_catalog.pg_am'::pg_catalog.regclass then 'access method'
    end,
    (case d.classid
        when 'pg_catalog.pg_class'::pg_catalog.regclass then (
            select case x.relkind when 'c' then x.reltype else x.oid end
            from pg_catalog.pg_class x where x.oid = d.objid
        )
        when 'pg_catalog.pg_attrdef'::pg_catalog.regclass
        then (select x.adrelid from pg_catalog.pg_attrdef x where x.oid = d.objid)
        when 'pg_catalog.pg_constraint'::pg_catalog.regclass
        then (select coalesce(nullif(x.conrelid, 0), x.contypid) from pg_catalog.pg_constraint x where x.oid = d.objid)
        when 'pg_catalog.pg_rewrite'::pg_catalog.regclass
        then (select x.ev_class from pg_catalog.pg_rewrite x where x.oid = d.objid)
        when 'pg_catalog.pg_trigger'::pg_catalog.regclass
        then (select x.tgrelid from pg_catalog.pg_trigger x where x.oid = d.objid)
        when 'pg_catalog.pg_policy'::pg_catalog.regclass
        then (select x.polrelid from pg_catalog.pg_policy x where x.oid = d.objid)
        else d.objid
    end)::pg_catalog.int8
from ({objects}) d (classid, objid)
order by 1, 2
