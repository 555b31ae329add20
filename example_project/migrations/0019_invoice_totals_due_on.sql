-- Show the due date beside the totals.
--
-- CREATE OR REPLACE VIEW can only add columns at the end, and that is why it is safe: queries of
-- the running application find all that they found before. The grant and the comment stay.

SET LOCAL lock_timeout = '2s';

CREATE OR REPLACE VIEW app.invoice_totals WITH (security_invoker = true) AS
SELECT
    i.id AS invoice_id,
    i.organisation_id,
    i.number,
    i.status,
    i.currency,
    l.charged,
    p.paid,
    i.due_on
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
