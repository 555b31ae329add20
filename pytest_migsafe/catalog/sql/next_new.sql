-- What everything that is made from now on lies above: a row's xmin (asking assigns no transaction id), and the
-- oids, which all catalogs draw from one counter.
select
    pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::pg_catalog.text as next_xid,
    (select pg_catalog.max(c.oid)::pg_catalog.int8 from pg_catalog.pg_class c) as highest_oid,
    -- A trigger of these may do anything to any object.
    exists (select from pg_catalog.pg_event_trigger) as has_event_triggers,
    -- A label names its object, and does not depend on it.
    exists (select from pg_catalog.pg_seclabel) as has_security_labels
