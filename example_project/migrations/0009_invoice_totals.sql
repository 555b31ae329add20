-- What each invoice charges, and what is still open.
--
-- security_invoker: without it a view reads its tables as the view's owner, whom row level security
-- does not bind, and would show every organisation's invoices to everybody.

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

CREATE FUNCTION app.invoice_balance(wanted_invoice_id bigint) RETURNS numeric
LANGUAGE sql STABLE
AS $$
    SELECT t.charged - t.paid FROM app.invoice_totals AS t WHERE t.invoice_id = wanted_invoice_id
$$;
COMMENT ON FUNCTION app.invoice_balance(bigint) IS 'What the customer still owes; NULL if there is no such invoice';
