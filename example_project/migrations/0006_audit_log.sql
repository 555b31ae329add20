-- The audit log, and the trigger function that writes it. No table is audited yet: that is 0007.
--
-- Partitioned by time, so that old years can be detached instead of deleted. The ranges leave no
-- gap, because a row that fits no partition would make the audited write fail; and there is no
-- DEFAULT partition, because each later partition would have to scan it under a lock.

CREATE TABLE audit.audit_log (
    id bigint GENERATED ALWAYS AS IDENTITY,
    occurred_at timestamptz NOT NULL DEFAULT now(),
    organisation_id bigint NOT NULL,
    actor_id bigint,
    table_name text NOT NULL,
    operation text NOT NULL,
    old_row jsonb,
    new_row jsonb,
    CONSTRAINT audit_log_pkey PRIMARY KEY (occurred_at, id),
    CONSTRAINT audit_log_operation_check CHECK (operation IN ('INSERT', 'UPDATE', 'DELETE'))
) PARTITION BY RANGE (occurred_at);
COMMENT ON TABLE audit.audit_log IS 'One row for every change of an audited row';
COMMENT ON COLUMN audit.audit_log.actor_id IS 'The signed-in user; NULL for migrations and jobs';

CREATE TABLE audit.audit_log_until_2025
    PARTITION OF audit.audit_log FOR VALUES FROM (MINVALUE) TO ('2026-01-01 00:00:00+00');
COMMENT ON TABLE audit.audit_log_until_2025 IS 'Audit log: everything before 2026';
CREATE TABLE audit.audit_log_2026
    PARTITION OF audit.audit_log FOR VALUES FROM ('2026-01-01 00:00:00+00') TO ('2027-01-01 00:00:00+00');
COMMENT ON TABLE audit.audit_log_2026 IS 'Audit log: 2026';
CREATE TABLE audit.audit_log_from_2027
    PARTITION OF audit.audit_log FOR VALUES FROM ('2027-01-01 00:00:00+00') TO (MAXVALUE);
COMMENT ON TABLE audit.audit_log_from_2027 IS 'Audit log: 2027 and later, until that year gets its own';

CREATE INDEX audit_log_organisation_id_idx ON audit.audit_log (organisation_id, occurred_at);

-- SECURITY DEFINER: the application may cause audit rows, never write them. The empty search_path
-- keeps a caller from putting his own objects in front of ours.
CREATE FUNCTION audit.record_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = ''
AS $$
BEGIN
    INSERT INTO audit.audit_log (organisation_id, actor_id, table_name, operation, old_row, new_row)
    VALUES (
        CASE TG_OP WHEN 'DELETE' THEN OLD.organisation_id ELSE NEW.organisation_id END,
        app.current_user_id(),
        format('%I.%I', TG_TABLE_SCHEMA, TG_TABLE_NAME),
        TG_OP,
        CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END,
        CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END
    );
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION audit.record_change() IS 'Trigger: copy a change of a row into audit.audit_log';
REVOKE EXECUTE ON FUNCTION audit.record_change() FROM PUBLIC;

ALTER TABLE audit.audit_log ENABLE ROW LEVEL SECURITY;
CREATE POLICY audit_log_members ON audit.audit_log
    FOR SELECT TO app_user
    USING (organisation_id IN (
        SELECT m.organisation_id FROM app.memberships AS m WHERE m.user_id = (SELECT app.current_user_id())
    ));

-- On the parent only: reading a partition directly would pass its policy by.
GRANT SELECT ON audit.audit_log TO app_user;
