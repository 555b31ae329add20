-- Drop the audit log with its partitions, then the function that writes it.
-- What was logged is lost: dump audit.audit_log first.

SET LOCAL lock_timeout = '2s';

DROP TABLE audit.audit_log;
DROP FUNCTION audit.record_change();
