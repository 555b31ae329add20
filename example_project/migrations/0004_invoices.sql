-- Invoices: the heart of the service.
--
-- The foreign key takes a SHARE ROW EXCLUSIVE lock on organisations until this file commits, which
-- holds up everybody who writes there: hence the lock_timeout. LOCAL, so that it ends with this
-- file's transaction and does not leak into the next file.

SET LOCAL lock_timeout = '2s';

CREATE TABLE app.invoices (
    id bigint GENERATED ALWAYS AS IDENTITY,
    organisation_id bigint NOT NULL,
    number text NOT NULL,
    customer_name text NOT NULL,
    status app.invoice_status NOT NULL DEFAULT 'draft',
    currency app.currency_code NOT NULL,
    issued_on date,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT invoices_pkey PRIMARY KEY (id),
    -- What lines and payments reference, so that neither can point into another organisation.
    CONSTRAINT invoices_organisation_id_id_key UNIQUE (organisation_id, id),
    CONSTRAINT invoices_organisation_id_number_key UNIQUE (organisation_id, number),
    CONSTRAINT invoices_organisation_id_fkey FOREIGN KEY (organisation_id) REFERENCES app.organisations (id),
    CONSTRAINT invoices_issued_on_check CHECK (status = 'draft' OR issued_on IS NOT NULL)
);
COMMENT ON TABLE app.invoices IS 'Invoices that organisations send to their customers';
COMMENT ON COLUMN app.invoices.number IS 'The number printed on the invoice; unique within its organisation';

CREATE TRIGGER invoices_touch_updated_at
    BEFORE UPDATE ON app.invoices
    FOR EACH ROW EXECUTE FUNCTION app.touch_updated_at();

ALTER TABLE app.invoices ENABLE ROW LEVEL SECURITY;
CREATE POLICY invoices_members ON app.invoices
    TO app_user
    USING (organisation_id IN (
        SELECT m.organisation_id FROM app.memberships AS m WHERE m.user_id = (SELECT app.current_user_id())
    ));

GRANT SELECT, INSERT, UPDATE ON app.invoices TO app_user;
