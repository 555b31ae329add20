-- Write the changes of invoices to the audit log, from now on.
--
-- CREATE TRIGGER keeps writers off the table for a moment and reads none of its rows.

SET LOCAL lock_timeout = '2s';

CREATE TRIGGER invoices_record_change
    AFTER INSERT OR UPDATE OR DELETE ON app.invoices
    FOR EACH ROW EXECUTE FUNCTION audit.record_change();
