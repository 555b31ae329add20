-- Subscriptions of this database (manual: "pg_subscription"). The connection string is for superusers only: who may
-- not read it may not mention it. What is not there before some version is looked up by its name alone, which means that of `absent` then.
select
    pg_catalog.quote_ident(s.subname) as name,
    s.subenabled as enabled,
    s.subpublications as publications,
    {connection} as connection,
    s.subslotname::pg_catalog.text as slot,
    s.subsynccommit as synchronous_commit,
    array(
        select v.name || '=' || v.value
        from (values
            ('binary', (select subbinary from pg_catalog.pg_subscription o where o.oid = s.oid)::pg_catalog.text, 'false'),
            ('streaming', (select substream from pg_catalog.pg_subscription o where o.oid = s.oid)::pg_catalog.text,
                case when pg_catalog.current_setting('server_version_num')::pg_catalog.int4 < 180000 then 'false' else 'p' end),
            ('two_phase', (select subtwophasestate from pg_catalog.pg_subscription o where o.oid = s.oid)::pg_catalog.text, 'd'),
            ('disable_on_error', (select subdisableonerr from pg_catalog.pg_subscription o where o.oid = s.oid)::pg_catalog.text, 'false'),
            ('password_required', (select subpasswordrequired from pg_catalog.pg_subscription o where o.oid = s.oid)::pg_catalog.text, 'true'),
            ('run_as_owner', (select subrunasowner from pg_catalog.pg_subscription o where o.oid = s.oid)::pg_catalog.text, 'false'),
            ('origin', (select suborigin from pg_catalog.pg_subscription o where o.oid = s.oid)::pg_catalog.text, 'any'),
            ('failover', (select subfailover from pg_catalog.pg_subscription o where o.oid = s.oid)::pg_catalog.text, 'false'),
            ('retain_dead_tuples', (select subretaindeadtuples from pg_catalog.pg_subscription o where o.oid = s.oid)::pg_catalog.text, 'false')
        ) v (name, value, usual)
        -- PostgreSQL 16 made a letter of what was a truth value, and 18 took "parallel" for its default.
        where v.value <> v.usual and not (v.name = 'streaming' and v.value = 'f' and v.usual = 'false')
    ) as options,
    pg_catalog.pg_get_userbyid(s.subowner) as owner,
    (
        select d.description from pg_catalog.pg_description d
        where d.objoid = s.oid and d.classoid = 'pg_catalog.pg_subscription'::pg_catalog.regclass and d.objsubid = 0
    ) as comment
from pg_catalog.pg_subscription s
cross join (select
    null::pg_catalog.text as subbinary, null::pg_catalog.text as substream, null::pg_catalog.text as subtwophasestate, null::pg_catalog.text as subdisableonerr, null::pg_catalog.text as subpasswordrequired,
    null::pg_catalog.text as subrunasowner, null::pg_catalog.text as suborigin, null::pg_catalog.text as subfailover, null::pg_catalog.text as subretaindeadtuples
) absent
where s.subdbid = (select b.oid from pg_catalog.pg_database b where b.datname = pg_catalog.current_database())
order by 1
