-- Types and functions that the tables are built from.
--
-- The domain is used by new tables only: adding a column of a domain with a CHECK to a table
-- that is already there rewrites that table.

CREATE DOMAIN app.currency_code AS text
    CONSTRAINT currency_code_check CHECK (VALUE ~ '^[A-Z]{3}$');
COMMENT ON DOMAIN app.currency_code IS 'ISO 4217 code, such as EUR';

CREATE TYPE app.invoice_status AS ENUM ('draft', 'sent', 'paid', 'void');
COMMENT ON TYPE app.invoice_status IS 'Where an invoice is in its life';

CREATE TYPE app.payment_method AS ENUM ('card', 'bank_transfer');
COMMENT ON TYPE app.payment_method IS 'How a customer paid';

-- The application says who is asking with: SET LOCAL app.user_id = '42'. Once a session has used
-- the setting, "not set" reads as an empty string, hence NULLIF.
CREATE FUNCTION app.current_user_id() RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT NULLIF(current_setting('app.user_id', true), '')::bigint
$$;
COMMENT ON FUNCTION app.current_user_id() IS 'The signed-in user, or NULL outside a request';

CREATE FUNCTION app.touch_updated_at() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION app.touch_updated_at() IS 'Trigger: keep updated_at true';
