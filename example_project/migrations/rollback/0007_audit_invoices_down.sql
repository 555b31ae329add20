-- Stop auditing invoices. What has been logged stays.

SET LOCAL lock_timeout = '2s';

DROP TRIGGER invoices_record_change ON app.invoices;
