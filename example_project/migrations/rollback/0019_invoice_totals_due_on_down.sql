-- A column of a view cannot be taken away: drop the view and make it as 0009 did, with its comment
-- and its grant. app.invoice_balance reads it by name and need not be touched.

SET LOCAL lock_timeout = '2s';

DROP VIEW app.invoice_totals;

CREATE VIEW app.invoice_totals WITH (security_invoker = true) AS
SELECT
    i.id AS invoice_id,
    i.organisation_id,
    i.number,
    i.status,
    i.currency,
    l.charged,
    p.paid
FROM app.invoices AS i
CROSS JOIN LATERAL (
    SELECT COALESCE(sum(round(il.quantity * il.unit_price, 2)), 0) AS charged
    FROM app.invoice_lines AS il
    WHERE il.organisation_id = i.organisation_id AND il.invoice_id = i.id
) AS l
CROSS JOIN LATERAL (
    SELECT COALESCE(sum(pm.amount), 0) AS paid
    FROM app.payments AS pm
    WHERE pm.organisation_id = i.organisation_id AND pm.invoice_id = i.id
) AS p;
COMMENT ON VIEW app.invoice_totals IS 'Each invoice with the sums of its lines and of its payments';
GRANT SELECT ON app.invoice_totals TO app_user;
