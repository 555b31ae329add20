-- Payments: append-only, hence no updated_at, and no UPDATE for the application.
--
-- recorded_by will reference users. The foreign key comes in 0017: here it would lock a second
-- busy table in the same transaction. Its index comes now, while it costs nothing.

SET LOCAL lock_timeout = '2s';

CREATE TABLE app.payments (
    id bigint GENERATED ALWAYS AS IDENTITY,
    organisation_id bigint NOT NULL,
    invoice_id bigint NOT NULL,
    method app.payment_method NOT NULL,
    amount numeric(14, 2) NOT NULL,
    received_on date NOT NULL DEFAULT CURRENT_DATE,
    recorded_by bigint,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT payments_pkey PRIMARY KEY (id),
    CONSTRAINT payments_invoice_fkey
        FOREIGN KEY (organisation_id, invoice_id) REFERENCES app.invoices (organisation_id, id),
    CONSTRAINT payments_amount_check CHECK (amount <> 0)
);
COMMENT ON TABLE app.payments IS 'Money received for an invoice; a refund is a negative amount';
COMMENT ON COLUMN app.payments.recorded_by IS 'The user who entered the payment; NULL if the bank told us';

CREATE INDEX payments_invoice_idx ON app.payments (organisation_id, invoice_id);
CREATE INDEX payments_recorded_by_idx ON app.payments (recorded_by);

CREATE TRIGGER payments_record_change
    AFTER INSERT OR UPDATE OR DELETE ON app.payments
    FOR EACH ROW EXECUTE FUNCTION audit.record_change();

ALTER TABLE app.payments ENABLE ROW LEVEL SECURITY;
CREATE POLICY payments_members ON app.payments
    TO app_user
    USING (organisation_id IN (
        SELECT m.organisation_id FROM app.memberships AS m WHERE m.user_id = (SELECT app.current_user_id())
    ));

GRANT SELECT, INSERT ON app.payments TO app_user;
