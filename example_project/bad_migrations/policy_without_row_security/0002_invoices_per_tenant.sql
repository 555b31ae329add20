SET LOCAL lock_timeout = '2s';

CREATE POLICY own_invoices ON invoices
    USING (tenant = current_setting('app.tenant'));
