-- The lines of an invoice.
--
-- organisation_id is repeated here for two reasons: the policy needs no join, and the foreign key
-- over both columns makes a line of somebody else's invoice impossible.

SET LOCAL lock_timeout = '2s';

CREATE TABLE app.invoice_lines (
    id bigint GENERATED ALWAYS AS IDENTITY,
    organisation_id bigint NOT NULL,
    invoice_id bigint NOT NULL,
    position integer NOT NULL,
    description text NOT NULL,
    quantity numeric(12, 3) NOT NULL DEFAULT 1,
    unit_price numeric(14, 2) NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT invoice_lines_pkey PRIMARY KEY (id),
    -- Also the index behind the foreign key.
    CONSTRAINT invoice_lines_position_key UNIQUE (organisation_id, invoice_id, position),
    CONSTRAINT invoice_lines_invoice_fkey
        FOREIGN KEY (organisation_id, invoice_id) REFERENCES app.invoices (organisation_id, id),
    CONSTRAINT invoice_lines_quantity_check CHECK (quantity > 0)
);
COMMENT ON TABLE app.invoice_lines IS 'What an invoice charges for, line by line';

CREATE TRIGGER invoice_lines_touch_updated_at
    BEFORE UPDATE ON app.invoice_lines
    FOR EACH ROW EXECUTE FUNCTION app.touch_updated_at();

ALTER TABLE app.invoice_lines ENABLE ROW LEVEL SECURITY;
CREATE POLICY invoice_lines_members ON app.invoice_lines
    TO app_user
    USING (organisation_id IN (
        SELECT m.organisation_id FROM app.memberships AS m WHERE m.user_id = (SELECT app.current_user_id())
    ));

GRANT SELECT, INSERT, UPDATE, DELETE ON app.invoice_lines TO app_user;
