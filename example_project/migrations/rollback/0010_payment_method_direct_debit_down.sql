-- Postgres cannot drop an enum value, so the type is made anew without it.
--
-- This rewrites payments under an ACCESS EXCLUSIVE lock: stop the application first. It fails, and
-- changes nothing, if a payment by direct debit exists.

SET LOCAL lock_timeout = '2s';

ALTER TYPE app.payment_method RENAME TO payment_method_old;

CREATE TYPE app.payment_method AS ENUM ('card', 'bank_transfer');
COMMENT ON TYPE app.payment_method IS 'How a customer paid';

ALTER TABLE app.payments
    ALTER COLUMN method TYPE app.payment_method USING method::text::app.payment_method;

DROP TYPE app.payment_method_old;
